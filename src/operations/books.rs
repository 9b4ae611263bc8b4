//! Filling the books for payments that were stored by a release which kept none, or beside one: each ledger learns from
//! the stored events when money moved, and the movements follow from it. In turns and small transactions.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::domain::id::PaymentId;
use crate::domain::later;
use crate::domain::ledger::Ledger;
use crate::engine::{Engine, event_facts};
use crate::error::Error;
use crate::pipeline::books;
use crate::store::Tx;
use crate::store::sets::LedgerEntry;

/// The chore's name.
const NAME: &str = "books";
/// How many payments one transaction takes.
const CHUNK: i64 = 100;
/// How long one turn takes at the most, and how long another process leaves it alone.
const TURN: Duration = Duration::from_secs(5);
const LEASE: Duration = Duration::from_secs(60);
/// An older release writes no movements, be it during a deployment or because one went back to it for a while, so all
/// payments are gone through again and again. Where nothing differs nothing is written.
const ONCE_MORE: Duration = Duration::from_secs(86_400);
const AGAIN: Duration = Duration::from_secs(7 * 86_400);
const FIRST: &str = "filled; once more a day later";
const DONE: &str = "filled; compared again each week";
const PASSED_OVER: &str = "passed over payment";

/// How far one turn came.
struct Progress {
    place: Option<i64>,
    ended: bool,
    /// Why the first payment was passed over, if any was.
    passed_over: Option<String>,
}

impl Engine {
    /// Fills the books for some seconds, if that is due and no other process does.
    pub(crate) async fn fill_books_a_while(self: &Arc<Self>) -> Result<(), Error> {
        let Some(chore) = self.claim_chore(NAME.to_owned(), LEASE).await? else { return Ok(()) };
        let is_second = chore.note.as_deref().is_some_and(|note| note.starts_with(FIRST));
        let progress = self.fill_a_turn(chore.place).await;
        let progress = self.noting_failure(NAME, progress).await?;
        let now = self.now();
        let (again, place, note) = match (progress.ended, is_second) {
            (false, false) => (now, progress.place, String::new()),
            (false, true) => (now, progress.place, FIRST.to_owned()),
            (true, false) => (later(now, ONCE_MORE), None, FIRST.to_owned()),
            (true, true) => (later(now, AGAIN), None, DONE.to_owned()),
        };
        // What an earlier turn passed over is a failure until all were gone through again.
        let known = chore.failure.filter(|why| chore.place.is_some() && why.starts_with(PASSED_OVER));
        let failure = progress.passed_over.or(known);
        let pause = move |tx: &mut dyn Tx| {
            tx.note_failure(NAME, now, failure.as_deref())?;
            tx.pause_chore(NAME, again, place, &note)
        };
        self.write(pause).await
    }

    async fn fill_a_turn(self: &Arc<Self>, place: Option<i64>) -> Result<Progress, Error> {
        let mut progress = Progress { place, ended: false, passed_over: None };
        let begun = Instant::now();
        while !progress.ended && begun.elapsed() < TURN {
            let after = PaymentId(progress.place.unwrap_or(0));
            let ids = self.read(move |tx| tx.payments_after(after, CHUNK)).await?;
            let Some(last) = ids.last().copied() else {
                progress.ended = true;
                continue;
            };
            let passed_over = self.blocking(move |engine| fill_readable(engine, &ids)).await?;
            progress.place = Some(last.0);
            progress.passed_over = progress.passed_over.or(passed_over);
        }
        Ok(progress)
    }
}

/// The books of these payments; answers why one was passed over, if any was: a row that this release can't read holds
/// up no other.
fn fill_readable(engine: &Engine, ids: &[PaymentId]) -> Result<Option<String>, Error> {
    match engine.store.transaction(|tx| fill(tx, ids)) {
        Err(error) if error.why_unreadable().is_some() => {}
        filled => return filled.map(|()| None),
    }
    let mut passed_over = None;
    for id in ids {
        if let Err(error) = engine.store.transaction(|tx| fill(tx, &[*id])) {
            let why = error.why_unreadable().ok_or(error)?;
            passed_over = passed_over.or(Some(format!("{PASSED_OVER} {id}, which can't be read: {why}")));
        }
    }
    Ok(passed_over)
}

/// The books of these payments.
fn fill(tx: &mut dyn Tx, ids: &[PaymentId]) -> Result<(), Error> {
    let rows = tx.hold_payments(ids)?;
    let (stored, told) = (tx.ledgers(ids)?, tx.facts_told_of(ids)?);
    let (mut entries, mut movements) = (Vec::new(), Vec::new());
    // What was absorbed has no movements of its own any more.
    for row in rows.iter().filter(|row| row.absorbed_by.is_none()) {
        let mine = stored.iter().filter(|(payment, _)| *payment == row.id).map(|(_, fact)| fact.clone());
        let mut ledger = Ledger::from_facts(mine);
        let mut changed = BTreeSet::new();
        for (_, facts) in told.iter().filter(|(payment, _)| *payment == row.id) {
            for (fact, _) in event_facts::from_json(facts) {
                let register = (fact.aspect, fact.gateway_ref.clone());
                changed.extend(ledger.recall(fact).then_some(register));
            }
        }
        entries.extend(changed.iter().filter_map(|register| LedgerEntry::of(row.id, &ledger, register)));
        movements.extend(books::booked(row, &ledger));
    }
    tx.keep_facts(&entries)?;
    books::write(tx, ids, movements)?.write(tx)
}
