//! How variants are doing: what came last, which secrets signed it, and what was refused.

use diesel::Queryable;

use super::audit::{Matched, Refused};
use super::rows::EventRow;
use crate::domain::Timestamp;
use crate::error::Error;

/// When an event happened, came and was done with.
#[derive(Debug, Clone, Queryable)]
pub(crate) struct EventTimes {
    /// Whether the gateway delivered it.
    pub is_delivery: bool,
    pub occurred_at: Option<Timestamp>,
    pub received_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub requeued_at: Option<Timestamp>,
}

/// How a variant is doing.
pub(crate) trait Checkup {
    /// The event that the gateway calls so.
    fn event_named(&mut self, variant: &str, gateway_event_id: &str) -> Result<Option<EventRow>, Error>;
    /// When the last one came of the newest `window` events but those of the kind `except`.
    fn last_but(&mut self, variant: &str, except: &str, window: i64) -> Result<Option<Timestamp>, Error>;
    /// Which secrets signed the newest `window` events but those of the kind `except`; the newest first.
    fn recent_secrets(&mut self, variant: &str, except: &str, window: i64) -> Result<Vec<Matched>, Error>;
    /// When the newest events of all variants happened, came and were done with, the newest first.
    fn newest_event_times(&mut self, limit: i64) -> Result<Vec<EventTimes>, Error>;
    /// The refused deliveries of all variants since a day, most first.
    fn refused(&mut self, since: Timestamp) -> Result<Vec<Refused>, Error>;
}
