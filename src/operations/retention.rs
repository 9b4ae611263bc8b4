//! Pruning bodies that were kept for as long as the host wants: a worker's chore, in turns, a few hundred events in a
//! transaction, with pauses in which deliveries are taken in.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::domain::event::EventState;
use crate::domain::id::EventId;
use crate::domain::{Timestamp, later};
use crate::engine::{Engine, Retention};
use crate::error::Error;
use crate::store::Tx;
use crate::store::bodies::KeptBody;

const NAME: &str = "retention";
/// How often the bodies are walked through: their ages are days.
const EVERY: Duration = Duration::from_secs(3_600);
/// How long one process prunes before another may; and after which time another does if it ended meanwhile.
const TURN: Duration = Duration::from_secs(5);
const LEASE: Duration = Duration::from_secs(60);
/// How many bodies one transaction looks at: a few milliseconds' worth, which a delivery may have to wait.
const BATCH: i64 = 200;
/// Pruning takes one part in this many of the time, and one more; less while deliveries come.
const SHARE: u32 = 3;
/// How long no delivery comes when they have fallen silent, and how long pruning waits for that.
const QUIET: Duration = Duration::from_millis(3);
const LONGEST: Duration = Duration::from_millis(500);

/// What one transaction did.
struct Batch {
    pruned: u64,
    /// Up to where it looked; `None` when nothing further is old enough.
    place: Option<EventId>,
}

impl Engine {
    /// Prunes for some seconds what is old enough, if that is due and no other process does.
    pub(crate) async fn prune_a_while(self: &Arc<Self>) -> Result<(), Error> {
        if self.retention.shortest().is_none() {
            return Ok(());
        }
        let Some(chore) = self.claim_chore(NAME.to_owned(), LEASE).await? else { return Ok(()) };
        let place = chore.place.map(EventId);
        let (pruned, place) = self.prune_from(place, Some(Instant::now() + TURN)).await?;
        let again = if place.is_some() { self.now() } else { later(self.now(), EVERY) };
        let note = match place {
            Some(EventId(id)) => format!("{pruned} bodies were pruned just then; it goes on after event {id}"),
            None => format!("{pruned} bodies were pruned just then; nothing else is old enough"),
        };
        if pruned > 0 {
            log::info!("payments: retention: {note}");
        }
        self.write(move |tx| tx.pause_chore(NAME, again, place.map(|id| id.0), &note)).await
    }

    /// Prunes all that is old enough; answers how many events lost their bodies.
    pub(crate) async fn prune(self: &Arc<Self>) -> Result<u64, Error> {
        Ok(self.prune_from(None, None).await?.0)
    }

    /// Answers how many bodies were pruned, and where to go on if the time was up before.
    async fn prune_from(
        self: &Arc<Self>,
        mut place: Option<EventId>,
        until: Option<Instant>,
    ) -> Result<(u64, Option<EventId>), Error> {
        let mut pruned = 0;
        loop {
            let (begun, from) = (Instant::now(), place.unwrap_or(EventId(0)));
            let batch = self.blocking(move |engine| {
                engine.store.transaction(|tx| prune_some(tx, &engine.retention, from, engine.now()))
            });
            let batch = batch.await?;
            pruned += batch.pruned;
            place = batch.place;
            if place.is_none() || until.is_some_and(|until| Instant::now() >= until) {
                return Ok((pruned, place));
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

fn prune_some(tx: &mut dyn Tx, retention: &Retention, from: EventId, now: Timestamp) -> Result<Batch, Error> {
    let found = tx.kept_bodies(from, BATCH)?;
    let mut ripe: BTreeMap<i64, Vec<EventId>> = BTreeMap::new();
    for row in &found.rows {
        if let Some(kept) = ripe_after(retention, row, now) {
            ripe.entry(i64::try_from(kept.as_secs()).unwrap_or(i64::MAX)).or_default().push(row.event);
        }
    }
    for (kept, events) in &ripe {
        tx.prune_bodies(events, *kept, now)?;
    }
    // Ids go up with the time of arrival, or nearly so: after a whole batch that is too young comes nothing older.
    let is_old = |row: &KeptBody| retention.shortest().is_some_and(|age| later(row.received_at, age) <= now);
    let goes_on = found.looked_at == BATCH && (found.rows.is_empty() || found.rows.iter().any(is_old));
    Ok(Batch { pruned: ripe.values().map(|events| events.len() as u64).sum(), place: found.last.filter(|_| goes_on) })
}

/// How long the body was to be kept, if it may go now.
fn ripe_after(retention: &Retention, row: &KeptBody, now: Timestamp) -> Option<Duration> {
    let age = retention.of(&row.kind)?;
    let is_done = [EventState::Completed, EventState::Ignored].map(EventState::as_str).contains(&row.state.as_str());
    let is_open = row.disputed.unwrap_or(false) || row.needs_review.unwrap_or(false);
    let since = row.finished_at.map_or(row.received_at, |end| end.max(row.received_at));
    (is_done && !is_open && later(since, age) <= now).then_some(age)
}
