//! How does a pool of one database's connections serve as a [`Store`]? Typed here, erased above.

use std::sync::{Mutex, PoisonError};

use diesel::r2d2::Pool;

use super::dialect::HostConnection;
use super::failure::unavailable;
use super::{Store, Work};
use crate::error::{Error, ErrorKind};

/// How often a transaction is begun again after a concurrent change came first.
const TRIES: u32 = 5;

pub(super) struct Backend<C: HostConnection> {
    pub(super) pool: Pool<C::Manager>,
    /// Whether the pool's own connections are prepared already, or each must be at every check-out.
    pub(super) prepared: bool,
    /// Held by the writer whose turn it is, where there is one at a time.
    pub(super) turn: Mutex<()>,
}

impl<C: HostConnection> Backend<C> {
    fn with<T>(&self, run: impl FnOnce(&mut C) -> Result<T, Error>) -> Result<T, Error> {
        let mut conn = self.pool.get().map_err(|e| unavailable("no database connection became free", e))?;
        if !self.prepared {
            conn.prepare()?;
        }
        run(&mut conn)
    }
}

impl<C: HostConnection> Store for Backend<C> {
    fn migrate(&self) -> Result<(), Error> {
        self.with(C::migrate)
    }

    fn read(&self, work: Work<'_>) -> Result<(), Error> {
        self.with(|conn| work(conn.tx()))
    }

    fn write(&self, work: Work<'_>) -> Result<(), Error> {
        self.with(|conn| {
            let _turn = conn.one_writer().then(|| self.turn.lock().unwrap_or_else(PoisonError::into_inner));
            let mut tries = 1;
            loop {
                match conn.write(work) {
                    Err(error) if error.kind() == ErrorKind::Conflict && tries < TRIES => {
                        log::debug!("a concurrent change came first, trying again: {error}");
                        tries += 1;
                    }
                    done => return done,
                }
            }
        })
    }
}
