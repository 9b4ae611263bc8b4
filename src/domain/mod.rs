//! What do the words mean, and which rules hold? Pure: no database, no HTTP, no clock, no randomness;
//! `now`, ids and jitter come in as arguments. Every other room may use this one, and it uses none.

pub mod delivery;
mod derive;
pub mod event;
pub mod explain;
pub mod fact;
pub mod ledger;
pub mod money;
pub mod payment;
mod refunds;
pub mod retry;

/// A moment in UTC, to the microsecond: the resolution that both databases keep.
pub type Timestamp = time::OffsetDateTime;

/// `at` cut to whole microseconds, so that what is read back equals what was written.
pub fn to_micros(at: Timestamp) -> Timestamp {
    let at = at.to_offset(time::UtcOffset::UTC);
    at.replace_microsecond(at.microsecond()).unwrap_or(at)
}
