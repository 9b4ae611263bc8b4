//! The steps to set up a webhook in Razorpay's dashboard (<https://razorpay.com/docs/webhooks/setup-edit-payments/>),
//! and the test event. A test compares the kinds to subscribe to with those in which `interpret` finds facts.

use serde_json::json;

use crate::domain::Timestamp;
use crate::gateways::json::{Object, short};
use crate::gateways::{SecretStatus, Setup, TEST_KIND};

/// The kinds to subscribe to (<https://razorpay.com/docs/webhooks/all/>).
const KINDS: [&str; 28] = [
    "payment.authorized",
    "payment.captured",
    "payment.failed",
    "order.paid",
    "payment_link.paid",
    "payment_link.partially_paid",
    "payment_link.expired",
    "payment_link.cancelled",
    "refund.created",
    "refund.processed",
    "refund.failed",
    "refund.speed_changed",
    "payment.dispute.created",
    "payment.dispute.under_review",
    "payment.dispute.action_required",
    "payment.dispute.won",
    "payment.dispute.lost",
    "payment.dispute.closed",
    "subscription.authenticated",
    "subscription.activated",
    "subscription.charged",
    "subscription.updated",
    "subscription.pending",
    "subscription.halted",
    "subscription.paused",
    "subscription.resumed",
    "subscription.cancelled",
    "subscription.completed",
];

/// The steps, with the state of the configuration.
pub(super) fn setup(secrets: Vec<SecretStatus>, has_api_key: bool) -> Setup {
    let steps = [
        "In Razorpay's dashboard, open Account & Settings, then Webhooks, and add a webhook. Test mode and live mode have \
         separate webhooks. Only the ports 80 and 443 are possible.",
        "Paste {address} as its URL.",
        "Make up a secret, enter it there, give it to this variant and restart the app. It is not the API key's secret.",
        "Select the events below. Others do no harm: they are kept for handlers and change no payment.",
        "If your own code creates orders, pass the payment's token to Razorpay as the receipt, or as payment_token in the \
         notes, so that events find their payment.",
        "If other merchants' accounts are connected to yours, give the ids of the accounts that are yours to this \
         variant.",
        "If you sell subscriptions, put your id of whom each belongs to into the notes as owner, unless you chose another \
         key.",
    ];
    Setup {
        steps: steps.map(str::to_owned).into(),
        kinds: KINDS.into(),
        secrets,
        api_key: Some(has_api_key),
        docs: vec![
            ("Razorpay on webhooks", "https://razorpay.com/docs/webhooks/"),
            ("Razorpay's webhook settings", "https://dashboard.razorpay.com/app/webhooks"),
        ],
        ..Setup::default()
    }
}

/// A test event in Razorpay's format.
pub(super) fn test_event(id: &str, now: Timestamp) -> Vec<u8> {
    let event = json!({
        "entity": "event", "id": id, "event": TEST_KIND, "contains": [], "payload": {}, "created_at": now.unix_timestamp(),
    });
    event.to_string().into_bytes()
}

/// The id of a test event.
pub(super) fn test_id(body: &[u8]) -> Option<String> {
    short(&Object::read(std::str::from_utf8(body).ok()?, "a test event").ok()?, "id")
}
