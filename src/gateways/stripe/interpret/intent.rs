//! Reads payment intents (<https://docs.stripe.com/payments/paymentintents/lifecycle>). An intent collects one amount,
//! over any number of attempts.

use super::snapshot::{Snapshot, Statement, because, nested, sentence, with_money};
use crate::domain::event::Malformed;
use crate::domain::fact::{Aspect, State};
use crate::domain::money::Money;

pub(super) fn read(snapshot: &Snapshot<'_>) -> Result<Statement, Malformed> {
    let id = snapshot.object.need_id("id")?;
    let (state, words) = decide(snapshot)?;
    let (aspect, amount, face) = match state {
        // The intent's total includes all of its charges, so it is not a capture of its own.
        State::Succeeded => {
            let received = snapshot.need_money("amount_received")?;
            (Aspect::CaptureTotal, Some(received), Some(snapshot.need_money("amount")?))
        }
        State::Authorized => {
            let capturable = snapshot.need_money("amount_capturable")?;
            (Aspect::Authorization, Some(capturable), Some(snapshot.need_money("amount")?))
        }
        _ => {
            let asked = snapshot.money("amount")?;
            (Aspect::Authorization, asked, asked)
        }
    };
    let mut fact = snapshot.fact(aspect, &id, state);
    if let (Some(amount), Some(face)) = (amount, face) {
        fact = with_money(fact, amount, face);
    }
    let code = match state {
        // A declined card has the bank's own reason beside a general code.
        State::Failed => nested(&snapshot.object, "last_payment_error", "decline_code")
            .or_else(|| nested(&snapshot.object, "last_payment_error", "code")),
        _ => None,
    };
    let minor = |money: Option<Money>| money.map(|money| money.minor);
    let partly = if minor(amount) < minor(face) { ", a part of what was asked for" } else { "" };
    let summary = sentence(format_args!("payment intent {words}{}{partly}", because(code)), amount);
    Ok(Statement { facts: vec![fact], summary })
}

/// The intent's own status decides when money moved or is held: a failed attempt to raise an authorization leaves the
/// old one as it was. Otherwise only the kind reports a failed attempt, since the status goes back to where it began.
fn decide(snapshot: &Snapshot<'_>) -> Result<(State, &'static str), Malformed> {
    let status = snapshot.object.need_text("status")?;
    Ok(match (snapshot.verb, status.as_ref()) {
        (_, "succeeded") => (State::Succeeded, "succeeded"),
        (_, "requires_capture") => (State::Authorized, "authorized, to be captured"),
        (_, "canceled") | ("canceled", _) => canceled(snapshot)?,
        ("payment_failed", _) => (State::Failed, "had an attempt fail"),
        ("partially_funded", _) => (State::Pending, "funded in part, waits for the rest"),
        (_, "requires_action") => (State::ActionRequired, "waits for the customer to confirm"),
        (_, "processing") => (State::Pending, "in process"),
        ("created", _) => (State::Pending, "created"),
        _ => (State::Pending, "open"),
    })
}

fn canceled(snapshot: &Snapshot<'_>) -> Result<(State, &'static str), Malformed> {
    Ok(match snapshot.object.text("cancellation_reason")?.as_deref() {
        Some("automatic" | "expired") => (State::Expired, "canceled by Stripe because its time ran out"),
        _ => (State::Canceled, "canceled"),
    })
}
