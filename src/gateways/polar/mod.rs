//! The gateway for Polar. [`Polar`] is one webhook endpoint of an organization, in the sandbox or in production. It
//! signs by the rules of [Standard Webhooks](super::standard_webhooks). With an access token it also opens checkouts
//! and refunds orders.
//!
//! See [`Polar`] for an example of a variant's configuration.

mod api;
mod interpret;
mod setup;
mod subscription;
mod subscriptions;

use super::json_api::call_supported;
use super::standard_webhooks::StandardWebhooks;
use super::subscriptions::SubscriptionGateway;
use super::{
    BoxFuture, Call, Gateway, GatewayError, PaymentRequest, Setup, Started, TEST_KIND, Verb, Verification,
    test_interpretation,
};
use crate::domain::Timestamp;
use crate::domain::delivery::{Delivery, Rejection};
use crate::domain::event::{Envelope, Interpretation, Malformed, Recorded, References, Verified};
use api::Api;

/// One webhook endpoint of a Polar organization, in the sandbox or in production.
///
/// Events find their payment by the payment's token. A host that opens checkouts itself passes the token to Polar as
/// `payment_token` in the checkout's metadata, which Polar copies to the order.
///
/// ```
/// use actix_payments::gateways::{Gateway, polar::Polar};
///
/// let polar = Polar::new("polar_whs_…").live();
/// assert_eq!(polar.check(), Ok(()));
/// ```
#[derive(Debug, Clone)]
pub struct Polar {
    webhooks: StandardWebhooks,
    live: bool,
    owner_key: String,
    /// Whether discounts explain a lower price.
    discounts: bool,
    api: Option<Api>,
}

impl Polar {
    /// An endpoint with its secret (`polar_whs_…` or `whsec_…`), which gets the label `primary`. Either its text or the
    /// bytes that its base64 stands for are the key; Polar's libraries use and accept both. It is one of the sandbox
    /// unless [`Polar::live`] says otherwise.
    pub fn new(secret: impl Into<String>) -> Self {
        let webhooks = StandardWebhooks::polar(secret);
        Self { webhooks, live: false, owner_key: "owner".to_owned(), discounts: false, api: None }
    }

    /// Declares the endpoint one of production. Default: the sandbox. Polar's events do not say which they are of.
    pub fn live(mut self) -> Self {
        self.live = true;
        if let Some(api) = &mut self.api {
            api.live();
        }
        self
    }

    /// Adds another secret, such as the next one during a rotation. The label shows which one matched. Default: none.
    pub fn secret(mut self, label: impl Into<String>, secret: impl Into<String>) -> Self {
        self.webhooks = self.webhooks.secret(label, secret);
        self
    }

    /// Sets the key of a subscription's metadata that has its owner. Default: `owner`. If it is missing, the external
    /// id of Polar's customer is the owner.
    pub fn owner_key(mut self, key: impl Into<String>) -> Self {
        self.owner_key = key.into();
        self
    }

    /// Declares that your discount codes may apply to payments. Default: a checkout that is opened here accepts no
    /// codes, and a discounted order does not pay a payment at less than its price. Otherwise customers could use a
    /// code for another product.
    pub fn discounts(mut self) -> Self {
        self.discounts = true;
        self
    }

    /// Sets the organization access token (`polar_oat_…`) with which the crate calls Polar's API. Default: none, and
    /// the host makes all calls itself. Refunds of orders, refreshes and subscriptions use the token.
    pub fn access_token(mut self, token: impl Into<String>) -> Self {
        self.api = Some(Api::new(token, self.live));
        self
    }

    /// Sets the product as which payments are sold, each at its own price. Default: none, and the host opens checkouts
    /// itself. Has an effect only after [`Polar::access_token`].
    pub fn product(mut self, product: impl Into<String>) -> Self {
        if let Some(api) = &mut self.api {
            api.product = Some(product.into());
        }
        self
    }

    /// Sets the address of Polar's API, for tests with a fake: `https://`, or `http://` to this machine. Default:
    /// Polar's own address, of the sandbox or of production. Has an effect only after [`Polar::access_token`].
    pub fn api_base(mut self, base: impl Into<String>) -> Self {
        if let Some(api) = &mut self.api {
            api.json.base = base.into();
        }
        self
    }

    /// Sets how often a call that can be repeated is retried when Polar can't be reached or reports an error of its
    /// own. Default: 2. Has an effect only after [`Polar::access_token`].
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

impl Gateway for Polar {
    fn name(&self) -> &'static str {
        "Polar"
    }

    fn is_merchant_of_record(&self) -> bool {
        true
    }

    fn check(&self) -> Result<(), String> {
        self.webhooks.check()?;
        self.api.as_ref().map_or(Ok(()), Api::check)
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
        setup::setup(self.webhooks.setup().secrets, self.api.is_some())
    }

    fn signed_delivery(&self, id: &str, event: &[u8], now: Timestamp) -> Option<Delivery> {
        self.webhooks.signed_delivery(id, event, now)
    }

    fn test_delivery(&self, id: &str, now: Timestamp) -> Option<Delivery> {
        self.webhooks.test_delivery(id, now)
    }

    fn start<'a>(&'a self, payment: &'a PaymentRequest) -> BoxFuture<'a, Result<Started, GatewayError>> {
        match &self.api {
            Some(api) if api.product.is_some() => Box::pin(api.checkout(payment, self.discounts)),
            _ => Box::pin(std::future::ready(Ok(Started::Done))),
        }
    }

    fn supports(&self, verb: Verb) -> Result<(), String> {
        match verb {
            Verb::Complete => Err("Polar completes an order by itself.".to_owned()),
            Verb::Capture => Err("Polar takes the money at once, so there is nothing to capture.".to_owned()),
            Verb::Cancel => Err("Polar can't be asked to end a checkout; it ends by itself.".to_owned()),
            _ if self.api.is_none() => Err(no_token().to_string()),
            _ => Ok(()),
        }
    }

    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Vec<Envelope>, GatewayError>> {
        call_supported(self.api.as_ref(), Gateway::supports(self, call.verb), |api| Box::pin(api.call(call)))
    }

    fn refresh_leaves_out(&self) -> Option<&'static str> {
        Some("disputes that no refund answers")
    }

    fn subscriptions(&self) -> Option<&dyn SubscriptionGateway> {
        Some(self)
    }
}

fn no_token() -> GatewayError {
    GatewayError::Unsupported(
        "this variant has no access token, so Polar can't be asked for anything from here".to_owned(),
    )
}
