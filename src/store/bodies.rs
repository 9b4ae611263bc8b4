//! Which bodies are stored, and which were pruned.

use diesel::Queryable;

use crate::domain::Timestamp;
use crate::domain::id::EventId;
use crate::error::Error;

/// What decides whether an event's body may be pruned.
#[derive(Debug, Clone, Queryable)]
pub(crate) struct KeptBody {
    pub event: EventId,
    pub kind: String,
    /// As it is in the database: a word that no release wrote keeps its body and holds up no other.
    pub state: String,
    /// Likewise.
    pub source: String,
    pub received_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    /// Of its payment, if it has one.
    pub disputed: Option<bool>,
    pub needs_review: Option<bool>,
}

/// When and why an event's body was pruned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable)]
pub(crate) struct PrunedBody {
    pub event: EventId,
    pub pruned_at: Timestamp,
    /// How long bodies of its kind were kept then.
    pub kept_seconds: i64,
}

/// That deliveries bore the id of an event and another body than its first.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub(crate) struct Differing {
    pub event: EventId,
    pub count: i64,
    pub last_at: Timestamp,
    /// SHA-256 of the last such body, in hexadecimal.
    pub last_hash: String,
}

/// Keeping bodies no longer than they are to be kept.
pub(crate) trait Bodies {
    /// The next events after this one whose bodies are stored, in the order of their ids.
    fn kept_bodies(&mut self, after: EventId, limit: i64) -> Result<Vec<KeptBody>, Error>;
    /// Those of these events that nobody else holds, held until the transaction ends.
    fn held_bodies(&mut self, events: &[EventId]) -> Result<Vec<KeptBody>, Error>;
    /// Deletes the bodies and kept headers of these events, and notes when and how long they were kept.
    fn prune_bodies(&mut self, events: &[EventId], kept_seconds: i64, now: Timestamp) -> Result<(), Error>;
    /// When and why the body of an event was pruned, if it was.
    fn pruned_body(&mut self, event: EventId) -> Result<Option<PrunedBody>, Error>;
    /// Counts a delivery that bore an event's id and another body, of this hash.
    fn note_differing(&mut self, event: EventId, hash: &str, now: Timestamp) -> Result<(), Error>;
    /// What is known of such deliveries of an event.
    fn differing(&mut self, event: EventId) -> Result<Option<Differing>, Error>;
    /// The events whose bodies differed after `since`, of these variants where some are named, newest first, up to `cap`, each
    /// with its variant and when it did last.
    fn differing_since(
        &mut self,
        since: Timestamp,
        only: Option<&[String]>,
        cap: i64,
    ) -> Result<Vec<(EventId, String, Timestamp)>, Error>;
    /// Holds an event until the transaction ends, and says whether its body is stored.
    fn hold_body(&mut self, event: EventId) -> Result<bool, Error>;
    /// Which of these events still have their bodies.
    fn with_bodies(&mut self, events: &[EventId]) -> Result<Vec<EventId>, Error>;
}
