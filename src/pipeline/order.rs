//! The event by which an operator orders a payment to be rebuilt.

use serde::{Deserialize, Serialize};

use crate::domain::event::{Interpretation, References};

/// The kind of the event by which an operator asks for a rebuild.
pub(crate) const KIND: &str = "payment.rebuild";

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
