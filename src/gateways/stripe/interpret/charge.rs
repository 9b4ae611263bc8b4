//! Reads charges (<https://docs.stripe.com/api/charges/object>). A charge is one attempt to take money, which can be
//! held, captured, failed or refunded.

use super::snapshot::{ANSWERED, Snapshot, Statement, because, convert, sentence, with_money};
use crate::domain::event::Malformed;
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::from_unix_seconds;
use crate::domain::money::Money;
use crate::gateways::json::{Object, short};

pub(super) fn read(snapshot: &Snapshot<'_>) -> Result<Statement, Malformed> {
    let charge = &snapshot.object;
    let is_captured = charge.bool_or_false("captured")?;
    // Of a charge that is captured several times, `captured` turns true with the last capture.
    let part = snapshot.money("amount_captured")?.filter(|taken| taken.minor > 0 && !is_captured);
    match (snapshot.verb, charge.need_text("status")?.as_ref(), part) {
        ("expired", _, Some(taken)) => part_of(snapshot, taken, State::Expired),
        ("expired", _, None) => held(snapshot, State::Expired, "expired before it was captured"),
        (_, "failed", _) => failed(snapshot),
        (_, "pending", _) => capture(snapshot, State::Pending, "pending"),
        (_, "succeeded", _) if is_captured => captured(snapshot),
        (_, "succeeded", Some(taken)) => part_of(snapshot, taken, State::Authorized),
        // Stripe reports the release of held money as a refund, although no money had moved.
        ("refunded", "succeeded", None) => held(snapshot, State::Canceled, "released without a capture"),
        (_, "succeeded", None) if charge.bool_or_false("refunded")? => {
            held(snapshot, State::Canceled, "released without a capture")
        }
        (_, "succeeded", None) => held(snapshot, State::Authorized, "authorized, to be captured"),
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

/// A charge that failed. The attempt is a register of its own, since a charge whose money has come stays captured: the
/// bank of a debit may still return it, and that must not pass unseen.
fn failed(snapshot: &Snapshot<'_>) -> Result<Statement, Malformed> {
    let code = because(short(&snapshot.object, "failure_code"));
    let mut statement = capture(snapshot, State::Failed, &format!("failed{code}"))?;
    let amount = snapshot.need_money("amount")?;
    statement.facts.push(with_money(charge_fact(snapshot, Aspect::Authorization, State::Failed)?, amount, amount));
    Ok(statement)
}

/// A charge that took the money, and how much of it was refunded.
fn captured(snapshot: &Snapshot<'_>) -> Result<Statement, Malformed> {
    let face = snapshot.need_money("amount")?;
    let moved = match snapshot.money("amount_captured")? {
        Some(captured) => captured,
        None => face, // Charges before 2020 have no `amount_captured`.
    };
    let mut facts = vec![with_money(charge_fact(snapshot, Aspect::Capture, State::Succeeded)?, moved, face)];
    facts.extend(fee(snapshot, &facts[0]));
    facts.extend(refund_total(snapshot, moved, face.minor.saturating_sub(moved.minor))?);
    let summary = refunded_in_words(&facts, moved).unwrap_or_else(|| sentence("charge captured", Some(moved)));
    Ok(Statement { facts, summary })
}

/// A charge that took a part of the money. The rest stands in the state `rest`; while it is authorized, the part is not
/// called a part of the whole, for more may be captured.
fn part_of(snapshot: &Snapshot<'_>, taken: Money, rest: State) -> Result<Statement, Malformed> {
    let whole = snapshot.need_money("amount")?;
    let left = Money::new(whole.minor.saturating_sub(taken.minor).max(0), whole.currency);
    let face = if rest == State::Authorized { taken } else { whole };
    let mut facts = vec![with_money(charge_fact(snapshot, Aspect::Capture, State::Succeeded)?, taken, face)];
    facts.push(with_money(charge_fact(snapshot, Aspect::Authorization, rest)?, left, whole));
    // Once the rest is released, the total may include it.
    facts.extend(refund_total(snapshot, taken, if rest == State::Authorized { 0 } else { left.minor })?);
    let word = if rest == State::Authorized { "is authorized" } else { "expired" };
    let summary = format!("charge captured in part: {taken} of {whole}, {left} {word}");
    Ok(Statement { summary: refunded_in_words(&facts, taken).unwrap_or(summary), facts })
}

/// What Stripe keeps of a charge (<https://docs.stripe.com/api/balance_transactions/object>), in the currency of the account
/// that is paid, at the time at which it booked that. Nothing else depends on it, so what can't be read is left out.
fn fee(snapshot: &Snapshot<'_>, moved: &Fact) -> Option<Fact> {
    let booked = snapshot.object.raw("balance_transaction").filter(|raw| raw.starts_with('{'))?;
    let booked = Object::read(booked, "a balance transaction").ok()?;
    let fee = convert(booked.integer("fee").ok()??, &booked.text("currency").ok()??).ok()?;
    let taken = booked.integer("created").ok()?.and_then(from_unix_seconds);
    (fee.minor > 0).then(|| moved.fee(fee.minor, fee.currency).with_since(taken))
}

fn refunded_in_words(facts: &[Fact], moved: Money) -> Option<String> {
    let total = facts.iter().find(|fact| fact.aspect == Aspect::RefundTotal)?;
    let back = Money::new(total.amount.filter(|minor| *minor > 0)?, moved.currency);
    let how = if back.minor < moved.minor { "refunded in part" } else { "refunded" };
    Some(format!("charge {how}: {back} of {moved}"))
}

/// The charge's running total of refunds: the least amount of the captured money that was refunded.
///
/// After a partial capture, `amount_refunded` may include the released rest, and the charge does not say how much of it
/// does. Then only what is certain is stated: everything if the charge is marked as refunded, otherwise what exceeds
/// the released rest, as a total that is pending. The refunds' own events report the remainder.
///
/// A total of zero is stated where it may be a refund that failed: not by a charge that was just made or captured, nor
/// where the event says that it changed something else, as the update does that Stripe sends of most charges.
fn refund_total(snapshot: &Snapshot<'_>, moved: Money, released: i64) -> Result<Option<Fact>, Malformed> {
    let Some(reported) = snapshot.money("amount_refunded")? else { return Ok(None) };
    let (state, minor) = match released {
        ..=0 => (State::Succeeded, reported.minor),
        _ if snapshot.object.bool_or_false("refunded")? => (State::Succeeded, moved.minor),
        _ if reported.minor < released => (State::Succeeded, reported.minor),
        _ => (State::Pending, reported.minor - released),
    };
    let is_restated = matches!(snapshot.verb, "updated" | ANSWERED);
    let before = snapshot.before("amount_refunded")?;
    let is_of_something_else = snapshot.previous.is_some() && before.is_none();
    if minor <= 0 && (is_of_something_else || !(is_restated || snapshot.verb == "refunded")) {
        return Ok(None);
    }
    let total = charge_fact(snapshot, Aspect::RefundTotal, state)?.with_amount(minor, moved.currency);
    Ok(Some(match before {
        Some(before) if released <= 0 => total.with_face(before.minor.max(minor)),
        _ if is_restated => Fact { face: None, ..total },
        _ => total,
    }))
}

/// A fact of the charge, with its payment intent as the parent.
fn charge_fact(snapshot: &Snapshot<'_>, aspect: Aspect, state: State) -> Result<Fact, Malformed> {
    let id = snapshot.object.need_id("id")?;
    Ok(snapshot.fact(aspect, &id, state).with_parent(snapshot.object.link("payment_intent")))
}
