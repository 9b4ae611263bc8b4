//! A worker writes the words by which payments and subscriptions are found: those that are owed since a row changed,
//! many at once and out of the way of events; and what older rows lack, which a release wrote that kept no words, no
//! groups of failures and no monthly sums of subscriptions, or still writes beside this one.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::failure_group::failure_group;
use crate::domain::id::{EventId, PaymentId, SubscriptionId};
use crate::domain::later;
use crate::engine::Engine;
use crate::engine::subscription::{facts, put_monthly};
use crate::error::{Error, loggable};
use crate::store::Tx;
use crate::store::rows::{PaymentDraft, PaymentRow};
use crate::store::words::{End, Subject, Texts};

/// The chores, and how often each but the first and the last looks whether there is more.
const OWED: &str = "words:owed";
/// It has another name than before the words of absorbed payments' notes were added, so that older payments are read once
/// more.
const PAYMENTS: &str = "words:payments:absorbed";
const SUBSCRIPTIONS: &str = "words:subscriptions";
const FAILURES: &str = "groups:failures";
const SUMS: &str = "sums:subscriptions";
const EVERY: Duration = Duration::from_secs(86_400);
/// How often it is looked whose sum is owed. That is looked for from the first row on, since an older release may write
/// any.
const SUMS_EVERY: Duration = Duration::from_secs(600);
/// How many subscriptions that can't be read the log names.
const MOST_NAMED: usize = 1_000;
/// How many rows one transaction indexes, and how long one process does before another may.
const BATCH: i64 = 100;
const TURN: Duration = Duration::from_secs(2);
const LEASE: Duration = Duration::from_secs(60);
/// Indexing takes one part in this many of the time, and one more.
const SHARE: u32 = 3;
/// The same while events are due.
const SHARE_OF_BUSY: u32 = 15;
/// How many notes one transaction takes.
const NOTES: i64 = 500;

impl Engine {
    /// Indexes for a while what has no words yet, if that is due and no other process does.
    pub(crate) async fn index_a_while(self: &Arc<Self>) -> Result<(), Error> {
        self.index_owed().await?;
        self.index_a_turn(PAYMENTS, payments).await?;
        self.index_a_turn(SUBSCRIPTIONS, subscriptions).await?;
        self.index_a_turn(FAILURES, failures).await?;
        self.index_a_turn(SUMS, sums).await
    }

    /// Writes the words that are owed, for as long as there are some and it has its turn.
    async fn index_owed(self: &Arc<Self>) -> Result<(), Error> {
        if self.read(|tx| tx.words_owed(End::Oldest, 1)).await?.is_empty() {
            return Ok(());
        }
        let Some(_) = self.claim_chore(OWED.to_owned(), LEASE).await? else { return Ok(()) };
        let until = Instant::now() + TURN;
        while Instant::now() < until {
            let begun = Instant::now();
            let (engine, now) = (self.clone(), self.now());
            let written = self.write(move |tx| Ok((pay_words(tx)?, engine.is_one_due(tx, now)?))).await;
            let (count, is_busy) = self.noting_failure(OWED, written).await?;
            if count == 0 {
                break;
            }
            tokio::time::sleep(begun.elapsed() * if is_busy { SHARE_OF_BUSY } else { SHARE }).await;
        }
        let now = self.now();
        let pause = move |tx: &mut dyn Tx| {
            tx.note_failure(OWED, now, None)?;
            tx.pause_chore(OWED, now, None, "indexed what changed")
        };
        self.write(pause).await
    }

    async fn index_a_turn(self: &Arc<Self>, name: &'static str, index: Index) -> Result<(), Error> {
        let Some(chore) = self.claim_chore(name.to_owned(), LEASE).await? else { return Ok(()) };
        let until = Instant::now() + TURN;
        let mut place = chore.place.unwrap_or(0);
        let is_done = loop {
            let begun = Instant::now();
            let indexed = self.write(move |tx| index(tx, place)).await;
            let (last, is_done) = self.noting_failure(name, indexed).await?;
            place = last;
            if is_done || Instant::now() >= until {
                break is_done;
            }
            tokio::time::sleep(begun.elapsed() * SHARE).await;
        };
        let (again, next) = match (is_done, name) {
            (false, _) => (Duration::ZERO, place),
            (true, SUMS) => (SUMS_EVERY, 0),
            (true, _) => (EVERY, place),
        };
        let (now, note) = (self.now(), format!("indexed up to {place}"));
        let pause = move |tx: &mut dyn Tx| {
            tx.note_failure(name, now, None)?;
            tx.pause_chore(name, later(now, again), Some(next), &note)
        };
        self.write(pause).await
    }
}

/// Indexes the next rows after an id; answers the last one, and whether no more follow.
type Index = fn(&mut dyn Tx, i64) -> Result<(i64, bool), Error>;

/// Writes the words that are owed the longest; answers how many rows they are of.
fn pay_words(tx: &mut dyn Tx) -> Result<usize, Error> {
    let owed = tx.words_owed(End::Oldest, NOTES)?;
    let (notes, subjects): (Vec<i64>, BTreeSet<Subject>) = owed.into_iter().unzip();
    write_words(tx, &subjects.into_iter().collect::<Vec<_>>())?;
    tx.words_paid(&notes)?;
    Ok(notes.len())
}

fn payments(tx: &mut dyn Tx, after: i64) -> Result<(i64, bool), Error> {
    keep(tx, Subject::Payment(PaymentId(after)))
}

fn subscriptions(tx: &mut dyn Tx, after: i64) -> Result<(i64, bool), Error> {
    keep(tx, Subject::Subscription(SubscriptionId(after)))
}

fn keep(tx: &mut dyn Tx, after: Subject) -> Result<(i64, bool), Error> {
    let subjects = tx.subjects_after(after, BATCH)?;
    write_words(tx, &subjects)?;
    let (payment, subscription) = subjects.last().unwrap_or(&after).columns();
    Ok((payment + subscription, (subjects.len() as i64) < BATCH))
}

/// Writes the words of these as they are now. They are held, so that nobody is erased between the reading of a text and
/// the writing of its words.
fn write_words(tx: &mut dyn Tx, subjects: &[Subject]) -> Result<(), Error> {
    tx.hold_subjects(subjects)?;
    let words: Vec<_> = tx.texts_to_find(subjects)?.iter().flat_map(Texts::words).collect();
    tx.keep_words(&words)
}

fn failures(tx: &mut dyn Tx, after: i64) -> Result<(i64, bool), Error> {
    let rows = tx.ungrouped(EventId(after), BATCH)?;
    for (event, code, outcome) in &rows {
        if let Some(group) = failure_group(code, outcome) {
            tx.put_into_group(*event, &group)?;
        }
    }
    Ok((rows.last().map_or(after, |(event, ..)| event.0), (rows.len() as i64) < BATCH))
}

/// Writes what subscriptions come to in a month, where what is stored is of another version of theirs.
fn sums(tx: &mut dyn Tx, after: i64) -> Result<(i64, bool), Error> {
    let ids = tx.sums_owed(SubscriptionId(after), BATCH)?;
    let mut summed = Vec::new();
    for id in &ids {
        let Some(mut row) = readable(*id, tx.subscription(*id))?.flatten() else { continue };
        let Some(facts) = readable(*id, facts(&row).map_err(Error::of_unreadable_row))? else { continue };
        put_monthly(&mut row, &facts.state());
        summed.push(row);
    }
    tx.put_sums(&summed)?;
    Ok((ids.last().map_or(after, |last| last.0), (ids.len() as i64) < BATCH))
}

/// What was read of a subscription. One that can't be read, as a newer release may have written it, is left out, and
/// named in the log the first time.
fn readable<T>(id: SubscriptionId, read: Result<T, Error>) -> Result<Option<T>, Error> {
    static NAMED: Mutex<BTreeSet<SubscriptionId>> = Mutex::new(BTreeSet::new());
    let error = match read {
        Ok(read) => return Ok(Some(read)),
        Err(error) => error,
    };
    let Some(why) = error.why_unreadable() else { return Err(error) };
    let mut named = NAMED.lock().unwrap_or_else(PoisonError::into_inner);
    if named.len() < MOST_NAMED && named.insert(id) {
        log::warn!("payments: subscription {id} has no monthly sum, since it can't be read: {}", loggable(&why));
    }
    Ok(None)
}

/// Adds a payment that a search is to find.
pub(super) fn insert(tx: &mut dyn Tx, draft: &PaymentDraft) -> Result<PaymentRow, Error> {
    let row = tx.insert_payment(draft)?;
    tx.owe_words(&[Subject::Payment(row.id)])?;
    Ok(row)
}
