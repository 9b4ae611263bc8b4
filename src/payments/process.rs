//! How is a batch of due events processed? Claimed, read and locked together in one transaction, then applied one
//! by one, each in a savepoint of its own, so that one event's trouble is not its neighbours'.

use super::apply::Step;
use super::conclude::{Refusal, conclude};
use super::matching::Match;
use super::reading::{Reading, Said, interpret};
use super::settle::{self, Ended, Pending, Trouble};
use super::tally::Moved;
use super::{Inner, Payments, matching};
use crate::domain::event::EventState;
use crate::domain::{Timestamp, later};
use crate::error::{Error, ErrorKind};
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
    /// How many parked events were waked.
    waked: usize,
}

impl Batch {
    fn add(&mut self, event: &Claimed, ended: Ended) {
        self.claimed += 1;
        match ended {
            Ended::Settled(state) => self.settled.push((event.row.variant.clone(), state)),
            Ended::Pending(pending) => self.pending.push(*pending),
        }
    }

    fn join(&mut self, other: Self) {
        self.claimed += other.claimed;
        self.pending.extend(other.pending);
        self.settled.extend(other.settled);
        self.waked += other.waked;
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
        self.tell(&batch);
        Ok(batch)
    }

    /// Processes these events of a variant at once, so that who asked the gateway for them sees what they did. Those
    /// that a worker has taken up meanwhile are its own; async handlers are a worker's in any case, and so is what fails.
    pub(super) async fn process_now(&self, variant: String, named: Vec<String>) {
        let this = self.clone();
        let work = move |inner: &Inner| {
            inner.store.transaction(|tx| {
                let now = inner.now();
                let claimed = tx.claim_named(&variant, &named, now, later(now, inner.lease))?;
                process_claimed(&this, tx, claimed, now)
            })
        };
        match self.blocking(work).await {
            Ok(batch) => {
                self.tell(&batch);
                for pending in batch.pending {
                    if let Err(error) = pending.release(LEFT).await {
                        log::warn!("payments: an event is taken up after its lease: {error}");
                    }
                }
            }
            Err(error) => log::warn!("payments: an answer is left to a worker: {error}"),
        }
        self.inner().ring();
    }

    fn tell(&self, batch: &Batch) {
        batch.settled.iter().for_each(|(variant, state)| self.inner().count(variant, state.as_str(), 1));
        // Only now are they to be seen by others.
        if batch.waked > 0 {
            self.inner().ring();
        }
    }
}

/// Why handlers were not begun where the event was processed.
const LEFT: &str = "its handlers wait for a worker";

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
        all.join(batch);
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
    process_claimed(payments, tx, claimed, now)
}

fn process_claimed(
    payments: &Payments,
    tx: &mut dyn Tx,
    claimed: Vec<Claimed>,
    now: Timestamp,
) -> Result<Batch, Error> {
    let read: Vec<_> = claimed.into_iter().map(|event| (interpret(payments.inner(), &event), event)).collect();
    lock(tx, &read)?;
    let (mut batch, mut moved) = (Batch::default(), Moved::default());
    for (reading, event) in read {
        let done = process_one(payments, tx, &event, reading, now)?;
        batch.add(&event, done.ended);
        batch.waked += done.waked;
        moved.join(done.moved);
    }
    moved.write(tx)?;
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
    let ended = settle::failed(payments.inner(), tx, event, &trouble, now)?;
    Ok(Done { ended, waked: 0, moved: Moved::default() })
}

/// What came of one event.
struct Done {
    ended: Ended,
    /// How many parked events it waked.
    waked: usize,
    /// The money that it moved.
    moved: Moved,
}

fn run(
    payments: &Payments,
    tx: &mut dyn Tx,
    event: &Claimed,
    said: &Said,
    found: Option<Match>,
    now: Timestamp,
) -> Result<Done, Refusal> {
    let mut applied = Step { payments, tx, event, said, now }.run(found)?;
    let (waked, moved) = match &mut applied.change {
        Some(change) => (change.waked, std::mem::take(&mut change.moved)),
        None => (0, Moved::default()),
    };
    Ok(Done { ended: conclude(payments, tx, event, said, applied, now)?, waked, moved })
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
