//! The gateway for Paddle Billing. [`Paddle`] is one notification destination of an account. With an API key it also
//! opens checkouts and acts on transactions. (Paddle Classic is another product, with other webhooks.)
//!
//! See [`Paddle`] for an example of a variant's configuration.

mod adjustment;
mod answer;
mod api;
mod interpret;
mod setup;
mod subscription;
mod subscriptions;

use std::time::Duration;

use super::hmac_webhooks::{HeaderField, HmacWebhooks, SignedPart};
use super::json_api::call_supported;
use super::subscriptions::SubscriptionGateway;
use super::{
    BoxFuture, Call, Gateway, GatewayError, Listing, Mode, PaymentRequest, Setup, Started, TEST_KIND, Verb,
    Verification, test_interpretation,
};
use crate::domain::Timestamp;
use crate::domain::delivery::{Delivery, Rejection};
use crate::domain::event::{Envelope, Interpretation, Malformed, Recorded, References, Verified};
use crate::domain::identifier::GatewayRef;
use api::Api;

/// One notification destination of a Paddle account, in the sandbox or live.
///
/// Events find their payment by the payment's token. A host that creates transactions itself, or opens a checkout in
/// the browser, passes the token to Paddle as `payment_token` in the transaction's `custom_data`.
///
/// ```
/// use actix_payments::gateways::{Gateway, paddle::Paddle};
///
/// let paddle = Paddle::new("pdl_ntfset_…").live();
/// assert_eq!(paddle.check(), Ok(()));
/// ```
#[derive(Debug, Clone)]
pub struct Paddle {
    webhooks: HmacWebhooks,
    live: bool,
    owner_key: String,
    /// Whether discounts explain a lower price in every checkout.
    discounts: bool,
    api: Option<Api>,
}

/// How far a signature's time may be from ours, as in Paddle's own libraries.
const TOLERANCE: Duration = Duration::from_secs(5);

/// A part of the signature header: `ts=…;h1=…`, several `h1` while a secret is rotated
/// (<https://developer.paddle.com/webhooks/signature-verification>).
fn part(name: &str) -> HeaderField {
    HeaderField::part("paddle-signature", ';', name)
}

impl Paddle {
    /// A destination with its secret key (`pdl_ntfset_…`), which gets the label `primary`. It is one of the sandbox
    /// unless [`Paddle::live`] says otherwise.
    pub fn new(secret: impl Into<String>) -> Self {
        let webhooks = HmacWebhooks::new("Paddle", part("h1"), secret)
            .timestamp(part("ts"), TOLERANCE)
            .signed([SignedPart::Timestamp, SignedPart::text(":"), SignedPart::Body])
            .id("/event_id")
            .kind("/event_type")
            .occurred_at("/occurred_at");
        Self { webhooks, live: false, owner_key: "owner".to_owned(), discounts: false, api: None }
    }

    /// Declares the destination a live one. Default: the sandbox. Paddle's events do not say which they are of.
    pub fn live(mut self) -> Self {
        self.live = true;
        if let Some(api) = &mut self.api {
            api.live();
        }
        self
    }

    /// Adds another secret key, such as the next one during a rotation. The label shows which one matched. Default:
    /// none.
    pub fn secret(mut self, label: impl Into<String>, secret: impl Into<String>) -> Self {
        self.webhooks = self.webhooks.secret(label, secret);
        self
    }

    /// Sets how far a signature's time may be from our clock in either direction. Default: 5 seconds, as in Paddle's
    /// own libraries; a host whose clock is not that exact needs more. Paddle signs each retry anew.
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.webhooks = self.webhooks.timestamp(part("ts"), tolerance);
        self
    }

    /// Sets the key of a subscription's `custom_data` that has its owner. Default: `owner`.
    pub fn owner_key(mut self, key: impl Into<String>) -> Self {
        self.owner_key = key.into();
        self
    }

    /// Declares that your discount codes may apply to checkouts that the browser opens. Default: a discount explains a
    /// lower price only in transactions that were created with an API key. Customers who open a checkout in the browser
    /// choose its items and its discount, and could use a code for another product.
    pub fn discounts(mut self) -> Self {
        self.discounts = true;
        self
    }

    /// Sets the API key (`pdl_…apikey_…`) with which the crate calls Paddle's API, with write access to transactions,
    /// adjustments and subscriptions, and read access to notifications. Default: none, and the host makes all calls
    /// itself.
    ///
    /// [`Payments::create`](crate::Payments::create) then creates a transaction and returns the address of its
    /// checkout: the default payment link of the account, where Paddle.js opens it. Cancels, refunds, refreshes and the
    /// list of events use the key as well. Paddle.js decides where the customer goes afterwards, not this crate.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api = Some(Api::new(key, self.live));
        self
    }

    /// Sets the address of Paddle's API, for tests with a fake: `https://`, or `http://` to this machine. Default:
    /// Paddle's own address, of the sandbox or live. Has an effect only after [`Paddle::api_key`].
    pub fn api_base(mut self, base: impl Into<String>) -> Self {
        if let Some(api) = &mut self.api {
            api.json.base = base.into();
        }
        self
    }

    /// Sets how often a call that can be repeated is retried when Paddle can't be reached or reports an error of its
    /// own. Default: 2. Has an effect only after [`Paddle::api_key`].
    pub fn api_retries(mut self, retries: u32) -> Self {
        if let Some(api) = &mut self.api {
            api.json.retries = retries;
        }
        self
    }

    fn verified(&self, delivery: &Delivery, now: Timestamp) -> Result<Verified, Rejection> {
        let mut verified = self.webhooks.verified(delivery, now)?;
        for event in &mut verified.events {
            event.livemode = Some(self.live);
        }
        Ok(verified)
    }
}

impl Gateway for Paddle {
    fn name(&self) -> &'static str {
        "Paddle"
    }

    fn is_merchant_of_record(&self) -> bool {
        true
    }

    fn check(&self) -> Result<(), String> {
        self.webhooks.check()?;
        self.api.as_ref().map_or(Ok(()), |api| api.json.check())
    }

    fn verify<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> Verification<'a> {
        Verification::Ready(self.verified(delivery, now))
    }

    fn interpret(&self, event: &Recorded<'_>) -> Result<Interpretation, Malformed> {
        if event.kind == TEST_KIND {
            return Ok(test_interpretation());
        }
        interpret::interpret(event, &self.owner_key, self.discounts)
    }

    fn references(&self, event: &Recorded<'_>) -> References {
        interpret::references(event)
    }

    fn setup(&self) -> Setup {
        setup::setup(self.webhooks.secret_statuses(), self.api.is_some())
    }

    fn sign(&self, body: &[u8], now: Timestamp) -> Option<Vec<(String, String)>> {
        self.webhooks.signed_headers(body, now)
    }

    fn test_delivery(&self, id: &str, now: Timestamp) -> Option<Delivery> {
        self.signed_delivery(id, &setup::test_event(id, now), now)
    }

    fn dashboard_url(&self, gateway_ref: &GatewayRef, mode: Mode) -> Option<String> {
        let host = if mode == Mode::Live { "vendors.paddle.com" } else { "sandbox-vendors.paddle.com" };
        let pages = [("txn_", "transactions-v2"), ("sub_", "subscriptions-v2"), ("ctm_", "customers-v2")];
        let (_, page) = pages.iter().find(|(prefix, _)| gateway_ref.starts_with(prefix))?;
        let is_plain = gateway_ref.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        is_plain.then(|| format!("https://{host}/{page}/{gateway_ref}"))
    }

    fn start<'a>(&'a self, payment: &'a PaymentRequest) -> BoxFuture<'a, Result<Started, GatewayError>> {
        match &self.api {
            Some(api) => Box::pin(api.checkout(payment)),
            None => Box::pin(std::future::ready(Ok(Started::Done))),
        }
    }

    fn supports(&self, verb: Verb) -> Result<(), String> {
        match verb {
            Verb::Complete => Err("Paddle completes a transaction by itself.".to_owned()),
            Verb::Capture => Err("Paddle takes the money at once, so there is nothing to capture.".to_owned()),
            _ if self.api.is_none() => Err(no_key().to_string()),
            _ => Ok(()),
        }
    }

    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Vec<Envelope>, GatewayError>> {
        call_supported(self.api.as_ref(), Gateway::supports(self, call.verb), |api| Box::pin(api.call(call)))
    }

    fn supports_list(&self) -> Result<(), String> {
        Gateway::supports(self, Verb::Refresh)
    }

    fn list<'a>(
        &'a self,
        since: Timestamp,
        before: Option<&'a Envelope>,
    ) -> BoxFuture<'a, Result<Listing, GatewayError>> {
        match &self.api {
            Some(api) => Box::pin(api.list(since, before.map(|event| event.id.as_str()), self.live)),
            None => Box::pin(std::future::ready(Err(no_key()))),
        }
    }

    fn subscriptions(&self) -> Option<&dyn SubscriptionGateway> {
        Some(self)
    }
}

fn no_key() -> GatewayError {
    GatewayError::Unsupported("this variant has no API key, so Paddle can't be asked for anything from here".to_owned())
}
