//! How is a batch of due events processed? Claimed, read and locked together in one transaction, then applied one
//! by one, each in a savepoint of its own, so that one event's trouble is not its neighbours'.

use super::apply::Step;
use super::reading::{Reading, interpret};
use super::settle::{self, Pending, Trouble};
use super::{Payments, matching};
use crate::domain::Timestamp;
use crate::error::Error;
use crate::store::Tx;
use crate::store::rows::Claimed;

/// How many events one transaction processes at the most.
pub(crate) const BATCH: i64 = 50;

/// What came of a batch.
pub(crate) struct Batch {
    /// How many events were claimed.
    pub claimed: usize,
    /// Those whose async handlers are to run now.
    pub pending: Vec<Pending>,
}

impl Payments {
    /// Processes one batch of due events.
    pub(crate) async fn process(&self) -> Result<Batch, Error> {
        let this = self.clone();
        self.blocking(move |inner| inner.store.transaction(|tx| process_batch(&this, tx))).await
    }
}

fn process_batch(payments: &Payments, tx: &mut dyn Tx) -> Result<Batch, Error> {
    let now = payments.now();
    let claimed = tx.claim(now, now + payments.inner().lease, BATCH)?;
    let read: Vec<_> = claimed.into_iter().map(|event| (interpret(payments.inner(), &event), event)).collect();
    lock(tx, &read)?;
    let mut batch = Batch { claimed: read.len(), pending: Vec::new() };
    for (interpretation, event) in read {
        if let Some(pending) = process_one(payments, tx, &event, interpretation, now)? {
            batch.pending.push(pending);
        }
    }
    Ok(batch)
}

/// Locks all that the batch will touch, references first and then payments, each in one order, so that two
/// workers never wait for each other in a circle.
fn lock(tx: &mut dyn Tx, read: &[(Reading, Claimed)]) -> Result<(), Error> {
    let mut keys = Vec::new();
    let mut payments = Vec::new();
    let named = read.iter().filter_map(|(reading, event)| Some((&reading.as_ref().ok()?.0.references, event)));
    for (references, event) in named.clone() {
        keys.extend(matching::all(references).into_iter().map(|text| (event.row.variant.clone(), text)));
    }
    tx.lock_references(&keys)?;
    for (references, event) in named {
        let links = tx.find_references(&event.row.variant, &matching::all(references))?;
        payments.extend(links.into_iter().map(|(_, payment)| payment));
    }
    tx.lock_payments(&payments)
}

/// One event in a savepoint. Trouble of its own is written down beside its neighbours' success; trouble of the
/// database ends the batch.
fn process_one(
    payments: &Payments,
    tx: &mut dyn Tx,
    event: &Claimed,
    reading: Reading,
    now: Timestamp,
) -> Result<Option<Pending>, Error> {
    let (mut pending, mut trouble) = (None, None);
    let applied = match &reading {
        Err(found) => {
            trouble = Some(found.clone());
            Ok(())
        }
        Ok((interpretation, mode)) => tx.savepoint(&mut |tx| {
            let mut step = Step { payments, tx, event, interpretation, now, trouble: None };
            let done = step.run(*mode);
            trouble = step.trouble;
            pending = done?;
            Ok(())
        }),
    };
    match (applied, trouble) {
        (_, Some(trouble)) => settle::failed(payments.inner(), tx, event, &trouble, now).map(|()| None),
        (Err(error), None) if error.is_retryable() => Err(error),
        (Err(error), None) => {
            let trouble = Trouble::retry(error.to_string());
            settle::failed(payments.inner(), tx, event, &trouble, now).map(|()| None)
        }
        (Ok(()), None) => Ok(pending),
    }
}
