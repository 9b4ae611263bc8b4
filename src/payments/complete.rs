//! How is a payment completed at a gateway that waits for us once its customer has agreed?

use super::allowed::{Pending, allowed, can};
use super::operate::{Asker, Outcome, Wanted, begin_refresh, idempotency_key, operation};
use super::payment::Payment;
use super::{Inner, Payments};
use crate::domain::Timestamp;
use crate::domain::event::{Awaited, Source};
use crate::error::Error;
use crate::gateways::Verb;
use crate::store::Tx;
use crate::store::calls::{NewOperation, OperationEnd, OperationRow};
use crate::store::rows::{EventRow, PaymentRow};

impl Payments {
    /// Has the gateway take, or authorize, what the customer agreed to. A worker does that by itself as soon as an event
    /// says that the gateway waits for it, and so does [`Payments::catch_up`]: this is for those who know it earlier, and
    /// for payments that need a review, which nobody but a person completes.
    ///
    /// # Errors
    /// `NotFound` for an unknown token; `Refused` when the payment is not pending or failed, its money is on the way already
    /// or may be, or the gateway goes on by itself; `Gateway` when the gateway said no, as when nobody agreed; and what the
    /// database says.
    pub async fn complete(&self, token: &str) -> Result<Outcome, Error> {
        self.operate(token, Wanted::by_host(Verb::Complete)).await
    }
}

/// Begins what the gateway waits for, once an event has said so: a worker takes it up. Nothing is begun where the gateway
/// can't be asked, for a payment that was not created here or needs a review, or where the ledger sees nothing to complete.
pub(super) fn begin_completion(
    inner: &Inner,
    tx: &mut dyn Tx,
    row: &PaymentRow,
    awaited: &Awaited,
    event: &EventRow,
) -> Result<(), Error> {
    let wanted = Wanted { asker: Asker::Worker, ..Wanted::by_host(Verb::Complete) };
    let payment = Payment::of(row)?;
    if row.adopted || payment.needs_review() || can(inner, &row.variant, wanted.verb).is_err() {
        return Ok(());
    }
    let pending = Pending::during(inner, tx, row, &payment, Some(&event.gateway_event_id))?.about(&awaited.gateway_ref);
    let is_answer = event.source == Source::Answer.as_str();
    let settled = is_answer && settles(pending.operations(), awaited, inner.now());
    if settled || allowed(&payment, wanted.verb, None, &pending).is_err() {
        return Ok(());
    }
    let new = operation(tx, row, &wanted, &idempotency_key()?, inner.now())?;
    let gateway_refs = with_first(&awaited.gateway_ref, &new.gateway_refs);
    let awaited_since = Some(awaited.since.or(event.occurred_at).unwrap_or(event.received_at));
    tx.add_operation(&NewOperation { gateway_refs, awaited_since, ..new }).map(drop)
}

/// Has the gateway asked once more where money that was on its way did not come: meanwhile the customer may have approved
/// anew, and that began nothing.
pub(super) fn look_again(inner: &Inner, tx: &mut dyn Tx, row: &PaymentRow, event: &EventRow) -> Result<(), Error> {
    // A refresh has just told it.
    let is_answer = event.source == Source::Answer.as_str();
    let told = is_answer && tx.operation_under(&event.gateway_event_id)?.is_none();
    if told || row.adopted || can(inner, &row.variant, Verb::Complete).is_err() {
        return Ok(());
    }
    begin_refresh(inner, tx, row.id)
}

/// Ends a completion that was never tried, where the payment has gone on since in another way; answers whether it did.
pub(super) fn end_if_overtaken(inner: &Inner, tx: &mut dyn Tx, operation: &OperationRow) -> Result<bool, Error> {
    tx.lock_payments(&[operation.payment_id])?;
    let Some(row) = tx.payment(operation.payment_id)? else { return Ok(false) };
    let payment = Payment::of(&row)?;
    let mut pending = Pending::of(inner, tx, &row, &payment)?.without(operation.id);
    if let Some(id) = operation.awaited() {
        pending = pending.about(&id);
    }
    let review = || Err("the payment needs a review".to_owned());
    let may = if payment.needs_review() { review() } else { allowed(&payment, Verb::Complete, None, &pending) };
    let Err(why) = may else { return Ok(false) };
    let (outcome, finished_at) = (format!("not asked for any more: {why}"), Some(inner.now()));
    tx.settle_operation(operation, &OperationEnd { state: "overtaken", outcome, due_at: None, finished_at })?;
    Ok(true)
}

/// How often what an answer tells leads to a try that is declined: a customer who approves anew is told of by an event.
const TRIES: usize = 3;
/// How long after a decline it is no news that something waits, where the gateway doesn't say since when.
const LATELY: time::Duration = time::Duration::minutes(10);

/// Whether an answer, which may be asked for over and over, tells nothing that the completions before have not dealt with.
/// One whose end nobody knows is not the end of it: what waits still can be asked for again.
fn settles(before: &[OperationRow], awaited: &Awaited, now: Timestamp) -> bool {
    let of_it = |operation: &&OperationRow| {
        operation.verb == Verb::Complete.as_str() && operation.awaited().as_ref() == Some(&awaited.gateway_ref)
    };
    let in_state = |state: &'static str| before.iter().filter(of_it).filter(move |operation| operation.state == state);
    let dealt_with = in_state("declined").any(|declined| match awaited.since {
        Some(since) => declined.awaited_since >= Some(since),
        None => declined.finished_at > Some(now - LATELY),
    });
    dealt_with || in_state("declined").count() >= TRIES || in_state("done").next().is_some()
}

/// The ids with this one first.
fn with_first(id: &str, all: &str) -> String {
    let mut ids: Vec<String> = serde_json::from_str(all).unwrap_or_default();
    ids.retain(|other| other != id);
    ids.insert(0, id.to_owned());
    serde_json::Value::from(ids).to_string()
}
