//! What does a database's error mean to us: try again, or not?

use std::error::Error as StdError;
use std::fmt::Display;

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::error::{Error, ErrorKind};

pub(super) fn unavailable(message: &str, source: impl Display) -> Error {
    Error::new(ErrorKind::Unavailable, message).with_source(source.to_string())
}

/// Turns a database's error into ours; `what` was being done.
pub(super) fn dialect_error(what: &'static str) -> impl Fn(DieselError) -> Error {
    move |error| {
        if is_without_tables(&error) {
            return unavailable(WITHOUT_TABLES, innermost(&error));
        }
        let is_read_only = is_read_only(&error);
        let kind = match &error {
            DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => ErrorKind::Conflict,
            DieselError::DatabaseError(DatabaseErrorKind::ClosedConnection, _) => ErrorKind::Unavailable,
            DieselError::DatabaseError(_, info) if info.message().contains("deadlock detected") => ErrorKind::Conflict,
            _ if is_read_only || is_locked(&error) || is_passing(&error) => ErrorKind::Unavailable,
            DieselError::BrokenTransactionManager => ErrorKind::Unavailable,
            _ => ErrorKind::Storage,
        };
        let failed = Error::new(kind, format!("the database failed while {what}")).with_source(innermost(&error));
        match error {
            // A connection that was made while the database could only be read stays as it is for its life.
            _ if is_read_only => failed.spoiling_connection(),
            DieselError::DeserializationError(_) => failed.of_unreadable_row(),
            _ => failed,
        }
    }
}

const WITHOUT_TABLES: &str = "the pay_ tables are missing or older than this release; call Payments::migrate() once \
                              before anything else, or have it called by who may change tables";

/// Whether a table or column of ours is not there.
fn is_without_tables(error: &DieselError) -> bool {
    let DieselError::DatabaseError(_, info) = error else { return false };
    let message = info.message();
    let is_missing =
        ["no such table: ", "no such column: ", "has no column named "].iter().any(|s| message.contains(s));
    let is_missing = is_missing
        || ["relation \"", "column "].iter().any(|s| message.starts_with(s) && message.contains(" does not exist"));
    is_missing && (message.contains("pay_") || message.contains("column"))
}

/// Whether the connection can only read: made while the file or the server was read-only, or to a server that is a
/// standby now.
fn is_read_only(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, _) => true,
        DieselError::DatabaseError(_, info) => {
            info.message().contains("attempt to write a readonly database")
                || info.message().contains("in a read-only transaction")
                || info.message().contains("during recovery")
        }
        _ => false,
    }
}

/// Whether there is no room on the disk or for locks, or somebody holds a lock for long: no event's fault, and over some time.
fn is_passing(error: &DieselError) -> bool {
    const WORDS: [&str; 9] = [
        "database or disk is full",
        "disk I/O error",
        "unable to open database file",
        "No space left on device",
        "out of shared memory",
        "due to statement timeout",
        "due to lock timeout",
        "due to idle-in-transaction timeout",
        "terminating connection",
    ];
    matches!(error, DieselError::DatabaseError(_, info) if WORDS.iter().any(|words| info.message().contains(words)))
}

/// An error's own words. What can't be read out of a column says why in its source only.
fn innermost(error: &DieselError) -> String {
    let DieselError::DeserializationError(unreadable) = error else { return error.to_string() };
    let mut cause: &dyn StdError = &**unreadable;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// Whether Postgres ended the transaction for the sake of others that held what it wanted.
#[cfg(feature = "postgres")]
pub(super) fn is_contended(error: &DieselError) -> bool {
    const WORDS: [&str; 2] = ["deadlock detected", "due to lock timeout"];
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => true,
        DieselError::DatabaseError(_, info) => WORDS.iter().any(|words| info.message().contains(words)),
        _ => false,
    }
}

/// Whether SQLite says that another one holds the file.
pub(super) fn is_locked(error: &DieselError) -> bool {
    matches!(error, DieselError::DatabaseError(_, info) if info.message().contains("database is locked"))
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
