//! How busy the writer is with deliveries, and whether it comes to an end with what it writes.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How busy the writer is with deliveries. Others who write much make room for it.
#[derive(Default)]
pub(crate) struct Load {
    since: OnceLock<Instant>,
    /// Nanoseconds spent on deliveries so far, and when that ended last.
    busy: AtomicUsize,
    ended: AtomicUsize,
    /// When those began that are underway.
    begun: AtomicUsize,
    underway: AtomicUsize,
    /// When the write began that is underway, whatever is written; 0 for none.
    writing: AtomicUsize,
}

impl Load {
    fn nanos(&self, at: Instant) -> usize {
        let begun = *self.since.get_or_init(Instant::now);
        usize::try_from(at.saturating_duration_since(begun).as_nanos()).unwrap_or(usize::MAX)
    }

    /// How long the writer was busy with deliveries, in all; those that wait for the database now included.
    pub(crate) fn busy(&self) -> Duration {
        let begun = self.begun.load(Ordering::Relaxed);
        let now = self.nanos(Instant::now());
        let underway = if self.underway.load(Ordering::Relaxed) > 0 { now.saturating_sub(begun) } else { 0 };
        Duration::from_nanos((self.busy.load(Ordering::Relaxed) + underway) as u64)
    }

    /// Whether no delivery is being written, nor was one within `quiet`.
    pub(crate) fn is_quiet(&self, quiet: Duration) -> bool {
        let ended = Duration::from_nanos(self.ended.load(Ordering::Relaxed) as u64);
        let now = Duration::from_nanos(self.nanos(Instant::now()) as u64);
        self.underway.load(Ordering::Relaxed) == 0 && now.saturating_sub(ended) >= quiet
    }

    /// For how long the write has been underway that is.
    pub(super) fn at_work_for(&self) -> Option<Duration> {
        let begun = Some(self.writing.load(Ordering::Relaxed)).filter(|begun| *begun > 0)?;
        Some(Duration::from_nanos(self.nanos(Instant::now()).saturating_sub(begun) as u64))
    }

    pub(super) fn begin_write(&self) {
        self.writing.store(self.nanos(Instant::now()).max(1), Ordering::Relaxed);
    }

    pub(super) fn end_write(&self) {
        self.writing.store(0, Ordering::Relaxed);
    }

    pub(super) fn begin(&self) -> Instant {
        let begun = Instant::now();
        self.begun.store(self.nanos(begun), Ordering::Relaxed);
        self.underway.store(1, Ordering::Relaxed);
        begun
    }

    pub(super) fn end(&self, begun: Instant) {
        let took = usize::try_from(begun.elapsed().as_nanos()).unwrap_or(usize::MAX);
        self.busy.fetch_add(took, Ordering::Relaxed);
        self.ended.store(self.nanos(Instant::now()), Ordering::Relaxed);
        self.underway.store(0, Ordering::Relaxed);
    }
}
