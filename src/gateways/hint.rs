//! Unsigned hints that something happened to an object.

use crate::domain::delivery::Delivery;
use crate::domain::event::{Envelope, Recorded};
use crate::domain::identifier::GatewayRef;

/// The kind of events that are unsigned hints. No company sends it.
///
/// See [`Recorded::is_hint`] for an example.
pub const HINT_KIND: &str = "actix_payments.hint";

/// An unsigned delivery that only says that something happened to an object. Anybody can send one, so it is not
/// trusted: it only causes a request to the gateway.
///
/// See [`Verification`](super::Verification) for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hint {
    /// The gateway's id of the object.
    pub gateway_ref: GatewayRef,
}

impl Hint {
    /// Says that something happened to the object with this id.
    #[must_use]
    pub fn new(gateway_ref: impl Into<GatewayRef>) -> Self {
        Self { gateway_ref: gateway_ref.into() }
    }

    /// The event that the delivery of the hint is. Each delivery is one of its own, told apart by `nonce`: a later one
    /// may be about something new.
    pub(crate) fn event(&self, delivery: &Delivery, nonce: &str) -> Envelope {
        Envelope {
            id: format!("{}~{nonce}", self.gateway_ref),
            kind: HINT_KIND.to_owned(),
            occurred_at: None,
            livemode: None,
            account: None,
            api_version: None,
            body: delivery.body.clone(),
        }
    }
}

impl Recorded<'_> {
    /// Whether it is an unsigned hint, whose body anybody may have written.
    ///
    /// ```
    /// use actix_payments::domain::Timestamp;
    /// use actix_payments::domain::event::Recorded;
    /// use actix_payments::gateways::HINT_KIND;
    ///
    /// let event = Recorded::new("tr_1~7", HINT_KIND, Timestamp::UNIX_EPOCH, b"id=tr_1");
    /// assert!(event.is_hint());
    /// ```
    pub fn is_hint(&self) -> bool {
        self.kind == HINT_KIND
    }
}
