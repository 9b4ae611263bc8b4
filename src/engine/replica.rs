//! A replica of the database: whether it answers, and what is read from it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, loggable};
use crate::store::pulse::Pulse;
use crate::store::replication::Behind;
use crate::store::{Store, Tx, threads};

/// How long a replica that did not answer is left alone; pages read from the primary meanwhile.
const AWAY: Duration = Duration::from_secs(30);

/// A replica of the database.
pub(crate) struct Replica {
    store: Arc<dyn Store>,
    away_until: Mutex<Option<Instant>>,
}

/// What pages read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadFrom {
    /// A replica that lacks this.
    Replica(Behind),
    /// The primary, since the replica does not answer.
    Primary,
}

impl Replica {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, away_until: Mutex::default() }
    }

    pub(super) fn is_away(&self) -> bool {
        self.away_until.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|until| Instant::now() < until)
    }

    pub(super) fn note_away(&self, error: &Error) {
        log::warn!("payments: pages read from the primary: the replica: {}", loggable(&error.to_string()));
        *self.away_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + AWAY);
    }

    pub(super) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Tx) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (store, pulse) = (self.store.clone(), Arc::<Pulse>::default());
        let beating = pulse.clone();
        let call = threads::run(move || beating.during(|| store.ask(work)));
        let unavailable = |why: &str| Err(Error::new(ErrorKind::Unavailable, why));
        match pulse.unless_silent(call).await {
            Some(Some(done)) => done,
            Some(None) => unavailable("the call did not come to its end"),
            None => {
                self.store.reconnect();
                unavailable("it does not answer")
            }
        }
    }
}
