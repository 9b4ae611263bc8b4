//! What does a refund say? One return of money, which can still fail days later
//! (<https://docs.stripe.com/api/refunds/object>).

use super::reading::{Reading, Statement, because, sentence, with_money};
use crate::domain::event::Malformed;
use crate::domain::fact::{Aspect, State};
use crate::domain::moment_at;
use crate::gateways::json::short;

pub(super) fn read(reading: &Reading<'_>) -> Result<Statement, Malformed> {
    let refund = &reading.object;
    let id = refund.need_id("id")?;
    if refund.text("reason")?.as_deref() == Some("expired_uncaptured_charge") {
        let summary = "refund that only releases an authorization: no money had moved".to_owned();
        return Ok(Statement { facts: Vec::new(), summary });
    }
    // The status may be null, and what a later version calls a new status is not decided either.
    let (state, words) = match refund.text("status")?.as_deref() {
        Some("succeeded") => (State::Succeeded, "succeeded"),
        Some("failed") => (State::Failed, "failed, the money came back"),
        Some("canceled") => (State::Canceled, "canceled"),
        Some("requires_action") => (State::ActionRequired, "waits for the customer"),
        Some("pending") => (State::Pending, "pending"),
        _ => (State::Pending, "in a status that is not known here, taken as pending"),
    };
    let code = because(short(refund, "failure_reason"));
    let amount = reading.need_money("amount")?;
    let made = refund.integer("created")?.and_then(moment_at);
    let fact = reading
        .fact(Aspect::Refund, &id, state)
        .with_parent(refund.link("charge").or_else(|| refund.link("payment_intent")))
        .with_since(made);
    Ok(Statement {
        facts: vec![with_money(fact, amount, amount)],
        summary: sentence(format_args!("refund {words}{code}"), Some(amount)),
    })
}
