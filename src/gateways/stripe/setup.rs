//! The steps to set up an endpoint in Stripe's dashboard (<https://docs.stripe.com/webhooks>), and the test event. A
//! test compares the kinds to subscribe to with those in which `interpret` finds facts.

use serde_json::json;

use super::payload::Payload;
use super::thin_kinds;
use crate::domain::Timestamp;
use crate::gateways::signature::Secret;
use crate::gateways::{SecretStatus, Setup, TEST_KIND};

/// The kinds to subscribe to, in the order of a payment's life and then of a subscription's.
const KINDS: [&str; 41] = [
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
    // States no money: the link between a subscription's session and the intent that pays its invoice.
    "invoice_payment.paid",
    "customer.subscription.created",
    "customer.subscription.trial_will_end",
    "customer.subscription.updated",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "customer.subscription.deleted",
    "invoice.finalized",
    "invoice.paid",
    "invoice.payment_failed",
    "invoice.payment_action_required",
    "invoice.marked_uncollectible",
    "invoice.voided",
];

/// The steps, with the state of the configuration.
pub(super) fn setup(secrets: &[(String, Secret)], has_api_key: bool, payload: Payload) -> Setup {
    let steps = [
        "In Stripe's dashboard, open Developers, then Webhooks, and add an endpoint (an event destination). Test mode \
         and live mode have separate endpoints with separate secrets.",
        "Paste {address} as its address.",
        "Select the events below. Others do no harm: they are kept for handlers and change no payment.",
        "Reveal the endpoint's signing secret (whsec_…), give it to this variant and restart the app. It is not the API \
         key, and every endpoint has its own.",
        "A destination may send thin events instead, or a second one may send them to the same address: choose the \
         payload style thin, and for each event below select the one with v1. before its name. Give its own signing \
         secret to the variant as thin_secret (then they are listed below as well), and an API key, since thin events \
         only name what they are about and Stripe is asked for it. Of what both send, nothing is done twice. Where the \
         only destination is thin, begin the variant with Stripe::thin, so that missed events are looked for in the list \
         of thin events.",
        "If your own code creates checkout sessions, pass the payment's token to Stripe as client_reference_id, or as \
         payment_token in the metadata, so that events find their payment.",
        "If your own code starts subscriptions, put your id of whom each belongs to into the metadata of the subscription \
         (as owner, unless you chose another key), or into the session's client_reference_id.",
    ];
    let status = |(label, secret): &(String, Secret)| SecretStatus { label: label.clone(), is_set: !secret.is_blank() };
    Setup {
        steps: steps.map(str::to_owned).into(),
        kinds: match payload {
            Payload::Snapshots => KINDS.into(),
            Payload::Thin => thin_kinds::KINDS.into(),
            Payload::Both => [&KINDS[..], &thin_kinds::KINDS].concat(),
        },
        secrets: secrets.iter().map(status).collect(),
        api_key: Some(has_api_key),
        refund_reasons: vec!["requested_by_customer", "duplicate", "fraudulent"],
        docs: vec![
            ("Stripe on webhooks", "https://docs.stripe.com/webhooks"),
            ("Stripe's webhook settings", "https://dashboard.stripe.com/webhooks"),
        ],
    }
}

/// A test event in Stripe's format.
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
