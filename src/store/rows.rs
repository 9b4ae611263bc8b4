//! What shape has a row, going in and coming out? Plain values; nothing here knows a database.

use bytes::Bytes;
use diesel::Queryable;

use crate::domain::Timestamp;
use crate::domain::event::{AttemptOutcome, EventState, Source};
use crate::domain::fact::State;
use crate::domain::id::{EventId, PaymentId, SubscriptionId, SubscriptionTransitionId, TransitionId};
use crate::domain::money::Currency;
use crate::domain::payment::Status;
use crate::store::typed::{FromStatus, ToStatus};

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
    pub id: EventId,
    pub duplicate: bool,
}

/// What is counted together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Counter {
    /// The hour's beginning.
    pub hour: Timestamp,
    pub variant: String,
    /// A word of `engine/tally.rs`.
    pub outcome: String,
    /// Empty where no money is meant.
    pub currency: String,
}

/// What to add to a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count {
    pub count: i64,
    /// Minor units of the counter's currency.
    pub amount: i64,
    /// When the last of them happened.
    pub last_at: Timestamp,
}

impl Count {
    /// What both are together.
    pub(crate) fn join(&mut self, other: Count) {
        self.count = self.count.saturating_add(other.count);
        self.amount = self.amount.saturating_add(other.amount);
        self.last_at = self.last_at.max(other.last_at);
    }
}

/// What the counters of some hours add up to.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub(crate) struct Sum {
    pub variant: String,
    pub outcome: String,
    pub currency: String,
    pub count: i64,
    pub amount: i64,
    /// When the last of them happened.
    pub last_at: Timestamp,
}

/// The right to settle an event: lost when the lease ran out and another worker claimed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claim {
    pub event: EventId,
    pub number: i64,
}

/// An event with its body, claimed.
#[derive(Debug, Clone)]
pub(crate) struct Claimed {
    pub row: EventRow,
    /// Whether it was parked until its grace ended.
    pub was_parked: bool,
    pub body: Bytes,
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
    pub id: EventId,
    pub variant: String,
    pub gateway_event_id: String,
    pub source: Source,
    pub kind: String,
    pub state: EventState,
    pub outcome_code: Option<String>,
    pub outcome: Option<String>,
    pub payment_id: Option<PaymentId>,
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
    /// When it last began anew: an operator requeued it, or it had been ignored and its payment became known.
    pub requeued_at: Option<Timestamp>,
    pub subscription_id: Option<SubscriptionId>,
    /// The group of failures that it is in.
    pub failure: Option<String>,
}

/// A handler's last word on an event.
#[derive(Debug, Clone)]
pub(crate) struct DoneHandler {
    pub handler: String,
    /// The transition that it ran for, if it was for one.
    pub transition: Option<Step>,
    /// Why it gave up, if it did.
    pub gave_up: Option<String>,
}

/// A transition that a handler runs for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Payment(TransitionId),
    Subscription(SubscriptionTransitionId),
}

impl Step {
    /// The transition in the two columns of an attempt.
    pub(crate) fn columns(step: Option<Self>) -> (Option<TransitionId>, Option<SubscriptionTransitionId>) {
        match step {
            Some(Self::Payment(id)) => (Some(id), None),
            Some(Self::Subscription(id)) => (None, Some(id)),
            None => (None, None),
        }
    }

    /// The reverse of [`Step::columns`].
    pub(crate) fn of(payment: Option<TransitionId>, subscription: Option<SubscriptionTransitionId>) -> Option<Self> {
        payment.map(Self::Payment).or(subscription.map(Self::Subscription))
    }
}

/// A payment to be added.
#[derive(Debug, Clone)]
pub(crate) struct PaymentDraft {
    pub token: String,
    pub reference: Option<String>,
    pub variant: String,
    pub status: Status,
    pub amount: i64,
    pub currency: Currency,
    pub customer: Option<String>,
    pub livemode: Option<bool>,
    pub metadata: Option<String>,
    pub adopted: bool,
    /// The gateway's account whose money it is: empty for the merchant's own, `None` while nothing has said it.
    pub account: Option<String>,
    pub created_at: Timestamp,
}

/// A stored payment.
#[derive(Debug, Clone, Queryable)]
pub(crate) struct PaymentRow {
    pub id: PaymentId,
    pub token: String,
    pub reference: Option<String>,
    pub variant: String,
    pub status: Status,
    pub amount: i64,
    pub captured_amount: i64,
    pub refunded_amount: i64,
    pub currency: Currency,
    pub needs_review: bool,
    pub disputed: bool,
    pub concerns: String,
    pub customer: Option<String>,
    pub livemode: Option<bool>,
    pub metadata: Option<String>,
    pub adopted: bool,
    pub absorbed_by: Option<PaymentId>,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub lost_amount: i64,
    pub account: Option<String>,
}

/// A transition to be added.
#[derive(Debug, Clone)]
pub(crate) struct NewTransition {
    pub payment_id: PaymentId,
    pub event_id: Option<EventId>,
    pub from_status: Status,
    pub to_status: Status,
    pub needs_review: bool,
    pub disputed: bool,
    pub cause: String,
    pub created_at: Timestamp,
    /// The state that a dispute came to.
    pub dispute: Option<State>,
    /// The state that it was in before, if it had one.
    pub dispute_from: Option<State>,
    /// What was told of it, as JSON.
    pub dispute_fact: Option<String>,
}

/// A stored transition.
#[derive(Debug, Clone, Queryable)]
#[allow(dead_code, reason = "a row is read whole")]
pub(crate) struct TransitionRow {
    pub id: TransitionId,
    pub payment_id: PaymentId,
    pub event_id: Option<EventId>,
    #[diesel(deserialize_as = FromStatus)]
    pub from_status: Status,
    #[diesel(deserialize_as = ToStatus)]
    pub to_status: Status,
    pub needs_review: bool,
    pub disputed: bool,
    pub cause: String,
    pub created_at: Timestamp,
    pub dispute: Option<State>,
    pub dispute_from: Option<State>,
    pub dispute_fact: Option<String>,
}

/// An attempt to be added.
#[derive(Debug, Clone)]
pub(crate) struct NewAttempt {
    pub event_id: EventId,
    pub transition: Option<Step>,
    pub handler: String,
    pub attempt: i64,
    pub outcome: AttemptOutcome,
    pub error: Option<String>,
    pub started_at: Timestamp,
    pub finished_at: Timestamp,
}

/// A stored attempt.
#[derive(Debug, Clone, Queryable)]
#[allow(dead_code, reason = "a row is read whole")]
pub(crate) struct AttemptRow {
    pub id: i64,
    pub event_id: EventId,
    pub transition_id: Option<TransitionId>,
    pub handler: String,
    pub attempt: i64,
    pub outcome: AttemptOutcome,
    pub error: Option<String>,
    pub started_at: Timestamp,
    pub finished_at: Timestamp,
    pub subscription_transition_id: Option<SubscriptionTransitionId>,
}

impl PaymentRow {
    /// A payment that is not stored yet.
    pub(crate) fn new(id: PaymentId, draft: PaymentDraft) -> Self {
        Self {
            id,
            token: draft.token,
            reference: draft.reference,
            variant: draft.variant,
            status: draft.status,
            amount: draft.amount,
            captured_amount: 0,
            refunded_amount: 0,
            currency: draft.currency,
            needs_review: false,
            disputed: false,
            concerns: String::new(),
            customer: draft.customer,
            livemode: draft.livemode,
            metadata: draft.metadata,
            adopted: draft.adopted,
            absorbed_by: None,
            version: 0,
            created_at: draft.created_at,
            updated_at: draft.created_at,
            lost_amount: 0,
            account: draft.account,
        }
    }
}

impl TransitionRow {
    /// A transition that was just stored.
    pub(crate) fn new(id: TransitionId, new: NewTransition) -> Self {
        let NewTransition { payment_id, event_id, from_status, to_status, .. } = new;
        let NewTransition { needs_review, disputed, cause, created_at, .. } = new;
        let NewTransition { dispute, dispute_from, dispute_fact, .. } = new;
        Self {
            id,
            payment_id,
            event_id,
            from_status,
            to_status,
            needs_review,
            disputed,
            cause,
            created_at,
            dispute,
            dispute_from,
            dispute_fact,
        }
    }
}
