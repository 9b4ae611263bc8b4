//! How is a payment completed at a gateway that waits for us once its customer has agreed?

use super::allowed::{Pending, allowed, can};
use super::operate::{Asker, Outcome, Wanted, idempotency_key, operation};
use super::payment::Payment;
use super::{Inner, Payments};
use crate::domain::event::Awaited;
use crate::error::Error;
use crate::gateways::Verb;
use crate::store::Tx;
use crate::store::calls::{NewOperation, OperationRow};
use crate::store::rows::PaymentRow;

impl Payments {
    /// Has the gateway take, or authorize, what the customer agreed to. A worker does that by itself as soon as an event
    /// says that the gateway waits for it, and so does [`Payments::catch_up`]: this is for those who know it earlier, and
    /// for payments that need a review, which nobody but a person completes.
    ///
    /// # Errors
    /// `NotFound` for an unknown token; `Refused` when the payment is not pending, its money is on the way already, or the
    /// gateway goes on by itself; `Gateway` when the gateway said no, as when nobody agreed; and what the database says.
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
    is_answer: bool,
) -> Result<(), Error> {
    let wanted = Wanted { asker: Asker::Worker, ..Wanted::by_host(Verb::Complete) };
    let payment = Payment::of(row)?;
    if row.adopted || payment.needs_review() || can(inner, &row.variant, wanted.verb).is_err() {
        return Ok(());
    }
    let pending = Pending::of(inner, tx, row, &payment)?;
    let settled = is_answer && settles(pending.operations(), awaited);
    if settled || allowed(&payment, wanted.verb, None, &pending).is_err() {
        return Ok(());
    }
    let new = operation(tx, row, &wanted, &idempotency_key()?, inner.now())?;
    let gateway_refs = first(&awaited.gateway_ref, &new.gateway_refs);
    tx.add_operation(&NewOperation { gateway_refs, awaited_since: Some(awaited.since), ..new }).map(drop)
}

/// How often what an answer tells leads to a try that is declined: a customer who approves anew is told of by an event.
const TRIES: usize = 3;

/// Whether an answer, which may be asked for over and over, tells nothing that the completions before have not dealt with.
/// One whose end nobody knows is not the end of it: what waits still can be asked for again.
fn settles(before: &[OperationRow], awaited: &Awaited) -> bool {
    let of_it = |operation: &&OperationRow| {
        operation.verb == Verb::Complete.as_str()
            && operation.awaited_since.is_some()
            && refs(&operation.gateway_refs).first() == Some(&awaited.gateway_ref)
    };
    let in_state = |state: &'static str| before.iter().filter(of_it).filter(move |operation| operation.state == state);
    let dealt_with = in_state("declined").any(|operation| operation.awaited_since >= Some(awaited.since));
    dealt_with || in_state("declined").count() >= TRIES || in_state("done").next().is_some()
}

/// The ids with this one first.
fn first(id: &str, all: &str) -> String {
    let mut ids = refs(all);
    ids.retain(|other| other != id);
    ids.insert(0, id.to_owned());
    serde_json::Value::from(ids).to_string()
}

fn refs(stored: &str) -> Vec<String> {
    serde_json::from_str(stored).unwrap_or_default()
}
