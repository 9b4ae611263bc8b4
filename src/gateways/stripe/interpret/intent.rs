//! Reads payment intents (<https://docs.stripe.com/payments/paymentintents/lifecycle>). An intent collects one amount,
//! over any number of attempts.

use super::snapshot::{Snapshot, Statement, because, nested, sentence, with_money};
use crate::domain::event::Malformed;
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::money::Money;
use crate::gateways::json::Object;

pub(super) fn read(snapshot: &Snapshot<'_>) -> Result<Statement, Malformed> {
    let (state, words) = decide(snapshot)?;
    let money = |name| snapshot.money(name);
    let (facts, amount, face) = match state {
        State::Succeeded => {
            let (received, face) = (snapshot.need_money("amount_received")?, snapshot.need_money("amount")?);
            (succeeded(snapshot, received, face)?, Some(received), Some(face))
        }
        State::Authorized => {
            let (left, face) = (snapshot.need_money("amount_capturable")?, snapshot.need_money("amount")?);
            let mut facts = vec![with_money(intent_fact(snapshot, Aspect::Authorization, state)?, left, face)];
            // Captured in part so far. It is not called a part of the whole, for more may be captured.
            let so_far = money("amount_received")?.filter(|received| received.minor > 0);
            if let Some(received) = so_far {
                facts.push(with_money(collected(snapshot)?, received, received));
            }
            (facts, Some(left), Some(face))
        }
        _ => {
            let asked = money("amount")?;
            let mut fact = intent_fact(snapshot, Aspect::Authorization, state)?;
            let received = money("amount_received")?.filter(|received| received.minor > 0);
            // What was captured before the rest was given up is all that there will be.
            let received = received.filter(|_| matches!(state, State::Canceled | State::Expired));
            if let Some(asked) = asked {
                fact = with_money(fact, asked, asked);
            }
            let mut facts = vec![fact];
            if let (Some(received), Some(asked)) = (received, asked) {
                facts.push(with_money(collected(snapshot)?, received, asked));
            }
            (facts, asked, asked)
        }
    };
    let code = match state {
        // A declined card has the bank's own reason beside a general code.
        State::Failed => nested(&snapshot.object, "last_payment_error", "decline_code")
            .or_else(|| nested(&snapshot.object, "last_payment_error", "code")),
        _ => None,
    };
    let minor = |money: Option<Money>| money.map(|money| money.minor);
    let partly = if minor(amount) < minor(face) { ", a part of what was asked for" } else { "" };
    let summary = sentence(format_args!("payment intent {words}{}{partly}", because(code)), amount);
    Ok(Statement { facts, summary })
}

/// An intent whose money has come. The total includes all of its charges, so it is not a capture of its own.
fn succeeded(snapshot: &Snapshot<'_>, received: Money, face: Money) -> Result<Vec<Fact>, Malformed> {
    let mut facts = vec![with_money(collected(snapshot)?, received, face)];
    // The kind says the opposite of the status.
    if snapshot.verb == "payment_failed" {
        facts.push(snapshot.fact(Aspect::Concern, "failed_after_success", State::Raised));
    }
    Ok(facts)
}

/// The intent's running total of what it collected.
fn collected(snapshot: &Snapshot<'_>) -> Result<Fact, Malformed> {
    intent_fact(snapshot, Aspect::CaptureTotal, State::Succeeded)
}

/// A fact of the intent, with the invoice that it pays as the parent.
fn intent_fact(snapshot: &Snapshot<'_>, aspect: Aspect, state: State) -> Result<Fact, Malformed> {
    let invoice = snapshot.object.link("invoice").or_else(|| invoice(&snapshot.object));
    Ok(snapshot.fact(aspect, &snapshot.object.need_id("id")?, state).with_parent(invoice))
}

/// The invoice that the intent pays, by the reference that Stripe gives such an intent. A host may give references of
/// its own; only what is an invoice's id is one.
pub(super) fn invoice(intent: &Object<'_>) -> Option<String> {
    let reference = nested(intent, "payment_details", "order_reference")?;
    let is_id = |rest: &str| rest.len() >= 3 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
    reference.strip_prefix("in_").is_some_and(is_id).then_some(reference)
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
