//! One event's failure stays its own: after a transaction was rolled back, the event that failed is settled alone and
//! the others are taken again.

use std::sync::Arc;

use super::batch::{Batch, Due, Undone, Why, take};
use super::failure::{Failure, report};
use super::fetching;
use super::interpret::interpret;
use super::subscriptions::SubscriptionSet;
use super::working_set::WorkingSet;
use super::write::fail;
use crate::domain::event::References;
use crate::domain::id::EventId;
use crate::engine::Engine;
use crate::error::Error;

/// How many events of a batch may fail in its transaction before the rest is taken one by one.
const ISOLATED: usize = 3;

/// Takes the events of a transaction that was rolled back again, without the one that failed.
pub(super) fn again(engine: &Arc<Engine>, undone: Undone) -> Result<Batch, Error> {
    let mut done = Batch::default();
    match go_on(engine, undone, &mut done) {
        Err(error) if done.claimed == 0 => Err(error),
        // What was done is to be followed up; what is left comes up again, and its error with it.
        Err(error) => {
            log::debug!("payments: the rest of a batch is left for the next one: {error}");
            Ok(done)
        }
        Ok(()) => Ok(done),
    }
}

fn go_on(engine: &Arc<Engine>, mut undone: Undone, done: &mut Batch) -> Result<(), Error> {
    let first = undone.claimed.first().copied();
    for _ in 0..ISOLATED {
        let (id, failure) = match undone.why {
            Why::Event(id, failure) => (id, failure),
            // Before any event was claimed.
            Why::Store(error) if first.is_none() => return Err(error),
            Why::Store(error) if error.is_retryable() && !first.is_some_and(|id| engine.stubborn.failed(id)) => {
                return Err(error);
            }
            Why::Store(error) => {
                log::error!("payments: a batch failed, its events are taken one by one: {error}");
                break;
            }
        };
        let (before, rest) = undone.claimed.split_at(undone.claimed.partition_point(|other| *other < id));
        one_by_one_unless_together(engine, before, done)?;
        done.join(settle_failed(engine, id, &failure)?);
        let rest: Vec<EventId> = rest.iter().copied().filter(|other| *other != id).collect();
        match take(engine, &Due::Among(&rest)) {
            Ok(batch) => {
                done.join(batch);
                return Ok(());
            }
            Err(next) => undone = next,
        }
    }
    one_by_one(engine, &undone.claimed, done)?;
    first.into_iter().for_each(|id| engine.stubborn.got_on(id));
    Ok(())
}

fn one_by_one_unless_together(engine: &Arc<Engine>, ids: &[EventId], done: &mut Batch) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    match take(engine, &Due::Among(ids)) {
        Ok(batch) => done.join(batch),
        Err(Undone { why: Why::Store(error), .. }) if error.is_retryable() && !engine.stubborn.failed(ids[0]) => {
            return Err(error);
        }
        Err(_) => one_by_one(engine, ids, done)?,
    }
    Ok(())
}

/// Each in a transaction of its own; what fails is settled as failed. Where the database is away that fails as well, and
/// nothing counts as an attempt.
fn one_by_one(engine: &Arc<Engine>, ids: &[EventId], done: &mut Batch) -> Result<(), Error> {
    for id in ids {
        let taken = take(engine, &Due::Among(&[*id])).or_else(|undone| match undone.why {
            Why::Event(id, failure) => settle_failed(engine, id, &failure),
            Why::Store(error) => settle_failed(engine, *id, &Failure::retry(error.to_string())),
        });
        done.join(taken?);
    }
    Ok(())
}

/// Writes down that an event failed, with what it is about: people must be able to find it by its ids and on its
/// payment's page. Where that can't be read, it is settled without.
fn settle_failed(engine: &Arc<Engine>, id: EventId, failure: &Failure) -> Result<Batch, Error> {
    match settle(engine, id, failure, About::AllItNames) {
        // Unreadable, or held by somebody for long.
        Err(_) => settle(engine, id, failure, About::Nothing),
        settled => settled,
    }
}

/// What is noted with an event that failed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    AllItNames,
    Nothing,
}

fn settle(engine: &Arc<Engine>, id: EventId, failure: &Failure, about: About) -> Result<Batch, Error> {
    engine.store.transaction(|tx| {
        let now = engine.now();
        let mut batch = Batch::default();
        for event in tx.due_among(&[id], now)? {
            let verdict = failure.verdict(engine, event.row.attempts, now);
            report(&event.row.variant, &event.row.gateway_event_id, &verdict);
            batch.claimed += 1;
            let state = verdict.state;
            batch.settled.push((event.row.variant.clone(), state, event.row.requeued_at));
            let read = interpret(engine, &event).ok().filter(|_| about == About::AllItNames);
            let named: Vec<(&str, &References)> =
                read.iter().map(|read| (event.row.variant.as_str(), &read.interpretation.references)).collect();
            let set = WorkingSet::hold(tx, &named)?;
            let stated = read.as_ref().and_then(|read| read.interpretation.subscription.as_ref());
            let wanted: Vec<_> = stated.map(|stated| (event.row.variant.as_str(), stated)).into_iter().collect();
            let subscriptions = SubscriptionSet::hold(tx, &wanted)?;
            let of = read.as_ref().map(|read| read.of(&event.row.variant));
            let subscription = of.zip(stated).and_then(|(of, stated)| subscriptions.find(of, stated));
            let found = read.as_ref().and_then(|read| read.found(&set, &event.row.variant));
            let found = found.map(|found| (found.payment, found.matched_by));
            fail(
                tx,
                &event,
                read.as_ref(),
                (found, subscription),
                verdict,
                failure.attempt(event.row.id, event.row.attempts, now),
            )?;
            batch.woken += fetching::wake(tx, &[(&event.row, state)], now)?;
        }
        Ok(batch)
    })
}
