//! What older rows lack for being found: the words of payments and subscriptions, and the groups of failures. A worker's
//! chore for rows that a release wrote which kept none, and for those that such a release still writes beside this one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::domain::failure_group::failure_group;
use crate::domain::id::{EventId, PaymentId, SubscriptionId};
use crate::domain::later;
use crate::engine::Engine;
use crate::error::Error;
use crate::store::Tx;
use crate::store::rows::{PaymentDraft, PaymentRow};
use crate::store::words::{Subject, Texts};

/// The chores, and how often each looks whether there is more.
const PAYMENTS: &str = "words:payments";
const SUBSCRIPTIONS: &str = "words:subscriptions";
const FAILURES: &str = "groups:failures";
const EVERY: Duration = Duration::from_secs(86_400);
/// How many rows one transaction indexes, and how long one process does before another may.
const BATCH: i64 = 100;
const TURN: Duration = Duration::from_secs(2);
const LEASE: Duration = Duration::from_secs(60);
/// Indexing takes one part in this many of the time, and one more.
const SHARE: u32 = 3;

impl Engine {
    /// Indexes for a while what has no words yet, if that is due and no other process does.
    pub(crate) async fn index_a_while(self: &Arc<Self>) -> Result<(), Error> {
        self.index_a_turn(PAYMENTS, payments).await?;
        self.index_a_turn(SUBSCRIPTIONS, subscriptions).await?;
        self.index_a_turn(FAILURES, failures).await
    }

    async fn index_a_turn(self: &Arc<Self>, name: &'static str, index: Index) -> Result<(), Error> {
        let Some(chore) = self.claim_chore(name.to_owned(), LEASE).await? else { return Ok(()) };
        let until = Instant::now() + TURN;
        let mut place = chore.place.unwrap_or(0);
        let is_done = loop {
            let begun = Instant::now();
            let (last, is_done) = self.write(move |tx| index(tx, place)).await?;
            place = last;
            if is_done || Instant::now() >= until {
                break is_done;
            }
            tokio::time::sleep(begun.elapsed() * SHARE).await;
        };
        let (now, again) = (self.now(), if is_done { EVERY } else { Duration::ZERO });
        let note = format!("indexed up to {place}");
        self.write(move |tx| tx.pause_chore(name, later(now, again), Some(place), &note)).await
    }
}

/// Indexes the next rows after an id; answers the last one, and whether no more follow.
type Index = fn(&mut dyn Tx, i64) -> Result<(i64, bool), Error>;

fn payments(tx: &mut dyn Tx, after: i64) -> Result<(i64, bool), Error> {
    let rows = tx.payment_texts(PaymentId(after), BATCH)?;
    keep(tx, &rows, after)
}

fn subscriptions(tx: &mut dyn Tx, after: i64) -> Result<(i64, bool), Error> {
    let rows = tx.subscription_texts(SubscriptionId(after), BATCH)?;
    keep(tx, &rows, after)
}

fn keep(tx: &mut dyn Tx, rows: &[Texts], after: i64) -> Result<(i64, bool), Error> {
    let words: Vec<_> = rows.iter().flat_map(|texts| texts.words().collect::<Vec<_>>()).collect();
    tx.keep_words(&words)?;
    let last = rows.last().map_or(after, |texts| match texts.subject {
        Subject::Payment(id) => id.0,
        Subject::Subscription(id) => id.0,
    });
    Ok((last, (rows.len() as i64) < BATCH))
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

/// Adds a payment with the words that a search finds it by.
pub(super) fn insert(tx: &mut dyn Tx, draft: &PaymentDraft) -> Result<PaymentRow, Error> {
    let row = tx.insert_payment(draft)?;
    let (reference, customer) = (draft.reference.clone(), draft.customer.clone());
    let words: Vec<_> = Texts { subject: Subject::Payment(row.id), reference, customer }.words().collect();
    tx.keep_words(&words)?;
    Ok(row)
}
