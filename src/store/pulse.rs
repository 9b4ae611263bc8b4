//! Tells a database that is slow from one that is silent: a connection over a broken network may wait for an answer for
//! hours. Who makes a call can see for how long its present statement has had no answer, give the call up, and go on
//! with another connection.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

/// How long one statement may go without an answer. The database itself ends statements of ours sooner.
#[cfg(feature = "postgres")]
const STATEMENT: Duration = Duration::from_secs(6);
/// The same for a whole call, on connections whose statements can't be seen: those of a host's own pool.
const CALL: Duration = Duration::from_secs(30);
/// How long a statement may go on that was asked before connections were found silent: on one of those, probably.
const SUSPECTED: Duration = Duration::from_secs(1);
/// How often to look.
pub(crate) const LOOK: Duration = Duration::from_millis(250);

static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

thread_local! {
    /// The pulse of the call that this thread makes.
    static CURRENT: RefCell<Option<Arc<Pulse>>> = const { RefCell::new(None) };
}

/// When connections of a pool were last found silent, in milliseconds since [`BEGIN`]; 0 for never.
#[derive(Default)]
pub(crate) struct Silence(AtomicU64);

impl Silence {
    /// They were found so now. Whoever asked one before need not wait as long to find it out once more.
    pub(super) fn found(&self) {
        self.0.store(millis(Instant::now()), Ordering::Relaxed);
    }
}

/// Whether a call still gets answers.
#[derive(Default)]
pub(crate) struct Pulse {
    /// When its statement was asked, in milliseconds since [`BEGIN`]; 0 while none is underway.
    since: AtomicU64,
    /// When that has to be answered.
    until: AtomicU64,
    silence: Arc<Silence>,
}

impl Pulse {
    /// Of a call on connections of which others may be found silent.
    pub(crate) fn beside(silence: Arc<Silence>) -> Arc<Self> {
        Arc::new(Self { silence, ..Self::default() })
    }

    /// Makes the call on this thread.
    pub(crate) fn during<T>(self: &Arc<Self>, call: impl FnOnce() -> T) -> T {
        let _end = Current(CURRENT.replace(Some(self.clone())));
        call()
    }

    /// Waits for the end of the call; `None` when it gets no answer any more. Its thread waits on then, and the locks that
    /// it may hold are given up by the database itself.
    pub(crate) async fn unless_silent<T>(&self, call: impl Future<Output = T>) -> Option<T> {
        let mut call = std::pin::pin!(call);
        loop {
            if let Ok(end) = tokio::time::timeout(LOOK, &mut call).await {
                return Some(end);
            }
            if self.is_silent() {
                return None;
            }
        }
    }

    /// Whether a statement has had no answer for too long.
    pub(crate) fn is_silent(&self) -> bool {
        let since = self.since.load(Ordering::Acquire);
        let (until, found) = (self.until.load(Ordering::Relaxed), self.silence.0.load(Ordering::Relaxed));
        let until = if since <= found { until.min(found + millis_of(SUSPECTED)) } else { until };
        since > 0 && until < millis(Instant::now())
    }
}

/// What the thread did before, for when a call has ended.
struct Current(Option<Arc<Pulse>>);

impl Drop for Current {
    fn drop(&mut self) {
        end();
        CURRENT.replace(self.0.take());
    }
}

/// Something was asked that is to be answered in time.
fn begin(patience: Duration) {
    CURRENT.with_borrow(|pulse| {
        if let Some(pulse) = pulse {
            let since = millis(Instant::now());
            pulse.until.store(since + millis_of(patience), Ordering::Relaxed);
            pulse.since.store(since, Ordering::Release);
        }
    });
}

/// It was answered.
fn end() {
    CURRENT.with_borrow(|pulse| {
        if let Some(pulse) = pulse {
            pulse.since.store(0, Ordering::Relaxed);
        }
    });
}

fn millis(at: Instant) -> u64 {
    millis_of(at.saturating_duration_since(*BEGIN)).max(1)
}

fn millis_of(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX / 4)
}

/// Notes a whole call; [`Whole`] ends it.
pub(super) fn whole() -> Whole {
    begin(CALL);
    Whole
}

/// A call that is noted as a whole.
pub(super) struct Whole;

impl Drop for Whole {
    fn drop(&mut self) {
        end();
    }
}

/// Has a connection note each of its statements.
#[cfg(feature = "postgres")]
pub(super) fn listen(conn: &mut diesel::PgConnection) {
    use diesel::connection::{Connection, InstrumentationEvent};

    conn.set_instrumentation(|event: InstrumentationEvent<'_>| match event {
        InstrumentationEvent::StartQuery { .. } => begin(STATEMENT),
        InstrumentationEvent::FinishQuery { .. } => end(),
        _ => {}
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_without_an_answer_is_silent_and_nothing_else_is() {
        let pulse = Arc::<Pulse>::default();
        pulse.during(|| {
            assert!(!pulse.is_silent());
            begin(Duration::ZERO);
            std::thread::sleep(Duration::from_millis(5));
            assert!(pulse.is_silent());
            end();
            assert!(!pulse.is_silent());
            begin(Duration::ZERO);
        });
        std::thread::sleep(Duration::from_millis(5));
        assert!(!pulse.is_silent(), "the call has ended");
    }

    #[test]
    fn a_statement_asked_before_others_were_found_silent_is_given_up_sooner() {
        let silence = Arc::<Silence>::default();
        let long_ago = millis(Instant::now() + SUSPECTED * 2);
        let asked = |since: u64| {
            let pulse = Pulse::beside(silence.clone());
            pulse.until.store(u64::MAX, Ordering::Relaxed);
            pulse.since.store(since, Ordering::Relaxed);
            pulse
        };
        let (before, after) = (asked(1), asked(long_ago));
        assert!(!before.is_silent(), "nothing was found");
        silence.0.store(1, Ordering::Relaxed);
        std::thread::sleep(SUSPECTED + Duration::from_millis(20));
        assert!(before.is_silent() && !after.is_silent());
    }
}
