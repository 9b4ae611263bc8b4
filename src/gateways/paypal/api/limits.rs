//! How much may be spent on asking PayPal about deliveries. Anybody can post something and so cause a question: only a
//! few run at a time, a few more wait, and there is a pause when PayPal does not answer.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::gateways::http::Client;

/// How long PayPal may take to answer, in all.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);
/// How long a delivery waits for its turn.
pub(super) const TURN: Duration = Duration::from_secs(3);
/// A question that failed after at least this long starts a pause.
pub(super) const SLOW: Duration = Duration::from_secs(5);
/// How many questions run at a time.
const CONCURRENT: usize = 8;
/// How many more deliveries may wait for their turn.
const WAITING: usize = 56;
/// How long PayPal is not asked after it was slow to fail.
const PAUSE: Duration = Duration::from_secs(5);

/// The limits of one variant, and the client that keeps to the timeout.
#[derive(Debug)]
pub(super) struct PostbackLimits {
    pub(super) client: Client,
    /// Permits to run or to wait.
    pub(super) places: Semaphore,
    /// Permits to run.
    pub(super) turns: Semaphore,
    paused_until: Mutex<Option<Instant>>,
}

impl Default for PostbackLimits {
    fn default() -> Self {
        Self {
            client: Client::new(TIMEOUT),
            places: Semaphore::new(CONCURRENT + WAITING),
            turns: Semaphore::new(CONCURRENT),
            paused_until: Mutex::default(),
        }
    }
}

impl PostbackLimits {
    /// Whether PayPal is not to be asked now.
    pub(super) fn is_paused(&self) -> bool {
        let until = *self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    /// Starts a pause.
    pub(super) fn pause(&self) {
        *self.paused_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + PAUSE);
    }
}
