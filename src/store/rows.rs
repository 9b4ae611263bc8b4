//! What shape has a row, going in and coming out? Plain values; nothing here knows a database.

use bytes::Bytes;
use diesel::Queryable;

use crate::domain::Timestamp;
use crate::domain::event::{EventState, Source};

/// An event to be stored.
#[derive(Debug, Clone)]
pub(crate) struct NewEvent {
    pub variant: String,
    pub gateway_event_id: String,
    pub source: Source,
    pub kind: String,
    pub livemode: Option<bool>,
    pub api_version: Option<String>,
    pub account: Option<String>,
    pub secret: Option<String>,
    pub skew_seconds: Option<i64>,
    pub occurred_at: Option<Timestamp>,
    pub received_at: Timestamp,
    pub headers: String,
    pub body: Bytes,
}

/// What became of an event that was handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Appended {
    pub id: i64,
    pub duplicate: bool,
}

/// A number to add to a counter.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub(crate) struct Count {
    pub variant: String,
    /// UTC, `YYYY-MM-DD`.
    pub day: String,
    pub outcome: String,
    pub count: i64,
}

/// The right to settle an event: lost when the lease ran out and another worker claimed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claim {
    pub event: i64,
    pub number: i64,
}

/// An event with its body, claimed.
#[derive(Debug, Clone)]
pub(crate) struct Claimed {
    pub row: EventRow,
    /// Whether it was parked until its grace ended.
    pub was_parked: bool,
    pub body: Vec<u8>,
}

impl Claimed {
    pub(crate) fn claim(&self) -> Claim {
        Claim { event: self.row.id, number: self.row.claims }
    }
}

/// How an event is settled.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    pub state: EventState,
    pub code: &'static str,
    pub outcome: String,
    /// When it is due again, for the states that wait.
    pub due_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
}

/// A stored event without its body.
#[derive(Debug, Clone, Queryable)]
#[allow(dead_code, reason = "a row is read whole")]
pub(crate) struct EventRow {
    pub id: i64,
    pub variant: String,
    pub gateway_event_id: String,
    pub source: String,
    pub kind: String,
    pub state: String,
    pub outcome_code: Option<String>,
    pub outcome: Option<String>,
    pub payment_id: Option<i64>,
    pub matched_by: Option<String>,
    pub livemode: Option<bool>,
    pub api_version: Option<String>,
    pub account: Option<String>,
    pub secret: Option<String>,
    pub skew_seconds: Option<i64>,
    pub occurred_at: Option<Timestamp>,
    pub received_at: Timestamp,
    pub last_delivered_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub deliveries: i64,
    pub attempts: i64,
    pub claims: i64,
    pub due_at: Option<Timestamp>,
}

/// A handler's last word on an event.
#[derive(Debug, Clone)]
pub(crate) struct DoneHandler {
    pub handler: String,
    /// The transition that it ran for, if it was for one.
    pub transition_id: Option<i64>,
    /// Why it gave up, if it did.
    pub gave_up: Option<String>,
}

/// A payment to be added.
#[derive(Debug, Clone)]
pub(crate) struct PaymentDraft {
    pub token: String,
    pub reference: Option<String>,
    pub variant: String,
    pub status: &'static str,
    pub amount: i64,
    pub currency: String,
    pub customer: Option<String>,
    pub livemode: Option<bool>,
    pub metadata: Option<String>,
    pub adopted: bool,
    pub created_at: Timestamp,
}

/// A stored payment.
#[derive(Debug, Clone, Queryable)]
pub(crate) struct PaymentRow {
    pub id: i64,
    pub token: String,
    pub reference: Option<String>,
    pub variant: String,
    pub status: String,
    pub amount: i64,
    pub captured_amount: i64,
    pub refunded_amount: i64,
    pub currency: String,
    pub needs_review: bool,
    pub disputed: bool,
    pub concerns: String,
    pub customer: Option<String>,
    pub livemode: Option<bool>,
    pub metadata: Option<String>,
    pub adopted: bool,
    pub absorbed_by: Option<i64>,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A transition to be added.
#[derive(Debug, Clone)]
pub(crate) struct NewTransition {
    pub payment_id: i64,
    pub event_id: Option<i64>,
    pub from_status: String,
    pub to_status: String,
    pub needs_review: bool,
    pub disputed: bool,
    pub cause: String,
    pub created_at: Timestamp,
}

/// A stored transition.
#[derive(Debug, Clone, Queryable)]
#[allow(dead_code, reason = "a row is read whole")]
pub(crate) struct TransitionRow {
    pub id: i64,
    pub payment_id: i64,
    pub event_id: Option<i64>,
    pub from_status: String,
    pub to_status: String,
    pub needs_review: bool,
    pub disputed: bool,
    pub cause: String,
    pub created_at: Timestamp,
}

/// An attempt to be added.
#[derive(Debug, Clone)]
pub(crate) struct NewAttempt {
    pub event_id: i64,
    pub transition_id: Option<i64>,
    pub handler: String,
    pub attempt: i64,
    pub outcome: &'static str,
    pub error: Option<String>,
    pub started_at: Timestamp,
    pub finished_at: Timestamp,
}

/// A stored attempt.
#[derive(Debug, Clone, Queryable)]
#[allow(dead_code, reason = "a row is read whole")]
pub(crate) struct AttemptRow {
    pub id: i64,
    pub event_id: i64,
    pub transition_id: Option<i64>,
    pub handler: String,
    pub attempt: i64,
    pub outcome: String,
    pub error: Option<String>,
    pub started_at: Timestamp,
    pub finished_at: Timestamp,
}

/// An operator's act to be added.
#[derive(Debug, Clone)]
pub(crate) struct NewAct {
    pub actor: String,
    pub act: &'static str,
    pub event_id: Option<i64>,
    pub payment_id: Option<i64>,
    pub variant: Option<String>,
    pub address: Option<String>,
    /// What else there is to say of it, in words.
    pub detail: Option<String>,
    pub created_at: Timestamp,
}

/// A stored act.
#[derive(Debug, Clone, Queryable)]
#[allow(dead_code, reason = "a row is read whole")]
pub(crate) struct ActRow {
    pub id: i64,
    pub actor: String,
    pub act: String,
    pub event_id: Option<i64>,
    pub payment_id: Option<i64>,
    pub address: Option<String>,
    pub created_at: Timestamp,
    pub variant: Option<String>,
    pub detail: Option<String>,
}

/// Which acts a list shows.
#[derive(Debug, Clone, Default)]
pub(crate) struct ActFilter {
    pub actor: Option<String>,
    pub act: Option<String>,
}

/// How often deliveries of a variant were refused for one reason.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    /// The reason code.
    pub code: String,
    pub count: i64,
    /// The UTC day of the last one.
    pub last: String,
}

/// An operation to be added.
#[derive(Debug, Clone)]
pub(crate) struct NewOperation {
    pub payment_id: i64,
    pub variant: String,
    pub verb: &'static str,
    pub amount: Option<i64>,
    pub reason: Option<String>,
    pub idempotency_key: String,
    pub actor: String,
    /// When another process may take it up, should this one end meanwhile.
    pub due_at: Timestamp,
    pub created_at: Timestamp,
}

/// A stored operation.
#[derive(Debug, Clone, Queryable)]
#[allow(dead_code, reason = "a row is read whole")]
pub(crate) struct OperationRow {
    pub id: i64,
    pub payment_id: i64,
    pub variant: String,
    pub verb: String,
    pub amount: Option<i64>,
    pub reason: Option<String>,
    pub idempotency_key: String,
    pub actor: String,
    pub state: String,
    pub outcome: Option<String>,
    pub attempts: i64,
    pub due_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}

/// What came of a try.
#[derive(Debug, Clone)]
pub(crate) struct OperationEnd {
    pub state: &'static str,
    pub outcome: String,
    /// When it is tried again.
    pub due_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
}

/// Something that is to be done from time to time.
#[derive(Debug, Clone, Queryable)]
#[allow(dead_code, reason = "a row is read whole")]
pub(crate) struct ChoreRow {
    pub name: String,
    pub due_at: Timestamp,
    pub done_to: Option<Timestamp>,
    pub ran_at: Option<Timestamp>,
    pub note: Option<String>,
}

/// Which payments are looked for that nobody has heard of for long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stale<'a> {
    pub variant: &'a str,
    pub status: &'static str,
    pub created_after: Timestamp,
    pub created_before: Timestamp,
    pub asked: Timestamp,
    pub limit: i64,
}

/// Which payments a list shows.
#[derive(Debug, Clone, Default)]
pub(crate) struct PaymentFilter {
    pub status: Option<String>,
    pub needs_review: bool,
    pub variant: Option<String>,
    /// A token, a reference, a gateway ref or an email address, whole.
    pub search: Option<String>,
    /// The variants that a gateway ref is looked for in: it is unique, and indexed, within its variant.
    pub variants: Vec<String>,
}

/// Which events a list shows.
#[derive(Debug, Clone, Default)]
pub(crate) struct EventFilter {
    pub state: Option<String>,
    pub variant: Option<String>,
    /// A kind, or the beginning of one followed by `*`.
    pub kind: Option<String>,
    /// A gateway event id or any id that the event names, whole.
    pub search: Option<String>,
    /// The variants that such an id is looked for in.
    pub variants: Vec<String>,
}

/// A place in a list that is ordered by id, newest first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    /// Rows older than this id.
    pub before: Option<i64>,
    /// Rows newer than this id; they come back newest first as well.
    pub after: Option<i64>,
    pub limit: i64,
}
