//! The steps to set up a webhook in Braintree's Control Panel
//! (<https://developer.paypal.com/braintree/docs/guides/webhooks/create>), and the test notification. A test compares
//! the kinds to subscribe to with those in which `interpret` finds facts.

use time::format_description::well_known::Rfc3339;

use super::notification::LABEL;
use super::verify::Keys;
use crate::domain::Timestamp;
use crate::gateways::{SecretStatus, Setup, TEST_KIND};

/// The kinds to subscribe to.
const KINDS: [&str; 23] = [
    "transaction_settled",
    "transaction_settlement_declined",
    "transaction_retried",
    "refund_failed",
    "dispute_opened",
    "dispute_under_review",
    "dispute_disputed",
    "dispute_won",
    "dispute_lost",
    "dispute_accepted",
    "dispute_auto_accepted",
    "dispute_expired",
    "subscription_charged_successfully",
    "subscription_charged_unsuccessfully",
    "subscription_went_active",
    "subscription_trial_ended",
    "subscription_went_past_due",
    "subscription_canceled",
    "subscription_expired",
    "local_payment_completed",
    "local_payment_funded",
    "local_payment_expired",
    "local_payment_reversed",
];

/// The steps, with the state of the configuration.
pub(super) fn setup(keys: &Keys) -> Setup {
    let steps = [
        "Start the app with this variant first: Braintree checks the address with a challenge before it accepts it.",
        "In Braintree's Control Panel, open API, then Webhooks, and create a webhook. Sandbox and production have separate \
         Control Panels and separate keys.",
        "Paste {address} as its destination.",
        "Select the notifications below. Others do no harm: they are kept for handlers and change no payment.",
        "Pass the payment's token to Braintree as the transaction's order id, so that events find their payment.",
        "Note that Braintree sends nothing about ordinary card sales, captures, voids and refunds.",
    ];
    Setup {
        steps: steps.map(str::to_owned).into(),
        kinds: KINDS.into(),
        secrets: vec![SecretStatus { label: LABEL.to_owned(), is_set: !keys.private.is_blank() }],
        docs: vec![("Braintree on webhooks", "https://developer.paypal.com/braintree/docs/guides/webhooks/overview")],
        ..Setup::default()
    }
}

/// A test notification. The id of its subject is the event's id.
pub(super) fn test_notification(id: &str, now: Timestamp) -> String {
    let time = now.format(&Rfc3339).unwrap_or_default();
    let subject = format!("<subject><test><id>{id}</id></test></subject>");
    format!("<notification><kind>{TEST_KIND}</kind><timestamp>{time}</timestamp>{subject}</notification>")
}
