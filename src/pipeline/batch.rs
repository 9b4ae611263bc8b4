//! A batch of due events, in one transaction with a bounded number of statements: claim, read, step, write, tell.
//!
//! There are no savepoints: what fails sends the batch back whole, and `isolate` takes it from there.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::completion;
use super::dues::Dues;
use super::failure::Failure;
use super::fetching::FetchSet;
use super::handlers::Pending;
use super::interpret::{Understood, interpret, named_objects, statements};
use super::rebuild::{Remade, from_events};
use super::report::{report_change, report_subscription};
use super::step::Step;
use super::stepped::{Done, Stepped};
use super::subscriptions::SubscriptionSet;
use super::working_set::WorkingSet;
use super::write::{self, Written};
use crate::domain::Timestamp;
use crate::domain::event::{EventState, References, Source};
use crate::domain::id::EventId;
use crate::engine::owed::Lacking;
use crate::engine::request::is_adoption;
use crate::engine::{Engine, Unmatched, payment_token};
use crate::error::{Error, ErrorKind};
use crate::store::Tx;
use crate::store::rows::Claimed;
use crate::telemetry::IS_MEASURED;

/// How many events one transaction processes at the most.
pub(crate) const BATCH: i64 = 200;
/// From when on an event's handlers in the transaction have kept it waiting for so long that a database which ended the
/// transaction did so because of them. Postgres is told to after 8 seconds without a statement.
const SLOW: Duration = Duration::from_secs(7);

/// What came of a batch.
#[derive(Default)]
pub(crate) struct Batch {
    /// How many events were claimed.
    pub(crate) claimed: usize,
    /// Those whose async handlers are to run now.
    pub(crate) pending: Vec<Pending>,
    /// The others: each one's variant, the state that it is in, and when it was requeued.
    pub(super) settled: Vec<(String, EventState, Option<Timestamp>)>,
    /// The variants of the events that were processed for the first time, and when each was received.
    pub(super) first: Vec<(String, Timestamp)>,
    /// How many events that waited were woken.
    pub(super) woken: usize,
    /// The owners of subscriptions that changed.
    owners: Vec<String>,
}

impl Batch {
    /// Whether it took as many events as one may.
    pub(crate) fn is_full(&self) -> bool {
        self.claimed as i64 >= BATCH
    }

    pub(super) fn join(&mut self, other: Self) {
        self.claimed += other.claimed;
        self.pending.extend(other.pending);
        self.settled.extend(other.settled);
        self.first.extend(other.first);
        self.woken += other.woken;
        self.owners.extend(other.owners);
    }
}

/// Which events a transaction takes.
pub(super) enum Due<'a> {
    /// Those of these variants that are due first.
    First(&'a [String]),
    /// These, as far as they still are due.
    Among(&'a [EventId]),
    /// The events of an answer that nobody has taken up yet.
    Named(&'a str, &'a [String]),
}

/// Why a transaction was rolled back.
pub(super) struct Undone {
    /// The events that it had claimed.
    pub(super) claimed: Vec<EventId>,
    pub(super) why: Why,
}

pub(super) enum Why {
    /// One event failed in a way that leaves the transaction unusable.
    Event(EventId, Box<Failure>),
    /// The database refused, and nobody can say for which event.
    Store(Error),
}

impl From<Error> for Why {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

/// One transaction.
pub(super) fn take(engine: &Arc<Engine>, due: &Due<'_>) -> Result<Batch, Undone> {
    let (mut claimed, mut failed, mut slow) = (Vec::new(), None, None);
    let taken = engine.store.transaction(|tx| {
        (failed, slow) = (None, None);
        let (now, lacking) = (engine.now(), engine.lacking(tx)?);
        if lacking.in_transaction().next().is_some() {
            return Ok(Batch::default());
        }
        let events = claim(engine, tx, due, now)?;
        claimed = events.iter().map(|event| event.row.id).collect();
        let process = || process_set(engine, tx, events, lacking, now, &mut slow);
        let processed = catch_unwind(AssertUnwindSafe(process)).unwrap_or_else(|_| Err(Why::Store(panicked())));
        processed.map_err(|why| match why {
            Why::Store(error) => error,
            Why::Event(id, failure) => {
                failed = Some((id, failure));
                Error::new(ErrorKind::Refused, "an event failed in its transaction")
            }
        })
    });
    let batch = taken.map_err(|error| {
        let is_rolled_back = error.kind() == ErrorKind::Refused;
        let why = match (failed, slow) {
            (Some((id, failure)), _) if is_rolled_back || claimed.len() == 1 => Why::Event(id, failure),
            (_, Some((id, took))) if error.is_retryable() => Why::Event(id, too_slow(took, &error).into()),
            // Where not even that was possible, the connection may have been lost by any of them.
            _ => Why::Store(error),
        };
        Undone { claimed, why }
    })?;
    engine.activity.forget(&batch.owners);
    Ok(batch)
}

fn panicked() -> Error {
    Error::new(ErrorKind::Storage, "processing panicked; the log has where")
}

fn too_slow(took: Duration, error: &Error) -> Failure {
    let took = took.as_secs();
    Failure::retry(format!("its handlers in the transaction took {took} seconds, and the database ended it: {error}"))
}

fn claim(engine: &Engine, tx: &mut dyn Tx, due: &Due<'_>, now: Timestamp) -> Result<Vec<Claimed>, Error> {
    let mut claimed = match due {
        Due::First(variants) => tx.due_events(now, BATCH, variants)?,
        Due::Among(ids) => tx.due_among(ids, now)?,
        Due::Named(variant, ids) => tx.named_events(variant, ids, now)?,
    };
    // A rebuild reads what is stored of all its payment's events, so it is alone in its transaction.
    let is_order = |event: &Claimed| event.row.source == Source::Operator;
    if let Some(order) = claimed.iter().position(is_order) {
        claimed.truncate(order.max(1));
    }
    engine.reduce_claimed(tx, &mut claimed)?;
    Ok(claimed)
}

fn process_set(
    engine: &Arc<Engine>,
    tx: &mut dyn Tx,
    claimed: Vec<Claimed>,
    lacking: Lacking,
    now: Timestamp,
    slow: &mut Option<(EventId, Duration)>,
) -> Result<Batch, Why> {
    if claimed.is_empty() {
        return Ok(Batch::default());
    }
    let read: Vec<Result<Understood, Failure>> = claimed.iter().map(|event| interpret(engine, event)).collect();
    let mut set = load(engine, tx, &claimed, &read)?;
    let mut done: Vec<Done<'_>> = Vec::with_capacity(claimed.len());
    for (event, read) in claimed.iter().zip(&read) {
        let outcome = match read {
            Ok(read) => {
                let remade = remade(engine, tx, &set, event, read)?;
                let stepped = step_of(engine, &lacking, event, read, remade.as_ref(), now).run(&mut set);
                Ok(stepped.map_err(|error| Why::Event(event.row.id, Failure::retry(error.to_string()).into()))?)
            }
            Err(failure) => Err(failure),
        };
        done.push(Done { event, read: read.as_ref().ok(), outcome });
    }
    let written = write::write(engine, tx, &mut set, &mut done, lacking, now)?;
    tell_in_transaction(engine, tx, &done, &written, slow)?;
    for one in &done {
        if let (Some(read), Ok(Stepped { change: Some(change), .. })) = (one.read, &one.outcome) {
            completion::after(engine, tx, change, read, &one.event.row)?;
        }
    }
    // Last: these rows are everybody's, so they are held for the commit and no longer.
    std::mem::take(&mut set.changes.totals).write(tx)?;
    std::mem::take(&mut set.changes.money).write(tx)?;
    tx.check()?;
    Ok(conclude(engine, &set, done, written)?)
}

/// Everything that the events may touch.
fn load(
    engine: &Engine,
    tx: &mut dyn Tx,
    claimed: &[Claimed],
    read: &[Result<Understood, Failure>],
) -> Result<WorkingSet, Error> {
    let references = read.iter().map(|read| match read {
        Ok(read) => &read.interpretation.references,
        Err(failure) => &failure.references,
    });
    let variants = claimed.iter().map(|event| event.row.variant.as_str());
    let named: Vec<(&str, &References)> = variants.zip(references).collect();
    let mut set = WorkingSet::hold(tx, &named)?;
    set.subscriptions = SubscriptionSet::hold(tx, &statements(claimed, read))?;
    set.dues = Dues::read(engine, tx, &named)?;
    set.fetches = FetchSet::read(tx, &named_objects(claimed, read))?;
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
    let found = read.found(set, &event.row.variant);
    found.map(|found| from_events(engine, tx, set.payment(found.payment)?)).transpose()
}

/// The step of an event under this configuration.
pub(crate) fn step_of<'a>(
    engine: &Engine,
    lacking: &Lacking,
    event: &'a Claimed,
    read: &'a Understood,
    remade: Option<&'a Remade>,
    now: Timestamp,
) -> Step<'a> {
    let variant = engine.variant(&event.row.variant);
    Step {
        event,
        read,
        unmatched: variant.as_ref().map_or(Unmatched::Park, |variant| variant.unmatched),
        names_invoice: variant.as_ref().is_some_and(|variant| {
            let named = &read.interpretation.references.gateway_refs;
            named.iter().any(|text| variant.gateway.is_invoice(text))
        }),
        grace: variant
            .as_ref()
            .filter(|_| !is_adoption(&event.row.gateway_event_id))
            .map_or(Duration::ZERO, |it| it.grace),
        can_fetch: variant.as_ref().map_or(Ok(()), |variant| match read.interpretation.object_to_fetch {
            Some(_) => variant.gateway.supports_fetch(),
            None => Ok(()),
        }),
        is_wanted: engine.handlers.wants(&event.row.kind) || lacking.wants(false, false, &event.row.kind),
        remade,
        now,
        new_token: payment_token,
    }
}

/// Runs the handlers in the transaction, event by event; notes an event whose handlers took long.
fn tell_in_transaction(
    engine: &Arc<Engine>,
    tx: &mut dyn Tx,
    done: &[Done<'_>],
    written: &Written,
    slow: &mut Option<(EventId, Duration)>,
) -> Result<(), Why> {
    if !engine.handlers.any_in_transaction() {
        return Ok(());
    }
    for one in done {
        let Ok(stepped) = &one.outcome else { continue };
        let begun = Instant::now();
        let told = tell_of(engine, tx, one, stepped, written);
        if begun.elapsed() >= SLOW {
            *slow = Some((one.event.row.id, begun.elapsed()));
        }
        told?;
    }
    Ok(())
}

/// Runs the handlers in the transaction for what one event did.
fn tell_of(
    engine: &Arc<Engine>,
    tx: &mut dyn Tx,
    one: &Done<'_>,
    stepped: &Stepped,
    written: &Written,
) -> Result<(), Why> {
    let refused = |(name, error): (String, _)| Why::Event(one.event.row.id, Failure::of(&name, &error).into());
    if let Some(step) = written.new_transition(one.event, stepped) {
        engine.handlers.run_in_transaction(tx, &step).map_err(refused)?;
    }
    if let Some(step) = written.new_subscription_transition(one.event, stepped)? {
        engine.handlers.run_in_transaction_of_subscription(tx, &step).map_err(refused)?;
    }
    Ok(())
}

/// What is left to do after the commit.
fn conclude(engine: &Arc<Engine>, set: &WorkingSet, done: Vec<Done<'_>>, written: Written) -> Result<Batch, Error> {
    let mut batch = Batch { claimed: done.len(), woken: written.woken, ..Batch::default() };
    for one in done {
        if let Ok(Stepped { change: Some(change), .. }) = &one.outcome {
            report_change(one.event, change);
        }
        if let Ok(Stepped { subscription: Some(change), .. }) = &one.outcome {
            report_subscription(one.event, change);
            batch.owners.extend(change.owners());
        }
        let row = &one.event.row;
        if row.claims == 1 && IS_MEASURED {
            batch.first.push((row.variant.clone(), row.received_at));
        }
        match written.pending(engine, set, &one)? {
            Some(pending) => batch.pending.push(pending),
            None => {
                let state = written.state_of(one.event.row.id);
                batch.settled.push((row.variant.clone(), state, row.requeued_at));
            }
        }
    }
    Ok(batch)
}
