//! What does a charge say? One attempt to take money: held, taken, failed, or given back
//! (<https://docs.stripe.com/api/charges/object>).

use super::reading::{Reading, Statement, because, sentence, with_money};
use crate::domain::event::Malformed;
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::money::Money;
use crate::gateways::json::short;

pub(super) fn read(reading: &Reading<'_>) -> Result<Statement, Malformed> {
    let charge = &reading.object;
    let captured = charge.flag("captured")?;
    match (reading.verb, charge.need_text("status")?.as_ref()) {
        ("expired", _) => held(reading, State::Expired, "expired before it was captured"),
        (_, "failed") => capture(reading, State::Failed, &format!("failed{}", because(short(charge, "failure_code")))),
        (_, "pending") => capture(reading, State::Pending, "pending"),
        (_, "succeeded") if captured => taken(reading),
        // Releasing what was held is told as a refund, though no money had moved.
        ("refunded", "succeeded") => held(reading, State::Canceled, "released without a capture"),
        (_, "succeeded") if charge.flag("refunded")? => held(reading, State::Canceled, "released without a capture"),
        (_, "succeeded") => held(reading, State::Authorized, "authorized, to be captured"),
        _ => {
            let summary = "charge in a status that is not known here: kept for handlers".to_owned();
            Ok(Statement { facts: Vec::new(), summary })
        }
    }
}

/// A charge whose money is held at most.
fn held(reading: &Reading<'_>, state: State, words: &str) -> Result<Statement, Malformed> {
    let amount = reading.need_money("amount")?;
    let fact = with_money(of_intent(reading, Aspect::Authorization, state)?, amount, amount);
    Ok(Statement { facts: vec![fact], summary: sentence(format_args!("charge {words}"), Some(amount)) })
}

/// A charge that would take the money, but has not.
fn capture(reading: &Reading<'_>, state: State, words: &str) -> Result<Statement, Malformed> {
    let amount = reading.need_money("amount")?;
    let fact = with_money(of_intent(reading, Aspect::Capture, state)?, amount, amount);
    Ok(Statement { facts: vec![fact], summary: sentence(format_args!("charge {words}"), Some(amount)) })
}

/// A charge that took the money, and how much of it went back.
fn taken(reading: &Reading<'_>) -> Result<Statement, Malformed> {
    let face = reading.need_money("amount")?;
    let moved = match reading.money("amount_captured")? {
        Some(captured) => captured,
        None => face, // Before 2020 a charge didn't tell.
    };
    let mut facts = vec![with_money(of_intent(reading, Aspect::Capture, State::Succeeded)?, moved, face)];
    let mut summary = sentence("charge captured", Some(moved));
    if let Some(back) = returned(reading, moved, face)?.filter(|back| back.minor > 0) {
        facts.push(with_money(of_intent(reading, Aspect::RefundTotal, State::Succeeded)?, back, back));
        let how = if back.minor < moved.minor { "refunded in part" } else { "refunded" };
        summary = format!("charge {how}: {back} of {moved}");
    }
    Ok(Statement { facts, summary })
}

/// How much of what moved went back, at least.
///
/// When a part was captured, `amount_refunded` has been seen to count the rest that was released as well, and a
/// charge does not tell which of it moved. Then only what is certain is stated: everything if the charge says that
/// it is refunded, else what exceeds the rest. The refunds' own events tell the remainder.
fn returned(reading: &Reading<'_>, moved: Money, face: Money) -> Result<Option<Money>, Malformed> {
    let Some(refunded) = reading.money("amount_refunded")? else { return Ok(None) };
    let released = face.minor.saturating_sub(moved.minor);
    let minor = match released {
        ..=0 => refunded.minor,
        _ if reading.object.flag("refunded")? => moved.minor,
        _ if refunded.minor < released => refunded.minor,
        _ => refunded.minor - released,
    };
    Ok(Some(Money::new(minor, moved.currency)))
}

fn of_intent(reading: &Reading<'_>, aspect: Aspect, state: State) -> Result<Fact, Malformed> {
    let id = reading.object.need_id("id")?;
    Ok(reading.fact(aspect, &id, state).with_parent(reading.object.link("payment_intent")))
}
