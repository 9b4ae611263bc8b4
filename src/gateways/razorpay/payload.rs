//! The payload of a Razorpay event: the entities that it is about, each under its name
//! (<https://razorpay.com/docs/webhooks/payments/>).

use crate::domain::event::{Malformed, Recorded};
use crate::gateways::json::Object;
use crate::gateways::reading::whole;

/// The entities of an event's payload.
pub(super) struct Payload<'a> {
    pub(super) event: &'a Recorded<'a>,
    payload: Object<'a>,
}

impl<'a> Payload<'a> {
    pub(super) fn read(event: &'a Recorded<'a>) -> Result<Self, Malformed> {
        Ok(Self { event, payload: whole(event)?.need_object("payload", "an event's payload")? })
    }

    /// The entity of this name, if the payload contains it.
    pub(super) fn entity(&self, name: &str) -> Result<Option<Object<'a>>, Malformed> {
        let Some(holder) = self.payload.object(name, "a part of the payload")? else { return Ok(None) };
        holder.object("entity", "an entity")
    }

    pub(super) fn need(&self, name: &str) -> Result<Object<'a>, Malformed> {
        self.entity(name)?.ok_or_else(|| Malformed(format!("expected `{name}` in the payload, got nothing")))
    }
}
