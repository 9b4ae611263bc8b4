//! The gateway for Square. [`Square`] is one webhook subscription of an application, in the sandbox or in production.
//! With an access token it also makes payment links and acts on payments.
//!
//! See [`Square`] for an example of a variant's configuration.

mod api;
mod interpret;
mod setup;

use super::believed::Believed;
use super::hmac_webhooks::{Encoding, HeaderField, HmacWebhooks, SignedPart};
use super::json_api::call_supported;
use super::{
    BoxFuture, Call, Gateway, GatewayError, Mode, PaymentRequest, Setup, Started, TEST_KIND, Verb, Verification,
    test_interpretation,
};
use crate::domain::Timestamp;
use crate::domain::delivery::{Delivery, Rejection};
use crate::domain::event::{Envelope, Interpretation, Malformed, Recorded, References, Verified};
use crate::domain::identifier::GatewayRef;
use api::Api;

/// One webhook subscription of a Square application, in the sandbox or in production.
///
/// Events find their payment by the payment's token. A host that creates payments itself passes the token to Square as
/// the payment's `reference_id`, or its `note` where that is a token of ours.
///
/// ```
/// use actix_payments::gateways::{Gateway, square::Square};
///
/// let square = Square::new("the signature key", "https://shop.example/payments/square/").live();
/// assert_eq!(square.check(), Ok(()));
/// ```
#[derive(Debug, Clone)]
pub struct Square {
    /// The scheme without an address, which is signed before the body.
    webhooks: HmacWebhooks,
    /// The addresses that Square may have in its settings.
    addresses: Vec<String>,
    live: bool,
    merchants: Believed,
    api: Option<Api>,
}

impl Square {
    /// A subscription with its signature key, which gets the label `primary`, and its notification URL exactly as it is
    /// in Square's settings: Square signs that as well. It is one of the sandbox unless [`Square::live`] says
    /// otherwise.
    pub fn new(signature_key: impl Into<String>, notification_url: impl Into<String>) -> Self {
        let webhooks = HmacWebhooks::new("Square", HeaderField::whole("x-square-hmacsha256-signature"), signature_key)
            .encoding(Encoding::Base64)
            .id("/event_id")
            .occurred_at("/created_at")
            .account("/merchant_id");
        let merchants = Believed::all("merchant", &["merchant_id"]);
        Self { webhooks, addresses: vec![notification_url.into()], live: false, merchants, api: None }
    }

    /// Adds another notification URL, for while the endpoint moves. Default: none.
    pub fn notification_url(mut self, notification_url: impl Into<String>) -> Self {
        self.addresses.push(notification_url.into());
        self
    }

    /// Adds another signature key, such as the next one during a rotation. The label shows which one matched. Default:
    /// none.
    pub fn secret(mut self, label: impl Into<String>, signature_key: impl Into<String>) -> Self {
        self.webhooks = self.webhooks.secret(label, signature_key);
        self
    }

    /// Names the merchants whose events are believed, by Square's ids of them. Default: all, which is right for an
    /// application with a single seller. If others connect to it, name your own: Square sends the events of all to the
    /// same address, and those of the others are then kept for handlers.
    pub fn merchants(mut self, merchants: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.merchants.name(merchants);
        self
    }

    /// Declares the subscription one of production. Default: the sandbox. Square's events do not say which they are of.
    pub fn live(mut self) -> Self {
        self.live = true;
        if let Some(api) = &mut self.api {
            api.live();
        }
        self
    }

    /// Sets the access token with which the crate calls Square's API, and the location that sells. Default: none, and
    /// the host makes all calls itself.
    ///
    /// [`Payments::create`](crate::Payments::create) then makes a payment link and returns its address. Captures
    /// (completing an approved payment), cancels, refunds and refreshes use the token as well.
    pub fn access_token(mut self, token: impl Into<String>, location: impl Into<String>) -> Self {
        self.api = Some(Api::new(token, location, self.live));
        self
    }

    /// Sets the address of Square's API, for tests with a fake: `https://`, or `http://` to this machine. Default:
    /// Square's own address, of the sandbox or of production. Has an effect only after [`Square::access_token`].
    pub fn api_base(mut self, base: impl Into<String>) -> Self {
        if let Some(api) = &mut self.api {
            api.json.base = base.into();
        }
        self
    }

    /// Sets how often a call is retried when Square can't be reached or reports an error of its own. Default: 2. Every
    /// try has the same idempotency key. Has an effect only after [`Square::access_token`].
    pub fn api_retries(mut self, retries: u32) -> Self {
        if let Some(api) = &mut self.api {
            api.json.retries = retries;
        }
        self
    }

    /// The scheme for an address: it and the body are signed together
    /// (<https://developer.squareup.com/docs/webhooks/step3validate>).
    fn at(&self, address: &str) -> HmacWebhooks {
        self.webhooks.clone().signed([SignedPart::text(address), SignedPart::Body])
    }

    fn verified(&self, delivery: &Delivery, now: Timestamp) -> Result<Verified, Rejection> {
        let mut verified = Err(Rejection::SignatureMismatch);
        // Without an address, Square's libraries refuse to verify anything.
        for address in self.addresses.iter().filter(|address| !address.is_empty()) {
            verified = self.at(address).verified(delivery, now);
            if verified != Err(Rejection::SignatureMismatch) {
                break;
            }
        }
        let mut verified = verified?;
        for event in &mut verified.events {
            event.livemode = Some(self.live);
        }
        Ok(verified)
    }
}

impl Gateway for Square {
    fn name(&self) -> &'static str {
        "Square"
    }

    fn check(&self) -> Result<(), String> {
        self.webhooks.check()?;
        self.merchants.check("Square")?;
        let is_address = |address: &&String| address.starts_with("https://") && !address.contains(char::is_whitespace);
        if let Some(wrong) = self.addresses.iter().find(|address| !is_address(address)) {
            return Err(format!("expected the notification URL (https://…) as it is at Square, got {wrong:?}"));
        }
        self.api.as_ref().map_or(Ok(()), Api::check)
    }

    fn verify<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> Verification<'a> {
        Verification::Ready(self.verified(delivery, now))
    }

    fn interpret(&self, event: &Recorded<'_>) -> Result<Interpretation, Malformed> {
        if event.kind == TEST_KIND {
            return Ok(test_interpretation());
        }
        self.merchants.heard(event, || interpret::interpret(event))
    }

    fn references(&self, event: &Recorded<'_>) -> References {
        interpret::references(event)
    }

    fn setup(&self) -> Setup {
        setup::setup(self.webhooks.secret_statuses(), self.addresses.first(), self.api.is_some())
    }

    fn sign(&self, body: &[u8], now: Timestamp) -> Option<Vec<(String, String)>> {
        self.at(self.addresses.first()?).signed_headers(body, now)
    }

    fn test_delivery(&self, id: &str, now: Timestamp) -> Option<Delivery> {
        self.signed_delivery(id, &setup::test_event(id, now), now)
    }

    fn dashboard_url(&self, gateway_ref: &GatewayRef, mode: Mode) -> Option<String> {
        let host = if mode == Mode::Live { "squareup.com" } else { "squareupsandbox.com" };
        let is_plain = !gateway_ref.is_empty() && gateway_ref.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_plain.then(|| format!("https://{host}/dashboard/sales/transactions/{gateway_ref}"))
    }

    fn start<'a>(&'a self, payment: &'a PaymentRequest) -> BoxFuture<'a, Result<Started, GatewayError>> {
        match &self.api {
            Some(api) => Box::pin(api.checkout(payment)),
            None => Box::pin(std::future::ready(Ok(Started::Done))),
        }
    }

    fn supports(&self, verb: Verb) -> Result<(), String> {
        match verb {
            Verb::Complete => Err("Square completes a payment by itself.".to_owned()),
            _ if self.api.is_none() => {
                Err("This variant has no access token, so Square can't be asked for anything from here.".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Vec<Envelope>, GatewayError>> {
        call_supported(self.api.as_ref(), self.supports(call.verb), |api| Box::pin(api.call(call)))
    }

    fn refresh_leaves_out(&self) -> Option<&'static str> {
        Some("disputes of which no event has come")
    }
}
