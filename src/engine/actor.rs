//! Who asks for something in the admin pages, and the row of the audit that says so.

use crate::domain::Timestamp;
use crate::domain::id::{EventId, PaymentId};
use crate::store::audit::NewAct;

/// Who asks for something in the admin pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Actor {
    /// The name that the access policy gave.
    pub name: String,
    /// The address that the request came from.
    pub address: Option<String>,
}

/// A row of the audit.
pub(crate) fn act(
    act: &'static str,
    actor: &Actor,
    event_id: Option<EventId>,
    payment_id: Option<PaymentId>,
    created_at: Timestamp,
) -> NewAct {
    let Actor { name, address } = actor.clone();
    NewAct {
        actor: name,
        act,
        event_id,
        payment_id,
        subscription_id: None,
        variant: None,
        address,
        detail: None,
        created_at,
    }
}
