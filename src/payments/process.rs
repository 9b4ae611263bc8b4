//! How is a batch of due events processed? Claimed, read and locked together in one transaction, then applied one
//! by one, each in a savepoint of its own, so that one event's trouble is not its neighbours'.

use super::apply::Step;
use super::reading::{Reading, interpret};
use super::settle::{self, Ended, Pending, Trouble};
use super::tally::Moved;
use super::{Inner, Payments, matching};
use crate::domain::event::{EventState, References};
use crate::domain::{Timestamp, later};
use crate::error::Error;
use crate::store::Tx;
use crate::store::rows::Claimed;

/// How many events one transaction processes at the most.
pub(crate) const BATCH: i64 = 50;

/// What came of a batch.
#[derive(Default)]
pub(crate) struct Batch {
    /// How many events were claimed.
    pub claimed: usize,
    /// Those whose async handlers are to run now.
    pub pending: Vec<Pending>,
    /// The others: each one's variant, and the state that it is in.
    settled: Vec<(String, EventState)>,
}

impl Batch {
    fn add(&mut self, event: &Claimed, ended: Ended) {
        self.claimed += 1;
        match ended {
            Ended::Settled(state) => self.settled.push((event.row.variant.clone(), state)),
            Ended::Pending(pending) => self.pending.push(*pending),
        }
    }
}

impl Payments {
    /// Processes one batch of due events. When a batch fails as a whole, its events are taken one by one, so that
    /// one which can't even be committed does not hold up the others.
    pub(crate) async fn process(&self) -> Result<Batch, Error> {
        let this = self.clone();
        let process = move |inner: &Inner| match inner.store.transaction(|tx| process_batch(&this, tx, BATCH)) {
            Err(error) if !error.is_retryable() => {
                log::error!("payments: a batch failed, its events are taken one by one: {error}");
                one_by_one(&this)
            }
            done => done,
        };
        let batch = self.blocking(process).await?;
        batch.settled.iter().for_each(|(variant, state)| self.inner().count(variant, state.as_str(), 1));
        Ok(batch)
    }
}

/// As many events as a batch has, each in a transaction of its own; what fails is settled as failed.
fn one_by_one(payments: &Payments) -> Result<Batch, Error> {
    let store = &payments.inner().store;
    let mut all = Batch::default();
    for _ in 0..BATCH {
        let batch = store.transaction(|tx| process_batch(payments, tx, 1)).or_else(|error| {
            if error.is_retryable() { Err(error) } else { store.transaction(|tx| give_up(payments, tx, &error)) }
        })?;
        if batch.claimed == 0 {
            break;
        }
        all.claimed += batch.claimed;
        all.pending.extend(batch.pending);
        all.settled.extend(batch.settled);
    }
    Ok(all)
}

/// Settles the event that is due first as failed.
fn give_up(payments: &Payments, tx: &mut dyn Tx, error: &Error) -> Result<Batch, Error> {
    let now = payments.now();
    let claimed = claim(payments, tx, now, 1)?;
    let mut batch = Batch::default();
    for event in &claimed {
        let ended = settle::failed(payments.inner(), tx, event, &Trouble::retry(error.to_string()), now)?;
        batch.add(event, ended);
    }
    Ok(batch)
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
    let (mut batch, mut moved) = (Batch::default(), Moved::default());
    for (reading, event) in read {
        let ended = process_one(payments, tx, &event, reading, &mut moved, now)?;
        batch.add(&event, ended);
    }
    moved.write(tx)?;
    Ok(batch)
}

/// Locks all that the batch will touch, references first and then payments, each in one order, so that two
/// workers never wait for each other in a circle.
fn lock(tx: &mut dyn Tx, read: &[(Reading, Claimed)]) -> Result<(), Error> {
    let mut keys = Vec::new();
    let mut payments = Vec::new();
    let named = read.iter().filter_map(|(reading, event)| Some((&reading.as_ref().ok()?.0.references, event)));
    for (references, event) in named.clone() {
        keys.extend(matching::all(references).into_iter().map(|text| (event.row.variant.clone(), text)));
    }
    tx.lock_references(&keys)?;
    for (references, event) in named {
        let found = matching::led_to(tx, &event.row.variant, references)?;
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
    moved: &mut Moved,
    now: Timestamp,
) -> Result<Ended, Error> {
    let (mut ended, mut trouble) = (None, None);
    if let Ok((interpretation, _)) = &reading {
        note(tx, event, &interpretation.references)?;
    }
    let applied = match &reading {
        Err(found) => {
            trouble = Some(found.clone());
            Ok(())
        }
        Ok((interpretation, mode)) => tx.savepoint(&mut |tx| {
            let mut step = Step { payments, tx, event, interpretation, now, trouble: None, moved: Moved::default() };
            let done = step.run(*mode);
            trouble = step.trouble;
            ended = Some((done?, step.moved));
            Ok(())
        }),
    };
    let trouble = match (applied, trouble, ended) {
        (Ok(()), None, Some((ended, its))) => {
            moved.join(its);
            return Ok(ended);
        }
        (_, Some(trouble), _) => trouble,
        (Err(error), None, _) if error.is_retryable() => return Err(error),
        (Err(error), None, _) => Trouble::retry(error.to_string()),
        (Ok(()), None, None) => Trouble::retry("the event was left as it was".to_owned()),
    };
    settle::failed(payments.inner(), tx, event, &trouble, now)
}

/// Writes down what the event is about, outside of its savepoint: where it fails, people must be able to find it by
/// its ids and on its payment's page.
fn note(tx: &mut dyn Tx, event: &Claimed, references: &References) -> Result<(), Error> {
    let (id, variant) = (event.row.id, &event.row.variant);
    tx.keep_references(id, variant, &matching::all(references))?;
    match matching::find(tx, variant, references)? {
        Some(found) => tx.assign(id, found.payment.id, Some(&found.matched_by)),
        None => Ok(()),
    }
}
