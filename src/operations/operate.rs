//! How is a gateway made to do something exactly once? What is to be done is a row before the gateway hears of it; the
//! answer goes into the inbox as an event, in the transaction that ends the operation. How it is tried until its end is
//! known is said in `tries`.

use std::sync::Arc;

use super::tries::{Outcome, TRY, Waiting};
use crate::domain::money::Money;
use crate::domain::note;
use crate::domain::operation::OperationState;
use crate::domain::{Timestamp, later};
use crate::engine::allowed::{Open, allowed, can};
use crate::engine::payment::Payment;
use crate::engine::request::{Requester, Wanted, idempotency_key, operation, refund_of};
use crate::engine::{Actor, act};
use crate::engine::{Engine, find};
use crate::error::{Error, ErrorKind};
use crate::gateways::Verb;
use crate::store::Tx;
use crate::store::audit::NewAct;
use crate::store::calls::{NewOperation, OperationRow};
use crate::store::words::Subject;

/// What an operator confirmed.
pub(crate) struct OperatorsOrder {
    pub verb: Verb,
    pub amount: Option<Money>,
    pub reason: Option<String>,
    /// Why, in words of their own; needed to give back money of a payment that awaits a decision.
    pub note: Option<String>,
    /// What [`idempotency_key`] gave the page that asked for confirmation.
    pub key: String,
    pub actor: Actor,
}

impl Engine {
    /// Does it, if the ledger allows it.
    pub(crate) async fn operate(self: &Arc<Self>, token: &str, wanted: Wanted) -> Result<Outcome, Error> {
        let (now, token) = (self.now(), token.to_owned());
        // Under a name of the host's the same may be asked for once only, so that nobody can ask again.
        let named = wanted.key.is_some() && matches!(wanted.requester, Requester::Host);
        let waiting = if named { Waiting::Nobody } else { Waiting::Somebody };
        let key = wanted.key.clone().map_or_else(idempotency_key, Ok)?;
        let (name, payment) = (key.clone(), token.clone());
        let engine = self.clone();
        let begun = self.write(move |tx| begin(&engine, tx, &token, &wanted, &name, now)).await;
        match begun {
            Ok(Begun::New(operation)) => self.attempt(operation, waiting).await,
            Ok(Begun::Known(operation)) => known(&operation),
            Err(error) if error.kind() == ErrorKind::Unavailable => {
                let stored = self.read(move |tx| {
                    let payment = find::by_token(tx, &payment)?.map(|row| row.id);
                    Ok(tx.operation_under(&key)?.filter(|it| Some(it.payment_id) == payment))
                });
                match stored.await {
                    Ok(Some(operation)) => known(&operation),
                    _ => Err(perhaps_begun(error)),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Does what an operator confirmed; see [`Wanted::key`].
    ///
    /// # Errors
    /// As those of [`Payments::refund`] and the other verbs.
    pub(crate) async fn order(self: &Arc<Self>, token: &str, order: OperatorsOrder) -> Result<Outcome, Error> {
        let OperatorsOrder { verb, amount, reason, note, key, actor } = order;
        let requester = Requester::Operator(actor);
        let wanted = Wanted { amount, reason, note, requester, key: Some(key), ..Wanted::by_host(verb) };
        self.operate(token, wanted).await
    }
}

/// What is said where the database did not answer whether it took an operation: one that is stored is carried out.
pub(super) fn perhaps_begun(error: Error) -> Error {
    let message = "the database did not answer, so it is not certain that nothing will be done: look at the timeline \
                   before you ask for it again";
    Error::new(ErrorKind::Unavailable, message).with_source(error)
}

/// What came of beginning.
enum Begun {
    New(OperationRow),
    /// The same was asked for before, under the same key.
    Known(OperationRow),
}

/// What is known of an operation that was asked for before.
fn known(operation: &OperationRow) -> Result<Outcome, Error> {
    match operation.state {
        OperationState::Done => Ok(Outcome::Done),
        OperationState::Underway => Ok(Outcome::Underway),
        _ => Err(Error::new(ErrorKind::Gateway, operation.outcome.clone().unwrap_or_default())),
    }
}

/// What the operator noted. Money that goes back because of a review does so by a decision, and each has its note.
fn note_of(payment: &Payment, wanted: &Wanted) -> Result<Option<String>, String> {
    let is_decision = wanted.verb == Verb::Refund && payment.awaits_decision();
    let note = wanted.note.as_deref().map(note::checked).transpose()?;
    match note {
        None if is_decision => {
            Err("the payment awaits a decision, so say in a note why its money goes back".to_owned())
        }
        note => Ok(note.map(str::to_owned)),
    }
}

/// Writes down what is to be done, if it may be.
fn begin(
    engine: &Engine,
    tx: &mut dyn Tx,
    token: &str,
    wanted: &Wanted,
    key: &str,
    now: Timestamp,
) -> Result<Begun, Error> {
    let not_found = || Error::new(ErrorKind::NotFound, "there is no such payment");
    let found = find::by_token(tx, token)?.ok_or_else(not_found)?;
    let row = tx.hold_payments(&[found.id])?.pop().ok_or_else(not_found)?;
    let refused = |why: String| Error::new(ErrorKind::Refused, why);
    can(engine, &row.variant, wanted.verb).map_err(refused)?;
    let before = tx.operation_under(key)?;
    if let Some(operation) = before {
        // A page's key is good for one confirmation; a host's own says that it is the same.
        return match &wanted.requester {
            Requester::Host if operation.payment_id == row.id => Ok(Begun::Known(operation)),
            _ => Err(refused("this was asked for already; the payment's timeline says what came of it".to_owned())),
        };
    }
    let lately = |operation: &OperationRow| {
        operation.verb == wanted.verb && wanted.unless_since.is_some_and(|since| operation.created_at > since)
    };
    if wanted.unless_since.is_some() && tx.operations_of(row.id)?.iter().any(lately) {
        return Err(refused("this was asked for just now".to_owned()));
    }
    let payment = Payment::of(&row);
    let open = Open::of(engine, tx, &row, &payment)?;
    allowed(&payment, wanted.verb, wanted.amount, &open).map_err(refused)?;
    // All that is left is a sum at this moment, and the same for every try.
    let all = (wanted.verb == Verb::Refund).then_some(open.refundable);
    let amount = wanted.amount.map(|amount| amount.minor).or(all);
    let capture = open.capture().filter(|_| wanted.verb == Verb::Refund);
    if let Requester::Operator(actor) = &wanted.requester {
        let of = capture.filter(|_| open.captures.len() > 1);
        let of = of.map(|capture| format!(" of {}", capture.gateway_ref)).unwrap_or_default();
        let why = wanted.reason.as_deref().map(|reason| format!(": {}", reason.replace('_', " "))).unwrap_or_default();
        let detail = amount.map(|minor| format!("{}{of}{why}", Money::new(minor, payment.amount.currency)));
        tx.add_act(&NewAct { detail, ..act(wanted.verb.as_str(), actor, None, Some(row.id), now) })?;
        if let Some(note) = note_of(&payment, wanted).map_err(refused)? {
            tx.add_act(&NewAct { detail: Some(note), ..act(note::ACT, actor, None, Some(row.id), now) })?;
            tx.owe_words(&[Subject::Payment(row.id)])?;
        }
    }
    let new = operation(tx, &row, wanted, key, now)?;
    let new = NewOperation { amount, attempts: 1, due_at: later(now, TRY), ..new };
    let new = match capture {
        Some(capture) => refund_of(new, capture, &open.captures),
        None => new,
    };
    Ok(Begun::New(tx.add_operation(&new)?))
}
