//! What handlers are told, before the handle is put beside it.

use bytes::Bytes;

use super::payment::Payment;
use super::subscription::Subscription;
use crate::domain::Timestamp;
use crate::domain::fact::{Fact, State};
use crate::domain::id::{SubscriptionTransitionId, TransitionId};
use crate::domain::identifier::GatewayRef;
use crate::domain::money::Money;
use crate::domain::payment::Status;
use crate::domain::subscription::SubscriptionState;
use crate::store::rows::{EventRow, PaymentRow, TransitionRow};
use crate::store::told;

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
    pub(crate) dispute_change: Option<DisputeChange>,
    pub(crate) cause: String,
    pub(crate) event_id: String,
    pub(crate) kind: String,
}

/// A change of a dispute's state.
///
/// See [`Builder::handler`](crate::Builder::handler) for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DisputeChange {
    /// The gateway's id of the dispute.
    pub id: GatewayRef,
    /// The state before; `None` if the dispute was not known before.
    pub from: Option<State>,
    /// The state after.
    pub to: State,
    /// How much is disputed, if the gateway says it.
    pub amount: Option<Money>,
    /// By when it has to be answered, if the gateway says it.
    pub until: Option<Timestamp>,
    /// The gateway's own word for why the customer disputes the payment: `fraudulent`.
    pub reason: Option<String>,
}

impl DisputeChange {
    /// That of a stored transition; none of one that was stored by a release that did not keep it.
    fn of(row: &TransitionRow) -> Option<Self> {
        let fact = told::from_json(row.dispute_fact.as_deref()?)?;
        let amount = fact.amount.zip(fact.currency).map(|(minor, currency)| Money::new(minor, currency));
        let Fact { gateway_ref, state, until, reason, .. } = fact;
        Some(Self { id: gateway_ref, from: row.dispute_from, to: state, amount, until, reason })
    }
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
            dispute_change: DisputeChange::of(row),
            cause: row.cause.clone(),
            event_id: event.gateway_event_id.clone(),
            kind: event.kind.clone(),
        }
    }
}
