//! Reads what invoices and checkout sessions say of a subscription: how its newest invoice stands
//! (<https://docs.stripe.com/api/invoices/object>), and whom it belongs to. Their money is read as a payment's.

use super::snapshot::{ANSWERED, customer, nested};
use super::subscription::TOKEN;
use crate::domain::event::{Recorded, SubscriptionStatement, distinct};
use crate::domain::money::{Currency, Money};
use crate::domain::subscription::{OwnerClaim, OwnerSource, SubscriptionFact, SubscriptionInvoice};
use crate::gateways::json::{self, Object, short};
use crate::gateways::stripe::money;

/// The kinds of events whose invoice is read. `invoice.created` is none of them: Stripe waits up to three days for
/// whoever listens to it before it goes on with the invoice.
const VERBS: [&str; 6] =
    ["finalized", "paid", "payment_failed", "payment_action_required", "marked_uncollectible", "voided"];

/// What an event about an invoice says of its subscription; `None` if it has none.
pub(super) fn of_invoice(event: &Recorded<'_>, object: &Object<'_>) -> Option<SubscriptionStatement> {
    let verb = event.kind.strip_prefix("invoice.")?;
    // An answer shows an invoice however it stands: while it is a draft, nothing is due.
    let is_draft = || short(object, "status").is_some_and(|status| status == "draft");
    if !VERBS.contains(&verb) && (verb != ANSWERED || is_draft()) {
        return None;
    }
    // Since API version 2025-03-31 (basil) it is under `parent`.
    let parent = object.object("parent", "an invoice's parent").ok().flatten();
    let of_parent = parent.and_then(|parent| parent.object("subscription_details", "its details").ok().flatten());
    let details = of_parent.or_else(|| object.object("subscription_details", "its details").ok().flatten());
    let named = details.as_ref().and_then(|details| details.link("subscription"));
    let gateway_ref = named.or_else(|| object.link("subscription"))?;
    let tokens = distinct([details.and_then(|details| nested(&details, "metadata", TOKEN))]);
    let mut facts: Vec<SubscriptionFact> =
        invoice(event, object).map(Box::new).map(SubscriptionFact::Invoice).into_iter().collect();
    facts.extend(email(event, object));
    Some(SubscriptionStatement { gateway_ref: gateway_ref.into(), tokens, facts })
}

fn invoice(event: &Recorded<'_>, object: &Object<'_>) -> Option<SubscriptionInvoice> {
    let status = short(object, "status")?;
    let currency = short(object, "currency").and_then(|code| Currency::parse(&code).ok());
    let due = object.integer("amount_due").ok().flatten().zip(currency);
    let due = due.and_then(|(amount, currency)| Some(Money::new(money::to_minor(amount, currency).ok()?, currency)));
    let transitions = object.object("status_transitions", "an invoice's transitions").ok().flatten();
    Some(SubscriptionInvoice {
        gateway_ref: object.link("id")?.into(),
        paid: status == "paid",
        paid_at: transitions.and_then(|of| of.raw("paid_at").and_then(json::time)),
        closed: matches!(status.as_str(), "void" | "uncollectible"),
        status,
        due,
        attempts: object.integer("attempt_count").ok().flatten().unwrap_or(0),
        next_attempt: object.raw("next_payment_attempt").and_then(json::time),
        due_at: object.raw("due_date").and_then(json::time),
        created_at: object.raw("created").and_then(json::time).unwrap_or(event.occurred_at),
        occurred_at: event.occurred_at,
        event_id: event.id.to_owned(),
    })
}

/// What a checkout session says of the subscription that it began; `None` if it began none.
pub(super) fn of_checkout(event: &Recorded<'_>, object: &Object<'_>, owner_key: &str) -> Option<SubscriptionStatement> {
    let gateway_ref = object.link("subscription")?;
    // What is paid through a payment link has the reference that the customer's own browser gave it.
    let of_session = || {
        short(object, "client_reference_id").filter(|_| object.raw("payment_link").is_none_or(|link| link == "null"))
    };
    let owner = nested(object, "metadata", owner_key).or_else(of_session);
    let claim = |owner| OwnerClaim { occurred_at: event.occurred_at, event_id: event.id.to_owned(), owner };
    let mut facts: Vec<SubscriptionFact> =
        owner.map(|owner| SubscriptionFact::Owner(OwnerSource::Checkout, claim(owner))).into_iter().collect();
    facts.extend(email(event, object));
    Some(SubscriptionStatement {
        gateway_ref: gateway_ref.into(),
        tokens: distinct([nested(object, "metadata", TOKEN)]),
        facts,
    })
}

fn email(event: &Recorded<'_>, object: &Object<'_>) -> Option<SubscriptionFact> {
    let (occurred_at, event_id) = (event.occurred_at, event.id.to_owned());
    customer(object).map(|email| SubscriptionFact::Customer { email, occurred_at, event_id })
}
