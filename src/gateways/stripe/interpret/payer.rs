//! Reads who paid, with which card, and why a try was declined: from the customer's details of a checkout session, and
//! the billing details, the card and the failure of a charge or of an intent's last error.

use super::snapshot::nested;
use crate::domain::payer::Payer;
use crate::gateways::json::{Object, short};

/// What the object tells.
pub(super) fn payer(object: &Object<'_>) -> Payer {
    let error = inner(object, "last_payment_error");
    let method = inner(object, "payment_method_details")
        .or_else(|| error.as_ref().and_then(|error| inner(error, "payment_method")));
    let card = method.as_ref().and_then(|method| inner(method, "card"));
    let billed = |of: &Object<'_>| nested(of, "billing_details", "name");
    Payer {
        name: nested(object, "customer_details", "name")
            .or_else(|| billed(object))
            .or_else(|| billed(method.as_ref()?)),
        gateway_ref: object.link("customer").map(Into::into),
        card_brand: card.as_ref().and_then(|card| short(card, "brand")),
        card_last_four: card.as_ref().and_then(|card| short(card, "last4")),
        decline: short(object, "failure_message").or_else(|| short(error.as_ref()?, "message")),
    }
}

fn inner<'a>(object: &Object<'a>, name: &str) -> Option<Object<'a>> {
    object.object(name, "a part of it").ok().flatten()
}
