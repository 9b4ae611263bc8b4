//! An object of one event, and what every family reads out of its object: facts, amounts, sentences.

use crate::domain::event::{Malformed, Recorded};
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::moment_at;
use crate::domain::money::{Currency, Money};
use crate::gateways::json::{Object, short};
use crate::gateways::stripe::money;

/// What the kinds of answers to our own calls end in, which no kind of Stripe's does.
pub(in crate::gateways::stripe) const ANSWERED: &str = "answered";

/// What a family reads out of its object: the facts, and a sentence for the timeline.
pub(super) struct Statement {
    pub(super) facts: Vec<Fact>,
    pub(super) summary: String,
}

/// An object of a known family, with the event that brought it.
pub(super) struct Reading<'a> {
    pub(super) event: &'a Recorded<'a>,
    /// What the kind says of the object: `succeeded` of `payment_intent.succeeded`.
    pub(super) verb: &'a str,
    pub(super) object: Object<'a>,
}

impl Reading<'_> {
    /// A fact of this event. That something is not decided is no news when it is asked for: it says so since it was
    /// made, and must not outrank what was decided meanwhile.
    pub(super) fn fact(&self, aspect: Aspect, gateway_ref: &str, state: State) -> Fact {
        let open = self.verb == ANSWERED && matches!(state, State::Pending | State::ActionRequired);
        let made = self.object.integer("created").ok().flatten().filter(|_| open);
        let at = made.and_then(moment_at).unwrap_or(self.event.occurred_at);
        Fact::new(aspect, gateway_ref, state, at, self.event.id)
    }

    /// The amount of `name` with the object's currency, in ISO minor units, which must be there.
    pub(super) fn need_money(&self, name: &str) -> Result<Money, Malformed> {
        self.convert(self.object.need_integer(name)?)
    }

    /// The same, but `None` where the object has no such amount, or has no currency yet.
    pub(super) fn money(&self, name: &str) -> Result<Option<Money>, Malformed> {
        match (self.object.integer(name)?, self.object.text("currency")?) {
            (Some(amount), Some(_)) => self.convert(amount).map(Some),
            _ => Ok(None),
        }
    }

    /// An amount that Stripe states of this object, in ISO minor units.
    pub(super) fn convert(&self, amount: i64) -> Result<Money, Malformed> {
        let code = self.object.need_text("currency")?;
        let currency = Currency::parse(&code).map_err(|bad| Malformed(bad.to_string()))?;
        let minor = money::to_minor(amount, currency).map_err(|bad| Malformed(bad.to_string()))?;
        Ok(Money::new(minor, currency))
    }
}

/// Adds to a fact what moved, and what would have moved.
pub(super) fn with_money(fact: Fact, moved: Money, face: Money) -> Fact {
    fact.with_amount(moved.minor, moved.currency).with_face(face.minor)
}

/// The sentence for the timeline, with the amount where there is one.
pub(super) fn sentence(what: impl std::fmt::Display, amount: Option<Money>) -> String {
    match amount {
        Some(amount) => format!("{what}: {amount}"),
        None => what.to_string(),
    }
}

/// Stripe's code for why something happened, in brackets; nothing where there is none.
pub(super) fn because(code: Option<String>) -> String {
    code.map(|code| format!(" ({code})")).unwrap_or_default()
}

/// The customer's email address, from the first place that has one.
pub(super) fn customer(object: &Object<'_>) -> Option<String> {
    nested(object, "customer_details", "email")
        .or_else(|| short(object, "customer_email"))
        .or_else(|| nested(object, "billing_details", "email"))
        .or_else(|| short(object, "receipt_email"))
}

pub(super) fn nested(object: &Object<'_>, outer: &str, inner: &str) -> Option<String> {
    short(&object.object(outer, "a part of it").ok()??, inner)
}
