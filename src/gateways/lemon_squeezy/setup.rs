//! The steps to set up a webhook in Lemon Squeezy's dashboard (<https://docs.lemonsqueezy.com/help/webhooks>), and the
//! test event. A test compares the kinds to subscribe to with those in which `interpret` finds facts.

use serde_json::json;

use crate::gateways::{SecretStatus, Setup, TEST_KIND};

/// The kinds to subscribe to.
const KINDS: [&str; 13] = [
    "order_created",
    "order_refunded",
    "subscription_created",
    "subscription_updated",
    "subscription_cancelled",
    "subscription_resumed",
    "subscription_expired",
    "subscription_paused",
    "subscription_unpaused",
    "subscription_payment_success",
    "subscription_payment_failed",
    "subscription_payment_recovered",
    "subscription_payment_refunded",
];

/// The steps, with the state of the configuration.
pub(super) fn setup(secrets: Vec<SecretStatus>, has_api_key: bool) -> Setup {
    let steps = [
        "In Lemon Squeezy's dashboard, open Settings, then Webhooks, and add a webhook. Test mode and live mode have \
         separate webhooks.",
        "Paste {address} as its callback URL.",
        "Make up a signing secret of 6 to 40 characters, enter it there, give it to this variant and restart the app.",
        "Select the events below. Others do no harm: they are kept for handlers and change no payment.",
        "If your own code opens checkouts, put the payment's token into the checkout's custom data as payment_token, so \
         that events find their payment.",
        "If you sell subscriptions, put your id of whom each belongs to into the custom data as owner, unless you chose \
         another key.",
    ];
    Setup {
        steps: steps.map(str::to_owned).into(),
        kinds: KINDS.into(),
        secrets,
        api_key: Some(has_api_key),
        docs: vec![
            ("Lemon Squeezy on webhooks", "https://docs.lemonsqueezy.com/help/webhooks"),
            ("Lemon Squeezy's webhook settings", "https://app.lemonsqueezy.com/settings/webhooks"),
        ],
        ..Setup::default()
    }
}

/// A test event in Lemon Squeezy's format.
pub(super) fn test_event(id: &str) -> Vec<u8> {
    json!({"meta": {"event_name": TEST_KIND}, "data": {"id": id, "attributes": {}}}).to_string().into_bytes()
}
