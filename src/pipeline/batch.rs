//! How is a batch of due events processed? Claimed, read and locked together in one transaction, then applied one
//! by one, each in a savepoint of its own, so that one event's trouble is not its neighbours'.

use std::sync::Arc;

use super::matching;
use crate::domain::event::EventState;
use crate::domain::{Timestamp, later};
use crate::engine::Engine;
use crate::engine::tally::Moved;
use crate::error::{Error, ErrorKind};
use crate::pipeline::apply::Step;
use crate::pipeline::conclude::{Refusal, conclude};
use crate::pipeline::matching::Match;
use crate::pipeline::reading::{Reading, Said, interpret};
use crate::pipeline::settle::{self, Ended, Pending, Trouble};
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

impl Engine {
    /// Processes one batch of due events. When a batch fails as a whole, its events are taken one by one, so that
    /// one which can't even be committed does not hold up the others.
    pub(crate) async fn process(self: &Arc<Self>) -> Result<Batch, Error> {
        let this = self.clone();
        let process = move |engine: &Arc<Engine>| match engine.store.transaction(|tx| process_batch(&this, tx, BATCH)) {
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
    pub(crate) async fn process_now(self: &Arc<Self>, variant: String, named: Vec<String>) {
        let this = self.clone();
        let work = move |engine: &Arc<Engine>| {
            engine.store.transaction(|tx| {
                let now = engine.now();
                let claimed = tx.claim_named(&variant, &named, now, later(now, engine.lease))?;
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
        self.notify();
    }

    fn tell(self: &Arc<Self>, batch: &Batch) {
        batch.settled.iter().for_each(|(variant, state)| self.count(variant, state.as_str(), 1));
        // Only now are they to be seen by others.
        if batch.waked > 0 {
            self.notify();
        }
    }
}

/// Why handlers were not begun where the event was processed.
const LEFT: &str = "its handlers wait for a worker";

/// As many events as a batch has, each in a transaction of its own; what fails is settled as failed.
fn one_by_one(engine: &Arc<Engine>) -> Result<Batch, Error> {
    let store = &engine.store;
    let mut all = Batch::default();
    for _ in 0..BATCH {
        let batch = store.transaction(|tx| process_batch(engine, tx, 1)).or_else(|error| {
            if error.is_retryable() { Err(error) } else { store.transaction(|tx| give_up(engine, tx, &error)) }
        })?;
        if batch.claimed == 0 {
            break;
        }
        all.join(batch);
    }
    Ok(all)
}

/// Settles the event that is due first as failed.
fn give_up(engine: &Arc<Engine>, tx: &mut dyn Tx, error: &Error) -> Result<Batch, Error> {
    let now = engine.now();
    let claimed = claim(engine, tx, now, 1)?;
    let mut batch = Batch::default();
    for event in &claimed {
        let ended = settle::failed(engine, tx, event, &Trouble::retry(error.to_string()), now)?;
        batch.add(event, ended);
    }
    Ok(batch)
}

fn claim(engine: &Arc<Engine>, tx: &mut dyn Tx, now: Timestamp, limit: i64) -> Result<Vec<Claimed>, Error> {
    let engine = engine;
    let variants: Vec<String> = engine.variants.keys().cloned().collect();
    tx.claim(now, later(now, engine.lease), limit, &variants)
}

fn process_batch(engine: &Arc<Engine>, tx: &mut dyn Tx, limit: i64) -> Result<Batch, Error> {
    let now = engine.now();
    let claimed = claim(engine, tx, now, limit)?;
    process_claimed(engine, tx, claimed, now)
}

fn process_claimed(
    engine: &Arc<Engine>,
    tx: &mut dyn Tx,
    claimed: Vec<Claimed>,
    now: Timestamp,
) -> Result<Batch, Error> {
    let read: Vec<_> = claimed.into_iter().map(|event| (interpret(engine, &event), event)).collect();
    lock(tx, &read)?;
    let (mut batch, mut moved) = (Batch::default(), Moved::default());
    for (reading, event) in read {
        let done = process_one(engine, tx, &event, reading, now)?;
        batch.add(&event, done.ended);
        batch.waked += done.waked;
        moved.join(done.moved);
    }
    moved.write(tx)?;
    Ok(batch)
}

/// Locks all that the batch will touch, references first and then engine, each in one order, so that two
/// workers never wait for each other in a circle.
pub(crate) fn lock(tx: &mut dyn Tx, read: &[(Reading, Claimed)]) -> Result<(), Error> {
    let mut keys = Vec::new();
    let mut engine = Vec::new();
    let said = read.iter().filter_map(|(reading, event)| Some((reading.as_ref().ok()?, &event.row.variant)));
    for (said, variant) in said.clone() {
        let references = matching::all(&said.interpretation.references);
        keys.extend(references.into_iter().map(|text| (variant.clone(), text)));
    }
    tx.lock_references(&keys)?;
    for (said, variant) in said {
        let found = matching::led_to(tx, variant, &said.interpretation.references)?;
        engine.extend(found.into_iter().map(|(_, payment)| payment.id));
    }
    tx.lock_payments(&engine)
}

/// One event in a savepoint. Trouble of its own is written down beside its neighbours' success; trouble of the
/// database ends the batch.
fn process_one(
    engine: &Arc<Engine>,
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
                done = run(engine, tx, event, &said, found.take(), now);
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
    let ended = settle::failed(engine, tx, event, &trouble, now)?;
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
    engine: &Arc<Engine>,
    tx: &mut dyn Tx,
    event: &Claimed,
    said: &Said,
    found: Option<Match>,
    now: Timestamp,
) -> Result<Done, Refusal> {
    let mut applied = Step { engine, tx, event, said, now }.run(found)?;
    let (waked, moved) = match &mut applied.change {
        Some(change) => (change.waked, std::mem::take(&mut change.moved)),
        None => (0, Moved::default()),
    };
    Ok(Done { ended: conclude(engine, tx, event, said, applied, now)?, waked, moved })
}

/// Writes down what the event is about, outside of its savepoint: where it fails, people must be able to find it by
/// its ids and on its payment's page.
pub(crate) fn note(tx: &mut dyn Tx, event: &Claimed, said: &Said) -> Result<Option<Match>, Error> {
    let (id, variant, references) = (event.row.id, &event.row.variant, &said.interpretation.references);
    tx.keep_references(id, variant, &matching::all(references))?;
    let found = matching::find(tx, variant, references)?;
    if let Some(found) = &found {
        tx.assign(id, found.payment.id, Some(&found.matched_by))?;
    }
    Ok(found)
}
