//! Reads checkout sessions (<https://docs.stripe.com/api/checkout/sessions/object>): whether the customer paid on
//! Stripe's page. How the money was collected is in the intent and the charge.

use super::snapshot::{Snapshot, Statement, convert, sentence, with_money};
use crate::domain::event::Malformed;
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::money::Money;
use crate::gateways::json::Object;

pub(super) fn read(snapshot: &Snapshot<'_>) -> Result<Statement, Malformed> {
    let session = &snapshot.object;
    let id = session.need_id("id")?;
    if session.text("mode")?.as_deref() == Some("setup") {
        let summary = "checkout session in setup mode: it saves a payment method and moves no money".to_owned();
        return Ok(Statement { facts: Vec::new(), summary });
    }
    let (state, words) = decide(snapshot)?;
    let amounts = Amounts::read(snapshot)?;
    let (state, words) = match (state, &amounts) {
        (State::Succeeded, None) => {
            // Says which of the fields is missing.
            return snapshot.need_money("amount_total").and(Err(Malformed("expected a total, got none".to_owned())));
        }
        // After a discount of the whole price, Stripe calls a session paid that has no payment.
        (State::Succeeded, Some(amounts)) if amounts.total.minor == 0 => {
            (State::Free, "completed, nothing was to be paid")
        }
        decided => (decided.0, words),
    };
    let opened = session.link("payment_intent").or_else(|| session.link("invoice"));
    let mut fact = snapshot.fact(Aspect::Checkout, &id, state).with_parent(opened);
    let total = amounts.as_ref().map(|amounts| amounts.total);
    if let Some(Amounts { total, face }) = amounts {
        fact = with_money(fact, total, face);
    }
    let mut facts = vec![fact];
    if state == State::Failed {
        // A register of its own: a session that was paid stays so, and it must not pass unseen.
        facts.push(Fact { aspect: Aspect::Authorization, ..facts[0].clone() });
    }
    Ok(Statement { facts, summary: sentence(format_args!("checkout session {words}"), total) })
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

/// What a session asks for, in the merchant's own currency.
struct Amounts {
    total: Money,
    /// What the host asked for, before discounts, tax and shipping. It is the subtotal whether the prices include tax
    /// or not, but only if the session's details explain how the total came of it.
    face: Money,
}

impl Amounts {
    /// `None` if the session has no total or no currency yet.
    fn read(snapshot: &Snapshot<'_>) -> Result<Option<Self>, Malformed> {
        let session = &snapshot.object;
        let (Some(total), Some(code)) = (session.integer("amount_total")?, session.text("currency")?) else {
            return Ok(None);
        };
        let before = before_details(session, total)?;
        // Where Stripe showed the customer another currency, the merchant's own amounts are the source's.
        let source = session.object("currency_conversion", "a session's currency conversion")?;
        let Some(source) = source else {
            return Ok(Some(Self { total: convert(total, &code)?, face: convert(before, &code)? }));
        };
        let code = source.need_text("source_currency")?;
        let own_total = source.need_integer("amount_total")?;
        let own_subtotal = source.integer("amount_subtotal")?.filter(|_| before != total);
        let face = convert(own_subtotal.unwrap_or(own_total), &code)?;
        Ok(Some(Self { total: convert(own_total, &code)?, face }))
    }
}

/// The total as it was before discounts, tax and shipping, or the total itself if they don't explain it.
fn before_details(session: &Object<'_>, total: i64) -> Result<i64, Malformed> {
    let Some(details) = session.object("total_details", "a session's total_details")? else { return Ok(total) };
    let part = |name| details.integer(name).map(|part| i128::from(part.unwrap_or_default()));
    let (discount, tax, shipping) = (part("amount_discount")?, part("amount_tax")?, part("amount_shipping")?);
    let Some(subtotal) = session.integer("amount_subtotal")? else {
        let before = i128::from(total) + discount - tax - shipping;
        return i64::try_from(before).map_err(|_| {
            Malformed("expected a session's total and its details to add up within 64 bits, got more".to_owned())
        });
    };
    // The prices may include all of the tax, some of it, or none.
    let least = i128::from(subtotal) - discount + shipping;
    let is_explained = (least..=least + tax.max(0)).contains(&i128::from(total));
    Ok(if is_explained { subtotal } else { total })
}
