//! How is a gateway made to do something exactly once? What is to be done is a row before the gateway hears of it; the
//! answer goes into the inbox as an event, in the transaction that ends the operation. What nobody knows the end of is
//! tried again by the worker, with the same idempotency key.

use std::time::Duration;

use super::payment::Payment;
use super::receive::row;
use super::{Inner, Payments, find, random_word};
use crate::domain::event::{Envelope, Source};
use crate::domain::fact::{Fact, State};
use crate::domain::money::Money;
use crate::domain::payment::Status;
use crate::domain::{Timestamp, later};
use crate::error::{Error, ErrorKind};
use crate::gateways::{Call, GatewayError, Verb};
use crate::store::Tx;
use crate::store::calls::{NewOperation, OperationEnd, OperationRow};
use crate::store::rows::PaymentRow;

/// What came of asking the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The gateway did it. Its answer is an event like any other, and the payment changes as soon as a worker has
    /// processed it.
    Done,
    /// Nobody knows yet: the gateway did not answer. The worker asks again, with the same idempotency key, until it
    /// is known; asking once more from outside would be a second operation.
    Underway,
}

/// How long a try may take before another process may take the operation up: longer than a gateway's client waits
/// with all its tries.
const TRY: Duration = Duration::from_secs(300);
/// How many operations one look takes up.
const BATCH: i64 = 20;

/// What is asked for, before it is known whether the ledger allows it.
pub(super) struct Wanted {
    pub verb: Verb,
    pub amount: Option<Money>,
    pub reason: Option<String>,
    pub asker: Asker,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Asker {
    /// The host's own code.
    Host,
    /// A worker, about a payment that nobody has told of for long.
    Worker,
}

impl Asker {
    fn name(self) -> &'static str {
        match self {
            Self::Host => "the app",
            Self::Worker => "a worker",
        }
    }
}

impl Payments {
    /// Does it, if the ledger allows it.
    pub(super) async fn operate(&self, token: &str, wanted: Wanted) -> Result<Outcome, Error> {
        let (now, token) = (self.now(), token.to_owned());
        let key = format!("op_{}", random_word(26)?);
        let operation = self
            .blocking(move |inner| inner.store.transaction(|tx| begin(inner, tx, &token, &wanted, &key, now)))
            .await?;
        self.attempt(operation).await
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
        let asked = operation.clone();
        let call = self.read(move |tx| call(tx, &asked)).await?;
        let answer = variant.gateway.call(&call).await;
        self.conclude(operation, answer).await
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
            Ok(events) => (end("done", format!("the gateway did it: {verb}")), events, Ok(Outcome::Done)),
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
        let rows = events.into_iter().map(|event| row(&variant, event, Source::Answer, now));
        let rows: Vec<_> = rows
            .collect::<Result<_, _>>()
            .map_err(|_| Error::new(ErrorKind::Gateway, "the gateway's answer can't be stored"))?;
        let write = move |tx: &mut dyn Tx| {
            if tx.settle_operation(id, &end)? && !rows.is_empty() {
                tx.append(&rows)?;
            }
            Ok(())
        };
        self.blocking(move |inner| inner.store.transaction(write)).await?;
        self.inner().ring();
        result
    }
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
    let gateway = inner.variants.get(&row.variant).map(|variant| &variant.gateway);
    let gateway = gateway.ok_or_else(|| refused(format!("no variant {:?} is configured here", row.variant)))?;
    gateway.supports(wanted.verb).map_err(refused)?;
    let underway: Vec<OperationRow> =
        tx.operations_of(row.id)?.into_iter().filter(|operation| operation.state == "underway").collect();
    let payment = Payment::of(&row)?;
    allowed(&payment, wanted.verb, wanted.amount, &underway).map_err(refused)?;
    let refs = serde_json::Value::from(objects(tx, &row, wanted.verb)?).to_string();
    tx.add_operation(&NewOperation {
        payment_id: row.id,
        variant: row.variant.clone(),
        verb: wanted.verb.as_str(),
        amount: amount(&payment, wanted),
        reason: wanted.reason.clone(),
        gateway_refs: refs,
        idempotency_key: key.to_owned(),
        actor: wanted.asker.name().to_owned(),
        due_at: later(now, TRY),
        created_at: now,
    })
}

/// What is left to be refunded while these operations are underway, in minor units.
pub(crate) fn refundable(payment: &Payment, underway: &[OperationRow]) -> i64 {
    let left = payment.captured.minor.saturating_sub(payment.refunded.minor);
    let refunds = underway.iter().filter(|operation| operation.verb == Verb::Refund.as_str());
    refunds.fold(left, |left, refund| left.saturating_sub(refund.amount.unwrap_or(left)))
}

/// Whether the ledger allows it; if not, why not, in words for people.
pub(crate) fn allowed(
    payment: &Payment,
    verb: Verb,
    amount: Option<Money>,
    underway: &[OperationRow],
) -> Result<(), String> {
    let currency = payment.amount.currency;
    if let Some(amount) = amount.filter(|amount| amount.currency != currency || amount.minor <= 0) {
        return Err(format!("expected an amount above 0 in {currency}, got {amount}"));
    }
    let status = payment.status;
    let (may, most) = match verb {
        Verb::Capture => (status == Status::Authorized, payment.amount.minor),
        Verb::Cancel => (matches!(status, Status::Pending | Status::Authorized | Status::Failed), 0),
        Verb::Refund => {
            let may = matches!(status, Status::Paid | Status::PartiallyRefunded);
            (may, refundable(payment, underway))
        }
        Verb::Refresh => return Ok(()),
    };
    if !may {
        let word = status.as_str().replace('_', " ");
        return Err(format!("the payment is {word}, so there is nothing to {}", verb.as_str()));
    }
    let same = |operation: &&OperationRow| operation.verb == verb.as_str();
    if verb != Verb::Refund && underway.iter().any(|operation| same(&operation)) {
        return Err(format!("a {} of this payment is underway already", verb.as_str()));
    }
    if verb == Verb::Refund && most <= 0 {
        return Err("all of it is refunded, or about to be".to_owned());
    }
    match amount.filter(|amount| amount.minor > most) {
        Some(amount) => Err(format!("expected at most {}, got {amount}", Money::new(most, currency))),
        None => Ok(()),
    }
}

/// The amount that is written down: what is left, where all is asked for and a part went back already.
fn amount(payment: &Payment, wanted: &Wanted) -> Option<i64> {
    match (wanted.verb, wanted.amount) {
        (_, Some(amount)) => Some(amount.minor),
        (Verb::Refund, None) => Some(payment.captured.minor.saturating_sub(payment.refunded.minor)),
        _ => None,
    }
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
        reason: operation.reason.clone(),
        idempotency_key: operation.idempotency_key.clone(),
    })
}
