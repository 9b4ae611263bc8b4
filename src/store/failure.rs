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
        let kind = match &error {
            DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => ErrorKind::Conflict,
            DieselError::DatabaseError(DatabaseErrorKind::ClosedConnection, _) => ErrorKind::Unavailable,
            DieselError::DatabaseError(_, info) if info.message().contains("deadlock detected") => ErrorKind::Conflict,
            locked if is_locked(locked) => ErrorKind::Unavailable,
            DieselError::BrokenTransactionManager => ErrorKind::Unavailable,
            _ => ErrorKind::Storage,
        };
        Error::new(kind, format!("the database failed while {what}")).with_source(innermost(&error))
    }
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
