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
/// How often to look.
pub(crate) const LOOK: Duration = Duration::from_millis(250);

static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

thread_local! {
    /// The pulse of the call that this thread makes.
    static CURRENT: RefCell<Option<Arc<Pulse>>> = const { RefCell::new(None) };
}

/// Whether a call still gets answers.
#[derive(Default)]
pub(crate) struct Pulse {
    /// When its statement has to be answered, in milliseconds since [`BEGIN`]; 0 while none is underway.
    until: AtomicU64,
}

impl Pulse {
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
        let until = self.until.load(Ordering::Relaxed);
        until > 0 && until < millis(Instant::now())
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
            pulse.until.store(millis(Instant::now() + patience), Ordering::Relaxed);
        }
    });
}

/// It was answered.
fn end() {
    CURRENT.with_borrow(|pulse| {
        if let Some(pulse) = pulse {
            pulse.until.store(0, Ordering::Relaxed);
        }
    });
}

fn millis(at: Instant) -> u64 {
    u64::try_from(at.saturating_duration_since(*BEGIN).as_millis()).unwrap_or(u64::MAX).max(1)
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
}
