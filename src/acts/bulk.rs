//! How do operators act on many events at once? In transactions of a few hundred, so that deliveries are taken in
//! meanwhile; each event has its row in the audit, and the whole one more.

use std::sync::Arc;

use std::collections::BTreeMap;

use super::discard::discard;
use super::requeue::requeue;
use crate::domain::Timestamp;
use crate::domain::id::EventId;
use crate::engine::Engine;
use crate::engine::{Actor, act};
use crate::error::Error;
use crate::reports::{EventView, Place, event_rows};
use crate::store::Tx;
use crate::store::audit::NewAct;
use crate::store::rows::EventRow;

/// How many events one act may be on.
pub(crate) const LIMIT: usize = 10_000;
/// How many events one transaction acts on.
const CHUNK: usize = 200;
/// How many events are shown before it is done.
const SHOWN: usize = 10;

/// What is to be done with many events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bulk {
    Requeue,
    Discard,
}

/// Which events.
#[derive(Debug, Clone)]
pub(crate) enum Chosen {
    /// These.
    Ids(Vec<EventId>),
    /// All that a list shows, up to this id: what came later was not seen by whom asks.
    All(EventView, Option<EventId>),
}

/// How many events are chosen, and some of them.
#[derive(Debug)]
pub(crate) struct Sample {
    /// How many, counted up to one more than [`LIMIT`].
    pub count: usize,
    /// The highest id among them.
    pub highest: Option<EventId>,
    /// The newest.
    pub rows: Vec<EventRow>,
}

/// What was done.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub done: usize,
    /// How many were refused, by why.
    pub refused: BTreeMap<&'static str, usize>,
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
            Self::Requeue => requeue(tx, row, actor, now),
            Self::Discard => discard(tx, row, actor, now),
        }
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
    /// Counts the events that are chosen, and shows some.
    pub(crate) async fn sample(self: &Arc<Self>, chosen: Chosen) -> Result<Sample, Error> {
        self.blocking(move |engine| {
            let chosen = chosen.in_order();
            engine.store.ask(|tx| {
                let mut sample = Sample { count: 0, highest: None, rows: Vec::new() };
                let mut next = Some(chosen.beginning());
                while let Some(place) = next.filter(|_| sample.count <= LIMIT) {
                    let (rows, further) = chosen.rows(engine, tx, place, CHUNK * 5)?;
                    next = further.map(Some);
                    sample.count += rows.len();
                    sample.highest = sample.highest.or(rows.first().map(|row| row.id));
                    let room = SHOWN - sample.rows.len();
                    sample.rows.extend(rows.into_iter().take(room));
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
            let (mut tally, mut next) = (Tally::default(), Some(chosen.beginning()));
            while let Some(place) = next.filter(|_| tally.all() < LIMIT) {
                let work = |tx: &mut dyn Tx| chunk(engine, tx, bulk, &chosen, place, &actor, now);
                let (done, refused, further) = engine.store.transaction(work)?;
                next = further.map(Some);
                tally.done += done;
                for why in refused {
                    *tally.refused.entry(why).or_default() += 1;
                }
            }
            let whole = NewAct { detail: Some(tally.words()), ..act(bulk.on_many(), &actor, None, None, now) };
            engine.store.transaction(|tx| tx.add_act(&whole))?;
            Ok(tally)
        });
        let tally = tally.await?;
        self.notify();
        Ok(tally)
    }
}

/// How many were done of a chunk, why others were refused, and where the next begins.
type Chunk = (usize, Vec<&'static str>, Option<Place>);

/// Acts on the next few events.
fn chunk(
    engine: &Engine,
    tx: &mut dyn Tx,
    bulk: Bulk,
    chosen: &Chosen,
    place: Option<Place>,
    actor: &Actor,
    now: Timestamp,
) -> Result<Chunk, Error> {
    let (rows, further) = chosen.rows(engine, tx, place, CHUNK)?;
    let mut refused = Vec::new();
    for row in &rows {
        refused.extend(bulk.one(tx, row, actor, now)?);
    }
    Ok((rows.len() - refused.len(), refused, further))
}

impl Tally {
    /// For the audit.
    fn words(&self) -> String {
        match self.all() - self.done {
            0 => format!("{} events", self.done),
            refused => format!("{} events; {refused} were refused", self.done),
        }
    }

    fn all(&self) -> usize {
        self.done + self.refused.values().sum::<usize>()
    }
}

impl Chosen {
    fn in_order(mut self) -> Self {
        if let Self::Ids(ids) = &mut self {
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
            Self::Ids(ids) => {
                let after = |id: &EventId| place.is_none_or(|place| id.0 < place.id);
                let next: Vec<EventId> = ids.iter().copied().filter(after).take(limit).collect();
                let further = next.last().filter(|_| next.len() == limit);
                let further = further.map(|id| Place { id: id.0, back: false, with: false });
                let mut rows = tx.events_with(&next)?;
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
