//! All other events. They state no facts and are kept for handlers. If one names a charge or an intent, the timeline of
//! that payment shows it.

use super::invoice;
use super::snapshot::customer;
use crate::domain::event::{Interpretation, Recorded, References, distinct};
use crate::gateways::json::{Object, short};

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
    if let Ok(Some(payment)) = object.object("payment", "an invoice payment's payment") {
        links.extend([payment.link("payment_intent"), payment.link("charge")]);
    }
    let references = References { tokens: Vec::new(), gateway_refs: distinct(links) };
    let subscription = invoice::of_invoice(event, &object);
    // Nothing else says of some intents which invoice they pay.
    let is_taken_back = short(&object, "status").is_some_and(|status| status == "canceled");
    let is_link = kind.starts_with("invoice_payment.") && references.gateway_refs.len() > 1 && !is_taken_back;
    let customer = customer(&object);
    let links = || "an invoice payment: names the object that pays the invoice".to_owned();
    let summary = if is_link { links() } else { summary };
    Interpretation { references, summary, customer, is_link, subscription, ..Interpretation::default() }
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
