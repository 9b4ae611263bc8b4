//! Pruning bodies that were kept for as long as the host wants, and questions that were answered long ago: a worker's
//! chores, in turns, a few hundred rows in a transaction, with pauses in which deliveries are taken in.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::domain::event::{EventState, Source};
use crate::domain::id::{EventId, FetchId};
use crate::domain::operation::OperationState;
use crate::domain::{Timestamp, later};
use crate::engine::chores::RETENTION;
use crate::engine::{Engine, Retention};
use crate::error::Error;
use crate::store::Tx;
use crate::store::bodies::KeptBody;
use crate::store::fetches::KeptFetch;

/// Goes on where it stopped, so that an hour's work is what became old enough in it.
const ONWARDS: &str = RETENTION;
const EVERY: Duration = Duration::from_secs(3_600);
/// Begins at the first body that is left: what was kept longer, was held or was not finished may go by now.
const AGAIN: &str = "retention_again";
const EVERY_DAY: Duration = Duration::from_secs(86_400);
/// Questions, from the first that is left.
const QUESTIONS: &str = "retention_questions";
/// How long an answered question stays, so that pages tell of it: whoever looks into a payment does so within days.
/// What its answer said is an event, which stays.
const ANSWERED_FOR: Duration = Duration::from_secs(7 * 86_400);
/// How long one process prunes before another may; and after which time another does if it ended meanwhile.
const TURN: Duration = Duration::from_secs(5);
const LEASE: Duration = Duration::from_secs(60);
/// How many bodies one transaction looks at, and how many it prunes, whose events it holds meanwhile: a few
/// milliseconds' worth, which a delivery may have to wait.
const BATCH: i64 = 200;
const HELD: usize = 50;
/// Pruning takes one part in this many of the time, and one more; less while deliveries come.
const SHARE: u32 = 3;
/// How long no delivery comes when they have fallen silent, and how long pruning waits for that.
const QUIET: Duration = Duration::from_millis(3);
const LONGEST: Duration = Duration::from_millis(500);

/// How far it came.
#[derive(Default)]
struct Progress {
    pruned: u64,
    /// The last row that was old enough to be looked at.
    place: Option<i64>,
    /// Whether there may be more behind it.
    goes_on: bool,
}

impl Engine {
    /// Prunes for some seconds what is old enough, if that is due and no other process does.
    pub(crate) async fn prune_a_while(self: &Arc<Self>) -> Result<(), Error> {
        if self.retention.shortest().is_some() {
            self.prune_a_turn(AGAIN, EVERY_DAY, BODIES).await?;
            self.prune_a_turn(ONWARDS, EVERY, BODIES).await?;
        }
        self.prune_a_turn(QUESTIONS, EVERY_DAY, ANSWERED).await
    }

    async fn prune_a_turn(self: &Arc<Self>, name: &'static str, every: Duration, what: Prunable) -> Result<(), Error> {
        let Some(chore) = self.claim_chore(name.to_owned(), LEASE).await? else { return Ok(()) };
        let progress = self.prune_from(what, chore.place, Some(Instant::now() + TURN)).await;
        let Progress { pruned, place, goes_on } = self.noting_failure(name, progress).await?;
        let again = if goes_on { self.now() } else { later(self.now(), every) };
        let Prunable { rows, row, .. } = what;
        let note = match place.filter(|_| goes_on) {
            Some(id) => format!("{pruned} {rows} were pruned just then; it goes on after {row} {id}"),
            None => format!("{pruned} {rows} were pruned just then; nothing else is old enough"),
        };
        if pruned > 0 {
            log::info!("payments: retention: {note}");
        }
        let place = place.filter(|_| goes_on || name == ONWARDS);
        let now = self.now();
        let pause = move |tx: &mut dyn Tx| {
            tx.note_failure(name, now, None)?;
            tx.pause_chore(name, again, place, &note)
        };
        self.write(pause).await
    }

    /// Prunes all that is old enough; answers how many events lost their bodies.
    pub(crate) async fn prune(self: &Arc<Self>) -> Result<u64, Error> {
        Ok(self.prune_from(BODIES, None, None).await?.pruned)
    }

    /// How many events would lose their bodies now. Changes nothing.
    #[cfg(feature = "cli")]
    pub(crate) async fn prunable(self: &Arc<Self>) -> Result<u64, Error> {
        self.blocking(|engine| {
            let (mut count, mut place, now) = (0, EventId(0), engine.now());
            loop {
                let rows = engine.store.ask(|tx| tx.kept_bodies(place, BATCH))?;
                let old = first_young(&engine.retention, &rows, now);
                let is_ripe = |row: &&KeptBody| ripe_after(&engine.retention, row, now).is_some();
                count += rows[..old].iter().filter(is_ripe).count() as u64;
                match rows.last().filter(|_| rows.len() as i64 == BATCH && old == rows.len()) {
                    Some(last) => place = last.event,
                    None => return Ok(count),
                }
            }
        })
        .await
    }

    async fn prune_from(
        self: &Arc<Self>,
        what: Prunable,
        place: Option<i64>,
        until: Option<Instant>,
    ) -> Result<Progress, Error> {
        let mut progress = Progress { place, ..Progress::default() };
        loop {
            let (begun, from) = (Instant::now(), progress.place.unwrap_or(0));
            let batch = self.blocking(move |engine| {
                engine.store.transaction(|tx| (what.some)(tx, &engine.retention, from, engine.now()))
            });
            let batch = batch.await?;
            progress = Progress {
                pruned: progress.pruned + batch.pruned,
                place: batch.place.or(progress.place),
                goes_on: batch.goes_on,
            };
            if !progress.goes_on || until.is_some_and(|until| Instant::now() >= until) {
                return Ok(progress);
            }
            self.make_room(begun.elapsed() * SHARE).await;
        }
    }

    /// Pauses, and longer while deliveries are written.
    async fn make_room(&self, pause: Duration) {
        tokio::time::sleep(pause).await;
        let until = Instant::now() + LONGEST;
        while Instant::now() < until && !self.writer.load().is_quiet(QUIET) {
            tokio::time::sleep(QUIET).await;
        }
    }
}

/// What is pruned, in words and in deed: the next rows behind a place.
#[derive(Clone, Copy)]
struct Prunable {
    rows: &'static str,
    /// What the place is the id of.
    row: &'static str,
    some: fn(&mut dyn Tx, &Retention, i64, Timestamp) -> Result<Progress, Error>,
}

const BODIES: Prunable = Prunable { rows: "bodies", row: "event", some: prune_bodies };
const ANSWERED: Prunable = Prunable { rows: "answered questions", row: "question", some: prune_questions };

/// Questions that failed for good stay, as their events do.
fn prune_questions(tx: &mut dyn Tx, _: &Retention, from: i64, now: Timestamp) -> Result<Progress, Error> {
    let rows = tx.kept_fetches(FetchId(from), BATCH)?;
    // Ids go up with the time at which questions begin.
    let is_old = |row: &KeptFetch| later(row.created_at, ANSWERED_FOR) <= now;
    let old = rows.iter().position(|row| !is_old(row)).unwrap_or(rows.len());
    let is_ripe = |row: &&KeptFetch| {
        let is_past = row.finished_at.is_some_and(|end| later(end, ANSWERED_FOR) <= now);
        is_past && row.state == OperationState::Done.as_str()
    };
    let ripe: Vec<FetchId> = rows[..old].iter().filter(is_ripe).map(|row| row.id).collect();
    let pruned = tx.prune_fetches(&ripe)? as u64;
    let goes_on = rows.len() as i64 == BATCH && old == rows.len();
    Ok(Progress { pruned, place: rows[..old].last().map(|row| row.id.0), goes_on })
}

fn prune_bodies(tx: &mut dyn Tx, retention: &Retention, from: i64, now: Timestamp) -> Result<Progress, Error> {
    let rows = tx.kept_bodies(EventId(from), BATCH)?;
    let old = first_young(retention, &rows, now);
    let is_ripe = |row: &&KeptBody| ripe_after(retention, row, now).is_some();
    let ripe: Vec<EventId> = rows[..old].iter().filter(is_ripe).take(HELD).map(|row| row.event).collect();
    let mut pruned = BTreeMap::<i64, Vec<EventId>>::new();
    for row in tx.held_bodies(&ripe)? {
        if let Some(kept) = ripe_after(retention, &row, now) {
            pruned.entry(i64::try_from(kept.as_secs()).unwrap_or(i64::MAX)).or_default().push(row.event);
        }
    }
    for (kept, events) in &pruned {
        tx.prune_bodies(events, *kept, now)?;
    }
    let is_cut = ripe.len() == HELD;
    let place = if is_cut { ripe.last().copied() } else { rows[..old].last().map(|row| row.event) };
    let goes_on = is_cut || (rows.len() as i64 == BATCH && old == rows.len());
    let pruned = pruned.values().map(|events| events.len() as u64).sum();
    Ok(Progress { pruned, place: place.map(|id| id.0), goes_on })
}

/// Where the first stands that is too young. Ids go up with the time of arrival, or nearly so: nothing older comes
/// after it.
fn first_young(retention: &Retention, rows: &[KeptBody], now: Timestamp) -> usize {
    let is_old = |row: &KeptBody| retention.shortest().is_some_and(|age| later(row.received_at, age) <= now);
    rows.iter().position(|row| !is_old(row)).unwrap_or(rows.len())
}

/// How long the body was to be kept, if it may go now.
fn ripe_after(retention: &Retention, row: &KeptBody, now: Timestamp) -> Option<Duration> {
    let age = retention.of(&row.kind)?;
    let is_done = [EventState::Completed, EventState::Ignored].map(EventState::as_str).contains(&row.state.as_str());
    let is_open = row.disputed.unwrap_or(false) || row.needs_review.unwrap_or(false);
    let since = row.finished_at.map_or(row.received_at, |end| end.max(row.received_at));
    // What people decided is small, and nobody tells it again.
    let is_ours = row.source == Source::Operator.as_str();
    (is_done && !is_open && !is_ours && later(since, age) <= now).then_some(age)
}
