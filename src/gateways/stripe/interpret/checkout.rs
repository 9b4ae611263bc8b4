//! Reads checkout sessions (<https://docs.stripe.com/api/checkout/sessions/object>): whether the customer paid on
//! Stripe's page. How the money was collected is in the intent and the charge.

use super::snapshot::{Snapshot, Statement, sentence, with_money};
use crate::domain::event::Malformed;
use crate::domain::fact::{Aspect, State};
use crate::domain::money::Money;

pub(super) fn read(snapshot: &Snapshot<'_>) -> Result<Statement, Malformed> {
    let session = &snapshot.object;
    let id = session.need_id("id")?;
    if session.text("mode")?.as_deref() == Some("setup") {
        let summary = "checkout session in setup mode: it saves a payment method and moves no money".to_owned();
        return Ok(Statement { facts: Vec::new(), summary });
    }
    let (state, words) = decide(snapshot)?;
    let total = match state {
        State::Succeeded => Some(snapshot.need_money("amount_total")?),
        _ => snapshot.money("amount_total")?,
    };
    let mut fact = snapshot.fact(Aspect::Checkout, &id, state);
    if let Some(total) = total {
        fact = with_money(fact, total, face(snapshot)?);
    }
    Ok(Statement { facts: vec![fact], summary: sentence(format_args!("checkout session {words}"), total) })
}

/// The session's own status decides, except that a kind that reports a failure is never read as paid.
fn decide(snapshot: &Snapshot<'_>) -> Result<(State, &'static str), Malformed> {
    let status = snapshot.object.text("status")?;
    let payment_status = snapshot.object.need_text("payment_status")?;
    Ok(match (snapshot.verb, status.as_deref(), payment_status.as_ref()) {
        ("async_payment_failed", _, _) => (State::Failed, "completed, but the payment failed afterwards"),
        ("expired", _, _) => (State::Expired, "expired without a payment"),
        (_, _, "paid") => (State::Succeeded, "completed and paid"),
        (_, Some("expired"), _) => (State::Expired, "expired without a payment"),
        (_, Some("open"), _) => (State::Pending, "open"),
        (_, _, "no_payment_required") => (State::Free, "completed, nothing was to be paid"),
        // The customer is done but the money has not arrived: a slow payment method, or one that is captured later.
        (_, _, "unpaid") => (State::Pending, "completed, not paid yet"),
        _ => (State::Pending, "with an unknown payment status, treated as not paid"),
    })
}

/// The session's total without its discount, tax and shipping: the amount that the host asked for.
fn face(snapshot: &Snapshot<'_>) -> Result<Money, Malformed> {
    let total = snapshot.object.need_integer("amount_total")?;
    let Some(details) = snapshot.object.object("total_details", "a session's total_details")? else {
        return snapshot.convert(total);
    };
    let part = |name| details.integer(name).map(Option::unwrap_or_default);
    let (discount, tax, shipping) = (part("amount_discount")?, part("amount_tax")?, part("amount_shipping")?);
    let face =
        total.checked_add(discount).and_then(|sum| sum.checked_sub(tax)).and_then(|sum| sum.checked_sub(shipping));
    snapshot.convert(face.ok_or_else(|| {
        Malformed("expected a session's total and its details to add up within 64 bits, got more".to_owned())
    })?)
}
