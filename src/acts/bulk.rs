//! How do operators act on many events at once? In transactions of a few hundred, so that deliveries are taken in
//! meanwhile; all of it is one act in the audit, which names its events.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::discard::{discard, why_no_discard};
use super::requeue::{PRUNED, requeue, why_no_requeue};
use crate::domain::Timestamp;
use crate::domain::event::EventState;
use crate::domain::id::EventId;
use crate::domain::scope::Scope;
use crate::engine::{Actor, Engine, act};
use crate::error::Error;
use crate::reports::{EventView, Place, event_rows};
use crate::store::Tx;
use crate::store::rows::EventRow;

/// How many events one act may be on.
pub(crate) const LIMIT: usize = 10_000;
/// How many events one transaction acts on.
const CHUNK: usize = 200;
/// How many events are shown before it is done.
const SHOWN: usize = 10;
/// Why an event at its end is left as it is where a list's filter chose it.
const AT_ITS_END: &str = "It is at its end. To run it again, tick it, or list only events of its state.";

/// What is to be done with many events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bulk {
    Requeue,
    Discard,
}

/// Which events.
#[derive(Debug, Clone)]
pub(crate) enum Chosen {
    /// Those of these that are in the scope.
    Ids(Vec<EventId>, Scope),
    /// All that a list shows, up to this id: what came later was not seen by whom asks.
    All(EventView, Option<EventId>),
}

/// How many events are chosen, and what an act would do to them.
#[derive(Debug, Default)]
pub(crate) struct Sample {
    /// How many, counted up to one more than [`LIMIT`].
    pub count: usize,
    /// The highest id among them.
    pub highest: Option<EventId>,
    /// How many would change, by the state that they are in.
    pub changes: BTreeMap<&'static str, usize>,
    /// How many would stay as they are, by why.
    pub stays: BTreeMap<&'static str, usize>,
    /// The newest of those that would change.
    pub rows: Vec<EventRow>,
}

impl Sample {
    /// How many would change.
    pub(crate) fn changing(&self) -> usize {
        self.changes.values().sum()
    }

    fn add(&mut self, rows: Vec<EventRow>, reasons: Vec<Option<&'static str>>) {
        self.count += rows.len();
        self.highest = self.highest.or(rows.first().map(|row| row.id));
        for (row, why_not) in rows.into_iter().zip(reasons) {
            if let Some(why) = why_not {
                *self.stays.entry(why).or_default() += 1;
                continue;
            }
            *self.changes.entry(row.state.as_str()).or_default() += 1;
            if self.rows.len() < SHOWN {
                self.rows.push(row);
            }
        }
    }
}

/// What was done.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub done: usize,
    /// How many were refused, by why.
    pub refused: BTreeMap<&'static str, usize>,
    /// How many the filter chose that were not meant.
    left: usize,
}

impl Bulk {
    /// The word in tables and addresses.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Requeue => "requeue",
            Self::Discard => "discard",
        }
    }

    fn one(
        self,
        tx: &mut dyn Tx,
        row: &EventRow,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Option<&'static str>, Error> {
        match self {
            Self::Requeue => requeue(tx, row.id, now),
            Self::Discard => discard(tx, row, actor, now),
        }
    }

    /// Why each of these would stay as it is, in their order.
    fn reasons(self, tx: &mut dyn Tx, chosen: &Chosen, rows: &[EventRow]) -> Result<Vec<Option<&'static str>>, Error> {
        if self == Self::Discard {
            return Ok(rows.iter().map(why_no_discard).collect());
        }
        let ids: Vec<EventId> = rows.iter().map(|row| row.id).collect();
        let readable: HashSet<EventId> = tx.with_bodies(&ids)?.into_iter().collect();
        let why_not = |row: &EventRow| {
            let unmeant = (!chosen.means(row.state)).then_some(AT_ITS_END);
            why_no_requeue(row.state).or(unmeant).or((!readable.contains(&row.id)).then_some(PRUNED))
        };
        Ok(rows.iter().map(why_not).collect())
    }

    /// The word for the act on all of them.
    fn on_many(self) -> &'static str {
        match self {
            Self::Requeue => "requeue_many",
            Self::Discard => "discard_many",
        }
    }
}

impl Engine {
    /// Counts what an act would do to the events that are chosen, and shows some.
    pub(crate) async fn sample(self: &Arc<Self>, bulk: Bulk, chosen: Chosen) -> Result<Sample, Error> {
        self.blocking(move |engine| {
            let chosen = chosen.in_order();
            engine.store.ask(|tx| {
                let mut sample = Sample::default();
                let mut next = Some(chosen.beginning());
                while let Some(place) = next.filter(|_| sample.count <= LIMIT) {
                    let (rows, further) = chosen.rows(engine, tx, place, CHUNK * 5)?;
                    next = further.map(Some);
                    let reasons = bulk.reasons(tx, &chosen, &rows)?;
                    sample.add(rows, reasons);
                }
                sample.count = sample.count.min(LIMIT + 1);
                Ok(sample)
            })
        })
        .await
    }

    /// Requeues or discards the chosen events, as many as can be.
    ///
    /// # Errors
    /// `Refused` for more than [`LIMIT`], and what the database says; what was done before that stays done.
    pub(crate) async fn bulk(self: &Arc<Self>, bulk: Bulk, chosen: Chosen, actor: Actor) -> Result<Tally, Error> {
        let now = self.now();
        let tally = self.blocking(move |engine| {
            let chosen = chosen.in_order();
            let (mut tally, mut begun, mut next) = (Tally::default(), None, Some(chosen.beginning()));
            while let Some(place) = next.filter(|_| tally.all() < LIMIT) {
                let work = |tx: &mut dyn Tx| {
                    let mut so_far = tally.clone();
                    let (rows, further) = chosen.rows(engine, tx, place, CHUNK)?;
                    let done = chunk(tx, bulk, &chosen, &rows, (&actor, now), &mut so_far)?;
                    let id = match begun {
                        Some(id) => id,
                        None => tx.begin_act(&act(bulk.on_many(), &actor, None, None, now))?,
                    };
                    tx.extend_act(id, tally.done, &done, &so_far.words())?;
                    Ok((so_far, id, further))
                };
                let (so_far, id, further) = engine.store.transaction(work)?;
                (tally, begun, next) = (so_far, Some(id), further.map(Some));
            }
            Ok(tally)
        });
        let tally = tally.await?;
        self.notify();
        Ok(tally)
    }
}

/// Acts on a few events, counts what came of each, and answers which changed.
fn chunk(
    tx: &mut dyn Tx,
    bulk: Bulk,
    chosen: &Chosen,
    rows: &[EventRow],
    (actor, now): (&Actor, Timestamp),
    tally: &mut Tally,
) -> Result<Vec<EventId>, Error> {
    let reasons = bulk.reasons(tx, chosen, rows)?;
    let mut done = Vec::new();
    for (row, why_not) in rows.iter().zip(reasons) {
        // It may have been claimed since the row was read.
        let why_not = if why_not.is_none() { bulk.one(tx, row, actor, now)? } else { why_not };
        match why_not {
            None => done.push(row.id),
            Some(AT_ITS_END) => tally.left += 1,
            Some(why) => *tally.refused.entry(why).or_default() += 1,
        }
    }
    tally.done += done.len();
    Ok(done)
}

impl Tally {
    /// For the audit.
    fn words(&self) -> String {
        let events = if self.done == 1 { "1 event".to_owned() } else { format!("{} events", self.done) };
        match self.refused.values().sum::<usize>() {
            0 => events,
            refused => format!("{events}; {refused} were refused"),
        }
    }

    fn all(&self) -> usize {
        self.done + self.left + self.refused.values().sum::<usize>()
    }
}

impl Chosen {
    /// Whether an event in this state is meant. Of a filter's events those at their end are only where the filter names
    /// their state: else whoever fixes a failure would run everything again.
    fn means(&self, state: EventState) -> bool {
        match self {
            Self::Ids(..) => true,
            Self::All(view, _) => {
                view.filter.state == Some(state) || !matches!(state, EventState::Completed | EventState::Ignored)
            }
        }
    }

    fn in_order(mut self) -> Self {
        if let Self::Ids(ids, _) = &mut self {
            ids.sort_unstable_by_key(|id| std::cmp::Reverse(*id));
            ids.dedup();
        }
        self
    }

    /// Where the newest of them are.
    fn beginning(&self) -> Option<Place> {
        match self {
            Self::All(_, Some(highest)) => Some(Place { id: highest.0, back: false, with: true }),
            _ => None,
        }
    }

    /// The next few of them from a place on, newest first, and where they go on.
    fn rows(
        &self,
        engine: &Engine,
        tx: &mut dyn Tx,
        place: Option<Place>,
        limit: usize,
    ) -> Result<(Vec<EventRow>, Option<Place>), Error> {
        match self {
            Self::Ids(ids, scope) => {
                let after = |id: &EventId| place.is_none_or(|place| id.0 < place.id);
                let next: Vec<EventId> = ids.iter().copied().filter(after).take(limit).collect();
                let further = next.last().filter(|_| next.len() == limit);
                let further = further.map(|id| Place { id: id.0, back: false, with: false });
                let mut rows = tx.events_with(&next)?;
                rows.retain(|row| scope.allows(&row.variant));
                rows.sort_unstable_by_key(|row| std::cmp::Reverse(row.id));
                Ok((rows, further))
            }
            Self::All(view, _) => {
                let page = event_rows(engine, tx, view, place, limit)?;
                Ok((page.rows, page.further))
            }
        }
    }
}
