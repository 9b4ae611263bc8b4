//! A signed test event of an operator's, sent to the variant's own endpoint the way that real ones go.

use std::sync::Arc;

use crate::engine::{Actor, Engine, random_word};
use crate::error::{Error, ErrorKind};
use crate::gateways::send::{self, EndpointAnswer};
use crate::store::audit::NewAct;

/// A test event that was sent.
pub(crate) struct Tested {
    /// The gateway event id.
    pub id: String,
    /// What the endpoint answered, or why it did not.
    pub answer: Result<EndpointAnswer, String>,
}

impl Engine {
    /// Sends a signed test event to `endpoint`, which is the variant's own, and writes down who asked.
    ///
    /// # Errors
    /// `NotFound` for an unknown variant, `Refused` where its gateway has no test events.
    pub(crate) async fn test_variant(
        self: &Arc<Self>,
        name: &str,
        endpoint: &str,
        actor: Actor,
    ) -> Result<Tested, Error> {
        let unknown = || Error::new(ErrorKind::NotFound, "there is no such variant");
        let gateway = &self.load(name).await?.ok_or_else(unknown)?.gateway;
        let (id, now) = (format!("evt_test_{}", random_word(16)?), self.now());
        let none = || Error::new(ErrorKind::Refused, "this gateway's test events can be sent by the company alone");
        let delivery = gateway.test_delivery(&id, now).ok_or_else(none)?;
        let act = NewAct {
            actor: actor.name,
            act: "test",
            event_id: None,
            payment_id: None,
            subscription_id: None,
            variant: Some(name.to_owned()),
            address: actor.address,
            detail: Some(format!("sent {id}")),
            created_at: now,
        };
        self.write(move |tx| tx.add_act(&act)).await?;
        Ok(Tested { id, answer: send::send(endpoint, delivery).await })
    }
}
