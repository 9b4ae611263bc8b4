//! A clock that stands still until the test moves it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::domain::Timestamp;

/// A clock that stands still until it is moved. Its clones are the same clock.
///
/// ```
/// use std::time::Duration;
///
/// use actix_payments::testing::Clock;
///
/// let clock = Clock::new();
/// let begun = clock.now();
/// clock.pass(Duration::from_secs(3600));
/// assert_eq!(clock.now() - begun, Duration::from_secs(3600));
/// ```
///
/// A builder reads it: `Payments::builder(database).clock(clock.source())`. An event that is due in an hour is due once
/// this clock has moved an hour, so tests don't have to wait for retries, grace times and renewals.
#[derive(Debug, Clone)]
pub struct Clock(Arc<AtomicI64>);

impl Clock {
    /// A clock that shows the current time, to the second.
    pub fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(Arc::new(AtomicI64::new(i64::try_from(now.as_secs()).unwrap_or(i64::MAX / MICROS) * MICROS)))
    }

    /// A clock that shows `time`.
    pub fn at(time: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(micros(time.unix_timestamp_nanos() / 1000))))
    }

    /// The time that it shows.
    pub fn now(&self) -> Timestamp {
        let micros = i128::from(self.0.load(Ordering::SeqCst));
        Timestamp::from_unix_timestamp_nanos(micros * 1000).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Moves it forward.
    pub fn pass(&self, time: Duration) {
        self.0.fetch_add(micros(i128::try_from(time.as_micros()).unwrap_or(i128::MAX)), Ordering::SeqCst);
    }

    /// The function that [`Builder::clock`](crate::Builder::clock) takes.
    pub fn source(&self) -> impl Fn() -> Timestamp + Send + Sync + 'static {
        let clock = self.clone();
        move || clock.now()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

const MICROS: i64 = 1_000_000;

fn micros(of: i128) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX)
}
