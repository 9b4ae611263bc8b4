//! How a worker makes room for deliveries: a burst is taken in first, and processing follows.
//!
//! After a batch the worker pauses, the longer the busier the writer was with deliveries meanwhile, and no longer than
//! until they fall silent. Where deliveries never stop, processing still has its share of the time, so it never
//! starves.

use std::time::{Duration, Instant};

use crate::engine::Engine;

/// While the writer is busy with deliveries all the time, processing has one part in this many of it, and one more.
const SHARE: u32 = 6;
/// How long no delivery comes when they have fallen silent: longer than between two of one burst.
const QUIET: Duration = Duration::from_millis(3);
/// How often to look for that.
const LOOK: Duration = Duration::from_millis(1);
/// The longest pause.
const LONGEST: Duration = Duration::from_millis(500);

/// What was measured when the last batch began.
pub(super) struct Pace {
    at: Instant,
    busy: Duration,
}

impl Pace {
    pub(super) fn begin(engine: &Engine) -> Self {
        Self { at: Instant::now(), busy: engine.writer.load().busy() }
    }

    /// Pauses after the batch that began with this.
    pub(super) async fn pause(self, engine: &Engine) {
        let load = engine.writer.load();
        let took = self.at.elapsed();
        let until = Instant::now() + rest(took, load.busy().saturating_sub(self.busy));
        while Instant::now() < until && !load.is_quiet(QUIET) {
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// How long to pause after a batch that took so long, while the writer was busy for so long.
fn rest(took: Duration, busy: Duration) -> Duration {
    // The batch's time, times the share of it that the writer was busy, times SHARE.
    (busy.min(took) * SHARE).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_follows_how_busy_the_writer_was_and_has_an_end() {
        let millis = Duration::from_millis;
        assert_eq!(rest(millis(10), millis(0)), millis(0));
        assert_eq!(rest(millis(10), millis(5)), millis(30));
        assert_eq!(rest(millis(10), millis(40)), millis(60));
        assert_eq!(rest(millis(900), millis(900)), LONGEST);
    }
}
