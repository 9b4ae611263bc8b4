//! What handlers are told, before the handle is put beside it.

use bytes::Bytes;

use super::payment::Payment;
use super::subscription::Subscription;
use crate::domain::Timestamp;
use crate::domain::fact::State;
use crate::domain::id::{SubscriptionTransitionId, TransitionId};
use crate::domain::payment::Status;
use crate::domain::subscription::SubscriptionState;
use crate::store::rows::{EventRow, PaymentRow, TransitionRow};

/// What handlers are told of a transition.
#[derive(Clone)]
pub(crate) struct TransitionNotice {
    pub(crate) id: TransitionId,
    pub(crate) payment: Payment,
    pub(crate) from: Status,
    pub(crate) to: Status,
    pub(crate) needs_review: bool,
    pub(crate) disputed: bool,
    pub(crate) dispute: Option<State>,
    pub(crate) cause: String,
    pub(crate) event_id: String,
    pub(crate) kind: String,
}

/// What handlers are told of a subscription's transition.
#[derive(Clone)]
pub(crate) struct SubscriptionNotice {
    pub(crate) id: SubscriptionTransitionId,
    pub(crate) subscription: Subscription,
    pub(crate) old: SubscriptionState,
    pub(crate) new: SubscriptionState,
    pub(crate) cause: String,
    pub(crate) event_id: String,
    pub(crate) kind: String,
}

/// What handlers are told of an event.
#[derive(Clone)]
pub(crate) struct EventNotice {
    pub(crate) variant: String,
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) occurred_at: Option<Timestamp>,
    pub(crate) body: Bytes,
    pub(crate) payment: Option<Payment>,
    pub(crate) subscription: Option<Subscription>,
}

impl TransitionNotice {
    /// A stored transition of a payment, and the event that caused it, in the form that handlers get.
    pub(crate) fn of(payment: &PaymentRow, row: &TransitionRow, event: &EventRow) -> Self {
        Self {
            id: row.id,
            payment: Payment::of(payment),
            from: row.from_status,
            to: row.to_status,
            needs_review: row.needs_review,
            disputed: row.disputed,
            dispute: row.dispute,
            cause: row.cause.clone(),
            event_id: event.gateway_event_id.clone(),
            kind: event.kind.clone(),
        }
    }
}
