//! Reads the facts of a Stripe event. The kind selects the family of the event's object, and each family has a file of
//! its own; the ids, the customer and the host's reference are read here.

mod charge;
mod checkout;
mod dispute;
mod intent;
mod invoice;
pub(super) mod other;
mod payer;
mod refund;
pub(super) mod snapshot;
pub(super) mod subscription;

use crate::domain::event::{Interpretation, Malformed, Recorded, References, distinct};
use crate::gateways::believed::unbelieved;
use crate::gateways::json::{Object, short};
use crate::gateways::stripe::envelope::THIN;
use crate::gateways::stripe::thin;
use crate::gateways::{TEST_KIND, test_interpretation};
use snapshot::{Snapshot, customer, nested};

/// The families of objects that state facts of a payment.
#[derive(Clone, Copy)]
enum Family {
    Checkout,
    Intent,
    Charge,
    Refund,
    Dispute,
}

/// Reads the event's facts. `accounts` are the connected accounts whose events are believed; a subscription's owner is
/// in its metadata under `owner_key`. Pure, and never panics, whatever the bytes.
pub(super) fn interpret(
    event: &Recorded<'_>,
    accounts: &[String],
    owner_key: &str,
) -> Result<Interpretation, Malformed> {
    if event.kind == TEST_KIND {
        return Ok(test_interpretation());
    }
    let whole = whole(event)?;
    let account = account(&whole);
    let read = read(event, &whole, (&account, accounts), owner_key)?;
    Ok(Interpretation { account: Some(account.flatten().unwrap_or_default()), ..read })
}

fn whole<'a>(event: &Recorded<'a>) -> Result<Object<'a>, Malformed> {
    let text = std::str::from_utf8(event.body);
    let text = text.map_err(|at| Malformed(format!("expected UTF-8, got other bytes after {}", at.valid_up_to())))?;
    Object::read(text, "an event")
}

fn read(
    event: &Recorded<'_>,
    whole: &Object<'_>,
    (account, accounts): (&Option<Option<String>>, &[String]),
    owner_key: &str,
) -> Result<Interpretation, Malformed> {
    let stranger = stranger(account.clone(), accounts);
    if stranger.is_none()
        && let Some(named) = thin::interpret(event, whole, account.clone().flatten())
    {
        return Ok(named);
    }
    // The kind of answers to our own calls is made of the object's name.
    let answered = event.kind.strip_prefix("subscription.").filter(|verb| *verb == snapshot::ANSWERED);
    let verb = event.kind.strip_prefix("customer.subscription.").or(answered).filter(|verb| !verb.contains('.'));
    if let (Some(verb), None) = (verb, &stranger) {
        return subscription::read(event, verb, &whole.need_object("data", "the event's data")?, owner_key);
    }
    let (family, verb) = match (Family::of(event.kind), stranger) {
        (Some(family), None) => family,
        (None, None) => return Ok(other::interpret(event, whole)),
        (None, Some(_)) => {
            let summary = other::interpret(event, whole).summary;
            return Ok(Interpretation { summary, ..Interpretation::default() });
        }
        (Some(_), Some(stranger)) => return Ok(unbelieved(stranger)),
    };

    let data = whole.need_object("data", "the event's data")?;
    let object = data.need_object("object", family.what())?;
    // An object of another type might have fields with the same names and another meaning.
    let expected = family.object();
    if object.text("object")?.is_some_and(|given| given != expected) {
        return Err(Malformed(format!("expected an object of type {expected} with {}, got another", event.kind)));
    }
    let previous = data.object("previous_attributes", "what the event changed").ok().flatten();
    let snapshot = Snapshot { event, verb, object, previous };
    let statement = match family {
        Family::Checkout => checkout::read(&snapshot)?,
        Family::Intent => intent::read(&snapshot)?,
        Family::Charge => charge::read(&snapshot)?,
        Family::Refund => refund::read(&snapshot)?,
        Family::Dispute => dispute::read(&snapshot)?,
    };
    let object = &snapshot.object;
    Ok(Interpretation {
        references: named(object, family),
        facts: statement.facts,
        summary: statement.summary,
        customer: customer(object),
        payer: payer::payer(object),
        subscription: invoice::of_checkout(event, object, owner_key).filter(|_| matches!(family, Family::Checkout)),
        ..Interpretation::default()
    })
}

/// The ids by which an event names its payment, as far as they can be read.
pub(super) fn references(event: &Recorded<'_>) -> References {
    let read = || {
        let whole = Object::read(std::str::from_utf8(event.body).ok()?, "an event").ok()?;
        let (family, _) = Family::of(event.kind)?;
        let object = whole.object("data", "the event's data").ok()??.object("object", family.what()).ok()??;
        Some(named(&object, family))
    };
    read().unwrap_or_default()
}

fn named(object: &Object<'_>, family: Family) -> References {
    // Since 2025 neither an intent nor its charge has a field for its invoice.
    let invoice = matches!(family, Family::Intent | Family::Charge).then(|| intent::invoice(object)).flatten();
    References {
        tokens: distinct([short(object, "client_reference_id"), nested(object, "metadata", "payment_token")]),
        gateway_refs: distinct(family.links().map(|name| object.link(name)).into_iter().chain([invoice])),
    }
}

/// The connected account that the event is of: `None` for the own one, and `Some(None)` for one without a readable id.
/// In a thin event `context` is in the place of `account`.
fn account(whole: &Object<'_>) -> Option<Option<String>> {
    let is_thin = short(whole, "object").is_some_and(|object| object == THIN);
    let name = if is_thin { "context" } else { "account" };
    whole.raw(name).map(|_| short(whole, name))
}

/// The connected account that the event is of, unless it is among those that are believed. Whoever connects an account
/// chooses what its objects bear, a token of ours among it.
fn stranger(account: Option<Option<String>>, accounts: &[String]) -> Option<String> {
    match account? {
        Some(account) if accounts.contains(&account) => None,
        Some(account) => Some(format!("the connected account {account}")),
        None => Some("a connected account without a readable id".to_owned()),
    }
}

impl Family {
    /// The fields with the ids of the objects that make up one payment.
    fn links(self) -> [&'static str; 3] {
        match self {
            Self::Checkout => ["id", "payment_intent", "invoice"],
            Self::Intent => ["id", "latest_charge", "invoice"],
            Self::Charge => ["id", "payment_intent", "invoice"],
            Self::Refund | Self::Dispute => ["charge", "payment_intent", ""],
        }
    }

    /// The family of a kind, and the rest of the kind's name.
    fn of(kind: &str) -> Option<(Self, &str)> {
        let prefixes = [
            ("checkout.session.", Self::Checkout),
            ("payment_intent.", Self::Intent),
            ("charge.dispute.", Self::Dispute),
            // Of answers: no kind of Stripe's begins so.
            ("dispute.", Self::Dispute),
            ("charge.refund.", Self::Refund),
            ("charge.", Self::Charge),
            ("refund.", Self::Refund),
        ];
        let (prefix, family) = prefixes.into_iter().find(|(prefix, _)| kind.starts_with(prefix))?;
        let verb = &kind[prefix.len()..];
        // A kind with a further dot is about another object that belongs to this one.
        (!verb.is_empty() && !verb.contains('.')).then_some((family, verb))
    }

    /// The value of the object's own `object` field.
    fn object(self) -> &'static str {
        match self {
            Self::Checkout => "checkout.session",
            Self::Intent => "payment_intent",
            Self::Charge => "charge",
            Self::Refund => "refund",
            Self::Dispute => "dispute",
        }
    }

    /// The object's name in errors.
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
