//! What does a checkout session say? Whether the customer's way through Stripe's page led to money
//! (<https://docs.stripe.com/api/checkout/sessions/object>); how it was collected is the intent's and the charge's.

use super::reading::{Reading, Statement, sentence, with_money};
use crate::domain::event::Malformed;
use crate::domain::fact::{Aspect, State};
use crate::domain::money::Money;

pub(super) fn read(reading: &Reading<'_>) -> Result<Statement, Malformed> {
    let session = &reading.object;
    let id = session.need_id("id")?;
    if session.text("mode")?.as_deref() == Some("setup") {
        let summary = "checkout session in setup mode: it saves a payment method and moves no money".to_owned();
        return Ok(Statement { facts: Vec::new(), summary });
    }
    let (state, words) = decide(reading)?;
    let total = match state {
        State::Succeeded => Some(reading.need_money("amount_total")?),
        _ => reading.money("amount_total")?,
    };
    let mut fact = reading.fact(Aspect::Checkout, &id, state);
    if let Some(total) = total {
        fact = with_money(fact, total, face(reading)?);
    }
    Ok(Statement { facts: vec![fact], summary: sentence(format_args!("checkout session {words}"), total) })
}

/// The session's own state decides, except that a kind which says "no money" is never read as paid.
fn decide(reading: &Reading<'_>) -> Result<(State, &'static str), Malformed> {
    let status = reading.object.text("status")?;
    let payment_status = reading.object.need_text("payment_status")?;
    Ok(match (reading.verb, status.as_deref(), payment_status.as_ref()) {
        ("async_payment_failed", _, _) => (State::Failed, "completed, but the payment failed afterwards"),
        ("expired", _, _) => (State::Expired, "expired without a payment"),
        (_, _, "paid") => (State::Succeeded, "completed and paid"),
        (_, Some("expired"), _) => (State::Expired, "expired without a payment"),
        (_, Some("open"), _) => (State::Pending, "open"),
        (_, _, "no_payment_required") => (State::Free, "completed, nothing was to be paid"),
        // The customer is done but the money is not there: a slow method, or one that is captured later.
        (_, _, "unpaid") => (State::Pending, "completed, not paid yet"),
        _ => (State::Pending, "in a payment status that is not known here, taken as not paid"),
    })
}

/// What the session would have cost without its discount, tax and shipping: what the host asked for.
fn face(reading: &Reading<'_>) -> Result<Money, Malformed> {
    let total = reading.object.need_integer("amount_total")?;
    let Some(details) = reading.object.object("total_details", "a session's total_details")? else {
        return reading.convert(total);
    };
    let part = |name| details.integer(name).map(Option::unwrap_or_default);
    let (discount, tax, shipping) = (part("amount_discount")?, part("amount_tax")?, part("amount_shipping")?);
    let face =
        total.checked_add(discount).and_then(|sum| sum.checked_sub(tax)).and_then(|sum| sum.checked_sub(shipping));
    reading.convert(face.ok_or_else(|| {
        Malformed("expected a session's total and its details to add up within 64 bits, got more".to_owned())
    })?)
}
