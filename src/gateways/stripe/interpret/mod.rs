//! What does a Stripe event say of a payment? Picks the object's family by the kind and collects what every family
//! has: the ids, the customer, the host's reference. Which facts an object states is its family's file.

mod charge;
mod checkout;
mod dispute;
mod intent;
mod other;
mod reading;
mod refund;

use crate::domain::event::{Interpretation, Malformed, Recorded, References, distinct};
use crate::gateways::json::{Object, short};
use crate::gateways::{TEST_KIND, test_interpretation};
pub(super) use reading::ANSWERED;
use reading::{Reading, customer, nested};

/// The families of objects that say something of one payment.
#[derive(Clone, Copy)]
enum Family {
    Checkout,
    Intent,
    Charge,
    Refund,
    Dispute,
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
