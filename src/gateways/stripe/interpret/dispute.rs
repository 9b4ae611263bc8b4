//! Reads disputes (<https://docs.stripe.com/api/disputes/object>).

use super::snapshot::{Snapshot, Statement, because, sentence, with_money};
use crate::domain::event::Malformed;
use crate::domain::fact::{Aspect, State};
use crate::domain::{Timestamp, from_unix_seconds};
use crate::gateways::json::{Object, short};

pub(super) fn read(snapshot: &Snapshot<'_>) -> Result<Statement, Malformed> {
    let dispute = &snapshot.object;
    let id = dispute.need_id("id")?;
    let (state, words) = match dispute.need_text("status")?.as_ref() {
        "warning_needs_response" => (State::Inquiry, "is an inquiry so far, and needs a response"),
        "warning_under_review" => (State::Inquiry, "is an inquiry so far, under review"),
        "warning_closed" => (State::Closed, "ended as an inquiry"),
        "prevented" => (State::Closed, "was prevented"),
        "won" => (State::Won, "was won"),
        "lost" => (State::Lost, "was lost"),
        "needs_response" | "appeal_needs_response" => (State::Open, "needs a response"),
        "under_review" | "appeal_under_review" => (State::Open, "is under review"),
        // Stripe adds statuses now and then. A dispute that is not known to be over counts as open.
        _ => (State::Open, "is open, with an unknown status"),
    };
    let moved = match snapshot.verb {
        "funds_withdrawn" => ", the money was withdrawn",
        "funds_reinstated" => ", the money came back",
        _ => "",
    };
    let reason = short(dispute, "reason");
    let amount = snapshot.need_money("amount")?;
    let fact = snapshot
        .fact(Aspect::Dispute, &id, state)
        .with_parent(dispute.link("charge").or_else(|| dispute.link("payment_intent")))
        .with_until(due_by(dispute))
        .with_reason(reason.clone());
    Ok(Statement {
        facts: vec![with_money(fact, amount, amount)],
        summary: sentence(format_args!("dispute{} {words}{moved}", because(reason)), Some(amount)),
    })
}

/// By when the merchant has to answer.
fn due_by(dispute: &Object<'_>) -> Option<Timestamp> {
    let details = dispute.object("evidence_details", "a dispute's details").ok()??;
    details.integer("due_by").ok()?.and_then(from_unix_seconds)
}
