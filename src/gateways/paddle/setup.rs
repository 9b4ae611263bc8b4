//! The steps to set up a destination in Paddle's dashboard (<https://developer.paddle.com/webhooks/overview>), and the
//! test event. A test compares the kinds to subscribe to with those in which `interpret` finds facts.

use serde_json::json;
use time::format_description::well_known::Rfc3339;

use crate::domain::Timestamp;
use crate::gateways::{SecretStatus, Setup, TEST_KIND};

/// The kinds to subscribe to.
const KINDS: [&str; 20] = [
    "transaction.created",
    "transaction.ready",
    "transaction.updated",
    "transaction.billed",
    "transaction.paid",
    "transaction.completed",
    "transaction.payment_failed",
    "transaction.past_due",
    "transaction.canceled",
    "adjustment.created",
    "adjustment.updated",
    "subscription.created",
    "subscription.imported",
    "subscription.trialing",
    "subscription.activated",
    "subscription.updated",
    "subscription.past_due",
    "subscription.paused",
    "subscription.resumed",
    "subscription.canceled",
];

/// The steps, with the state of the configuration.
pub(super) fn setup(secrets: Vec<SecretStatus>, has_api_key: bool) -> Setup {
    let steps = [
        "In Paddle's dashboard, open Developer tools, then Notifications, and add a destination of the type URL. The \
         sandbox and the live account have separate dashboards, destinations and secrets.",
        "Paste {address} as its URL.",
        "Select the events below. Others do no harm: they are kept for handlers and change no payment.",
        "Copy the destination's secret key (pdl_ntfset_…), give it to this variant and restart the app. It is not an \
         API key.",
        "If your own code creates transactions or opens checkouts, put the payment's token into custom_data as \
         payment_token, so that events find their payment.",
        "If you sell subscriptions, put your id of whom each belongs to into custom_data as owner, unless you chose \
         another key.",
    ];
    Setup {
        steps: steps.map(str::to_owned).into(),
        kinds: KINDS.into(),
        secrets,
        api_key: Some(has_api_key),
        docs: vec![
            ("Paddle on webhooks", "https://developer.paddle.com/webhooks/overview"),
            ("Paddle's default payment link", "https://developer.paddle.com/build/transactions/default-payment-link"),
        ],
        ..Setup::default()
    }
}

/// A test event in Paddle's format.
pub(super) fn test_event(id: &str, now: Timestamp) -> Vec<u8> {
    let at = now.format(&Rfc3339).unwrap_or_default();
    json!({"event_id": id, "event_type": TEST_KIND, "occurred_at": at, "data": {}}).to_string().into_bytes()
}
