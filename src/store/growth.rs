//! How large the tables are, and were.

use diesel::Queryable;

use crate::domain::Timestamp;
use crate::error::Error;

/// How large a table is.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub(crate) struct TableSize {
    /// Empty for all tables together.
    pub name: String,
    /// An estimate, where anything tells.
    pub rows: Option<i64>,
    /// With indexes and what is free in them, where the database says it.
    pub bytes: Option<i64>,
}

/// Measuring tables, for a chore; pages read what that kept.
pub(crate) trait Growth {
    /// How large the tables are by what the database keeps of them itself.
    fn sizes(&mut self) -> Result<Vec<TableSize>, Error>;
    /// Keeps what was measured now, and forgets what was measured before `oldest`.
    fn keep_sizes(&mut self, sizes: &[TableSize], now: Timestamp, oldest: Timestamp) -> Result<(), Error>;
    /// When the tables were first measured from `since` on, and last.
    fn measured(&mut self, since: Timestamp) -> Result<Option<(Timestamp, Timestamp)>, Error>;
    /// What was measured at this moment, by name.
    fn sizes_at(&mut self, at: Timestamp) -> Result<Vec<TableSize>, Error>;
}
