//! How does an operator make an event run again? Handlers that are done with it stay done.

use std::sync::Arc;

use crate::domain::Timestamp;
use crate::domain::event::EventState;
use crate::domain::id::EventId;
use crate::engine::{Actor, Engine, act, find};
use crate::error::{Error, ErrorKind};
use crate::store::Tx;

impl Engine {
    /// Makes an event available again, from its first attempt, and writes down who asked.
    ///
    /// # Errors
    /// `NotFound` for an unknown event, `Refused` while it is running, and when its body was pruned.
    pub(crate) async fn requeue(self: &Arc<Self>, event: EventId, actor: Actor) -> Result<(), Error> {
        let now = self.now();
        let work = move |tx: &mut dyn Tx| {
            let row = find::event(tx, event)?;
            refused(requeue(tx, event, now)?)?;
            tx.add_act(&act("requeue", &actor, Some(event), row.payment_id, now))
        };
        self.write(work).await?;
        self.notify();
        Ok(())
    }
}

/// Requeues an event; answers why not, if it can't be.
pub(crate) fn requeue(tx: &mut dyn Tx, event: EventId, now: Timestamp) -> Result<Option<&'static str>, Error> {
    // Pruning holds an event as well, so its body stays as long as this says so.
    if !tx.hold_body(event)? {
        return Ok(Some(PRUNED));
    }
    Ok(if tx.requeue(event, now)? { None } else { why_no_requeue(EventState::Running) })
}

/// Why an event without a body can't be requeued.
pub(crate) const PRUNED: &str = "Its body was pruned, so it can't be read again.";

/// Why a requeue would change nothing about an event in this state.
pub(crate) fn why_no_requeue(state: EventState) -> Option<&'static str> {
    match state {
        EventState::Available => Some("It waits for a worker already."),
        EventState::Running => Some("It is running; it can be requeued when it is done."),
        _ => None,
    }
}

pub(crate) fn refused(why: Option<&'static str>) -> Result<(), Error> {
    why.map_or(Ok(()), |why| Err(Error::new(ErrorKind::Refused, why)))
}
