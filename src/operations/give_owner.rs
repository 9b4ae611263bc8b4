//! Whom a subscription belongs to, said afterwards: by an event like any other, so that there is one way in and
//! handlers are told.

use std::sync::Arc;

use crate::domain::event::storable;
use crate::engine::request::Requester;
use crate::engine::{Engine, Subscription, act, find, random_word};
use crate::error::{Error, ErrorKind};
use crate::pipeline::order::{self, OWNER, OwnerOrder};
use crate::store::Tx;
use crate::store::audit::NewAct;

impl Engine {
    /// Gives a subscription its owner; the answer is how it stands then.
    ///
    /// # Errors
    /// `NotFound` for an unknown token, `Refused` for an owner that can't be stored or a subscription that the gateway
    /// has not made yet, and what the database says.
    pub(crate) async fn give_owner(
        self: &Arc<Self>,
        token: &str,
        owner: &str,
        requester: Requester,
    ) -> Result<Subscription, Error> {
        if !storable(owner) {
            let why = "expected an owner of 1 to 255 characters without control characters";
            return Err(Error::new(ErrorKind::Refused, why));
        }
        let (token, owner, id) = (token.to_owned(), owner.to_owned(), format!("owner_{}", random_word(26)?));
        let (engine, named, wanted) = (self.clone(), id.clone(), token.clone());
        let append = move |tx: &mut dyn Tx| append(&engine, tx, &wanted, &owner, &requester, &named);
        let variant = self.write(append).await?;
        self.process_now(variant, vec![id]).await;
        self.subscription(&token).await?.ok_or_else(not_found)
    }

    /// The subscription with this token.
    pub(crate) async fn subscription(self: &Arc<Self>, token: &str) -> Result<Option<Subscription>, Error> {
        let token = token.to_owned();
        let read =
            move |tx: &mut dyn Tx| find::subscription_by_token(tx, &token)?.as_ref().map(Subscription::of).transpose();
        self.read(read).await
    }
}

/// Appends the event; answers its variant.
fn append(
    engine: &Engine,
    tx: &mut dyn Tx,
    token: &str,
    owner: &str,
    requester: &Requester,
    id: &str,
) -> Result<String, Error> {
    let row = find::subscription_by_token(tx, token)?.ok_or_else(not_found)?;
    let not_made = || Error::new(ErrorKind::Refused, "the gateway has not made this subscription yet");
    let gateway_ref = row.gateway_ref.clone().ok_or_else(not_made)?;
    let order = OwnerOrder { gateway_ref, owner: owner.to_owned(), actor: requester.name().to_owned() };
    let now = engine.now();
    let order = order::event((OWNER, id.to_owned()), (&row.variant, row.livemode), &order, now)?;
    let event = tx.append(&[order])?;
    if let Requester::Operator(actor) = requester {
        let act = act("give_owner", actor, event.first().map(|event| event.id), None, now);
        tx.add_act(&NewAct { subscription_id: Some(row.id), detail: Some(owner.to_owned()), ..act })?;
    }
    Ok(row.variant)
}

fn not_found() -> Error {
    Error::new(ErrorKind::NotFound, "there is no such subscription")
}
