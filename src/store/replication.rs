//! How far a replica is behind its primary, where the database can say.

use crate::error::Error;

/// What a replica lacks of its primary's changes.
#[cfg_attr(not(feature = "postgres"), allow(dead_code, reason = "only Postgres says how far a standby is behind"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behind {
    /// Nothing.
    Nothing,
    /// What was committed in the last so many seconds, at the most.
    Seconds(i64),
    /// The database can't say.
    Unknown,
}

/// Comparing a replica with its primary.
pub(crate) trait Replication {
    /// How far this database has come, for a replica of it to be compared with; `None` where it can't say.
    fn position(&mut self) -> Result<Option<String>, Error>;
    /// What this replica lacks of a primary that has come so far.
    fn behind(&mut self, position: Option<&str>) -> Result<Behind, Error>;
}
