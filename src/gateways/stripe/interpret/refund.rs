//! Reads refunds (<https://docs.stripe.com/api/refunds/object>). A refund can still fail days after it succeeded.

use super::snapshot::{Snapshot, Statement, because, sentence, with_money};
use crate::domain::event::Malformed;
use crate::domain::fact::{Aspect, State};
use crate::domain::from_unix_seconds;
use crate::gateways::json::short;

pub(super) fn read(snapshot: &Snapshot<'_>) -> Result<Statement, Malformed> {
    let refund = &snapshot.object;
    let id = refund.need_id("id")?;
    if refund.text("reason")?.as_deref() == Some("expired_uncaptured_charge") {
        let summary = "refund that only releases an authorization: no money had moved".to_owned();
        return Ok(Statement { facts: Vec::new(), summary });
    }
    // The status may be null or, in a later version of the API, a new one. Neither is decided.
    let (state, words) = match refund.text("status")?.as_deref() {
        Some("succeeded") => (State::Succeeded, "succeeded"),
        Some("failed") => (State::Failed, "failed, the money came back"),
        Some("canceled") => (State::Canceled, "canceled"),
        Some("requires_action") => (State::ActionRequired, "waits for the customer"),
        Some("pending") => (State::Pending, "pending"),
        _ => (State::Pending, "with an unknown status, treated as pending"),
    };
    let code = because(short(refund, "failure_reason"));
    let amount = snapshot.need_money("amount")?;
    let made = refund.integer("created")?.and_then(from_unix_seconds);
    let fact = snapshot
        .fact(Aspect::Refund, &id, state)
        .with_parent(refund.link("charge").or_else(|| refund.link("payment_intent")))
        .with_since(made)
        .with_reason(short(refund, "reason"));
    Ok(Statement {
        facts: vec![with_money(fact, amount, amount)],
        summary: sentence(format_args!("refund {words}{code}"), Some(amount)),
    })
}
