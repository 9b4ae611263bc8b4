//! How does an operator make an event run again? Handlers that are done with it stay done.

use super::Payments;
use crate::domain::Timestamp;
use crate::domain::event::EventState;
use crate::error::{Error, ErrorKind};
use crate::store::Tx;
use crate::store::rows::{EventRow, NewAct};

/// Who asks for something in the admin pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Actor {
    /// The name that the access policy gave.
    pub name: String,
    /// The address that the request came from.
    pub address: Option<String>,
}

impl Payments {
    /// Makes an event available again, from its first attempt, and writes down who asked.
    ///
    /// # Errors
    /// `NotFound` for an unknown event, `Refused` while it is running.
    pub(crate) async fn requeue(&self, event: i64, actor: Actor) -> Result<(), Error> {
        let now = self.now();
        let work = move |tx: &mut dyn Tx| {
            let row = known(tx, event)?;
            refused(requeue(tx, &row, &actor, now)?)
        };
        self.blocking(move |inner| inner.store.transaction(work)).await?;
        self.inner().ring();
        Ok(())
    }
}

/// Requeues an event; answers why not, if it can't be.
pub(super) fn requeue(
    tx: &mut dyn Tx,
    row: &EventRow,
    actor: &Actor,
    now: Timestamp,
) -> Result<Option<&'static str>, Error> {
    if !tx.requeue(row.id, now)? {
        return Ok(why_no_requeue(EventState::Running));
    }
    tx.add_act(&act("requeue", actor, Some(row.id), row.payment_id, now))?;
    Ok(None)
}

/// Why an event in this state can't be requeued.
pub(crate) fn why_no_requeue(state: EventState) -> Option<&'static str> {
    (state == EventState::Running).then_some("It is running; it can be requeued when it is done.")
}

pub(super) fn known(tx: &mut dyn Tx, event: i64) -> Result<EventRow, Error> {
    tx.event(event)?.ok_or_else(|| Error::new(ErrorKind::NotFound, "there is no such event"))
}

pub(super) fn refused(why: Option<&'static str>) -> Result<(), Error> {
    why.map_or(Ok(()), |why| Err(Error::new(ErrorKind::Refused, why)))
}

/// A row of the audit.
pub(super) fn act(
    act: &'static str,
    actor: &Actor,
    event_id: Option<i64>,
    payment_id: Option<i64>,
    created_at: Timestamp,
) -> NewAct {
    let Actor { name, address } = actor.clone();
    NewAct { actor: name, act, event_id, payment_id, variant: None, address, detail: None, created_at }
}
