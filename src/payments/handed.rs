//! What handlers are handed: a transition or an event, with the handle beside it.

use std::fmt;

use bytes::Bytes;

use super::Payments;
use crate::domain::Timestamp;
use crate::domain::fact::State;
use crate::domain::identifier::VariantName;
use crate::domain::payment::Status;
use crate::domain::subscription::{SubscriptionState, SubscriptionStatus};
use crate::engine::{DisputeChange, EventNotice, Payment, Subscription, SubscriptionNotice, TransitionNotice};

/// A recorded step of a payment, handed to handlers.
///
/// See [`Builder::handler`](crate::Builder::handler) for an example.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Transition {
    /// The payment, as it stands now.
    pub payment: Payment,
    /// The status before.
    pub from: Status,
    /// The status after; the same as before when a flag or a concern changed.
    pub to: Status,
    /// Whether a person should look at it, after.
    pub needs_review: bool,
    /// Whether a dispute is open or was lost, after.
    pub disputed: bool,
    /// The new state of a dispute, if this step changed one: `Open`, `Won`, `Lost` and so on. See
    /// [`Transition::dispute_change`].
    pub dispute: Option<State>,
    /// Why, one sentence.
    pub cause: String,
    /// The gateway's id of the event that caused it.
    pub event_id: String,
    /// That event's kind.
    pub kind: String,
    dispute_change: Option<DisputeChange>,
    payments: Payments,
}

impl Transition {
    /// The change of a dispute's state, if this step has one: its id, the states before and after, the amount, and by
    /// when to answer it. `None`, too, for steps that were stored by releases before this was kept.
    pub fn dispute_change(&self) -> Option<&DisputeChange> {
        self.dispute_change.as_ref()
    }

    /// Whether this is the step that brought the payment to `status`.
    ///
    /// It may do so more than once: a refund that fails makes a refunded payment paid again. See
    /// [`Transition::first_paid`].
    pub fn became(&self, status: Status) -> bool {
        self.from != self.to && self.to == status
    }

    /// Whether the payment was paid for the first time with this step: what a receipt or a shipment waits for. That
    /// happens once in the life of a payment. If events come late, the payment may have been refunded in part or in
    /// whole by then; `to` says so.
    pub fn first_paid(&self) -> bool {
        !self.from.was_paid() && self.to.was_paid()
    }

    /// The handle, for handlers that want to ask or do something.
    pub fn payments(&self) -> &Payments {
        &self.payments
    }

    pub(super) fn new(notice: TransitionNotice, payments: Payments) -> Self {
        let TransitionNotice { payment, from, to, needs_review, disputed, dispute, .. } = notice;
        let TransitionNotice { cause, event_id, kind, dispute_change, .. } = notice;
        Self { payment, from, to, needs_review, disputed, dispute, cause, event_id, kind, dispute_change, payments }
    }

    /// One that no event caused.
    #[cfg(feature = "testing")]
    pub(crate) fn of_test(payments: Payments, payment: Payment, from: Status, to: Status) -> Self {
        let (needs_review, disputed) = (payment.needs_review(), payment.disputed);
        let (cause, event_id, kind) = ("a test".to_owned(), "test".to_owned(), "test".to_owned());
        let (dispute, dispute_change) = (None, None);
        Self { payment, from, to, needs_review, disputed, dispute, cause, event_id, kind, dispute_change, payments }
    }
}

/// A recorded step of a subscription, handed to handlers: a change of its status, owner, items, period, trial, end or
/// pause.
///
/// ```
/// use actix_payments::domain::subscription::SubscriptionStatus;
/// use actix_payments::{HandlerError, SubscriptionTransition};
///
/// async fn remind(step: SubscriptionTransition) -> Result<(), HandlerError> {
///     if step.became(SubscriptionStatus::PastDue) {
///         println!("{:?} has to look at the card: {}", step.subscription.owner(), step.cause);
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SubscriptionTransition {
    /// The subscription, as it stands now.
    pub subscription: Subscription,
    /// How it stood before.
    pub old: SubscriptionState,
    /// How it stood after.
    pub new: SubscriptionState,
    /// Why, one sentence.
    pub cause: String,
    /// The gateway's id of the event that caused it.
    pub event_id: String,
    /// That event's kind.
    pub kind: String,
    payments: Payments,
}

impl SubscriptionTransition {
    /// Whether this is the step that brought the subscription to `status`.
    pub fn became(&self, status: SubscriptionStatus) -> bool {
        self.old.status != self.new.status && self.new.status == status
    }

    /// The handle, for handlers that want to ask or do something.
    pub fn payments(&self) -> &Payments {
        &self.payments
    }

    pub(super) fn new(notice: SubscriptionNotice, payments: Payments) -> Self {
        let SubscriptionNotice { subscription, old, new, cause, event_id, kind, .. } = notice;
        Self { subscription, old, new, cause, event_id, kind, payments }
    }

    /// One that no event caused.
    #[cfg(feature = "testing")]
    pub(crate) fn of_test(payments: Payments, subscription: Subscription, old: SubscriptionState) -> Self {
        let new = subscription.state.clone();
        let (cause, event_id, kind) = ("a test".to_owned(), "test".to_owned(), "test".to_owned());
        Self { subscription, old, new, cause, event_id, kind, payments }
    }
}

/// An event, handed to handlers of its kind.
#[derive(Clone)]
#[non_exhaustive]
pub struct Event {
    /// The variant that it came through.
    pub variant: VariantName,
    /// The gateway's id of it.
    pub id: String,
    /// The gateway's own name for what happened.
    pub kind: String,
    /// When it happened, by the gateway's word.
    pub occurred_at: Option<Timestamp>,
    /// Its own bytes, unchanged.
    pub body: Bytes,
    /// The payment that it is about, if one is known.
    pub payment: Option<Payment>,
    /// The subscription that it is about, if it is about one.
    pub subscription: Option<Subscription>,
    payments: Payments,
}

impl Event {
    /// The handle, for handlers that want to ask or do something.
    pub fn payments(&self) -> &Payments {
        &self.payments
    }

    /// The body, read as JSON.
    ///
    /// ```no_run
    /// # use actix_payments::{Event, HandlerError};
    /// #[derive(serde::Deserialize)]
    /// struct Dunning {
    ///     invoice: String,
    /// }
    ///
    /// async fn dun(event: Event) -> Result<(), HandlerError> {
    ///     let dunning: Dunning = event.json()?;
    ///     println!("{} is overdue", dunning.invoice);
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// When the body is no JSON, or not of this form.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }

    pub(super) fn new(notice: EventNotice, payments: Payments) -> Self {
        let EventNotice { variant, id, kind, occurred_at, body, payment, subscription } = notice;
        let variant = variant.into();
        Self { variant, id, kind, occurred_at, body, payment, subscription, payments }
    }

    /// One that no gateway sent.
    #[cfg(feature = "testing")]
    pub(crate) fn of_test(payments: Payments, variant: VariantName, kind: String, body: Bytes) -> Self {
        let id = "test".to_owned();
        Self { variant, id, kind, occurred_at: None, body, payment: None, subscription: None, payments }
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("variant", &self.variant)
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("occurred_at", &self.occurred_at)
            .field("payment", &self.payment)
            .field("subscription", &self.subscription)
            .finish_non_exhaustive()
    }
}
