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

impl Engine {
    /// Fills the books for some seconds, if that is due and no other process does.
    pub(crate) async fn fill_books_a_while(self: &Arc<Self>) -> Result<(), Error> {
        let Some(chore) = self.claim_chore(NAME.to_owned(), LEASE).await? else { return Ok(()) };
        let is_second = chore.note.as_deref().is_some_and(|note| note.starts_with(FIRST));
        let (begun, mut place) = (Instant::now(), chore.place);
        let ended = loop {
            let after = PaymentId(place.unwrap_or(0));
            let last = self.blocking(move |engine| engine.store.transaction(|tx| fill(tx, after))).await?;
            match last {
                None => break true,
                Some(last) => place = Some(last.0),
            }
            if begun.elapsed() >= TURN {
                break false;
            }
        };
        let now = self.now();
        let (again, place, note) = match (ended, is_second) {
            (false, false) => (now, place, String::new()),
            (false, true) => (now, place, FIRST.to_owned()),
            (true, false) => (later(now, ONCE_MORE), None, FIRST.to_owned()),
            (true, true) => (later(now, AGAIN), None, DONE.to_owned()),
        };
        self.write(move |tx| tx.pause_chore(NAME, again, place, &note)).await
    }
}

/// The books of the next payments; answers the last of them.
fn fill(tx: &mut dyn Tx, after: PaymentId) -> Result<Option<PaymentId>, Error> {
    let ids = tx.payments_after(after, CHUNK)?;
    let Some(last) = ids.last().copied() else { return Ok(None) };
    let rows = tx.hold_payments(&ids)?;
    let (stored, told) = (tx.ledgers(&ids)?, tx.facts_told_of(&ids)?);
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
    books::write(tx, &ids, movements)?.write(tx)?;
    Ok(Some(last))
}
