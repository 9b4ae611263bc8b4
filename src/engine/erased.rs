//! What comes of somebody who was erased is reduced before it is stored, whichever way it comes.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use actix_web::web::Bytes;

use super::Engine;
use crate::domain::event::Source;
use crate::domain::person::{Trait, reduced};
use crate::error::Error;
use crate::store::Tx;
use crate::store::rows::{Claimed, NewEvent, PaymentDraft};

impl Engine {
    /// The events as they may be stored: those about somebody who was erased are reduced.
    ///
    /// # Errors
    /// What the database says, where this process has to ask who that is.
    pub(crate) async fn reduce(self: &Arc<Self>, events: Vec<NewEvent>) -> Result<Vec<NewEvent>, Error> {
        if !self.erasures.has_key() {
            return Ok(events);
        }
        let marks = match self.erasures.fresh() {
            Some(marks) => marks,
            None => self.blocking(|engine| engine.store.ask(|tx| engine.erasures.read(tx))).await?,
        };
        if marks.is_empty() {
            return Ok(events);
        }
        Ok(events.into_iter().map(|event| self.reduced(event, &marks)).collect())
    }

    /// Appends events that a gateway answered or listed; those about somebody who was erased are reduced.
    pub(crate) fn append_reduced(&self, tx: &mut dyn Tx, events: &[NewEvent]) -> Result<(), Error> {
        let mut events = Cow::Borrowed(events);
        if self.erasures.has_key() {
            let marks = self.erasures.read(tx)?;
            let reduced = events.iter().map(|event| self.erasures.reduced(event, &marks)).collect::<Vec<_>>();
            for (place, event) in reduced.into_iter().enumerate() {
                if let Some(event) = event {
                    events.to_mut()[place] = event;
                }
            }
        }
        tx.append(&events).map(drop)
    }

    /// Takes what is personal out of events that were stored before somebody was erased and are read only now.
    pub(crate) fn reduce_claimed(&self, tx: &mut dyn Tx, events: &mut [Claimed]) -> Result<(), Error> {
        if !self.erasures.has_key() || events.is_empty() {
            return Ok(());
        }
        let marks = self.erasures.read(tx)?;
        let theirs = |event: &&mut Claimed| {
            event.row.source != Source::Operator && self.erasures.recognises(&event.body, &marks)
        };
        events.iter_mut().filter(theirs).for_each(|event| event.body = Bytes::from(reduced(&event.body)));
        Ok(())
    }

    /// Whether what bears this token, or names this email address, is of somebody who was erased.
    pub(crate) fn is_erased(&self, marks: &HashSet<String>, token: Option<&str>, email: Option<&str>) -> bool {
        let Ok(marker) = self.erasures.marker() else { return false };
        let is_marked = |one: Trait| marks.contains(&marker.mark(&one));
        let email = email.map(|email| Trait::Email(email.trim().to_ascii_lowercase()));
        token.is_some_and(|token| is_marked(Trait::Object(token.to_owned()))) || email.is_some_and(is_marked)
    }

    /// Takes out of a payment to be stored what says whose it is, and this address out of its key: whoever was erased and
    /// pays again stays unnamed here. The mark that stands for the address takes its place in the key, so that the same
    /// key is still the same payment.
    pub(crate) fn unname(&self, draft: &mut PaymentDraft, key: &mut Option<String>, email: &str) -> Result<(), Error> {
        let email = email.trim().to_ascii_lowercase();
        let mark = self.erasures.marker()?.mark(&Trait::Email(email.clone()));
        (draft.customer, draft.metadata) = (None, None);
        for (text, instead) in [(&mut draft.reference, "(erased)"), (key, mark.as_str())] {
            let lower = text.as_ref().map(|text| text.to_ascii_lowercase()).filter(|text| text.contains(&email));
            *text = lower.map(|lower| lower.replace(&email, instead)).or_else(|| text.take());
        }
        Ok(())
    }

    /// The marks as they are stored; none where this process can't make any.
    pub(crate) fn marks(&self, tx: &mut dyn Tx) -> Result<Arc<HashSet<String>>, Error> {
        if self.erasures.has_key() { self.erasures.read(tx) } else { Ok(Arc::default()) }
    }

    /// The event as it would be stored, for what is only looked at.
    pub(crate) fn reduced(&self, event: NewEvent, marks: &HashSet<String>) -> NewEvent {
        self.erasures.reduced(&event, marks).unwrap_or(event)
    }
}
