//! How does a pool of one database's connections serve as a [`Store`]? Typed here, erased above.

use std::any::Any;
use std::fmt::Display;
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use diesel::connection::{AnsiTransactionManager, Connection, TransactionManager};
use diesel::r2d2::Pool;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

use super::database::HostConnection;
use super::{Store, Tx, Work};
use crate::error::{Error, ErrorKind};

/// What each database must be able to do.
pub(crate) trait Dialect: Sized + Send + 'static {
    fn tx(&mut self) -> &mut dyn Tx;
    fn prepare(&mut self) -> Result<(), Error>;
    fn write(&mut self, work: Work<'_>) -> Result<(), Error>;
    /// Whether only one transaction can write at a time, so that writers had better queue up here: waiting for
    /// the database's own lock means sleeping and asking again.
    fn one_writer(&self) -> bool;
    fn migrate(&mut self) -> Result<(), Error>;
}

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

/// Lends the connection to code of the host's. A panic in it is an error in words, and the transactions that it
/// left open are rolled back: diesel would take one of them for ours.
pub(super) fn lend<C>(conn: &mut C, run: &mut dyn FnMut(&mut dyn Any)) -> Result<(), String>
where
    C: Connection<TransactionManager = AnsiTransactionManager> + 'static,
{
    let before = depth(conn);
    let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(conn))) else { return Ok(()) };
    while depth(conn) > before && AnsiTransactionManager::rollback_transaction(conn).is_ok() {}
    let words = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
    Err(words.unwrap_or("it did not say why").to_owned())
}

fn depth<C: Connection<TransactionManager = AnsiTransactionManager>>(conn: &mut C) -> u32 {
    let status = AnsiTransactionManager::transaction_manager_status_mut(conn);
    status.transaction_depth().ok().flatten().map_or(0, NonZeroU32::get)
}

pub(super) fn unavailable(message: &str, source: impl Display) -> Error {
    Error::new(ErrorKind::Unavailable, message).with_source(source.to_string())
}

/// Turns a database's error into ours; `what` was being done.
pub(super) fn dialect_error(what: &'static str) -> impl Fn(DieselError) -> Error {
    move |error| {
        let kind = match &error {
            DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => ErrorKind::Conflict,
            DieselError::DatabaseError(DatabaseErrorKind::ClosedConnection, _) => ErrorKind::Unavailable,
            DieselError::DatabaseError(_, info) if info.message().contains("deadlock detected") => ErrorKind::Conflict,
            DieselError::DatabaseError(_, info) if info.message().contains("database is locked") => {
                ErrorKind::Unavailable
            }
            DieselError::BrokenTransactionManager => ErrorKind::Unavailable,
            _ => ErrorKind::Storage,
        };
        Error::new(kind, format!("the database failed while {what}")).with_source(error.to_string())
    }
}

/// Carries our error through diesel's transactions, which want to be able to make one of their own.
pub(super) struct Failed(Error);

impl Failed {
    pub(super) fn into_error(self) -> Error {
        self.0
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<DieselError> for Failed {
    fn from(error: DieselError) -> Self {
        Self(dialect_error("opening or closing a transaction")(error))
    }
}
