//! The pool of connections that is in use. A pool made here is replaced as a whole when connections turn out to be
//! silent: the others may be as well, and each would cost its time-out.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use diesel::r2d2::{Error as PoolError, ManageConnection, Pool, PooledConnection};

use super::failure::unavailable;
use super::pulse::Silence;
use crate::error::Error;

/// How soon after one replacement there may be another: calls that notice the same fault want one.
const ONCE_IN: Duration = Duration::from_secs(5);

/// How long to wait in one pool before looking for another. Who waits anew waits behind all others.
const ANEW: Duration = Duration::from_secs(1);

type Make<M> = Box<dyn Fn() -> Pool<M> + Send + Sync>;

/// One pool after the other.
pub(super) struct Pools<M: ManageConnection<Error = PoolError>> {
    current: RwLock<Pool<M>>,
    /// Makes another one; `None` for a host's own pool, which is the host's to replace.
    make: Option<Make<M>>,
    replaced: Mutex<Option<Instant>>,
    silence: Arc<Silence>,
}

impl<M: ManageConnection<Error = PoolError>> Pools<M> {
    /// A host's own pool.
    pub(super) fn of_host(pool: Pool<M>) -> Self {
        Self { current: RwLock::new(pool), make: None, replaced: Mutex::default(), silence: Arc::default() }
    }

    /// Pools made here.
    pub(super) fn made_by(make: impl Fn() -> Pool<M> + Send + Sync + 'static) -> Self {
        Self {
            current: RwLock::new(make()),
            make: Some(Box::new(make)),
            replaced: Mutex::default(),
            silence: Arc::default(),
        }
    }

    /// Whether its connections are prepared when they are made.
    pub(super) fn are_ours(&self) -> bool {
        self.make.is_some()
    }

    /// When connections of it were found silent.
    pub(super) fn silence(&self) -> Arc<Silence> {
        self.silence.clone()
    }

    /// A connection of the pool that is in use by the time one is free.
    pub(super) fn get(&self) -> Result<PooledConnection<M>, Error> {
        let begun = Instant::now();
        let mut why = None;
        loop {
            let pool = self.current.read().unwrap_or_else(PoisonError::into_inner).clone();
            let patience = pool.connection_timeout();
            let left = patience.saturating_sub(begun.elapsed());
            let error = match pool.get_timeout(if self.are_ours() { left.min(ANEW) } else { left }) {
                Ok(conn) => return Ok(conn),
                Err(error) => error,
            };
            // It says once why there is no connection, and afterwards only that there is none.
            let error = why.filter(|_| !error.to_string().contains(": ")).unwrap_or(error);
            if begun.elapsed() >= patience {
                return Err(unavailable("no database connection became free", error));
            }
            why = Some(error);
        }
    }

    /// Goes on with another pool; what is in use of the present one stays so.
    pub(super) fn replace(&self) {
        let Some(make) = &self.make else { return };
        let mut replaced = self.replaced.lock().unwrap_or_else(PoisonError::into_inner);
        if replaced.is_some_and(|at| at.elapsed() < ONCE_IN) {
            return;
        }
        *replaced = Some(Instant::now());
        let pool = make();
        log::warn!("payments: the database does not answer, so it is connected to anew");
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = pool;
        self.silence.found();
    }
}
