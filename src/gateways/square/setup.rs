//! The steps to set up a subscription in Square's Developer Console
//! (<https://developer.squareup.com/docs/webhooks/step2subscribe>), and the test event. A test compares the kinds to
//! subscribe to with those in which `interpret` finds facts.

use serde_json::json;
use time::format_description::well_known::Rfc3339;

use crate::domain::Timestamp;
use crate::gateways::{SecretStatus, Setup, TEST_KIND};

/// The kinds to subscribe to.
const KINDS: [&str; 6] = [
    "payment.created",
    "payment.updated",
    "refund.created",
    "refund.updated",
    "dispute.created",
    "dispute.state.updated",
];

/// The steps, with the state of the configuration.
pub(super) fn setup(secrets: Vec<SecretStatus>, address: Option<&String>, has_token: bool) -> Setup {
    let configured = address.map(String::as_str).unwrap_or_default();
    let steps = [
        "In Square's Developer Console, open your application, then Webhooks, and add a subscription. The sandbox and \
         production have separate subscriptions and keys."
            .to_owned(),
        format!(
            "Paste {{address}} as its notification URL. Square signs the URL, and this variant is configured for \
             {configured}: both must be the same, to the last slash."
        ),
        "Select the events below. Others do no harm: they are kept for handlers and change no payment.".to_owned(),
        "Copy the subscription's signature key, give it to this variant and restart the app.".to_owned(),
        "If other sellers connect to your application, give the ids of the merchants that are yours to this variant: \
         Square sends the events of all of them here."
            .to_owned(),
        "If your own code creates payments, pass the payment's token to Square as reference_id, so that events find \
         their payment."
            .to_owned(),
        "Square turns a subscription off after three weeks without a success.".to_owned(),
    ];
    Setup {
        steps: steps.into(),
        kinds: KINDS.into(),
        secrets,
        api_key: Some(has_token),
        docs: vec![
            ("Square on webhooks", "https://developer.squareup.com/docs/webhooks/overview"),
            ("Square's Developer Console", "https://developer.squareup.com/apps"),
        ],
        ..Setup::default()
    }
}

/// A test event in Square's format.
pub(super) fn test_event(id: &str, now: Timestamp) -> Vec<u8> {
    let at = now.format(&Rfc3339).unwrap_or_default();
    json!({"event_id": id, "type": TEST_KIND, "created_at": at, "data": {}}).to_string().into_bytes()
}
