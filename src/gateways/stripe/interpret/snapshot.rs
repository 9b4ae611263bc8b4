//! The object in an event, and what all families of objects have in common: facts with its time, amounts, summaries and
//! the customer.

use crate::domain::event::{Malformed, Recorded};
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::from_unix_seconds;
use crate::domain::money::{Currency, Money};
use crate::gateways::json::{Object, short};
use crate::gateways::stripe::money;

/// The ending of the kinds of answers to our own calls. No kind of Stripe's ends in it.
pub(in crate::gateways::stripe) const ANSWERED: &str = "answered";

/// What is read from an object: the facts, and a summary for the timeline.
pub(super) struct Statement {
    pub(super) facts: Vec<Fact>,
    pub(super) summary: String,
}

/// An object in the state that an event reports.
pub(super) struct Snapshot<'a> {
    pub(super) event: &'a Recorded<'a>,
    /// The end of the kind: `succeeded` of `payment_intent.succeeded`.
    pub(super) verb: &'a str,
    pub(super) object: Object<'a>,
    /// The fields that the event changed, as they were before.
    pub(super) previous: Option<Object<'a>>,
}

impl Snapshot<'_> {
    /// A fact of this event. In an answer to our own call, an undecided object has been undecided since it was created,
    /// so its fact has that time: the time of the answer would let it outrank what was decided in between.
    pub(super) fn fact(&self, aspect: Aspect, gateway_ref: &str, state: State) -> Fact {
        let is_undecided = self.verb == ANSWERED && matches!(state, State::Pending | State::ActionRequired);
        let created = self.object.integer("created").ok().flatten().filter(|_| is_undecided);
        let at = created.and_then(from_unix_seconds).unwrap_or(self.event.occurred_at);
        Fact::new(aspect, gateway_ref, state, at, self.event.id)
    }

    /// The amount in the field `name`, which is required, in minor units by ISO 4217.
    pub(super) fn need_money(&self, name: &str) -> Result<Money, Malformed> {
        self.convert(self.object.need_integer(name)?)
    }

    /// The amount in the field `name`; `None` if the object has no such amount or no currency yet.
    pub(super) fn money(&self, name: &str) -> Result<Option<Money>, Malformed> {
        match (self.object.integer(name)?, self.object.text("currency")?) {
            (Some(amount), Some(_)) => self.convert(amount).map(Some),
            _ => Ok(None),
        }
    }

    /// The amount that the field `name` had before the event, if the event changed it.
    pub(super) fn before(&self, name: &str) -> Result<Option<Money>, Malformed> {
        let amount = self.previous.as_ref().and_then(|previous| previous.integer(name).ok().flatten());
        amount.map(|amount| self.convert(amount)).transpose()
    }

    /// Converts an amount in Stripe's units, of the object's currency.
    pub(super) fn convert(&self, amount: i64) -> Result<Money, Malformed> {
        convert(amount, &self.object.need_text("currency")?)
    }
}

/// Converts an amount in Stripe's units, of the currency with this code.
pub(super) fn convert(amount: i64, code: &str) -> Result<Money, Malformed> {
    let currency = Currency::parse(code).map_err(|error| Malformed(error.to_string()))?;
    let minor = money::to_minor(amount, currency).map_err(|error| Malformed(error.to_string()))?;
    Ok(Money::new(minor, currency))
}

/// Adds two amounts to a fact: what moved, and its face amount.
pub(super) fn with_money(fact: Fact, moved: Money, face: Money) -> Fact {
    fact.with_amount(moved.minor, moved.currency).with_face(face.minor)
}

/// A summary: the words, and the amount if there is one.
pub(super) fn sentence(what: impl std::fmt::Display, amount: Option<Money>) -> String {
    match amount {
        Some(amount) => format!("{what}: {amount}"),
        None => what.to_string(),
    }
}

/// Stripe's code for a reason, in brackets; empty if there is none.
pub(super) fn because(code: Option<String>) -> String {
    code.map(|code| format!(" ({code})")).unwrap_or_default()
}

/// The customer's email address, from the first field that has one.
pub(super) fn customer(object: &Object<'_>) -> Option<String> {
    nested(object, "customer_details", "email")
        .or_else(|| short(object, "customer_email"))
        .or_else(|| nested(object, "billing_details", "email"))
        .or_else(|| short(object, "receipt_email"))
}

/// The text `inner` of the object's member `outer`, if there is one.
pub(super) fn nested(object: &Object<'_>, outer: &str, inner: &str) -> Option<String> {
    short(&object.object(outer, "a part of it").ok()??, inner)
}
