//! Workers look through all bodies for persons who were erased, and through payments and subscriptions for what an erasure
//! left whole that came to no end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::forget::{forget, forget_payers, texts_of};
use crate::domain::id::{EventId, PaymentId, SubscriptionId};
use crate::domain::person::{Words, is_reduced};
use crate::domain::{Timestamp, later};
use crate::engine::{Engine, Holdings};
use crate::error::Error;
use crate::store::Tx;
use crate::store::calls::ChoreRow;
use crate::store::persons::Naming;
use crate::store::rows::PaymentRow;

/// When a worker begins after somebody was erased: by then every process knows.
const SOON: Duration = Duration::from_secs(5);
/// What the note of a sweep ends with that has come to its end.
const THROUGH: &str = "all were looked through";
/// The chore after all were looked through: what the file still has of what was erased is overwritten.
const FILE: &str = "erasure:file";
const FILE_WAITS: &str = "somebody was erased; the file is made anew once everything was looked through";
/// How often a worker looks at what came since.
const EVERY: Duration = Duration::from_secs(86_400);
/// How long one process looks before another may, and after which time another does if it ended meanwhile.
const TURN: Duration = Duration::from_secs(5);
const LEASE: Duration = Duration::from_secs(60);
/// How many bodies or rows are read at a time.
const BATCH: i64 = 200;

/// What is looked through.
#[derive(Debug, Clone, Copy)]
enum Sweep {
    Bodies,
    Payments,
    Subscriptions,
}

impl Sweep {
    /// Rows first: the words that name a person in their sentences are taken from the bodies.
    const ALL: [Self; 3] = [Self::Payments, Self::Subscriptions, Self::Bodies];

    /// The name of its chore.
    fn name(self) -> &'static str {
        match self {
            Self::Bodies => "erasure",
            Self::Payments => "erasure:payments",
            Self::Subscriptions => "erasure:subscriptions",
        }
    }

    /// What it came to, a sentence.
    fn note(self, count: usize, end: &str) -> String {
        let what = match self {
            Self::Bodies => "bodies of erased persons were reduced",
            Self::Payments => "payments of erased persons were still whole and were forgotten",
            Self::Subscriptions => "subscriptions of erased persons were still whole and were forgotten",
        };
        format!("{count} {what} just then; {end}")
    }

    /// Looks through the next ones after this number; answers how many were of erased persons and the last number that was
    /// looked at, or nothing when there was none.
    fn some(self, engine: &Engine, after: i64) -> Result<Option<(usize, i64)>, Error> {
        match self {
            Self::Bodies => some_bodies(engine, after),
            Self::Payments => {
                let next = |tx: &mut dyn Tx| tx.next_payments(PaymentId(after), BATCH);
                some_rows(engine, next, |tx, id| Holdings::hold(tx, &[PaymentId(id)], &[]))
            }
            Self::Subscriptions => {
                let next = |tx: &mut dyn Tx| tx.next_subscriptions(SubscriptionId(after), BATCH);
                some_rows(engine, next, |tx, id| Holdings::hold(tx, &[], &[SubscriptionId(id)]))
            }
        }
    }
}

/// Has workers look through everything from the beginning, since somebody is erased.
pub(super) fn sweep_soon(tx: &mut dyn Tx, now: Timestamp) -> Result<(), Error> {
    for sweep in Sweep::ALL {
        tx.claim_chore(sweep.name(), now, now)?;
        let note = "somebody was erased; everything is looked through soon";
        tx.pause_chore(sweep.name(), later(now, SOON), None, note)?;
    }
    tx.claim_chore(FILE, now, now)?;
    tx.pause_chore(FILE, later(now, SOON), None, FILE_WAITS)
}

/// Looks through all bodies; answers how many were of erased persons.
pub(super) fn sweep_bodies(engine: &Engine) -> Result<usize, Error> {
    let (mut count, mut place) = (0, 0);
    while let Some((some, next)) = some_bodies(engine, place)? {
        (count, place) = (count + some, next);
    }
    Ok(count)
}

impl Engine {
    /// Looks through bodies and rows for some seconds, if that is due and no other process does.
    pub(crate) async fn sweep_a_while(self: &Arc<Self>) -> Result<(), Error> {
        if !self.erasures.has_key() {
            return Ok(());
        }
        // Mostly all were looked through, and this is all that is read.
        let (chores, now) = (self.read(|tx| tx.all_chores()).await?, self.now());
        let known = |sweep: Sweep| chores.iter().find(|chore| chore.name == sweep.name());
        if known(Sweep::Bodies).is_none() {
            return Ok(());
        }
        for sweep in Sweep::ALL {
            // One that is due later than it can be was put off by a clock that was wrong.
            let waits = |chore: &ChoreRow| chore.due_at > now && chore.due_at <= later(now, EVERY);
            if known(sweep).is_some_and(|chore| is_through(chore) && waits(chore)) {
                continue;
            }
            self.sweep_a_turn(sweep).await?;
            let chore = self.read(move |tx| tx.chore(sweep.name())).await?;
            if !chore.as_ref().is_some_and(is_through) {
                return Ok(());
            }
        }
        self.scour_once().await
    }

    /// After an erasure whose sweeps are through: overwrites what the database's file still has of it.
    async fn scour_once(self: &Arc<Self>) -> Result<(), Error> {
        let waits =
            self.read(|tx| tx.chore(FILE)).await?.is_some_and(|chore| chore.note.as_deref() == Some(FILE_WAITS));
        let claimed = if waits { self.claim_chore(FILE.to_owned(), LEASE).await? } else { None };
        let Some(claimed) = claimed else { return Ok(()) };
        let scoured = self.patiently(|engine| engine.store.scour()).await;
        let left = self.noting_failure(FILE, scoured).await?;
        let now = self.now();
        self.write(move |tx| {
            tx.note_failure(FILE, now, None)?;
            // Who was erased meanwhile has it begin anew.
            let note = left.unwrap_or("the file has nothing more of what was erased");
            tx.pause_claimed(&claimed, later(now, EVERY), None, note)
        })
        .await
    }

    async fn sweep_a_turn(self: &Arc<Self>, sweep: Sweep) -> Result<(), Error> {
        let Some(chore) = self.claim_chore(sweep.name().to_owned(), LEASE).await? else { return Ok(()) };
        let (until, mut place) = (Instant::now() + TURN, chore.place.unwrap_or(0));
        let swept = move |engine: &Arc<Engine>| {
            let mut count = 0;
            while let Some((some, next)) = sweep.some(engine, place)? {
                (count, place) = (count + some, next);
                if Instant::now() >= until {
                    return Ok((count, place, true));
                }
            }
            Ok((count, place, false))
        };
        let swept = self.blocking(swept).await;
        let (count, place, goes_on) = self.noting_failure(sweep.name(), swept).await?;
        let now = self.now();
        let end = if goes_on { format!("it goes on after {place}") } else { THROUGH.to_owned() };
        let (note, again) = (sweep.note(count, &end), if goes_on { now } else { later(now, EVERY) });
        let pause = move |tx: &mut dyn Tx| {
            tx.note_failure(sweep.name(), now, None)?;
            // Who was erased meanwhile has it begin anew, and soon.
            tx.pause_claimed(&chore, again, Some(place), &note)
        };
        self.write(pause).await
    }
}

/// Whether a sweep has come to its end.
fn is_through(chore: &ChoreRow) -> bool {
    chore.note.as_ref().is_some_and(|note| note.ends_with(THROUGH))
}

/// Reduces the next stored bodies that name somebody who was erased.
fn some_bodies(engine: &Engine, after: i64) -> Result<Option<(usize, i64)>, Error> {
    let (marks, bodies) = engine.store.ask(|tx| Ok((engine.marks(tx)?, tx.bodies_after(EventId(after), BATCH)?)))?;
    let Some(last) = bodies.last().map(|(event, _)| event.0) else { return Ok(None) };
    let names = |body: &Vec<u8>| engine.erasures.recognises(body, &marks) && !is_reduced(body);
    let naming: Vec<_> = bodies.iter().filter(|(_, body)| names(body)).collect();
    for (event, body) in &naming {
        let is_of_customer = engine.erasures.is_of_customer(body, &marks);
        let is_theirs =
            |row: PaymentRow| is_of_customer || engine.is_erased(&marks, Some(&row.token), row.customer.as_deref());
        engine.store.transaction(|tx| {
            // Whoever processes it has read it, or waits for this.
            tx.hold_body(*event)?;
            let mut held = Holdings::default();
            held.add_events(tx, &[*event])?;
            forget_alone(tx, &held, engine.now())?;
            for payment in forget_payers(tx, &held.events)? {
                // No index finds a payment by its customer's id at the gateway, and a process without the key may have
                // filled one again that was forgotten long ago.
                if tx.payment(payment)?.is_some_and(is_theirs) {
                    let held = Holdings::hold(tx, &[payment], &[])?;
                    forget_alone(tx, &held, engine.now())?;
                }
            }
            Ok(())
        })?;
    }
    Ok(Some((naming.len(), last)))
}

/// Forgets the next rows that still name somebody who was erased: by their tokens those that were known when that was
/// done, by their addresses those that a process without the key wrote since.
fn some_rows(
    engine: &Engine,
    next: impl Fn(&mut dyn Tx) -> Result<Vec<Naming>, Error>,
    hold: impl Fn(&mut dyn Tx, i64) -> Result<Holdings, Error>,
) -> Result<Option<(usize, i64)>, Error> {
    let (marks, rows) = engine.store.ask(|tx| Ok((engine.marks(tx)?, next(tx)?)))?;
    let Some(last) = rows.last().map(|(id, ..)| *id) else { return Ok(None) };
    let is_erased =
        |(_, token, customer, says): &&Naming| *says && engine.is_erased(&marks, Some(token), customer.as_deref());
    let theirs: Vec<i64> = rows.iter().filter(is_erased).map(|(id, ..)| *id).collect();
    for id in &theirs {
        engine.store.transaction(|tx| {
            let held = hold(tx, *id)?;
            forget_alone(tx, &held, engine.now())
        })?;
    }
    Ok(Some((theirs.len(), last)))
}

/// Forgets what is held, with the words that its own bodies tell.
fn forget_alone(tx: &mut dyn Tx, held: &Holdings, now: Timestamp) -> Result<(), Error> {
    let words = Words::new(&held.names.emails, &texts_of(tx, &held.events)?);
    forget(tx, held, &words, now)
}
