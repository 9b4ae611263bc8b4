//! Differences between what is known here and what the gateway says, as pairs of words.
//!
//! See [`Payments::drift`](crate::Payments::drift) for an example.

use serde::{Deserialize, Serialize};

use super::Timestamp;
use super::identifier::GatewayRef;
use super::money::Money;
use super::payment::PaymentState;
use super::subscription::{SubscriptionItem, SubscriptionState};

/// What differs from what the gateway says.
///
/// See [`Payments::drift`](crate::Payments::drift) for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DriftSubject {
    /// A payment.
    Payment,
    /// A subscription.
    Subscription,
    /// An object at the gateway that no payment and no subscription here is about.
    Object,
}

/// A value that differs.
///
/// See [`Payments::drift`](crate::Payments::drift) for an example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DifferingValue {
    /// What it is the value of: `status`, `refunded`.
    pub field: String,
    /// The value here, in words.
    pub ours: String,
    /// The value that the gateway's answer makes, in words.
    pub theirs: String,
}

impl DriftSubject {
    /// Every subject.
    pub const ALL: [DriftSubject; 3] = [Self::Payment, Self::Subscription, Self::Object];

    /// The subject's name in tables and pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Subscription => "subscription",
            Self::Object => "object",
        }
    }

    /// The subject with this name; the reverse of [`DriftSubject::as_str`].
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|subject| subject.as_str() == word)
    }
}

impl DifferingValue {
    fn of(field: &str, [ours, theirs]: [String; 2]) -> Option<Self> {
        (ours != theirs).then(|| Self { field: field.to_owned(), ours, theirs })
    }
}

/// What differs between two states of a payment. `absorbed` are other payments here that the gateway says are the same.
pub(crate) fn of_payment(ours: &PaymentState, theirs: &PaymentState, absorbed: &[String]) -> Vec<DifferingValue> {
    let both = [ours, theirs];
    let money = |minor: fn(&PaymentState) -> i64| both.map(|it| Money::new(minor(it), it.amount.currency).to_string());
    let others = [format!("apart from {}", absorbed.join(", ")), "one payment".to_owned()];
    let concerns = |it: &PaymentState| if it.concerns.is_empty() { none() } else { it.concerns.join("; ") };
    let values = [
        DifferingValue::of("status", both.map(|it| it.status.to_string())),
        DifferingValue::of("amount", both.map(|it| it.amount.to_string())),
        DifferingValue::of("captured", money(|it| it.captured)),
        DifferingValue::of("refunded", money(|it| it.refunded)),
        DifferingValue::of("lost to disputes", money(|it| it.lost)),
        DifferingValue::of("disputed", both.map(|it| yes_or_no(it.disputed))),
        DifferingValue::of("needs review", both.map(concerns)),
        DifferingValue::of("payments", others).filter(|_| !absorbed.is_empty()),
    ];
    values.into_iter().flatten().collect()
}

/// A payment that is not known here.
pub(crate) fn of_unknown_payment(theirs: &PaymentState) -> Vec<DifferingValue> {
    unknown([("status", theirs.status.to_string()), ("amount", theirs.amount.to_string())])
}

/// What differs between two states of a subscription.
pub(crate) fn of_subscription(ours: &SubscriptionState, theirs: &SubscriptionState) -> Vec<DifferingValue> {
    let both = [ours, theirs];
    let text = |of: fn(&SubscriptionState) -> &Option<String>| both.map(|it| of(it).clone().unwrap_or_else(none));
    let id = |of: fn(&SubscriptionState) -> &Option<GatewayRef>| {
        both.map(|it| of(it).as_ref().map_or_else(none, String::from))
    };
    let time = |of: fn(&SubscriptionState) -> Option<Timestamp>| both.map(|it| of(it).map_or_else(none, moment));
    let pause = |it: &SubscriptionState| it.pause.as_ref().map_or_else(none, |pause| pause.behavior.clone());
    let items = |it: &SubscriptionState| it.items.iter().map(item).collect::<Vec<_>>().join(", ");
    let values = [
        DifferingValue::of("status", both.map(|it| it.status.as_str().to_owned())),
        DifferingValue::of("status in the gateway's words", text(|it| &it.gateway_status)),
        DifferingValue::of("owner", text(|it| &it.owner)),
        DifferingValue::of("customer", id(|it| &it.customer_ref)),
        DifferingValue::of("items", both.map(items)),
        DifferingValue::of("period begins", time(|it| it.period.map(|period| period.start))),
        DifferingValue::of("period ends", time(|it| it.period.map(|period| period.end))),
        DifferingValue::of("trial ends", time(|it| it.trial_end)),
        DifferingValue::of("ends at", time(|it| it.cancel_at)),
        DifferingValue::of("ends with the period", both.map(|it| yes_or_no(it.cancel_at_period_end))),
        DifferingValue::of("canceled at", time(|it| it.canceled_at)),
        DifferingValue::of("ended at", time(|it| it.ended_at)),
        DifferingValue::of("pause", both.map(pause)),
        DifferingValue::of("newest invoice", id(|it| &it.latest_invoice)),
        DifferingValue::of("schedule", id(|it| &it.schedule)),
        DifferingValue::of("certain", both.map(|it| yes_or_no(it.doubt.is_none()))),
    ];
    values.into_iter().flatten().collect()
}

/// A subscription that is not known here.
pub(crate) fn of_unknown_subscription(theirs: &SubscriptionState) -> Vec<DifferingValue> {
    let items = theirs.items.iter().map(item).collect::<Vec<_>>().join(", ");
    unknown([("status", theirs.status.as_str().to_owned()), ("items", items)])
}

fn unknown<const N: usize>(theirs: [(&str, String); N]) -> Vec<DifferingValue> {
    let value = |(field, theirs)| DifferingValue::of(field, ["not known here".to_owned(), theirs]);
    theirs.into_iter().filter_map(value).collect()
}

fn item(item: &SubscriptionItem) -> String {
    match item.quantity {
        Some(quantity) => format!("{quantity} of {}", item.price),
        None => item.price.clone(),
    }
}

fn moment(at: Timestamp) -> String {
    let second = time::macros::format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
    at.format(second).unwrap_or_else(|_| at.unix_timestamp().to_string())
}

fn yes_or_no(is_so: bool) -> String {
    if is_so { "yes" } else { "no" }.to_owned()
}

fn none() -> String {
    "none".to_owned()
}
