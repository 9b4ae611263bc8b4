//! What operators write down about a payment or an event: a row of the audit, found by
//! its words where it is of a payment; nothing else changes.

use std::sync::Arc;

use crate::domain::id::EventId;
use crate::domain::note;
use crate::engine::{Actor, Engine, act, find};
use crate::error::{Error, ErrorKind};
use crate::store::Tx;
use crate::store::audit::NewAct;
use crate::store::words::Subject;

impl Engine {
    /// Notes something about the payment with this token; answers the token under which it is told now.
    ///
    /// # Errors
    /// `NotFound` for an unknown token, `Refused` for a note that can't be kept.
    pub(crate) async fn note_on_payment(
        self: &Arc<Self>,
        token: &str,
        text: &str,
        actor: Actor,
    ) -> Result<String, Error> {
        let (token, note, now) = (token.to_owned(), kept(text)?, self.now());
        let work = move |tx: &mut dyn Tx| {
            let unknown = || Error::new(ErrorKind::NotFound, "there is no such payment");
            let row = find::by_token(tx, &token)?.ok_or_else(unknown)?;
            tx.add_act(&NewAct { detail: Some(note.clone()), ..act(note::ACT, &actor, None, Some(row.id), now) })?;
            tx.owe_words(&[Subject::Payment(row.id)])?;
            Ok(row.token)
        };
        self.write(work).await
    }

    /// Notes something about an event.
    ///
    /// # Errors
    /// `NotFound` for an unknown event, `Refused` for a note that can't be kept.
    pub(crate) async fn note_on_event(self: &Arc<Self>, event: EventId, text: &str, actor: Actor) -> Result<(), Error> {
        let (note, now) = (kept(text)?, self.now());
        let work = move |tx: &mut dyn Tx| {
            let payment = find::event(tx, event)?.payment_id;
            tx.add_act(&NewAct { detail: Some(note.clone()), ..act(note::ACT, &actor, Some(event), payment, now) })?;
            tx.owe_words(&payment.into_iter().map(Subject::Payment).collect::<Vec<_>>())
        };
        self.write(work).await
    }
}

fn kept(text: &str) -> Result<String, Error> {
    note::checked(text).map(str::to_owned).map_err(|why| Error::new(ErrorKind::Refused, why))
}
