//! Objects that an event names without showing them, for which the gateway has to be asked.
//!
//! See [`NamedObject`] for an example.

use super::identifier::GatewayRef;

/// The outcome code of an event whose gateway did not show what it names.
pub(crate) const NOT_SHOWN: &str = "not_shown";

/// A gateway's object that an event names without showing it. A worker asks the gateway for it, and the answer is an
/// event like any other.
///
/// ```
/// use actix_payments::domain::event::Interpretation;
/// use actix_payments::gateways::NamedObject;
///
/// // The event says that the payment changed, and not how.
/// let mut found = Interpretation::new("names a payment");
/// found.object_to_fetch = Some(NamedObject::new("payment", "tr_7UhSN1zuXS"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NamedObject {
    /// The gateway's word for what kind of object it is: `payment`, or the folder of its address, such as
    /// `payment_intents`.
    pub object_type: String,
    /// The gateway's id of the object, unique within the account whatever its type.
    pub gateway_ref: GatewayRef,
    /// The gateway's account that the object belongs to, if it is not the merchant's own.
    pub account: Option<String>,
    /// The gateway's id of an event that shows the object as this one left it, if the gateway says so. Where that event
    /// is stored already, nothing is asked.
    pub shown_by: Option<String>,
}

impl NamedObject {
    /// An object of the merchant's own account.
    pub fn new(object_type: impl Into<String>, gateway_ref: impl Into<GatewayRef>) -> Self {
        Self { object_type: object_type.into(), gateway_ref: gateway_ref.into(), account: None, shown_by: None }
    }

    /// Says whose account the object belongs to, if it is not the merchant's own.
    pub fn of_account(mut self, account: Option<String>) -> Self {
        self.account = account;
        self
    }

    /// Names the event that shows the object as well.
    pub fn shown_by(mut self, event: Option<String>) -> Self {
        self.shown_by = event;
        self
    }
}
