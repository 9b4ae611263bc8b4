//! How is a gateway made to do something exactly once? What is to be done is a row before the gateway hears of it; the
//! answer goes into the inbox as an event, in the transaction that ends the operation. How it is tried until its end is
//! known is said in `tries`.

use std::sync::Arc;

use crate::domain::fact::{Fact, State};
use crate::domain::money::Money;
use crate::domain::{Timestamp, later};
use crate::engine::payment::Payment;
use crate::engine::{Actor, act};
use crate::engine::{Engine, find, random_word};
use crate::error::{Error, ErrorKind};
use crate::gateways::Verb;
use crate::operations::allowed::{Pending, allowed, can};
use crate::operations::tries::{TRY, Waiting};
use crate::store::Tx;
use crate::store::calls::{NewOperation, OperationRow};
use crate::store::rows::{NewAct, PaymentRow};

/// What came of asking the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The gateway did it. Its answer is an event like any other; it is processed by now, unless a worker is just
    /// about it, and async handlers run as soon as a worker takes them up.
    Done,
    /// Nobody knows yet: the gateway did not answer. The worker asks again, with the same idempotency key, until it
    /// is known; asking once more from outside would be a second operation.
    Underway,
}

/// What is asked for, before it is known whether the ledger allows it.
pub(crate) struct Wanted {
    pub verb: Verb,
    pub amount: Option<Money>,
    pub reason: Option<String>,
    pub asker: Asker,
    /// What need not be done where the same was asked for after this.
    pub unless_since: Option<Timestamp>,
    /// The idempotency key, where a page has given one out already, so that a form that is sent twice acts once.
    pub key: Option<String>,
}

impl Wanted {
    /// What the host's own code asks for.
    pub(crate) fn by_host(verb: Verb) -> Self {
        Self { verb, amount: None, reason: None, asker: Asker::Host, unless_since: None, key: None }
    }
}

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) enum Asker {
    /// The host's own code.
    Host,
    /// A worker, about a payment that nobody has told of for long.
    Worker,
    /// A person, in the admin pages.
    Operator(Actor),
}

impl Asker {
    fn name(&self) -> &str {
        match self {
            Self::Host => "the app",
            Self::Worker => "a worker",
            Self::Operator(actor) => &actor.name,
        }
    }
}

/// What an operator confirmed.
pub(crate) struct OperatorsOrder {
    pub verb: Verb,
    pub amount: Option<Money>,
    pub reason: Option<String>,
    /// What [`idempotency_key`] gave the page that asked for confirmation.
    pub key: String,
    pub actor: Actor,
}

/// A fresh key for an operation.
pub(crate) fn idempotency_key() -> Result<String, Error> {
    Ok(format!("op_{}", random_word(26)?))
}

impl Engine {
    /// Does it, if the ledger allows it.
    pub(crate) async fn operate(self: &Arc<Self>, token: &str, wanted: Wanted) -> Result<Outcome, Error> {
        let (now, token) = (self.now(), token.to_owned());
        // Under a name of the host's the same may be asked for once only, so that nobody can ask again.
        let named = wanted.key.is_some() && matches!(wanted.asker, Asker::Host);
        let waiting = if named { Waiting::Nobody } else { Waiting::Somebody };
        let key = wanted.key.clone().map_or_else(idempotency_key, Ok)?;
        let begun = self
            .blocking(move |engine| engine.store.transaction(|tx| begin(engine, tx, &token, &wanted, &key, now)))
            .await?;
        match begun {
            Begun::New(operation) => self.attempt(operation, waiting).await,
            Begun::Known(operation) => known(&operation),
        }
    }

    /// Does what an operator confirmed; see [`Wanted::key`].
    ///
    /// # Errors
    /// As those of [`Payments::refund`] and the other verbs.
    pub(crate) async fn order(self: &Arc<Self>, token: &str, order: OperatorsOrder) -> Result<Outcome, Error> {
        let OperatorsOrder { verb, amount, reason, key, actor } = order;
        let wanted = Wanted { amount, reason, asker: Asker::Operator(actor), key: Some(key), ..Wanted::by_host(verb) };
        self.operate(token, wanted).await
    }
}

/// What came of beginning.
enum Begun {
    New(OperationRow),
    /// The same was asked for before, under the same key.
    Known(OperationRow),
}

/// What is known of an operation that was asked for before.
fn known(operation: &OperationRow) -> Result<Outcome, Error> {
    match operation.state.as_str() {
        "done" => Ok(Outcome::Done),
        "underway" => Ok(Outcome::Underway),
        _ => Err(Error::new(ErrorKind::Gateway, operation.outcome.clone().unwrap_or_default())),
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
    tx.lock_payments(&[found.id])?;
    let row = tx.payment(found.id)?.ok_or_else(not_found)?;
    let refused = |why: String| Error::new(ErrorKind::Refused, why);
    can(engine, &row.variant, wanted.verb).map_err(refused)?;
    let before = tx.operation_under(key)?;
    if let Some(operation) = before {
        // A page's key is good for one confirmation; a host's own says that it is the same.
        return match &wanted.asker {
            Asker::Host if operation.payment_id == row.id => Ok(Begun::Known(operation)),
            _ => Err(refused("this was asked for already; the payment's timeline says what came of it".to_owned())),
        };
    }
    let lately = |operation: &OperationRow| {
        operation.verb == wanted.verb.as_str() && wanted.unless_since.is_some_and(|since| operation.created_at > since)
    };
    if wanted.unless_since.is_some() && tx.operations_of(row.id)?.iter().any(lately) {
        return Err(refused("this was asked for just now".to_owned()));
    }
    let payment = Payment::of(&row)?;
    let pending = Pending::of(engine, tx, &row, &payment)?;
    allowed(&payment, wanted.verb, wanted.amount, &pending).map_err(refused)?;
    // All that is left is a sum at this moment, and the same for every try.
    let all = (wanted.verb == Verb::Refund).then_some(pending.refundable);
    let amount = wanted.amount.map(|amount| amount.minor).or(all);
    if let Asker::Operator(actor) = &wanted.asker {
        let detail = amount.map(|minor| Money::new(minor, payment.amount.currency).to_string());
        tx.add_act(&NewAct { detail, ..act(wanted.verb.as_str(), actor, None, Some(row.id), now) })?;
    }
    let new = operation(tx, &row, wanted, key, now)?;
    Ok(Begun::New(tx.add_operation(&NewOperation { amount, attempts: 1, due_at: later(now, TRY), ..new })?))
}

/// Has a worker ask how a payment stands, where its gateway can be asked.
pub(crate) fn begin_refresh(engine: &Engine, tx: &mut dyn Tx, payment: i64) -> Result<(), Error> {
    let wanted = Wanted { asker: Asker::Worker, ..Wanted::by_host(Verb::Refresh) };
    match tx.payment(payment)? {
        Some(row) if can(engine, &row.variant, wanted.verb).is_ok() => {
            let new = operation(tx, &row, &wanted, &idempotency_key()?, engine.now())?;
            tx.add_operation(&new).map(drop)
        }
        _ => Ok(()),
    }
}

/// An operation that is due at once and was never tried, without an amount.
pub(crate) fn operation(
    tx: &mut dyn Tx,
    row: &PaymentRow,
    wanted: &Wanted,
    key: &str,
    now: Timestamp,
) -> Result<NewOperation, Error> {
    Ok(NewOperation {
        payment_id: row.id,
        variant: row.variant.clone(),
        verb: wanted.verb.as_str(),
        amount: None,
        reason: wanted.reason.clone(),
        gateway_refs: serde_json::Value::from(objects(tx, row, wanted.verb)?).to_string(),
        idempotency_key: key.to_owned(),
        actor: wanted.asker.name().to_owned(),
        attempts: 0,
        due_at: now,
        created_at: now,
        awaited_since: None,
    })
}

/// The ids of the payment's objects, first those that are, or have something, in the state that the verb is about.
fn objects(tx: &mut dyn Tx, row: &PaymentRow, verb: Verb) -> Result<Vec<String>, Error> {
    let state = match verb {
        Verb::Capture | Verb::Cancel => State::Authorized,
        Verb::Refund | Verb::Refresh => State::Succeeded,
        Verb::Complete => State::Pending,
    };
    let facts = tx.facts_of(row.id)?;
    let mut refs = tx.references_of(row.id)?;
    refs.reverse();
    refs.sort_by_key(|id| {
        let about = |fact: &Fact| fact.gateway_ref == *id || fact.parent.as_ref() == Some(id);
        !facts.iter().any(|fact| fact.state == state && about(fact))
    });
    Ok(refs)
}
