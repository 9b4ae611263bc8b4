//! How does a pool of one database's connections serve as a [`Store`]? Typed here, erased above.

use tokio::sync::Mutex;

use diesel::r2d2::Pool;

use super::dialect::HostConnection;
use super::failure::unavailable;
use super::{Store, Work};
use crate::error::{Error, ErrorKind};

/// How often a transaction is begun again after a concurrent change came first.
const CONFLICTS: u32 = 4;
/// How many connections may turn out to be closed, one after the other, before that is an error. They are not asked
/// before they are used: that would cost as much as the shortest transaction.
const STALE: u32 = 3;

pub(super) struct Backend<C: HostConnection> {
    pub(super) pool: Pool<C::Manager>,
    /// Whether the pool's own connections are prepared already, or each must be at every check-out.
    pub(super) prepared: bool,
    /// Held by the writer whose turn it is, where there is one at a time. Turns go in order, so that a worker with
    /// much to do does not keep deliveries waiting.
    pub(super) turn: Mutex<()>,
}

/// A try that failed.
struct Failed {
    error: Error,
    /// Whether the connection turned out to be closed before anything was done on it.
    is_stale: bool,
}

impl<C: HostConnection> Backend<C> {
    /// Runs on a connection of the pool; `run` says with its result whether it has begun.
    fn with<T>(&self, run: impl FnOnce(&mut C) -> Result<T, (Error, bool)>) -> Result<T, Failed> {
        let busy = |e| unavailable("no database connection became free", e);
        let mut conn = self.pool.get().map_err(|e| Failed { error: busy(e), is_stale: false })?;
        let prepared = if self.prepared { Ok(()) } else { conn.prepare().map_err(|error| (error, false)) };
        prepared
            .and_then(|()| run(&mut conn))
            .map_err(|(error, begun)| Failed { error, is_stale: !begun && conn.has_died() })
    }

    fn write_once(&self, work: Work<'_>) -> Result<(), Failed> {
        self.with(|conn| {
            let _turn = conn.one_writer().then(|| self.turn.blocking_lock());
            let mut begun = false;
            let written = conn.write(&mut |tx| {
                begun = true;
                work(tx)
            });
            written.map_err(|error| (error, begun))
        })
    }
}

impl<C: HostConnection> Store for Backend<C> {
    fn migrate(&self) -> Result<(), Error> {
        self.with(|conn| conn.migrate().map_err(|error| (error, true))).map_err(|failed| failed.error)
    }

    fn lanes(&self) -> usize {
        let lanes = self.with(|conn| Ok(if conn.one_writer() { 1 } else { 2 }));
        lanes.unwrap_or(1)
    }

    fn read(&self, work: Work<'_>) -> Result<(), Error> {
        let mut stale = 0;
        loop {
            // Reading again changes nothing, however far it came.
            match self.with(|conn| work(conn.tx()).map_err(|error| (error, false))) {
                Err(Failed { is_stale: true, .. }) if stale < STALE => stale += 1,
                done => return done.map_err(|failed| failed.error),
            }
        }
    }

    fn write(&self, work: Work<'_>) -> Result<(), Error> {
        let (mut conflicts, mut stale) = (0, 0);
        loop {
            match self.write_once(work) {
                Err(Failed { error, .. }) if error.kind() == ErrorKind::Conflict && conflicts < CONFLICTS => {
                    log::debug!("a concurrent change came first, trying again: {error}");
                    conflicts += 1;
                }
                Err(Failed { is_stale: true, .. }) if stale < STALE => stale += 1,
                done => return done.map_err(|failed| failed.error),
            }
        }
    }
}
