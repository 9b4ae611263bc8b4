//! The steps to set up a standard webhook in Adyen's Customer Area
//! (<https://docs.adyen.com/development-resources/webhooks/configure-and-manage/>). A test compares the kinds with
//! those in which `interpret` finds facts.

use serde_json::json;
use time::format_description::well_known::Rfc3339;

use crate::domain::Timestamp;
use crate::gateways::{SecretStatus, Setup, TEST_KIND};

/// The kinds to subscribe to.
const KINDS: [&str; 20] = [
    "AUTHORISATION",
    "PENDING",
    "OFFER_CLOSED",
    "CAPTURE",
    "CAPTURE_FAILED",
    "CANCELLATION",
    "TECHNICAL_CANCEL",
    "CANCEL_OR_REFUND",
    "EXPIRE",
    "REFUND",
    "REFUND_WITH_DATA",
    "REFUND_FAILED",
    "REFUNDED_REVERSED",
    "REQUEST_FOR_INFORMATION",
    "NOTIFICATION_OF_CHARGEBACK",
    "CHARGEBACK",
    "CHARGEBACK_REVERSED",
    "SECOND_CHARGEBACK",
    "PREARBITRATION_WON",
    "PREARBITRATION_LOST",
];

/// The steps, with the state of the configuration.
pub(super) fn setup(secrets: Vec<SecretStatus>, has_api_key: bool) -> Setup {
    let steps = [
        "In Adyen's Customer Area, open Developers, then Webhooks, and add a standard webhook of the merchant account. \
         Test and live have separate Customer Areas.",
        "Paste {address} as its server URL, with JSON as the method.",
        "Enable the events below, those that are not sent by default too. Others do no harm: they are kept for handlers \
         and change no payment.",
        "Generate an HMAC key, give it to this variant and restart the app. A new key takes a while to be used: keep the \
         old one beside it meanwhile.",
        "Set a user name and a password for basic authentication, and give them to this variant too: Adyen does not sign \
         every field.",
        "If the webhook is one of the company account, name the merchant accounts that are this variant's in its \
         configuration, unless its API key does: the notifications of all of them come here.",
        "If the account captures manually, say so in this variant's configuration.",
        "If your own code creates payments, pass the payment's token to Adyen as the reference, so that events find their \
         payment.",
        "Adyen holds back all later notifications while one is not accepted.",
    ];
    Setup {
        steps: steps.map(str::to_owned).into(),
        kinds: KINDS.into(),
        secrets,
        api_key: Some(has_api_key),
        docs: vec![
            ("Adyen on webhooks", "https://docs.adyen.com/development-resources/webhooks/"),
            ("Adyen on capturing payments", "https://docs.adyen.com/online-payments/capture/"),
        ],
        ..Setup::default()
    }
}

/// A test notification, whose reference is the event's id.
pub(super) fn test_notification(id: &str, now: Timestamp) -> Option<Vec<u8>> {
    let notification = json!({
        "amount": {"currency": "EUR", "value": 0},
        "eventCode": TEST_KIND,
        "eventDate": now.format(&Rfc3339).ok()?,
        "merchantAccountCode": "Test",
        "merchantReference": "",
        "pspReference": id,
        "success": "true",
    });
    Some(notification.to_string().into_bytes())
}
