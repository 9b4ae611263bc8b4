//! All other events. But for payments of invoices they state no facts, and are kept for handlers. If one names a charge
//! or an intent, the timeline of that payment shows it.

use super::invoice;
use super::snapshot::{convert, customer, sentence};
use crate::domain::event::{Interpretation, Recorded, References, distinct};
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::ledger::moved;
use crate::domain::money::Money;
use crate::gateways::json::{self, Object, short};

/// The references and the summary of an event without facts.
pub(super) fn interpret(event: &Recorded<'_>, whole: &Object<'_>) -> Interpretation {
    let kind = event.kind;
    let data = whole.object("data", "the event's data").ok().flatten();
    let object = data.and_then(|data| data.object("object", "the event's object").ok().flatten());
    let summary = format!("{}: kept for handlers, it states nothing of a payment", subject(kind));
    let Some(object) = object else { return Interpretation { summary, ..Interpretation::default() } };

    // An invoice is paid by one payment. It links the checkout session of a subscription to the intent that collects
    // it.
    let invoice = if kind.starts_with("invoice.") { object.link("id") } else { object.link("invoice") };
    let mut links = vec![object.link("payment_intent"), object.link("charge"), invoice];
    // An invoice payment has the payment's objects one level deeper.
    let paying = object.object("payment", "an invoice payment's payment").ok().flatten();
    if let Some(payment) = &paying {
        links.extend([payment.link("payment_intent"), payment.link("charge")]);
    }
    let references = References { tokens: Vec::new(), gateway_refs: distinct(links) };
    let subscription = invoice::of_invoice(event, &object);
    // Nothing else says of some intents which invoice they pay. What is not paid yet may never be.
    let is_link = kind.starts_with("invoice_payment.") && references.gateway_refs.len() > 1 && is_money(&object);
    let facts: Vec<Fact> = paying.filter(|_| is_link).and_then(|of| paid(event, &object, &of)).into_iter().collect();
    let customer = customer(&object);
    let links = || {
        let amount = facts.first().and_then(moved).map(|(minor, currency)| Money::new(minor, currency));
        sentence("an invoice payment: names the object that pays the invoice", amount)
    };
    let summary = if is_link { links() } else { summary };
    Interpretation { references, facts, summary, customer, is_link, subscription, ..Interpretation::default() }
}

/// Whether an invoice payment is of money that came: one that is open or canceled is not
/// (<https://docs.stripe.com/api/invoice-payment/object>).
pub(in crate::gateways::stripe) fn is_money(payment: &Object<'_>) -> bool {
    short(payment, "status").is_none_or(|status| status == "paid")
}

/// What an invoice payment says of the object that took its money: it may be all that ever tells of it. It is a fact of
/// that object, so nothing is counted twice when the object's own events come.
fn paid(event: &Recorded<'_>, object: &Object<'_>, paying: &Object<'_>) -> Option<Fact> {
    let amount = object.integer("amount_paid").ok().flatten().filter(|amount| *amount > 0)?;
    let amount = convert(amount, &short(object, "currency")?).ok()?;
    let intent = paying.link("payment_intent").map(|id| (Aspect::CaptureTotal, id));
    let (aspect, id) = intent.or_else(|| paying.link("charge").map(|id| (Aspect::Capture, id)))?;
    let transitions = object.object("status_transitions", "an invoice payment's transitions").ok().flatten();
    let paid_at = transitions.and_then(|of| of.raw("paid_at").and_then(json::time)).unwrap_or(event.occurred_at);
    let fact = Fact::new(aspect, id, State::Succeeded, paid_at, event.id).with_parent(object.link("invoice"));
    Some(fact.with_amount(amount.minor, amount.currency))
}

/// What events of this kind are about.
fn subject(kind: &str) -> &'static str {
    let families = [
        ("v1.", "a thin event, which names an object without its content"),
        ("v2.", "a thin event, which names an object without its content"),
        ("customer.subscription.", "a subscription event"),
        ("subscription_schedule.", "a subscription event"),
        ("customer.", "a customer event"),
        ("invoice_payment.", "an invoice payment event"),
        ("invoice", "an invoice event"),
        ("setup_intent.", "a setup intent event, about saving a payment method"),
        ("payment_method.", "a payment method event"),
        ("payment_link.", "a payment link event"),
        ("payout.", "a payout event, about money on its way to the merchant's bank"),
        ("radar.early_fraud_warning.", "an early fraud warning of the card's bank"),
        ("review.", "a fraud review event"),
        ("account.", "an account event"),
        ("capability.", "an account event"),
        ("price.", "a catalogue event"),
        ("product.", "a catalogue event"),
    ];
    families.iter().find(|(prefix, _)| kind.starts_with(prefix)).map_or("an event of another kind", |(_, what)| *what)
}
