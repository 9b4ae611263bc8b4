//! A batch of due events, in one transaction with a bounded number of statements: claim, read, step, write, tell.
//!
//! There are no savepoints. What fails sends the batch back whole; then the event that failed is settled alone and the
//! others are taken again, so that one event's failure stays its own.

use std::sync::Arc;

use super::completion;
use super::failure::{Failure, report};
use super::handlers::Pending;
use super::interpret::{Understood, interpret};
use super::rebuild::{Remade, from_events};
use super::step::{Done, Step, Stepped};
use super::working_set::WorkingSet;
use super::write::{self, Written, fail, report_change};
use crate::domain::Timestamp;
use crate::domain::event::{EventState, References, Source};
use crate::domain::id::EventId;
use crate::engine::{Engine, Unmatched, payment_token};
use crate::error::{Error, ErrorKind};
use crate::store::Tx;
use crate::store::rows::Claimed;

/// How many events one transaction processes at the most.
pub(crate) const BATCH: i64 = 200;
/// How many events of a batch may fail in its transaction before the rest is taken one by one.
const ISOLATED: usize = 3;

/// What came of a batch.
#[derive(Default)]
pub(crate) struct Batch {
    /// How many events were claimed.
    pub(crate) claimed: usize,
    /// Those whose async handlers are to run now.
    pub(crate) pending: Vec<Pending>,
    /// The others: each one's variant, and the state that it is in.
    pub(super) settled: Vec<(String, EventState)>,
    /// How many parked events were woken.
    pub(super) woken: usize,
}

impl Batch {
    /// Whether it took as many events as one may.
    pub(crate) fn is_full(&self) -> bool {
        self.claimed as i64 >= BATCH
    }

    fn join(&mut self, other: Self) {
        self.claimed += other.claimed;
        self.pending.extend(other.pending);
        self.settled.extend(other.settled);
        self.woken += other.woken;
    }
}

/// Which events a transaction takes.
enum Due<'a> {
    /// Those that are due first.
    First,
    /// These, as far as they still are due.
    Among(&'a [EventId]),
    /// The events of an answer that nobody has taken up yet.
    Named(&'a str, &'a [String]),
}

/// Why a transaction was rolled back.
struct Undone {
    /// The events that it had claimed.
    claimed: Vec<EventId>,
    why: Why,
}

enum Why {
    /// One event failed in a way that leaves the transaction unusable.
    Event(EventId, Failure),
    /// The database refused, and nobody can say for which event.
    Store(Error),
}

impl From<Error> for Why {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl Engine {
    /// Processes one batch of due events. Who does not know whether any is due asks for that first, so that no writer is
    /// kept waiting for the answer.
    pub(crate) async fn process(self: &Arc<Self>, is_known_due: bool) -> Result<Batch, Error> {
        let taken = self.blocking(move |engine| {
            let (now, variants) = (engine.now(), engine.variant_names());
            if !is_known_due && !engine.store.ask(|tx| tx.is_due(now, &variants))? {
                return Ok(Batch::default());
            }
            take(engine, &Due::First).or_else(|undone| again(engine, undone))
        });
        let batch = taken.await?;
        self.count_settled(&batch);
        Ok(batch)
    }

    /// Processes these events of a variant at once, so that who asked the gateway for them sees what they did. Those
    /// that a worker has taken up meanwhile are its own; async handlers are a worker's in any case, and so is what fails.
    pub(crate) async fn process_now(self: &Arc<Self>, variant: String, named: Vec<String>) {
        let taken = self.blocking(move |engine| {
            take(engine, &Due::Named(&variant, &named)).or_else(|undone| again(engine, undone))
        });
        match taken.await {
            Ok(batch) => {
                self.count_settled(&batch);
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

    fn count_settled(&self, batch: &Batch) {
        batch.settled.iter().for_each(|(variant, state)| self.count(variant, state.as_str(), 1));
        // Only now are they to be seen by others.
        if batch.woken > 0 {
            self.notify();
        }
    }
}

/// Why handlers were not begun where the event was processed.
const LEFT: &str = "its handlers wait for a worker";

/// One transaction.
fn take(engine: &Arc<Engine>, due: &Due<'_>) -> Result<Batch, Undone> {
    let mut undone = Undone { claimed: Vec::new(), why: Why::Store(Error::new(ErrorKind::Storage, "not begun")) };
    let taken = engine.store.transaction(|tx| {
        let now = engine.now();
        let claimed = claim(engine, tx, due, now)?;
        undone.claimed = claimed.iter().map(|event| event.row.id).collect();
        process_set(engine, tx, claimed, now).map_err(|why| match why {
            Why::Store(error) => error,
            Why::Event(..) => {
                undone.why = why;
                Error::new(ErrorKind::Refused, "an event failed in its transaction")
            }
        })
    });
    taken.map_err(|error| match undone.why {
        Why::Event(..) if error.kind() == ErrorKind::Refused => undone,
        _ => Undone { why: Why::Store(error), ..undone },
    })
}

fn claim(engine: &Engine, tx: &mut dyn Tx, due: &Due<'_>, now: Timestamp) -> Result<Vec<Claimed>, Error> {
    let mut claimed = match due {
        Due::First => tx.due_events(now, BATCH, &engine.variant_names())?,
        Due::Among(ids) => tx.due_among(ids, now)?,
        Due::Named(variant, ids) => tx.named_events(variant, ids, now)?,
    };
    // A rebuild reads what is stored of all its payment's events, so it is alone in its transaction.
    let is_order = |event: &Claimed| event.row.source == Source::Operator;
    if let Some(order) = claimed.iter().position(is_order) {
        claimed.truncate(order.max(1));
    }
    Ok(claimed)
}

/// Takes the events of a transaction that was rolled back again, without the one that failed.
fn again(engine: &Arc<Engine>, mut undone: Undone) -> Result<Batch, Error> {
    let mut all = Batch::default();
    for _ in 0..ISOLATED {
        let (id, failure) = match undone.why {
            Why::Event(id, failure) => (id, failure),
            Why::Store(error) if error.is_retryable() => return Err(error),
            Why::Store(error) => {
                log::error!("payments: a batch failed, its events are taken one by one: {error}");
                break;
            }
        };
        let (before, rest) = undone.claimed.split_at(undone.claimed.partition_point(|other| *other < id));
        all.join(one_by_one_unless_together(engine, before)?);
        all.join(settle_failed(engine, id, &failure)?);
        let rest: Vec<EventId> = rest.iter().copied().filter(|other| *other != id).collect();
        match take(engine, &Due::Among(&rest)) {
            Ok(batch) => {
                all.join(batch);
                return Ok(all);
            }
            Err(next) => undone = next,
        }
    }
    all.join(one_by_one(engine, &undone.claimed)?);
    Ok(all)
}

fn one_by_one_unless_together(engine: &Arc<Engine>, ids: &[EventId]) -> Result<Batch, Error> {
    if ids.is_empty() {
        return Ok(Batch::default());
    }
    take(engine, &Due::Among(ids)).or_else(|undone| match undone.why {
        Why::Store(error) if error.is_retryable() => Err(error),
        _ => one_by_one(engine, ids),
    })
}

/// Each in a transaction of its own; what fails is settled as failed.
fn one_by_one(engine: &Arc<Engine>, ids: &[EventId]) -> Result<Batch, Error> {
    let mut all = Batch::default();
    for id in ids {
        let taken = take(engine, &Due::Among(&[*id])).or_else(|undone| match undone.why {
            Why::Event(id, failure) => settle_failed(engine, id, &failure),
            Why::Store(error) if error.is_retryable() => Err(error),
            Why::Store(error) => settle_failed(engine, *id, &Failure::retry(error.to_string())),
        });
        all.join(taken?);
    }
    Ok(all)
}

/// Writes down that an event failed, with what it is about: people must be able to find it by its ids and on its
/// payment's page.
fn settle_failed(engine: &Arc<Engine>, id: EventId, failure: &Failure) -> Result<Batch, Error> {
    engine.store.transaction(|tx| {
        let now = engine.now();
        let mut batch = Batch::default();
        for event in tx.due_among(&[id], now)? {
            let verdict = failure.verdict(engine, event.row.attempts, now);
            report(&event.row.variant, &event.row.gateway_event_id, &verdict);
            batch.claimed += 1;
            batch.settled.push((event.row.variant.clone(), verdict.state));
            let read = interpret(engine, &event).ok();
            let named: Vec<(&str, &References)> =
                read.iter().map(|read| (event.row.variant.as_str(), &read.interpretation.references)).collect();
            let set = WorkingSet::hold(tx, &named)?;
            let found = read.as_ref().and_then(|r| set.find(&event.row.variant, &r.interpretation.references));
            let found = found.map(|found| (found.payment, found.matched_by));
            fail(tx, &event, read.as_ref(), found, verdict, failure.attempt(event.row.id, event.row.attempts, now))?;
        }
        Ok(batch)
    })
}

fn process_set(engine: &Arc<Engine>, tx: &mut dyn Tx, claimed: Vec<Claimed>, now: Timestamp) -> Result<Batch, Why> {
    if claimed.is_empty() {
        return Ok(Batch::default());
    }
    let read: Vec<Result<Understood, Failure>> = claimed.iter().map(|event| interpret(engine, event)).collect();
    let mut set = load(tx, &claimed, &read)?;
    let mut done: Vec<Done<'_>> = Vec::with_capacity(claimed.len());
    for (event, read) in claimed.iter().zip(&read) {
        let outcome = match read {
            Ok(read) => {
                let remade = remade(engine, tx, &set, event, read)?;
                let stepped = step_of(engine, event, read, remade.as_ref(), now).run(&mut set);
                Ok(stepped.map_err(|error| Why::Event(event.row.id, Failure::retry(error.to_string())))?)
            }
            Err(failure) => Err(failure),
        };
        done.push(Done { event, read: read.as_ref().ok(), outcome });
    }
    let written = write::write(engine, tx, &mut set, &mut done, now)?;
    tell_in_transaction(engine, tx, &done, &written)?;
    for one in &done {
        if let (Some(read), Ok(Stepped { change: Some(change), .. })) = (one.read, &one.outcome) {
            completion::after(engine, tx, change, read, &one.event.row)?;
        }
    }
    // Last: its rows are everybody's, so they are held for the commit and no longer.
    std::mem::take(&mut set.changes.money).write(tx)?;
    tx.check()?;
    Ok(conclude(engine, &set, done, written))
}

/// Everything that the events may touch.
fn load(tx: &mut dyn Tx, claimed: &[Claimed], read: &[Result<Understood, Failure>]) -> Result<WorkingSet, Error> {
    let readable = claimed.iter().zip(read).filter_map(|(event, read)| Some((event, read.as_ref().ok()?)));
    let named: Vec<(&str, &References)> =
        readable.map(|(event, read)| (event.row.variant.as_str(), &read.interpretation.references)).collect();
    let mut set = WorkingSet::hold(tx, &named)?;
    let again: Vec<EventId> = claimed.iter().filter(|event| event.row.claims > 1).map(|event| event.row.id).collect();
    set.take_earlier(tx, &again)?;
    Ok(set)
}

/// The ledger that all events of the payment make, where the event is an operator's order to rebuild it.
pub(crate) fn remade(
    engine: &Engine,
    tx: &mut dyn Tx,
    set: &WorkingSet,
    event: &Claimed,
    read: &Understood,
) -> Result<Option<Remade>, Error> {
    if read.rebuild.is_none() {
        return Ok(None);
    }
    let found = set.find(&event.row.variant, &read.interpretation.references);
    found.map(|found| from_events(engine, tx, set.payment(found.payment)?)).transpose()
}

/// The step of an event under this configuration.
pub(crate) fn step_of<'a>(
    engine: &Engine,
    event: &'a Claimed,
    read: &'a Understood,
    remade: Option<&'a Remade>,
    now: Timestamp,
) -> Step<'a> {
    let variant = engine.variant(&event.row.variant);
    Step {
        event,
        read,
        unmatched: variant.map_or(Unmatched::Park, |variant| variant.unmatched),
        grace: variant.map_or(std::time::Duration::ZERO, |variant| variant.grace),
        is_wanted: engine.handlers.wants(&event.row.kind),
        remade,
        now,
        new_token: payment_token,
    }
}

/// Runs the handlers in the transaction, event by event.
fn tell_in_transaction(engine: &Arc<Engine>, tx: &mut dyn Tx, done: &[Done<'_>], written: &Written) -> Result<(), Why> {
    if engine.handlers.in_transaction.is_empty() {
        return Ok(());
    }
    for one in done {
        let Ok(stepped) = &one.outcome else { continue };
        if let Some(step) = written.new_transition(one.event, stepped) {
            engine
                .handlers
                .run_in_transaction(tx, &step)
                .map_err(|(name, error)| Why::Event(one.event.row.id, Failure::of(&name, &error)))?;
        }
    }
    Ok(())
}

/// What is left to do after the commit.
fn conclude(engine: &Arc<Engine>, set: &WorkingSet, done: Vec<Done<'_>>, written: Written) -> Batch {
    let mut batch = Batch { claimed: done.len(), woken: written.woken, ..Batch::default() };
    for one in done {
        if let Ok(Stepped { change: Some(change), .. }) = &one.outcome {
            report_change(one.event, change);
        }
        match written.pending(engine, set, &one) {
            Some(pending) => batch.pending.push(pending),
            None => {
                let state = written.state_of(one.event.row.id);
                batch.settled.push((one.event.row.variant.clone(), state));
            }
        }
    }
    batch
}
