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
pub(super) fn again(engine: &Arc<Engine>, mut undone: Undone) -> Result<Batch, Error> {
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
            let state = verdict.state;
            batch.settled.push((event.row.variant.clone(), state));
            let read = interpret(engine, &event).ok();
            let named: Vec<(&str, &References)> =
                read.iter().map(|read| (event.row.variant.as_str(), &read.interpretation.references)).collect();
            let set = WorkingSet::hold(tx, &named)?;
            let stated = read.as_ref().and_then(|read| read.interpretation.subscription.as_ref());
            let wanted: Vec<_> = stated.map(|stated| (event.row.variant.as_str(), stated)).into_iter().collect();
            let subscriptions = SubscriptionSet::hold(tx, &wanted)?;
            let subscription = stated.and_then(|stated| subscriptions.find(&event.row.variant, stated));
            let found = read.as_ref().and_then(|r| set.find(&event.row.variant, &r.interpretation.references));
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
