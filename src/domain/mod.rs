//! The vocabulary of payments and the rules for their state. Pure: no database, no HTTP, no clock and no randomness;
//! the current time, ids and jitter are arguments. Every other module may use this one; it uses none of them.
//!
//! See [`ledger`] for an example: facts become a ledger, and a ledger becomes a payment's state.

pub mod delivery;
pub mod difference;
mod effect;
pub mod event;
pub mod explain;
pub mod fact;
pub(crate) mod failure_group;
pub(crate) mod hex;
pub(crate) mod id;
pub mod identifier;
pub mod ledger;
pub mod mode;
pub mod money;
pub mod named;
pub(crate) mod network;
pub(crate) mod note;
pub mod operation;
pub mod payer;
pub mod payment;
pub mod person;
pub mod retry;
pub(crate) mod scope;
pub(crate) mod search;
pub mod subscription;
pub(crate) mod typed_amount;
pub mod word;

/// A time in UTC, in microseconds: the resolution that both databases store.
///
/// See [`storable_time`] for an example.
pub type Timestamp = time::OffsetDateTime;

/// `at` plus `by`, at most the last day of the year 9999, so that even an endless wait has a time that can be stored.
pub(crate) fn later(at: Timestamp, by: std::time::Duration) -> Timestamp {
    let end = time::macros::datetime!(9999-12-31 0:00 UTC);
    time::Duration::try_from(by).ok().and_then(|by| at.checked_add(by)).map_or(end, |then| then.min(end))
}

/// `at` in UTC, truncated to whole microseconds, so that a stored time is read back unchanged.
///
/// See [`storable_time`] for an example.
pub fn to_micros(at: Timestamp) -> Timestamp {
    // In the last hours of the year 9999 west of Greenwich, UTC is beyond the end of the calendar.
    let at = at.checked_to_offset(time::UtcOffset::UTC).unwrap_or_else(|| at.replace_offset(time::UtcOffset::UTC));
    at.replace_microsecond(at.microsecond()).unwrap_or(at)
}

/// A gateway's time as [`to_micros`] makes it; `None` before 1970 or after 9999, which no payment needs and not every
/// database can store.
///
/// ```
/// use actix_payments::domain::{Timestamp, storable_time, to_micros};
///
/// let at = Timestamp::from_unix_timestamp_nanos(1_791_800_000_123_456_789).unwrap();
/// assert_eq!(storable_time(at), Some(to_micros(at)));
/// assert_eq!(to_micros(at).nanosecond(), 123_456_000);
/// let long_ago = Timestamp::from_unix_timestamp(-1).unwrap();
/// assert_eq!(storable_time(long_ago), None);
/// ```
pub fn storable_time(at: Timestamp) -> Option<Timestamp> {
    Some(to_micros(at)).filter(|at| (1970..=9999).contains(&at.year()))
}

/// Parses an RFC 3339 text; `None` if it is none, or not [storable](storable_time).
pub(crate) fn parse_rfc3339(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text, &time::format_description::well_known::Rfc3339).ok().and_then(storable_time)
}

/// A time as JSON: a text of RFC 3339.
pub(crate) fn serialize_time<S: serde::Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    let text = at.format(&time::format_description::well_known::Rfc3339).map_err(serde::ser::Error::custom)?;
    serializer.serialize_str(&text)
}

/// As [`serialize_time`], of a time that may be missing.
pub(crate) fn serialize_maybe_time<S: serde::Serializer>(
    at: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serialize_time(at, serializer),
        None => serializer.serialize_none(),
    }
}

/// The time of Unix seconds; `None` if it is not [storable](storable_time).
pub(crate) fn from_unix_seconds(seconds: i64) -> Option<Timestamp> {
    Timestamp::from_unix_timestamp(seconds).ok().and_then(storable_time)
}
