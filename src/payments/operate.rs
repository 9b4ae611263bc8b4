//! How is a gateway made to do something exactly once? What is to be done is a row before the gateway hears of it; the
//! answer goes into the inbox as an event, in the transaction that ends the operation. What nobody knows the end of is
//! tried again by the worker, with the same idempotency key.

use std::time::Duration;

use super::allowed::{allowed, amount, can};
use super::payment::Payment;
use super::receive::row;
use super::requeue::{Actor, act};
use super::{Inner, Payments, find, random_word};
use crate::domain::event::{Envelope, Source};
use crate::domain::fact::{Fact, State};
use crate::domain::money::Money;
use crate::domain::{Timestamp, later};
use crate::error::{Error, ErrorKind};
use crate::gateways::{Call, GatewayError, Verb};
use crate::store::Tx;
use crate::store::calls::{NewOperation, OperationEnd, OperationRow};
use crate::store::rows::{NewAct, NewEvent, PaymentRow};

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

/// How long a try may take before another process may take the operation up: longer than a gateway's client waits
/// with all its tries.
const TRY: Duration = Duration::from_secs(300);
/// For how long after it was asked for an operation is tried again. Gateways forget an idempotency key (Stripe after 24
/// hours), and a later try could be a second effect.
const KEY_LIFE: Duration = Duration::from_secs(20 * 3600);
/// How many operations one look takes up.
const BATCH: i64 = 20;

/// What is asked for, before it is known whether the ledger allows it.
pub(super) struct Wanted {
    pub verb: Verb,
    pub amount: Option<Money>,
    pub reason: Option<String>,
    pub asker: Asker,
    /// The idempotency key, where a page has given one out already, so that a form that is sent twice acts once.
    pub key: Option<String>,
}

impl Wanted {
    /// What the host's own code asks for.
    pub(super) fn by_host(verb: Verb) -> Self {
        Self { verb, amount: None, reason: None, asker: Asker::Host, key: None }
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

impl Payments {
    /// Does it, if the ledger allows it.
    pub(super) async fn operate(&self, token: &str, wanted: Wanted) -> Result<Outcome, Error> {
        let (now, token) = (self.now(), token.to_owned());
        let key = wanted.key.clone().map_or_else(idempotency_key, Ok)?;
        let operation = self
            .blocking(move |inner| inner.store.transaction(|tx| begin(inner, tx, &token, &wanted, &key, now)))
            .await?;
        self.attempt(operation).await
    }

    /// Does what an operator confirmed; see [`Wanted::key`].
    ///
    /// # Errors
    /// As those of [`Payments::refund`] and the other verbs.
    pub(crate) async fn order(&self, token: &str, order: OperatorsOrder) -> Result<Outcome, Error> {
        let OperatorsOrder { verb, amount, reason, key, actor } = order;
        self.operate(token, Wanted { verb, amount, reason, asker: Asker::Operator(actor), key: Some(key) }).await
    }

    /// Tries operations again whose end nobody knows; answers how many.
    pub(crate) async fn resume_operations(&self) -> Result<usize, Error> {
        let now = self.now();
        let claim = move |tx: &mut dyn Tx| tx.claim_operations(now, later(now, TRY), BATCH);
        let due = self.blocking(move |inner| inner.store.transaction(claim)).await?;
        let count = due.len();
        for operation in due {
            let (id, verb) = (operation.id, operation.verb.clone());
            if let Err(error) = self.attempt(operation).await {
                log::error!("payments: operation {id} ({verb}): {error}");
            }
        }
        Ok(count)
    }

    /// Asks the gateway, and writes down what it says.
    async fn attempt(&self, operation: OperationRow) -> Result<Outcome, Error> {
        let Some(variant) = self.variant(&operation.variant) else {
            let message = format!("no variant {:?} is configured here", operation.variant);
            return Err(Error::new(ErrorKind::NotFound, message));
        };
        if operation.attempts > 1 && later(operation.created_at, KEY_LIFE) < self.now() {
            return self.give_up(operation).await;
        }
        let asked = operation.clone();
        let call = self.read(move |tx| call(tx, &asked)).await?;
        let answer = variant.gateway.call(&call).await;
        self.conclude(operation, answer).await
    }

    /// Ends an operation that is too old to be tried again, and asks how the payment stands instead.
    async fn give_up(&self, operation: OperationRow) -> Result<Outcome, Error> {
        let why = "given up: it is too long ago to be tried again safely; the gateway was asked how the payment stands";
        let now = self.now();
        let end = OperationEnd { state: "declined", outcome: why.to_owned(), due_at: None, finished_at: Some(now) };
        let (id, payment) = (operation.id, operation.payment_id);
        let token = self.blocking(move |inner| {
            inner.store.transaction(|tx| {
                tx.settle_operation(id, &end)?;
                Ok(tx.payment(payment)?.map(|payment| payment.token))
            })
        });
        let refresh = Wanted { asker: Asker::Worker, ..Wanted::by_host(Verb::Refresh) };
        match token.await? {
            // A refresh that was given up is not asked for again: it changes nothing.
            Some(token) if operation.verb != Verb::Refresh.as_str() => Box::pin(self.operate(&token, refresh)).await,
            _ => Ok(Outcome::Done),
        }
    }

    async fn conclude(
        &self,
        operation: OperationRow,
        answer: Result<Vec<Envelope>, GatewayError>,
    ) -> Result<Outcome, Error> {
        let now = self.now();
        let verb = operation.verb.clone();
        let end = |state, outcome: String| OperationEnd { state, outcome, due_at: None, finished_at: Some(now) };
        let (end, events, result) = match answer {
            Ok(events) => (end("done", "the gateway did it".to_owned()), events, Ok(Outcome::Done)),
            // It was done, and what came of it will be told by the gateway's events.
            Err(GatewayError::Malformed(why)) => {
                (end("done", format!("done, but the answer is not understood: {why}")), Vec::new(), Ok(Outcome::Done))
            }
            // A first try that did not get through has done nothing; a later one says nothing of the first.
            Err(GatewayError::Unavailable(why)) if operation.attempts > 1 => again(self, &operation, now, why),
            Err(GatewayError::OutcomeUnknown(why)) => again(self, &operation, now, why),
            Err(error) => {
                let outcome = error.to_string();
                let message = format!("the gateway did not {verb} the payment");
                (end("declined", outcome), Vec::new(), Err(Error::new(ErrorKind::Gateway, message).with_source(error)))
            }
        };
        let (variant, id) = (operation.variant, operation.id);
        let (end, rows) = storable(end, events, |event| row(&variant, event, Source::Answer, now).ok());
        let named: Vec<String> = rows.iter().map(|row| row.gateway_event_id.clone()).collect();
        let write = move |tx: &mut dyn Tx| {
            if tx.settle_operation(id, &end)? && !rows.is_empty() {
                tx.append(&rows)?;
            }
            Ok(())
        };
        self.blocking(move |inner| inner.store.transaction(write)).await?;
        self.process_now(variant, named).await;
        result
    }
}

/// The rows of an answer's events. What was done stays done where one of them can't be stored, and the operation says
/// so; what came of it will be told by the gateway's own events.
fn storable(
    end: OperationEnd,
    events: Vec<Envelope>,
    row: impl Fn(Envelope) -> Option<NewEvent>,
) -> (OperationEnd, Vec<NewEvent>) {
    let all = events.len();
    let rows: Vec<NewEvent> = events.into_iter().filter_map(row).collect();
    let lost = match all - rows.len() {
        0 => String::new(),
        lost => format!("; {lost} of {all} parts of its answer can't be stored, refresh the payment later"),
    };
    (OperationEnd { outcome: format!("{}{lost}", end.outcome), ..end }, rows)
}

/// Nobody knows: another try is due, or a person has to look.
fn again(
    payments: &Payments,
    operation: &OperationRow,
    now: Timestamp,
    why: String,
) -> (OperationEnd, Vec<Envelope>, Result<Outcome, Error>) {
    let attempt = u32::try_from(operation.attempts).unwrap_or(u32::MAX);
    let wait = payments.inner().backoff.after(attempt, 0);
    let end = match wait {
        Some(wait) => OperationEnd {
            state: "underway",
            outcome: format!("not known yet: {why}"),
            due_at: Some(later(now, wait)),
            finished_at: None,
        },
        None => OperationEnd {
            state: "declined",
            outcome: format!("given up after {attempt} tries, look at the gateway what came of it: {why}"),
            due_at: None,
            finished_at: Some(now),
        },
    };
    let result = match wait {
        Some(_) => Ok(Outcome::Underway),
        None => Err(Error::new(ErrorKind::Gateway, end.outcome.clone())),
    };
    (end, Vec::new(), result)
}

/// Writes down what is to be done, if it may be.
fn begin(
    inner: &Inner,
    tx: &mut dyn Tx,
    token: &str,
    wanted: &Wanted,
    key: &str,
    now: Timestamp,
) -> Result<OperationRow, Error> {
    let not_found = || Error::new(ErrorKind::NotFound, "there is no such payment");
    let found = find::by_token(tx, token)?.ok_or_else(not_found)?;
    tx.lock_payments(&[found.id])?;
    let row = tx.payment(found.id)?.ok_or_else(not_found)?;
    let refused = |why: String| Error::new(ErrorKind::Refused, why);
    can(inner, &row.variant, wanted.verb).map_err(refused)?;
    let mut underway = tx.operations_of(row.id)?;
    if underway.iter().any(|operation| operation.idempotency_key == key) {
        return Err(refused("this was asked for already; the payment's timeline says what came of it".to_owned()));
    }
    underway.retain(|operation| operation.state == "underway");
    let payment = Payment::of(&row)?;
    allowed(&payment, wanted.verb, wanted.amount, &underway).map_err(refused)?;
    let refs = serde_json::Value::from(objects(tx, &row, wanted.verb)?).to_string();
    let amount = amount(&payment, wanted.verb, wanted.amount);
    if let Asker::Operator(actor) = &wanted.asker {
        let detail = amount.map(|minor| Money::new(minor, payment.amount.currency).to_string());
        tx.add_act(&NewAct { detail, ..act(wanted.verb.as_str(), actor, None, Some(row.id), now) })?;
    }
    tx.add_operation(&NewOperation {
        payment_id: row.id,
        variant: row.variant.clone(),
        verb: wanted.verb.as_str(),
        amount,
        reason: wanted.reason.clone(),
        gateway_refs: refs,
        idempotency_key: key.to_owned(),
        actor: wanted.asker.name().to_owned(),
        due_at: later(now, TRY),
        created_at: now,
    })
}

/// The ids of the payment's objects, first those that are, or have something, in the state that the verb is about, and
/// then the newest.
fn objects(tx: &mut dyn Tx, row: &PaymentRow, verb: Verb) -> Result<Vec<String>, Error> {
    let state = match verb {
        Verb::Capture | Verb::Cancel => State::Authorized,
        Verb::Refund | Verb::Refresh => State::Succeeded,
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

/// The call that an operation stands for.
fn call(tx: &mut dyn Tx, operation: &OperationRow) -> Result<Call, Error> {
    let gone = || Error::new(ErrorKind::NotFound, "the operation's payment is gone");
    let row: PaymentRow = tx.payment(operation.payment_id)?.ok_or_else(gone)?;
    let payment = Payment::of(&row)?;
    let verb = Verb::parse(&operation.verb);
    Ok(Call {
        verb: verb.ok_or_else(|| Error::new(ErrorKind::Storage, format!("unknown verb {:?}", operation.verb)))?,
        token: row.token.clone(),
        gateway_refs: serde_json::from_str(&operation.gateway_refs).unwrap_or_default(),
        amount: operation.amount.map(|minor| Money::new(minor, payment.amount.currency)),
        total: payment.amount,
        reason: operation.reason.clone(),
        asked_at: operation.created_at,
        idempotency_key: operation.idempotency_key.clone(),
    })
}
