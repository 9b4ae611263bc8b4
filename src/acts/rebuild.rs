//! How an operator orders a payment to be rebuilt: by an event like any other, so that there is one way in.

use std::sync::Arc;

use crate::domain::id::EventId;
use crate::engine::{Actor, Engine, act, random_word};
use crate::error::{Error, ErrorKind};
use crate::pipeline::order::{self, KIND, RebuildOrder};
use crate::reports::{compare, known};
use crate::store::Tx;

impl Engine {
    /// Asks for a payment to be made what its events say: appends an event that orders so.
    ///
    /// # Errors
    /// `NotFound` for an unknown token, `Refused` where nothing differs or the events don't hold all any more.
    pub(crate) async fn order_rebuild(self: &Arc<Self>, token: &str, actor: Actor) -> Result<EventId, Error> {
        let (token, now, id) = (token.to_owned(), self.now(), format!("rebuild_{}", random_word(26)?));
        let engine = self.clone();
        let order = move |tx: &mut dyn Tx| {
            let row = known(tx, &token)?;
            let rebuilt = compare(&engine, tx, &row)?;
            let same = rebuilt.same.then(|| "what is stored is what its events say".to_owned());
            if let Some(why) = rebuilt.refusal.or(same) {
                return Err(Error::new(ErrorKind::Refused, format!("It was not rebuilt: {why}.")));
            }
            let order = RebuildOrder { token: row.token.clone(), actor: actor.name.clone() };
            let order = order::event((KIND, id.clone()), (&row.variant, row.livemode), &order, now)?;
            let event = tx.append(&[order])?;
            let event =
                event.first().map(|event| event.id).ok_or_else(|| Error::new(ErrorKind::Storage, "no event"))?;
            tx.assign(event, row.id, &row.token)?;
            tx.add_act(&act("rebuild", &actor, Some(event), Some(row.id), now))?;
            Ok(event)
        };
        let event = self.write(order).await?;
        self.notify();
        Ok(event)
    }
}
