//! What do the words mean, and which rules hold? Pure: no database, no HTTP, no clock, no randomness;
//! `now`, ids and jitter come in as arguments. Every other room may use this one, and it uses none.

pub mod delivery;
pub mod event;
pub mod explain;
pub mod fact;
pub(crate) mod id;
pub mod ledger;
pub mod money;
pub mod operation;
pub mod payment;
pub mod retry;

/// A moment in UTC, to the microsecond: the resolution that both databases keep.
pub type Timestamp = time::OffsetDateTime;

/// `by` after `at`, or the last day of the year 9999 where that would be later: "never" is a wait as well.
pub(crate) fn later(at: Timestamp, by: std::time::Duration) -> Timestamp {
    let end = time::macros::datetime!(9999-12-31 0:00 UTC);
    time::Duration::try_from(by).ok().and_then(|by| at.checked_add(by)).map_or(end, |then| then.min(end))
}

/// `at` in UTC and cut to whole microseconds, so that what is read back equals what was written.
pub fn to_micros(at: Timestamp) -> Timestamp {
    // Where the calendar ends, the last moment of a year to the west of Greenwich has none in UTC.
    let at = at.checked_to_offset(time::UtcOffset::UTC).unwrap_or_else(|| at.replace_offset(time::UtcOffset::UTC));
    at.replace_microsecond(at.microsecond()).unwrap_or(at)
}

/// The same of a moment that a gateway wrote; none of before 1970 or after 9999, as no payment is of then and not every
/// database takes it.
pub fn moment(at: Timestamp) -> Option<Timestamp> {
    Some(to_micros(at)).filter(|at| (1970..=9999).contains(&at.year()))
}

/// The moment of an RFC 3339 text.
pub(crate) fn moment_of(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text, &time::format_description::well_known::Rfc3339).ok().and_then(moment)
}

/// The moment of a Unix time in seconds.
pub(crate) fn moment_at(unix: i64) -> Option<Timestamp> {
    Timestamp::from_unix_timestamp(unix).ok().and_then(moment)
}
