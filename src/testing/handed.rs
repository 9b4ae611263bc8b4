//! What handlers get, for tests of a handler alone.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::domain::Timestamp;
use crate::domain::identifier::VariantName;
use crate::domain::money::Money;
use crate::domain::payment::Status;
use crate::domain::subscription::{SubscriptionFacts, SubscriptionState, SubscriptionStatus};
use crate::engine::{Payment, Subscription};
use crate::payments::{Event, Payments, SubscriptionTransition, Transition};

/// A pending payment that is not stored. You may set all of its fields.
///
/// ```
/// use actix_payments::domain::money::{Currency, Money};
/// use actix_payments::testing::payment;
///
/// let mut payment = payment("stripe", Money::new(49_99, Currency::EUR));
/// payment.reference = Some("10042".into());
/// assert!(!payment.needs_review());
/// ```
pub fn payment(variant: impl Into<VariantName>, amount: Money) -> Payment {
    let none = Money::new(0, amount.currency);
    Payment {
        token: "test".into(),
        reference: None,
        variant: variant.into(),
        account: None,
        status: Status::Pending,
        amount,
        captured: none,
        refunded: none,
        lost: none,
        disputed: false,
        concerns: Vec::new(),
        customer: None,
        livemode: Some(false),
        metadata: BTreeMap::new(),
        adopted: false,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    }
}

/// The step of `payment` from one status to another, as a handler gets it, with the `payments` that a handler can call.
/// The payment in it has the new status; if that means that money was captured, the whole amount was. You may set the
/// other fields.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/docs/shop.rs"));
/// # fn main() { shop(async |payments| {
/// use actix_payments::domain::money::{Currency, Money};
/// use actix_payments::domain::payment::Status;
/// use actix_payments::testing::{payment, transition};
/// use actix_payments::{HandlerError, Transition};
///
/// async fn ship(step: Transition) -> Result<(), HandlerError> {
///     if step.payment.reference.is_none() {
///         return Err(HandlerError::Discard("no order".to_owned()));
///     }
///     Ok(())
/// }
///
/// let payment = payment("stripe", Money::new(49_99, Currency::EUR));
/// let paid = transition(&payments, payment, Status::Pending, Status::Paid);
/// assert!(paid.first_paid());
/// assert!(matches!(ship(paid).await, Err(HandlerError::Discard(_))));
/// # Ok(()) }) }
/// ```
pub fn transition(payments: &Payments, mut payment: Payment, from: Status, to: Status) -> Transition {
    payment.status = to;
    if to.was_paid() && payment.captured.minor == 0 {
        payment.captured = payment.amount;
    }
    Transition::of_test(payments.clone(), payment, from, to)
}

/// A subscription of `owner` in this status that is not stored. You may set all of its fields.
///
/// See [`subscription_transition`] for an example.
pub fn subscription(
    variant: impl Into<VariantName>,
    owner: impl Into<String>,
    status: SubscriptionStatus,
) -> Subscription {
    Subscription {
        token: "test".into(),
        variant: variant.into(),
        account: None,
        gateway_ref: Some("sub_test".into()),
        state: SubscriptionState { status, owner: Some(owner.into()), ..SubscriptionFacts::default().state() },
        livemode: Some(false),
        adopted: false,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    }
}

/// The step of a subscription whose status was `from` before, as a handler gets it. You may set the other fields.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/docs/shop.rs"));
/// # fn main() { shop(async |payments| {
/// use actix_payments::domain::subscription::SubscriptionStatus;
/// use actix_payments::testing::{subscription, subscription_transition};
///
/// let ended = subscription("stripe", "user-42", SubscriptionStatus::Canceled);
/// let step = subscription_transition(&payments, ended, SubscriptionStatus::Active);
/// assert!(step.became(SubscriptionStatus::Canceled));
/// # Ok(()) }) }
/// ```
pub fn subscription_transition(
    payments: &Payments,
    subscription: Subscription,
    from: SubscriptionStatus,
) -> SubscriptionTransition {
    let old = SubscriptionState { status: from, ..subscription.state.clone() };
    SubscriptionTransition::of_test(payments.clone(), subscription, old)
}

/// An event of this kind with this body, as a handler gets it. You may set the other fields.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/docs/shop.rs"));
/// # fn main() { shop(async |payments| {
/// use actix_payments::testing::event;
///
/// let event = event(&payments, "stripe", "invoice.upcoming", r#"{"id": "evt_1"}"#);
/// let body: serde_json::Value = event.json()?;
/// assert_eq!(body["id"], "evt_1");
/// # Ok(()) }) }
/// ```
pub fn event(
    payments: &Payments,
    variant: impl Into<VariantName>,
    kind: impl Into<String>,
    body: impl Into<Bytes>,
) -> Event {
    Event::of_test(payments.clone(), variant.into(), kind.into(), body.into())
}
