//! How does an operator make an event run again? Handlers that are done with it stay done.

use std::sync::Arc;

use crate::domain::Timestamp;
use crate::domain::event::EventState;
use crate::domain::id::EventId;
use crate::engine::{Actor, Engine, act, find};
use crate::error::{Error, ErrorKind};
use crate::store::Tx;
use crate::store::rows::EventRow;

impl Engine {
    /// Makes an event available again, from its first attempt, and writes down who asked.
    ///
    /// # Errors
    /// `NotFound` for an unknown event, `Refused` while it is running, and when its body was pruned.
    pub(crate) async fn requeue(self: &Arc<Self>, event: EventId, actor: Actor) -> Result<(), Error> {
        let now = self.now();
        let work = move |tx: &mut dyn Tx| {
            let row = find::event(tx, event)?;
            refused(requeue(tx, &row, &actor, now)?)
        };
        self.write(work).await?;
        self.notify();
        Ok(())
    }
}

/// Requeues an event; answers why not, if it can't be.
pub(crate) fn requeue(
    tx: &mut dyn Tx,
    row: &EventRow,
    actor: &Actor,
    now: Timestamp,
) -> Result<Option<&'static str>, Error> {
    // Pruning holds an event as well, so its body stays as long as this says so.
    if !tx.hold_body(row.id)? {
        return Ok(Some(PRUNED));
    }
    if !tx.requeue(row.id, now)? {
        return Ok(why_no_requeue(EventState::Running));
    }
    tx.add_act(&act("requeue", actor, Some(row.id), row.payment_id, now))?;
    Ok(None)
}

/// Why an event without a body can't be requeued.
pub(crate) const PRUNED: &str = "Its body was pruned, so it can't be read again.";

/// Why an event in this state can't be requeued.
pub(crate) fn why_no_requeue(state: EventState) -> Option<&'static str> {
    (state == EventState::Running).then_some("It is running; it can be requeued when it is done.")
}

pub(crate) fn refused(why: Option<&'static str>) -> Result<(), Error> {
    why.map_or(Ok(()), |why| Err(Error::new(ErrorKind::Refused, why)))
}
