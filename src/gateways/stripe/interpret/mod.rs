//! What does a Stripe event say of a payment? Picks the object's family by the kind and collects what every family
//! has: the ids, the customer, the host's reference. Which facts an object states is its family's file.

mod charge;
mod checkout;
mod dispute;
mod intent;
mod other;
mod refund;

use super::money;
use crate::domain::event::{Interpretation, Malformed, Recorded, References, distinct};
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::moment_at;
use crate::domain::money::{Currency, Money};
use crate::gateways::json::{Object, short};
use crate::gateways::{TEST_KIND, test_interpretation};

/// What the kinds of answers to our own calls end in, which no kind of Stripe's does.
pub(super) const ANSWERED: &str = "answered";

/// The families of objects that say something of one payment.
#[derive(Clone, Copy)]
enum Family {
    Checkout,
    Intent,
    Charge,
    Refund,
    Dispute,
}

/// What a family reads out of its object: the facts, and a sentence for the timeline.
struct Statement {
    facts: Vec<Fact>,
    summary: String,
}

/// An object of a known family, with the event that brought it.
struct Reading<'a> {
    event: &'a Recorded<'a>,
    /// What the kind says of the object: `succeeded` of `payment_intent.succeeded`.
    verb: &'a str,
    object: Object<'a>,
}

/// Reads the event's facts. The same bytes give the same answer; nothing in them can make this panic.
pub(super) fn interpret(event: &Recorded<'_>) -> Result<Interpretation, Malformed> {
    if event.kind == TEST_KIND {
        return Ok(test_interpretation());
    }
    let text = std::str::from_utf8(event.body);
    let text = text.map_err(|at| Malformed(format!("expected UTF-8, got other bytes after {}", at.valid_up_to())))?;
    let whole = Object::read(text, "an event")?;
    let Some((family, verb)) = Family::of(event.kind) else { return Ok(other::interpret(event.kind, &whole)) };

    let object = whole.need_object("data", "the event's data")?.need_object("object", family.what())?;
    // An object of another type could have fields of the same names that mean something else.
    match object.text("object")? {
        Some(given) if given != family.object() => {
            let expected = family.object();
            return Err(Malformed(format!("expected an object of type {expected} with {}, got another", event.kind)));
        }
        _ => {}
    }
    let reading = Reading { event, verb, object };
    let (gateway_refs, said) = match family {
        Family::Checkout => (["id", "payment_intent", "invoice"], checkout::read(&reading)?),
        Family::Intent => (["id", "latest_charge", "invoice"], intent::read(&reading)?),
        Family::Charge => (["id", "payment_intent", "invoice"], charge::read(&reading)?),
        Family::Refund => (["charge", "payment_intent", ""], refund::read(&reading)?),
        Family::Dispute => (["charge", "payment_intent", ""], dispute::read(&reading)?),
    };
    let object = &reading.object;
    Ok(Interpretation {
        references: References {
            tokens: distinct([short(object, "client_reference_id"), nested(object, "metadata", "payment_token")]),
            gateway_refs: distinct(gateway_refs.map(|name| object.link(name))),
        },
        facts: said.facts,
        summary: said.summary,
        customer: customer(object),
        awaits_completion: None,
    })
}

impl Family {
    /// The family that a kind belongs to, and the rest of the kind's name.
    fn of(kind: &str) -> Option<(Self, &str)> {
        let prefixes = [
            ("checkout.session.", Self::Checkout),
            ("payment_intent.", Self::Intent),
            ("charge.dispute.", Self::Dispute),
            ("charge.refund.", Self::Refund),
            ("charge.", Self::Charge),
            ("refund.", Self::Refund),
        ];
        let (prefix, family) = prefixes.into_iter().find(|(prefix, _)| kind.starts_with(prefix))?;
        let verb = &kind[prefix.len()..];
        // What has a further dot is about some other object that belongs to this one.
        (!verb.is_empty() && !verb.contains('.')).then_some((family, verb))
    }

    /// The object's type, as its own `object` field says it.
    fn object(self) -> &'static str {
        match self {
            Self::Checkout => "checkout.session",
            Self::Intent => "payment_intent",
            Self::Charge => "charge",
            Self::Refund => "refund",
            Self::Dispute => "dispute",
        }
    }

    /// The object in words, for errors.
    fn what(self) -> &'static str {
        match self {
            Self::Checkout => "a checkout session",
            Self::Intent => "a payment intent",
            Self::Charge => "a charge",
            Self::Refund => "a refund",
            Self::Dispute => "a dispute",
        }
    }
}

impl Reading<'_> {
    /// A fact of this event. That something is not decided is no news when it is asked for: it says so since it was
    /// made, and must not outrank what was decided meanwhile.
    fn fact(&self, aspect: Aspect, gateway_ref: &str, state: State) -> Fact {
        let open = self.verb == ANSWERED && matches!(state, State::Pending | State::ActionRequired);
        let made = self.object.integer("created").ok().flatten().filter(|_| open);
        let at = made.and_then(moment_at).unwrap_or(self.event.occurred_at);
        Fact::new(aspect, gateway_ref, state, at, self.event.id)
    }

    /// The amount of `name` with the object's currency, in ISO minor units, which must be there.
    fn need_money(&self, name: &str) -> Result<Money, Malformed> {
        self.convert(self.object.need_integer(name)?)
    }

    /// The same, but `None` where the object has no such amount, or has no currency yet.
    fn money(&self, name: &str) -> Result<Option<Money>, Malformed> {
        match (self.object.integer(name)?, self.object.text("currency")?) {
            (Some(amount), Some(_)) => self.convert(amount).map(Some),
            _ => Ok(None),
        }
    }

    /// An amount that Stripe states of this object, in ISO minor units.
    fn convert(&self, amount: i64) -> Result<Money, Malformed> {
        let code = self.object.need_text("currency")?;
        let currency = Currency::parse(&code).map_err(|bad| Malformed(bad.to_string()))?;
        let minor = money::to_minor(amount, currency).map_err(|bad| Malformed(bad.to_string()))?;
        Ok(Money::new(minor, currency))
    }
}

/// Adds to a fact what moved, and what would have moved.
fn with_money(fact: Fact, moved: Money, face: Money) -> Fact {
    fact.with_amount(moved.minor, moved.currency).with_face(face.minor)
}

/// The sentence for the timeline, with the amount where there is one.
fn sentence(what: impl std::fmt::Display, amount: Option<Money>) -> String {
    match amount {
        Some(amount) => format!("{what}: {amount}"),
        None => what.to_string(),
    }
}

/// Stripe's code for why something happened, in brackets; nothing where there is none.
fn because(code: Option<String>) -> String {
    code.map(|code| format!(" ({code})")).unwrap_or_default()
}

/// The customer's email address, from the first place that has one.
fn customer(object: &Object<'_>) -> Option<String> {
    nested(object, "customer_details", "email")
        .or_else(|| short(object, "customer_email"))
        .or_else(|| nested(object, "billing_details", "email"))
        .or_else(|| short(object, "receipt_email"))
}

fn nested(object: &Object<'_>, outer: &str, inner: &str) -> Option<String> {
    short(&object.object(outer, "a part of it").ok()??, inner)
}
