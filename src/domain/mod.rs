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

/// `by` after `at`, or the last day of the year 9999 where that would be later: "never" is a wait as well.
pub(crate) fn later(at: Timestamp, by: std::time::Duration) -> Timestamp {
    let end = time::macros::datetime!(9999-12-31 0:00 UTC);
    time::Duration::try_from(by).ok().and_then(|by| at.checked_add(by)).map_or(end, |then| then.min(end))
}

/// `at` cut to whole microseconds, so that what is read back equals what was written.
pub fn to_micros(at: Timestamp) -> Timestamp {
    let at = at.to_offset(time::UtcOffset::UTC);
    at.replace_microsecond(at.microsecond()).unwrap_or(at)
}
