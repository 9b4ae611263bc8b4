//! How do operators act on many events at once? In transactions of a few hundred, so that deliveries are taken in
//! meanwhile; each event has its row in the audit, and the whole one more.

use std::collections::BTreeMap;

use super::discard::discard;
use super::requeue::{Actor, act, requeue};
use super::{Inner, Payments};
use crate::domain::Timestamp;
use crate::error::Error;
use crate::store::Tx;
use crate::store::rows::{EventFilter, EventRow, Page};

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
    Ids(Vec<i64>),
    /// All that a list shows, up to this id: what came later was not seen by whom asks.
    All(EventFilter, Option<i64>),
}

/// How many events are chosen, and some of them.
#[derive(Debug)]
pub(crate) struct Sample {
    /// How many, counted up to one more than [`LIMIT`].
    pub count: usize,
    /// The highest id among them.
    pub highest: Option<i64>,
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

impl Payments {
    /// Counts the events that are chosen, and shows some.
    pub(crate) async fn sample(&self, chosen: Chosen) -> Result<Sample, Error> {
        self.blocking(move |inner| {
            let chosen = chosen.known_to(inner);
            inner.store.ask(|tx| {
                let mut sample = Sample { count: 0, highest: None, rows: Vec::new() };
                let mut below = None;
                while sample.count <= LIMIT {
                    let rows = chosen.rows(tx, below, CHUNK * 5)?;
                    let Some(last) = rows.last() else { break };
                    below = Some(last.id);
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
    pub(crate) async fn bulk(&self, bulk: Bulk, chosen: Chosen, actor: Actor) -> Result<Tally, Error> {
        let now = self.now();
        let tally = self.blocking(move |inner| {
            let chosen = chosen.known_to(inner);
            let (mut tally, mut below) = (Tally::default(), None);
            loop {
                let (rows, refused) = inner.store.transaction(|tx| chunk(tx, bulk, &chosen, below, &actor, now))?;
                let Some(last) = rows.last() else { break };
                below = Some(*last);
                tally.done += rows.len() - refused.len();
                for why in refused {
                    *tally.refused.entry(why).or_default() += 1;
                }
                if tally.all() >= LIMIT {
                    break;
                }
            }
            inner.store.transaction(|tx| tx.add_act(&act(bulk.on_many(), &actor, None, None, now)))?;
            Ok(tally)
        });
        let tally = tally.await?;
        self.inner().ring();
        Ok(tally)
    }
}

/// Acts on the next few events below an id; answers their ids and why some were refused.
fn chunk(
    tx: &mut dyn Tx,
    bulk: Bulk,
    chosen: &Chosen,
    below: Option<i64>,
    actor: &Actor,
    now: Timestamp,
) -> Result<(Vec<i64>, Vec<&'static str>), Error> {
    let rows = chosen.rows(tx, below, CHUNK)?;
    let mut refused = Vec::new();
    for row in &rows {
        refused.extend(bulk.one(tx, row, actor, now)?);
    }
    Ok((rows.iter().map(|row| row.id).collect(), refused))
}

impl Tally {
    fn all(&self) -> usize {
        self.done + self.refused.values().sum::<usize>()
    }
}

impl Chosen {
    fn known_to(mut self, inner: &Inner) -> Self {
        match &mut self {
            Self::All(filter, _) => filter.variants = inner.variants.keys().cloned().collect(),
            Self::Ids(ids) => {
                ids.sort_unstable_by_key(|id| std::cmp::Reverse(*id));
                ids.dedup();
            }
        }
        self
    }

    /// The newest few of them below an id.
    fn rows(&self, tx: &mut dyn Tx, below: Option<i64>, limit: usize) -> Result<Vec<EventRow>, Error> {
        match self {
            Self::Ids(ids) => {
                let next = ids.iter().filter(|id| below.is_none_or(|below| **id < below));
                let found = next.filter_map(|id| tx.event(*id).transpose());
                found.take(limit).collect()
            }
            Self::All(filter, highest) => {
                let before = below.or(highest.map(|id| id.saturating_add(1)));
                let limit = i64::try_from(limit).unwrap_or(i64::MAX);
                tx.browse_events(filter, Page { before, after: None, limit })
            }
        }
    }
}
