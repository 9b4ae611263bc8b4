//! The steps to set up an endpoint in Polar's dashboard (<https://polar.sh/docs/integrate/webhooks/endpoints>). A test
//! compares the kinds to subscribe to with those in which `interpret` finds facts.

use crate::gateways::{SecretStatus, Setup};

/// The kinds to subscribe to (<https://polar.sh/docs/integrate/webhooks/events>).
const KINDS: [&str; 18] = [
    "checkout.created",
    "checkout.updated",
    "checkout.expired",
    "order.created",
    "order.updated",
    "order.paid",
    "order.refunded",
    "refund.created",
    "refund.updated",
    "subscription.created",
    "subscription.active",
    "subscription.updated",
    "subscription.canceled",
    "subscription.uncanceled",
    "subscription.past_due",
    "subscription.paused",
    "subscription.resumed",
    "subscription.revoked",
];

/// The steps, with the state of the configuration.
pub(super) fn setup(secrets: Vec<SecretStatus>, has_token: bool) -> Setup {
    let steps = [
        "In Polar's dashboard, open Settings, then Webhooks, and add an endpoint. The sandbox and production have separate \
         dashboards, endpoints and secrets.",
        "Paste {address} as its URL, with the format Raw.",
        "Copy the endpoint's secret, give it to this variant and restart the app.",
        "Select the events below. Others do no harm: they are kept for handlers and change nothing.",
        "If your own code opens checkouts, put the payment's token into the metadata as payment_token, so that events find \
         their payment.",
        "If you sell subscriptions, put your id of whom each belongs to into the metadata as owner, unless you chose \
         another key, or make it the customer's external id.",
    ];
    Setup {
        steps: steps.map(str::to_owned).into(),
        kinds: KINDS.into(),
        secrets,
        api_key: Some(has_token),
        refund_reasons: vec![
            "customer_request",
            "duplicate",
            "fraudulent",
            "service_disruption",
            "satisfaction_guarantee",
            "other",
        ],
        docs: vec![("Polar on webhooks", "https://polar.sh/docs/integrate/webhooks/endpoints")],
    }
}
