//! What a gateway waits for once its customer has agreed: a worker is to ask it to complete the payment.

use super::interpret::Understood;
use super::stepped::Change;
use crate::domain::Timestamp;
use crate::domain::event::{Awaited, Source};
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::operation::OperationState;
use crate::domain::payment::Status;
use crate::engine::Engine;
use crate::engine::allowed::{Open, allowed, can};
use crate::engine::payment::Payment;
use crate::engine::request::{Requester, Wanted, begin_refresh, idempotency_key, operation};
use crate::error::Error;
use crate::gateways::Verb;
use crate::store::Tx;
use crate::store::calls::{NewOperation, OperationRow};
use crate::store::rows::{EventRow, PaymentRow};

/// Begins what follows at the gateway from what an event did.
pub(super) fn after(
    engine: &Engine,
    tx: &mut dyn Tx,
    change: &Change,
    read: &Understood,
    event: &EventRow,
) -> Result<(), Error> {
    if let Some(awaited) = &read.interpretation.awaits_completion {
        begin_completion(engine, tx, &change.payment, awaited, event)
    } else if came_to_nothing(change) {
        look_again(engine, tx, &change.payment, event)
    } else {
        Ok(())
    }
}

/// Whether money that was on its way did not come, and the payment has none yet.
fn came_to_nothing(change: &Change) -> bool {
    let taking = |fact: &Fact| matches!(fact.aspect, Aspect::Authorization | Aspect::Capture);
    let over = |fact: &Fact| matches!(fact.state, State::Failed | State::Canceled | State::Expired);
    matches!(change.after.status, Status::Pending | Status::Failed)
        && change.effects.iter().any(|(fact, effect)| effect.changed() && taking(fact) && over(fact))
}

/// Begins what the gateway waits for, once an event has said so: a worker takes it up. Nothing is begun where the
/// gateway can't be asked, for a payment that was not created here or needs a review, or where the ledger sees nothing
/// to complete.
fn begin_completion(
    engine: &Engine,
    tx: &mut dyn Tx,
    row: &PaymentRow,
    awaited: &Awaited,
    event: &EventRow,
) -> Result<(), Error> {
    let wanted = Wanted { requester: Requester::Worker, ..Wanted::by_host(Verb::Complete) };
    let payment = Payment::of(row);
    if row.adopted || payment.needs_review() || can(engine, &row.variant, wanted.verb).is_err() {
        return Ok(());
    }
    let open = Open::during(engine, tx, row, &payment, Some(&event.gateway_event_id))?.about(&awaited.gateway_ref);
    let is_answer = event.source == Source::Answer;
    let settled = is_answer && settles(open.operations(), awaited, engine.now());
    if settled || allowed(&payment, wanted.verb, None, &open).is_err() {
        return Ok(());
    }
    let new = operation(tx, row, &wanted, &idempotency_key()?, engine.now())?;
    let gateway_refs = with_first(&awaited.gateway_ref, &new.gateway_refs);
    let awaited_since = Some(awaited.since.or(event.occurred_at).unwrap_or(event.received_at));
    tx.add_operation(&NewOperation { gateway_refs, awaited_since, ..new }).map(drop)
}

/// Has the gateway asked once more where money that was on its way did not come: meanwhile the customer may have
/// approved anew, and that began nothing.
fn look_again(engine: &Engine, tx: &mut dyn Tx, row: &PaymentRow, event: &EventRow) -> Result<(), Error> {
    // A refresh has just told it.
    let is_answer = event.source == Source::Answer;
    let told = is_answer && tx.operation_under(&event.gateway_event_id)?.is_none();
    if told || row.adopted || can(engine, &row.variant, Verb::Complete).is_err() {
        return Ok(());
    }
    begin_refresh(engine, tx, row.id)
}

/// How often what an answer tells leads to a try that is declined: a customer who approves anew is told of by an event.
const TRIES: usize = 3;
/// How long after a decline it is no news that something waits, where the gateway doesn't say since when.
const LATELY: time::Duration = time::Duration::minutes(10);

/// Whether an answer, which may be asked for over and over, tells nothing that the completions before have not dealt
/// with. One whose end nobody knows is not the end of it: what waits still can be asked for again.
fn settles(before: &[OperationRow], awaited: &Awaited, now: Timestamp) -> bool {
    let of_it = |operation: &&OperationRow| {
        operation.verb == Verb::Complete && operation.awaited().as_ref() == Some(&awaited.gateway_ref)
    };
    let in_state =
        |state: OperationState| before.iter().filter(of_it).filter(move |operation| operation.state == state);
    let dealt_with = in_state(OperationState::Declined).any(|declined| match awaited.since {
        Some(since) => declined.awaited_since >= Some(since),
        None => declined.finished_at > Some(now - LATELY),
    });
    dealt_with || in_state(OperationState::Declined).count() >= TRIES || in_state(OperationState::Done).next().is_some()
}

/// The ids with this one first.
fn with_first(id: &str, all: &str) -> String {
    let mut ids: Vec<String> = serde_json::from_str(all).unwrap_or_default();
    ids.retain(|other| other != id);
    ids.insert(0, id.to_owned());
    serde_json::Value::from(ids).to_string()
}
