//! How does a pool of one database's connections serve as a [`Store`]? Typed here, erased above.

use std::sync::{Arc, OnceLock};

use tokio::sync::Mutex;

use super::data_file::DataFile;
use super::dialect::HostConnection;
use super::migrations::Migration;
use super::pools::Pools;
use super::pulse::Silence;
use super::{Store, Work, pulse};
use crate::error::{Error, ErrorKind};

/// How often a transaction is begun again after a concurrent change came first.
const CONFLICTS: u32 = 4;
/// How many connections may turn out to be closed, one after the other, before that is an error. They are not asked
/// before they are used: that would cost as much as the shortest transaction.
const STALE: u32 = 3;

pub(super) struct Backend<C: HostConnection> {
    pub(super) pools: Arc<Pools<C::Manager>>,
    /// The file that the database is in, once a connection has named it; none for a server.
    pub(super) file: Arc<OnceLock<Option<DataFile>>>,
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
        let mut conn = self.pools.get().map_err(|error| Failed { error, is_stale: false })?;
        // The connections of a host's own pool are prepared at every check-out, and their statements can't be seen.
        let is_ours = self.pools.are_ours();
        let _whole = (!is_ours && !conn.one_writer()).then(pulse::whole);
        let prepared = if is_ours { Ok(()) } else { conn.prepare().map_err(|error| (error, false)) };
        prepared.and_then(|()| run(&mut conn)).map_err(|(error, begun)| {
            if error.spoils_connection() {
                // The pool drops it when it is given back, and nothing was done on it.
                conn.spoil();
                return Failed { error, is_stale: true };
            }
            let has_died = conn.has_died();
            let is_stale = !begun && has_died;
            // What was found on a connection that is lost is no finding.
            let is_finding = matches!(error.kind(), ErrorKind::Storage | ErrorKind::Refused);
            let error = if has_died && is_finding { error.into_unavailable() } else { error };
            Failed { error, is_stale }
        })
    }

    /// The file that the database is in.
    fn file(&self, conn: &mut C) -> Option<&DataFile> {
        self.file.get_or_init(|| conn.file().and_then(DataFile::at)).as_ref()
    }

    fn write_once(&self, work: Work<'_>) -> Result<(), Failed> {
        self.with(|conn| {
            let file = self.file(conn);
            file.map_or(Ok(()), DataFile::check_if_lost).map_err(|error| (error, false))?;
            let _turn = conn.one_writer().then(|| self.turn.blocking_lock());
            let mut begun = false;
            let written = conn.write(&mut |tx| {
                begun = true;
                work(tx)
            });
            // Whoever waits is told only when it is sure that the file is the one that others will read.
            written.and_then(|()| file.map_or(Ok(()), DataFile::check)).map_err(|error| (error, begun))
        })
    }
}

impl<C: HostConnection> Store for Backend<C> {
    fn migrate(&self) -> Result<(), Error> {
        self.with(|conn| conn.migrate().map_err(|error| (error, true))).map_err(|failed| failed.error)
    }

    fn migrations(&self) -> Result<Vec<Migration>, Error> {
        self.with(|conn| conn.migrations().map_err(|error| (error, false))).map_err(|failed| failed.error)
    }

    fn reconnect(&self) {
        self.pools.replace();
    }

    fn silence(&self) -> Arc<Silence> {
        self.pools.silence()
    }

    fn lanes(&self) -> usize {
        let lanes = self.with(|conn| Ok(if conn.one_writer() { 1 } else { 2 }));
        lanes.unwrap_or(1)
    }

    fn read(&self, work: Work<'_>) -> Result<(), Error> {
        let mut stale = 0;
        loop {
            // Reading again changes nothing, however far it came.
            match self.with(|conn| conn.read(work).map_err(|error| (error, false))) {
                Err(Failed { is_stale: true, .. }) if stale < STALE => stale += 1,
                done => return done.map_err(|failed| failed.error),
            }
        }
    }

    fn scour(&self) -> Result<Option<&'static str>, Error> {
        let scoured = self.with(|conn| {
            let _turn = conn.one_writer().then(|| self.turn.blocking_lock());
            conn.scour().map_err(|error| (error, true))
        });
        scoured.map_err(|failed| failed.error)
    }

    fn in_place(&self) -> Result<(), Error> {
        let looked = self.with(|conn| self.file(conn).map_or(Ok(()), DataFile::check).map_err(|error| (error, false)));
        looked.map_err(|failed| failed.error)
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
