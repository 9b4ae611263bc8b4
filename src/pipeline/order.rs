//! The events of our own: by which an operator orders a payment to be rebuilt, and by which a subscription is given its
//! owner.

use serde::{Deserialize, Serialize};

use crate::domain::event::{Interpretation, Recorded, References, SubscriptionStatement};
use crate::domain::subscription::{OwnerClaim, OwnerSource, SubscriptionFact};

/// The kind of the event by which an operator asks for a rebuild.
pub(crate) const KIND: &str = "payment.rebuild";

/// The kind of the event by which a subscription is given its owner.
pub(crate) const OWNER: &str = "subscription.owner";

/// An operator's order to rebuild a payment: the body of the event.
#[derive(Serialize, Deserialize)]
pub(crate) struct RebuildOrder {
    pub(crate) token: String,
    pub(crate) actor: String,
}

impl RebuildOrder {
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(body)
            .map_err(|error| format!("expected an operator's order, got something else: {error}"))
    }

    pub(super) fn says(&self) -> Interpretation {
        Interpretation {
            references: References { tokens: vec![self.token.clone()], gateway_refs: Vec::new() },
            summary: format!("{} asked to rebuild the payment from its events", self.actor),
            ..Interpretation::default()
        }
    }
}

/// Whom a subscription belongs to: the body of the event.
#[derive(Serialize, Deserialize)]
pub(crate) struct OwnerOrder {
    /// The gateway's id of the subscription.
    pub(crate) gateway_ref: String,
    pub(crate) owner: String,
    pub(crate) actor: String,
}

impl OwnerOrder {
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(body).map_err(|error| format!("expected an owner, got something else: {error}"))
    }

    pub(super) fn says(self, event: &Recorded<'_>) -> Interpretation {
        let event_id = event.id.to_owned();
        let summary = format!("{} said that the subscription belongs to {}", self.actor, self.owner);
        let claim = OwnerClaim { occurred_at: event.occurred_at, event_id, owner: self.owner };
        let facts = vec![SubscriptionFact::Owner(OwnerSource::Host, claim)];
        let subscription = Some(SubscriptionStatement { gateway_ref: self.gateway_ref, tokens: Vec::new(), facts });
        Interpretation { summary, subscription, ..Interpretation::default() }
    }
}
