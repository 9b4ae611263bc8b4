//! What does a payment intent say? How far collecting one amount has come, over all attempts
//! (<https://docs.stripe.com/payments/paymentintents/lifecycle>).

use super::reading::{Reading, Statement, because, nested, sentence, with_money};
use crate::domain::event::Malformed;
use crate::domain::fact::{Aspect, State};
use crate::domain::money::Money;

pub(super) fn read(reading: &Reading<'_>) -> Result<Statement, Malformed> {
    let id = reading.object.need_id("id")?;
    let (state, words) = decide(reading)?;
    let (aspect, amount, face) = match state {
        // The intent's total covers all of its charges, so it is no capture of its own.
        State::Succeeded => {
            let received = reading.need_money("amount_received")?;
            (Aspect::CaptureTotal, Some(received), Some(reading.need_money("amount")?))
        }
        State::Authorized => {
            let capturable = reading.need_money("amount_capturable")?;
            (Aspect::Authorization, Some(capturable), Some(reading.need_money("amount")?))
        }
        _ => {
            let asked = reading.money("amount")?;
            (Aspect::Authorization, asked, asked)
        }
    };
    let mut fact = reading.fact(aspect, &id, state);
    if let (Some(amount), Some(face)) = (amount, face) {
        fact = with_money(fact, amount, face);
    }
    let code = match state {
        // A declined card has a general code, and the bank's own reason.
        State::Failed => nested(&reading.object, "last_payment_error", "decline_code")
            .or_else(|| nested(&reading.object, "last_payment_error", "code")),
        _ => None,
    };
    let minor = |money: Option<Money>| money.map(|money| money.minor);
    let partly = if minor(amount) < minor(face) { ", a part of what was asked for" } else { "" };
    let summary = sentence(format_args!("payment intent {words}{}{partly}", because(code)), amount);
    Ok(Statement { facts: vec![fact], summary })
}

/// The intent's own status decides where money moved or is held: a failed attempt to raise an authorization leaves
/// the old one as it was. A failed attempt shows in the kind alone, since the status goes back to where it began.
fn decide(reading: &Reading<'_>) -> Result<(State, &'static str), Malformed> {
    let status = reading.object.need_text("status")?;
    Ok(match (reading.verb, status.as_ref()) {
        (_, "succeeded") => (State::Succeeded, "succeeded"),
        (_, "requires_capture") => (State::Authorized, "authorized, to be captured"),
        (_, "canceled") | ("canceled", _) => canceled(reading)?,
        ("payment_failed", _) => (State::Failed, "had an attempt fail"),
        ("partially_funded", _) => (State::Pending, "funded in part, waits for the rest"),
        (_, "requires_action") => (State::ActionRequired, "waits for the customer to confirm"),
        (_, "processing") => (State::Pending, "in process"),
        ("created", _) => (State::Pending, "created"),
        _ => (State::Pending, "open"),
    })
}

fn canceled(reading: &Reading<'_>) -> Result<(State, &'static str), Malformed> {
    Ok(match reading.object.text("cancellation_reason")?.as_deref() {
        Some("automatic" | "expired") => (State::Expired, "canceled by Stripe because its time ran out"),
        _ => (State::Canceled, "canceled"),
    })
}
