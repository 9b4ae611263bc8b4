//! How do things stand? Sums of the last day, a series for a chart, what waits, and what is odd: all of it from
//! counters and the ends of indexes, so that it takes the same time whatever lies behind.

use std::sync::Arc;

use super::latency::{Latency, latency};
use super::span::{Bucket, Span, columns};
use super::subscription_sums::{self, SubscriptionSums};
use crate::domain::Timestamp;
use crate::domain::event::EventState;
use crate::domain::id::EventId;
use crate::domain::scope::Scope;
use crate::engine::Engine;
use crate::engine::chores::RETENTION;
use crate::engine::tally::{AGAIN, RECEIVED, hour};
use crate::error::Error;
use crate::reports::anomaly::Anomaly;
use crate::reports::browse::{COUNT_CAP, EventView, events_in, readable};
use crate::reports::looks;
use crate::store::Tx;
use crate::store::filters::{EventFilter, EventStream, Window};
use crate::store::rows::{EventRow, Sum};

/// How things stand.
pub(crate) struct Overview {
    /// Of the hour that runs and the 23 before it.
    pub sums: Vec<Sum>,
    /// Of the 24 hours before those.
    pub before: Vec<Sum>,
    /// How many events are in the states that are not the end, up to [`COUNT_CAP`].
    pub open: Vec<(EventState, i64)>,
    /// The event that has waited longest for a worker, or for its next attempt.
    pub oldest: Option<EventRow>,
    /// The last event of each variant.
    pub last: Vec<(String, Option<EventRow>)>,
    /// The chart's columns, oldest first.
    pub buckets: Vec<Bucket>,
    pub anomalies: Vec<Anomaly>,
    /// How long the newest deliveries took.
    pub latency: Latency,
    /// How subscriptions stand, if there are any.
    pub subscriptions: Option<SubscriptionSums>,
    /// How far pruning old bodies has come and when it last ran, where a host has chosen ages.
    pub pruning: Option<(String, Option<Timestamp>)>,
}

impl Engine {
    /// How things stand in these variants, with a chart of `span`.
    pub(crate) async fn overview(self: &Arc<Self>, span: Span, scope: Scope) -> Result<Overview, Error> {
        let engine = self.clone();
        self.look(move |tx| overview(&engine, tx, span, &scope)).await
    }
}

fn overview(engine: &Engine, tx: &mut dyn Tx, span: Span, scope: &Scope) -> Result<Overview, Error> {
    let now = engine.now();
    let (day, end) = (time::Duration::hours(24), hour(now) + time::Duration::hours(1));
    let sums = sums(tx, end - day, end, scope)?;
    // The last one waits for no worker.
    let states = [EventState::Available, EventState::Running, EventState::Retryable, EventState::Parked];
    let names = engine.names_seen(scope);
    let all = if scope.is_all() { names.clone() } else { engine.names_to_list(tx, (scope, None), None)? };
    let (open, first) = if scope.is_all() {
        let each = states.map(EventStream::State);
        let open = states.into_iter().zip(tx.count_events(&each, COUNT_CAP)?).collect();
        (open, ends(tx, &each[..3], true)?.into_iter().min())
    } else {
        waiting(tx, states, scope, &all)?
    };
    let variants: Vec<EventStream> = names.iter().cloned().map(EventStream::Variant).collect();
    let shown = [ends(tx, &variants, false)?, Vec::from_iter(first)].concat();
    let (found, _) = readable(tx, &shown, |event: &EventRow| event.id, |tx, ids| tx.events_with(ids))?;
    let oldest = found.iter().find(|event| Some(event.id) == first).cloned();
    let last_of =
        |variant: &String| found.iter().filter(|event| event.variant == *variant).max_by_key(|event| event.id);
    let last: Vec<_> = names.iter().map(|name| (name.clone(), last_of(name).cloned())).collect();
    let anomalies = looks::find(engine, tx, &sums, &last, scope)?;
    let before = self::sums(tx, end - day - day, end - day, scope)?;
    let buckets = buckets(tx, end, span, scope)?;
    let subscriptions = subscription_sums::sums(tx, end, span, scope, &all)?;
    let latency = latency(tx, scope, &all)?;
    let pruning = pruning(engine, tx, scope)?;
    Ok(Overview { sums, before, open, oldest, last, buckets, anomalies, latency, subscriptions, pruning })
}

/// Bodies of all variants are pruned together, so it is said to who may see all of them.
fn pruning(engine: &Engine, tx: &mut dyn Tx, scope: &Scope) -> Result<Option<(String, Option<Timestamp>)>, Error> {
    if engine.retention.shortest().is_none() || !scope.is_all() {
        return Ok(None);
    }
    let chore = tx.chore(RETENTION)?;
    Ok(Some(chore.map_or_else(Default::default, |chore| (chore.note.unwrap_or_default(), chore.ran_at))))
}

/// The sums of a span, of these variants.
fn sums(tx: &mut dyn Tx, from: Timestamp, until: Timestamp, scope: &Scope) -> Result<Vec<Sum>, Error> {
    let mut sums = tx.sums(from, until)?;
    sums.retain(|sum| scope.allows(&sum.variant));
    Ok(sums)
}

type Open = Vec<(EventState, i64)>;

/// How many events of these variants are in each state, and the first of them that waits for a worker, as far as a look
/// at the newest tells: no index has both.
fn waiting(
    tx: &mut dyn Tx,
    states: [EventState; 4],
    scope: &Scope,
    variants: &[String],
) -> Result<(Open, Option<EventId>), Error> {
    let (mut open, mut first) = (Vec::new(), None);
    for state in states {
        let filter = EventFilter { scope: scope.clone(), state: Some(state), ..EventFilter::default() };
        let view = EventView { filter, search: None };
        let found = events_in(tx, &view, variants, None, usize::try_from(COUNT_CAP).unwrap_or_default())?;
        open.push((state, found.rows.len() as i64));
        let oldest = found.rows.last().map(|row| row.id).filter(|_| state != EventState::Parked);
        first = [first, oldest].into_iter().flatten().min();
    }
    Ok((open, first))
}

/// The first, or the last, event of each of these streams that has one.
fn ends(tx: &mut dyn Tx, streams: &[EventStream], rising: bool) -> Result<Vec<EventId>, Error> {
    tx.event_reach(streams, &Window { rising, ..Window::whole(1) })
}

/// The columns of events.
fn buckets(tx: &mut dyn Tx, end: Timestamp, span: Span, scope: &Scope) -> Result<Vec<Bucket>, Error> {
    let bounds = columns(end, span);
    let [completed, ignored, retryable, discarded] =
        [EventState::Completed, EventState::Ignored, EventState::Retryable, EventState::Discarded].map(|s| s.as_str());
    let [tried_again, given_up_again] = [retryable, discarded].map(|state| format!("{state}{AGAIN}"));
    let failed = [retryable, discarded, tried_again.as_str(), given_up_again.as_str()];
    let sums = tx.series(&bounds, [&[RECEIVED], &[completed, ignored], &failed], scope)?;
    let bucket = |(at, [received, done, failed]): (&Timestamp, [i64; 3])| Bucket { at: *at, received, done, failed };
    Ok(bounds.iter().zip(sums).map(bucket).collect())
}
