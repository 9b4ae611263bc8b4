//! How is a batch of due events processed? Claimed, read and locked together in one transaction, then applied one
//! by one, each in a savepoint of its own, so that one event's trouble is not its neighbours'.

use super::apply::Step;
use super::conclude::{Refusal, conclude};
use super::matching::Match;
use super::reading::{Reading, Said, interpret};
use super::settle::{self, Pending, Trouble};
use super::{Payments, matching};
use crate::domain::{Timestamp, later};
use crate::error::{Error, ErrorKind};
use crate::store::Tx;
use crate::store::rows::Claimed;

/// How many events one transaction processes at the most.
pub(crate) const BATCH: i64 = 50;

/// What came of a batch.
pub(crate) struct Batch {
    /// How many events were claimed.
    pub claimed: usize,
    /// Those whose async handlers are to run now.
    pub pending: Vec<Pending>,
    /// How many parked events were waked.
    waked: usize,
}

impl Payments {
    /// Processes one batch of due events. When a batch fails as a whole, its events are taken one by one, so that
    /// one which can't even be committed does not hold up the others.
    pub(crate) async fn process(&self) -> Result<Batch, Error> {
        let this = self.clone();
        self.blocking(move |inner| {
            let batch = match inner.store.transaction(|tx| process_batch(&this, tx, BATCH)) {
                Err(error) if !error.is_retryable() => {
                    log::error!("payments: a batch failed, its events are taken one by one: {error}");
                    one_by_one(&this)?
                }
                done => done?,
            };
            // Only now are they to be seen by others.
            if batch.waked > 0 {
                inner.ring();
            }
            Ok(batch)
        })
        .await
    }
}

/// As many events as a batch has, each in a transaction of its own; what fails is settled as failed.
fn one_by_one(payments: &Payments) -> Result<Batch, Error> {
    let store = &payments.inner().store;
    let mut all = Batch { claimed: 0, pending: Vec::new(), waked: 0 };
    for _ in 0..BATCH {
        let batch = store.transaction(|tx| process_batch(payments, tx, 1)).or_else(|error| {
            if error.is_retryable() { Err(error) } else { store.transaction(|tx| give_up(payments, tx, &error)) }
        })?;
        if batch.claimed == 0 {
            break;
        }
        all.claimed += batch.claimed;
        all.pending.extend(batch.pending);
        all.waked += batch.waked;
    }
    Ok(all)
}

/// Settles the event that is due first as failed.
fn give_up(payments: &Payments, tx: &mut dyn Tx, error: &Error) -> Result<Batch, Error> {
    let now = payments.now();
    let claimed = claim(payments, tx, now, 1)?;
    for event in &claimed {
        settle::failed(payments.inner(), tx, event, &Trouble::retry(error.to_string()), now)?;
    }
    Ok(Batch { claimed: claimed.len(), pending: Vec::new(), waked: 0 })
}

fn claim(payments: &Payments, tx: &mut dyn Tx, now: Timestamp, limit: i64) -> Result<Vec<Claimed>, Error> {
    let inner = payments.inner();
    let variants: Vec<String> = inner.variants.keys().cloned().collect();
    tx.claim(now, later(now, inner.lease), limit, &variants)
}

fn process_batch(payments: &Payments, tx: &mut dyn Tx, limit: i64) -> Result<Batch, Error> {
    let now = payments.now();
    let claimed = claim(payments, tx, now, limit)?;
    let read: Vec<_> = claimed.into_iter().map(|event| (interpret(payments.inner(), &event), event)).collect();
    lock(tx, &read)?;
    let mut batch = Batch { claimed: read.len(), pending: Vec::new(), waked: 0 };
    for (reading, event) in read {
        let done = process_one(payments, tx, &event, reading, now)?;
        batch.pending.extend(done.pending);
        batch.waked += done.waked;
    }
    Ok(batch)
}

/// Locks all that the batch will touch, references first and then payments, each in one order, so that two
/// workers never wait for each other in a circle.
pub(super) fn lock(tx: &mut dyn Tx, read: &[(Reading, Claimed)]) -> Result<(), Error> {
    let mut keys = Vec::new();
    let mut payments = Vec::new();
    let said = read.iter().filter_map(|(reading, event)| Some((reading.as_ref().ok()?, &event.row.variant)));
    for (said, variant) in said.clone() {
        let references = matching::all(&said.interpretation.references);
        keys.extend(references.into_iter().map(|text| (variant.clone(), text)));
    }
    tx.lock_references(&keys)?;
    for (said, variant) in said {
        let found = matching::led_to(tx, variant, &said.interpretation.references)?;
        payments.extend(found.into_iter().map(|(_, payment)| payment.id));
    }
    tx.lock_payments(&payments)
}

/// One event in a savepoint. Trouble of its own is written down beside its neighbours' success; trouble of the
/// database ends the batch.
fn process_one(
    payments: &Payments,
    tx: &mut dyn Tx,
    event: &Claimed,
    reading: Reading,
    now: Timestamp,
) -> Result<Done, Error> {
    let done = match reading {
        Err(trouble) => Err(Refusal::Event(trouble)),
        Ok(said) => {
            let mut found = note(tx, event, &said)?;
            let mut done = Err(Refusal::Event(Trouble::retry("it was not begun".to_owned())));
            let undone = tx.savepoint(&mut |tx| {
                done = run(payments, tx, event, &said, found.take(), now);
                let undo = || Error::new(ErrorKind::Refused, "undone");
                done.as_ref().map(drop).map_err(|_| undo())
            });
            done.and_then(|done| undone.map(|()| done).map_err(Refusal::Store))
        }
    };
    let trouble = match done {
        Ok(done) => return Ok(done),
        Err(Refusal::Store(error)) if error.is_retryable() => return Err(error),
        Err(Refusal::Store(error)) => Trouble::retry(error.to_string()),
        Err(Refusal::Event(trouble)) => trouble,
    };
    settle::failed(payments.inner(), tx, event, &trouble, now).map(|()| Done::default())
}

/// What came of one event.
#[derive(Default)]
struct Done {
    pending: Option<Pending>,
    /// How many parked events it waked.
    waked: usize,
}

fn run(
    payments: &Payments,
    tx: &mut dyn Tx,
    event: &Claimed,
    said: &Said,
    found: Option<Match>,
    now: Timestamp,
) -> Result<Done, Refusal> {
    let applied = Step { payments, tx, event, said, now }.run(found)?;
    let waked = applied.change.as_ref().map_or(0, |change| change.waked);
    Ok(Done { pending: conclude(payments, tx, event, applied, now)?, waked })
}

/// Writes down what the event is about, outside of its savepoint: where it fails, people must be able to find it by
/// its ids and on its payment's page.
pub(super) fn note(tx: &mut dyn Tx, event: &Claimed, said: &Said) -> Result<Option<Match>, Error> {
    let (id, variant, references) = (event.row.id, &event.row.variant, &said.interpretation.references);
    tx.keep_references(id, variant, &matching::all(references))?;
    let found = matching::find(tx, variant, references)?;
    if let Some(found) = &found {
        tx.assign(id, found.payment.id, Some(&found.matched_by))?;
    }
    Ok(found)
}
