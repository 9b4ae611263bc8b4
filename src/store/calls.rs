//! What shape have the rows about gateways being asked: what they are to do, and what is to be done from time to time?

use diesel::Queryable;

use crate::domain::Timestamp;
use crate::domain::id::{OperationId, PaymentId};
use crate::domain::identifier::GatewayRef;
use crate::domain::operation::{OperationState, Verb};
use crate::domain::payment::Status;

/// How an outcome begins that leaves it certain that the gateway did nothing so far.
pub(crate) const UNSENT: &str = "not done yet: ";
/// The outcome of an operation that was added and of which no call has gone out. Older releases wrote none.
pub(crate) const NOT_ASKED: &str = "not done yet: the gateway was not asked so far";

/// Stands among the ids of a refund that was asked for as the whole of its capture. No gateway's id begins so. Refunds
/// that an earlier state stored lack it, and every try of theirs asks for the amount.
pub(crate) const WHOLE: &str = "#whole";

/// An operation to be added.
#[derive(Debug, Clone)]
pub(crate) struct NewOperation {
    pub payment_id: PaymentId,
    pub variant: String,
    pub verb: Verb,
    pub amount: Option<i64>,
    pub reason: Option<String>,
    pub gateway_refs: String,
    pub idempotency_key: String,
    pub actor: String,
    /// How often it is tried by now: once where that is done at once, else never.
    pub attempts: i64,
    /// When another process may take it up, should this one end meanwhile.
    pub due_at: Timestamp,
    pub created_at: Timestamp,
    /// Since when the gateway waits for it, by its own clock, where it said so: for the first of the ids.
    pub awaited_since: Option<Timestamp>,
}

/// A stored operation.
#[derive(Debug, Clone, Queryable)]
#[allow(dead_code, reason = "a row is read whole")]
pub(crate) struct OperationRow {
    pub id: OperationId,
    pub payment_id: PaymentId,
    pub variant: String,
    pub verb: Verb,
    pub amount: Option<i64>,
    pub reason: Option<String>,
    pub gateway_refs: String,
    pub idempotency_key: String,
    pub actor: String,
    pub state: OperationState,
    pub outcome: Option<String>,
    pub attempts: i64,
    pub due_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub awaited_since: Option<Timestamp>,
}

impl OperationRow {
    /// The gateway's ids that it was asked for with.
    pub(crate) fn refs(&self) -> Vec<GatewayRef> {
        let mut refs = self.stored_refs();
        refs.retain(|id| id != WHOLE);
        refs.into_iter().map(Into::into).collect()
    }

    /// Whether the gateway is asked for the whole of a capture, by a request without an amount where it knows one. That is
    /// decided before the first try, so that all tries are one request.
    pub(crate) fn is_whole(&self) -> bool {
        self.stored_refs().iter().any(|id| id == WHOLE)
    }

    fn stored_refs(&self) -> Vec<String> {
        serde_json::from_str(&self.gateway_refs).unwrap_or_default()
    }

    /// The id of what waits at the gateway, where an event told that.
    pub(crate) fn awaited(&self) -> Option<GatewayRef> {
        self.awaited_since.and_then(|_| self.refs().into_iter().next())
    }
}

/// What came of a try.
#[derive(Debug, Clone)]
pub(crate) struct OperationEnd {
    pub state: OperationState,
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
    /// The id up to which it has come, where it walks through a table.
    pub place: Option<i64>,
    /// Since when it has failed at every turn, and why it last did.
    pub failing_since: Option<Timestamp>,
    pub failure: Option<String>,
}

/// Which payments are looked for that nobody has heard of for long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stale<'a> {
    pub variant: &'a str,
    pub status: Status,
    pub created_after: Timestamp,
    pub created_before: Timestamp,
    pub asked: Timestamp,
    pub limit: i64,
}
