//! How does an operator give up an event that waits? A requeue brings it back.

use std::sync::Arc;

use super::requeue::refused;
use crate::domain::Timestamp;
use crate::domain::event::{EventState, Source};
use crate::domain::id::EventId;
use crate::engine::Engine;
use crate::engine::request::fetch_key;
use crate::engine::{Actor, act, find};
use crate::error::Error;
use crate::store::Tx;
use crate::store::rows::EventRow;

impl Engine {
    /// Gives up an event that waits or was given up, and writes down who asked.
    ///
    /// # Errors
    /// `NotFound` for an unknown event, `Refused` for one that is running or at its end.
    pub(crate) async fn discard(self: &Arc<Self>, event: EventId, actor: Actor) -> Result<(), Error> {
        let now = self.now();
        let work = move |tx: &mut dyn Tx| {
            let row = find::event(tx, event)?;
            refused(discard(tx, &row, &actor, now)?)?;
            tx.add_act(&act("discard", &actor, Some(event), row.payment_id, now))
        };
        self.write(work).await
    }
}

/// Discards an event; answers why not, if it can't be.
pub(crate) fn discard(
    tx: &mut dyn Tx,
    row: &EventRow,
    actor: &Actor,
    now: Timestamp,
) -> Result<Option<&'static str>, Error> {
    let why = row.outcome.as_ref().filter(|_| row.state == EventState::Discarded);
    let why = why.map(|why| format!("; before: {why}")).unwrap_or_default();
    if !tx.discard(row.id, &format!("discarded by {}{why}", actor.name), now)? {
        // It may have been claimed since the row was read.
        return Ok(why_no_discard(row).or(RUNNING));
    }
    // What waits for it as for an answer waits for nothing now.
    if let Some(key) = fetch_key(&row.gateway_event_id).filter(|_| row.source == Source::Answer) {
        tx.wake_fetching(&[key], now)?;
    }
    Ok(None)
}

const RUNNING: Option<&str> = Some("It is running; it can be discarded if it has to wait again.");

/// Why an event can't be discarded. One that was given up can: then nobody is to look at it any more.
pub(crate) fn why_no_discard(row: &EventRow) -> Option<&'static str> {
    match row.state {
        EventState::Available | EventState::Retryable | EventState::Parked => None,
        EventState::Discarded if row.outcome_code.as_deref() != Some("discarded") => None,
        EventState::Running => RUNNING,
        EventState::Completed => Some("It is completed, so there is nothing to give up."),
        EventState::Ignored => Some("It is ignored, so there is nothing to give up."),
        EventState::Discarded => Some("It is discarded already."),
    }
}
