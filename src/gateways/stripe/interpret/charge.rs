//! Reads charges (<https://docs.stripe.com/api/charges/object>). A charge is one attempt to take money, which can be
//! held, captured, failed or refunded.

use super::snapshot::{Snapshot, Statement, because, sentence, with_money};
use crate::domain::event::Malformed;
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::money::Money;
use crate::gateways::json::short;

pub(super) fn read(snapshot: &Snapshot<'_>) -> Result<Statement, Malformed> {
    let charge = &snapshot.object;
    let captured = charge.bool_or_false("captured")?;
    match (snapshot.verb, charge.need_text("status")?.as_ref()) {
        ("expired", _) => held(snapshot, State::Expired, "expired before it was captured"),
        (_, "failed") => capture(snapshot, State::Failed, &format!("failed{}", because(short(charge, "failure_code")))),
        (_, "pending") => capture(snapshot, State::Pending, "pending"),
        (_, "succeeded") if captured => captured_charge(snapshot),
        // Stripe reports the release of held money as a refund, although no money had moved.
        ("refunded", "succeeded") => held(snapshot, State::Canceled, "released without a capture"),
        (_, "succeeded") if charge.bool_or_false("refunded")? => {
            held(snapshot, State::Canceled, "released without a capture")
        }
        (_, "succeeded") => held(snapshot, State::Authorized, "authorized, to be captured"),
        _ => {
            let summary = "charge with an unknown status: kept for handlers".to_owned();
            Ok(Statement { facts: Vec::new(), summary })
        }
    }
}

/// A charge whose money is held, or was held and is released.
fn held(snapshot: &Snapshot<'_>, state: State, words: &str) -> Result<Statement, Malformed> {
    let amount = snapshot.need_money("amount")?;
    let fact = with_money(charge_fact(snapshot, Aspect::Authorization, state)?, amount, amount);
    Ok(Statement { facts: vec![fact], summary: sentence(format_args!("charge {words}"), Some(amount)) })
}

/// A charge that has not taken the money, or not yet.
fn capture(snapshot: &Snapshot<'_>, state: State, words: &str) -> Result<Statement, Malformed> {
    let amount = snapshot.need_money("amount")?;
    let fact = with_money(charge_fact(snapshot, Aspect::Capture, state)?, amount, amount);
    Ok(Statement { facts: vec![fact], summary: sentence(format_args!("charge {words}"), Some(amount)) })
}

/// A charge that took the money, and how much of it was refunded.
fn captured_charge(snapshot: &Snapshot<'_>) -> Result<Statement, Malformed> {
    let face = snapshot.need_money("amount")?;
    let moved = match snapshot.money("amount_captured")? {
        Some(captured) => captured,
        None => face, // Charges before 2020 have no `amount_captured`.
    };
    let mut facts = vec![with_money(charge_fact(snapshot, Aspect::Capture, State::Succeeded)?, moved, face)];
    let mut summary = sentence("charge captured", Some(moved));
    if let Some(back) = refunded(snapshot, moved, face)?.filter(|back| back.minor > 0) {
        facts.push(with_money(charge_fact(snapshot, Aspect::RefundTotal, State::Succeeded)?, back, back));
        let how = if back.minor < moved.minor { "refunded in part" } else { "refunded" };
        summary = format!("charge {how}: {back} of {moved}");
    }
    Ok(Statement { facts, summary })
}

/// The least amount of the captured money that was refunded.
///
/// After a partial capture, `amount_refunded` may include the released rest, and the charge does not say how much of it
/// does. Then only what is certain is stated: everything if the charge is marked as refunded, otherwise what exceeds
/// the released rest. The refunds' own events report the remainder.
fn refunded(snapshot: &Snapshot<'_>, moved: Money, face: Money) -> Result<Option<Money>, Malformed> {
    let Some(reported) = snapshot.money("amount_refunded")? else { return Ok(None) };
    let released = face.minor.saturating_sub(moved.minor);
    let minor = match released {
        ..=0 => reported.minor,
        _ if snapshot.object.bool_or_false("refunded")? => moved.minor,
        _ if reported.minor < released => reported.minor,
        _ => reported.minor - released,
    };
    Ok(Some(Money::new(minor, moved.currency)))
}

/// A fact of the charge, with its payment intent as the parent.
fn charge_fact(snapshot: &Snapshot<'_>, aspect: Aspect, state: State) -> Result<Fact, Malformed> {
    let id = snapshot.object.need_id("id")?;
    Ok(snapshot.fact(aspect, &id, state).with_parent(snapshot.object.link("payment_intent")))
}
