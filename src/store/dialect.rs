//! What a connection type must be able to do, with one implementation for each database.

use std::any::Any;
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use diesel::connection::{AnsiTransactionManager, Connection, TransactionManager};
use diesel::r2d2::{Error as PoolError, ManageConnection};

use super::Work;
use super::migrations::Migration;
use crate::error::Error;

/// A diesel connection that this crate supports: `SqliteConnection`, `PgConnection` or
/// [`AnyConnection`](super::any::AnyConnection).
///
/// A handler in the transaction is lent one; see
/// [`Builder::handler_in_transaction`](crate::Builder::handler_in_transaction) for an example.
#[allow(private_bounds, reason = "sealed: the dialects are this crate's")]
pub trait HostConnection: Dialect {
    /// What opens connections for a pool.
    type Manager: ManageConnection<Connection = Self, Error = PoolError>;
    /// What a handler in the transaction gets: `&mut SqliteConnection`, `&mut PgConnection` or
    /// [`AnyRef`](super::any::AnyRef).
    type Lent<'a>;
    #[doc(hidden)]
    fn lend(conn: &mut dyn Any) -> Option<Self::Lent<'_>>;
}

/// What each database must be able to do.
pub(crate) trait Dialect: Sized + Send + 'static {
    fn prepare(&mut self) -> Result<(), Error>;
    fn write(&mut self, work: Work<'_>) -> Result<(), Error>;
    /// Runs what only reads. Where a server may take long for a statement, it is told to give up.
    fn read(&mut self, work: Work<'_>) -> Result<(), Error>;
    /// Whether only one transaction can write at a time, so that writers had better queue up here: waiting for
    /// the database's own lock means sleeping and asking again.
    fn one_writer(&self) -> bool;
    fn migrate(&mut self) -> Result<(), Error>;
    /// The steps that make the tables, and whether each was taken.
    fn migrations(&mut self) -> Result<Vec<Migration>, Error>;
    /// See [`Store::scour`](super::Store::scour).
    fn scour(&mut self) -> Result<Option<&'static str>, Error>;
    /// Has the pool drop the connection when it is given back.
    fn spoil(&mut self);
    /// Has the connection note its statements, if it is to a server that may go silent.
    fn listen(&mut self);
    /// Prepares each statement for one use only.
    fn keep_no_statements(&mut self);
    /// The file that the database is in, if it is in one.
    fn file(&mut self) -> Option<PathBuf>;
    /// Whether the connection is closed, as far as it has noticed.
    fn has_died(&mut self) -> bool;
    /// Asks the database whether it is there.
    fn is_alive(&mut self) -> bool;
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

/// Has the pool drop the connection when it is given back.
pub(super) fn spoil<C: Connection<TransactionManager = AnsiTransactionManager>>(conn: &mut C) {
    AnsiTransactionManager::transaction_manager_status_mut(conn).set_in_error();
}

fn depth<C: Connection<TransactionManager = AnsiTransactionManager>>(conn: &mut C) -> u32 {
    let status = AnsiTransactionManager::transaction_manager_status_mut(conn);
    status.transaction_depth().ok().flatten().map_or(0, NonZeroU32::get)
}
