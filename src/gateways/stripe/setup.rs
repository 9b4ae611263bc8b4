//! What is there to do in Stripe's dashboard (<https://docs.stripe.com/webhooks>), and what does a test event look
//! like? The kinds to tick are those that `interpret` reads facts in; a test holds the two together.

use serde_json::json;

use crate::domain::Timestamp;
use crate::gateways::signature::Secret;
use crate::gateways::{SecretStatus, Setup, TEST_KIND};

/// The kinds to tick, in the order of a payment's life.
const KINDS: [&str; 28] = [
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "payment_intent.created",
    "payment_intent.requires_action",
    "payment_intent.processing",
    "payment_intent.partially_funded",
    "payment_intent.amount_capturable_updated",
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    "charge.pending",
    "charge.succeeded",
    "charge.captured",
    "charge.updated",
    "charge.failed",
    "charge.expired",
    "charge.refunded",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.refund.updated",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
];

pub(super) fn setup(secrets: &[(String, Secret)], has_api_key: bool) -> Setup {
    let steps = [
        "In Stripe's dashboard, open Developers, then Webhooks, and add an endpoint (an event destination). Test mode \
         and live mode have endpoints of their own, with secrets of their own.",
        "Paste {address} as its address.",
        "Select the events below. Further ones do no harm: they are kept for handlers and change no payment.",
        "Reveal the endpoint's signing secret (whsec_…), give it to this variant and restart the app. It is not the API \
         key, and each endpoint has another one.",
        "Hand a payment's token to Stripe as client_reference_id of the checkout session, or as payment_token in the \
         metadata, so that events find their payment.",
    ];
    let status = |(label, secret): &(String, Secret)| SecretStatus { label: label.clone(), is_set: !secret.is_blank() };
    Setup {
        steps: steps.map(str::to_owned).into(),
        kinds: KINDS.into(),
        secrets: secrets.iter().map(status).collect(),
        api_key: Some(has_api_key),
        refund_reasons: vec!["requested_by_customer", "duplicate", "fraudulent"],
        docs: vec![
            ("Stripe on webhooks", "https://docs.stripe.com/webhooks"),
            ("Stripe's webhook settings", "https://dashboard.stripe.com/webhooks"),
        ],
    }
}

/// An event in Stripe's form about nothing.
pub(super) fn test_event(id: &str, now: Timestamp) -> Vec<u8> {
    let event = json!({
        "id": id,
        "object": "event",
        "type": TEST_KIND,
        "created": now.unix_timestamp(),
        "livemode": false,
        "data": {"object": {}},
    });
    event.to_string().into_bytes()
}
