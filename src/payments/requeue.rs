//! How does an operator make an event run again? Handlers that are done with it stay done.

use super::Payments;
use crate::error::{Error, ErrorKind};
use crate::store::rows::NewAct;

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
        let requeue = move |tx: &mut dyn crate::store::Tx| {
            let row = tx.event(event)?.ok_or_else(|| Error::new(ErrorKind::NotFound, "there is no such event"))?;
            if !tx.requeue(event, now)? {
                return Err(Error::new(ErrorKind::Refused, "the event is running; it can be requeued when it is done"));
            }
            tx.add_act(&NewAct {
                actor: actor.name.clone(),
                act: "requeue",
                event_id: Some(event),
                payment_id: row.payment_id,
                variant: None,
                address: actor.address.clone(),
                detail: None,
                created_at: now,
            })
        };
        self.blocking(move |inner| inner.store.transaction(requeue)).await?;
        self.inner().ring();
        Ok(())
    }
}
