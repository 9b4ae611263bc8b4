//! The gateway for Razorpay. [`Razorpay`] is one webhook of an account, in test or live mode. With an API key it also
//! makes payment links and acts on payments.
//!
//! See [`Razorpay`] for an example of a variant's configuration.

mod api;
mod interpret;
mod payload;
mod setup;
mod subscription;
mod subscriptions;

use super::believed::Believed;
use super::hmac_webhooks::{HeaderField, HmacWebhooks};
use super::json_api::call_supported;
use super::subscriptions::SubscriptionGateway;
use super::{
    BoxFuture, Call, Gateway, GatewayError, Mode, PaymentRequest, Setup, Started, TEST_KIND, Verb, Verification,
    test_interpretation,
};
use crate::domain::Timestamp;
use crate::domain::delivery::{Delivery, Rejection};
use crate::domain::event::{Envelope, Interpretation, Malformed, Recorded, References, Verified};
use crate::domain::identifier::GatewayRef;
use api::Api;

/// One webhook of a Razorpay account, in test or live mode.
///
/// Razorpay sends an event's id in a header field that it does not sign, so a recorded delivery could be replayed under
/// any id. So the event's id here is made from its kind and the hash of its body, which are the same each time it is
/// sent.
///
/// Events find their payment by the payment's token. A host that creates orders itself passes the token to Razorpay as
/// the order's `receipt`, or as `payment_token` in the notes of the order or the payment.
///
/// ```
/// use actix_payments::gateways::{Gateway, razorpay::Razorpay};
///
/// let razorpay = Razorpay::new("the webhook's secret").live();
/// assert_eq!(razorpay.check(), Ok(()));
/// ```
#[derive(Debug, Clone)]
pub struct Razorpay {
    webhooks: HmacWebhooks,
    live: bool,
    owner_key: String,
    cycles: u32,
    accounts: Believed,
    api: Option<Api>,
}

impl Razorpay {
    /// A webhook with its secret, which gets the label `primary`. It is one of test mode unless [`Razorpay::live`] says
    /// otherwise. The secret is chosen in Razorpay's dashboard; it is not the API key's.
    pub fn new(secret: impl Into<String>) -> Self {
        // <https://razorpay.com/docs/webhooks/validate-test/>
        let webhooks = HmacWebhooks::new("Razorpay", HeaderField::whole("x-razorpay-signature"), secret)
            .id_from_body()
            .kind("/event")
            .occurred_at("/created_at")
            .account("/account_id");
        let accounts = Believed::all("account", &["account_id"]);
        Self { webhooks, live: false, owner_key: "owner".to_owned(), cycles: 120, accounts, api: None }
    }

    /// Declares the webhook one of live mode. Default: test mode. Razorpay's events do not say which they are of.
    pub fn live(mut self) -> Self {
        self.live = true;
        self
    }

    /// Adds another secret, such as the next one while it is changed. The label shows which one matched. Default: none.
    pub fn secret(mut self, label: impl Into<String>, secret: impl Into<String>) -> Self {
        self.webhooks = self.webhooks.secret(label, secret);
        self
    }

    /// Names the accounts (`acc_…`) whose events are believed. Default: all, which is right for an account of one
    /// merchant. If others are connected to it, name your own: the events of the others are then kept for handlers.
    pub fn accounts(mut self, accounts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.accounts.name(accounts);
        self
    }

    /// Sets the key of a subscription's notes that has its owner. Default: `owner`.
    pub fn owner_key(mut self, key: impl Into<String>) -> Self {
        self.owner_key = key.into();
        self
    }

    /// Sets the number of billing cycles of subscriptions that are started here. Default: 120. Razorpay requires a
    /// number.
    pub fn billing_cycles(mut self, cycles: u32) -> Self {
        self.cycles = cycles;
        self
    }

    /// Sets id and secret of the API key (`rzp_test_…` or `rzp_live_…`) with which the crate calls Razorpay's API.
    /// Default: none, and the host makes all calls itself.
    ///
    /// [`Payments::create`](crate::Payments::create) then makes a payment link and returns its address. Captures of
    /// orders that the host created, cancellations of links, refunds and refreshes use the key as well.
    pub fn api_key(mut self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.api = Some(Api::new(id, secret));
        self
    }

    /// Sets the address of Razorpay's API, for tests with a fake: `https://`, or `http://` to this machine. Default:
    /// `https://api.razorpay.com`. Has an effect only after [`Razorpay::api_key`].
    pub fn api_base(mut self, base: impl Into<String>) -> Self {
        if let Some(api) = &mut self.api {
            api.json.base = base.into();
        }
        self
    }

    /// Sets how often a call that can be repeated is retried when Razorpay can't be reached or reports an error of its
    /// own. Default: 2. Has an effect only after [`Razorpay::api_key`].
    pub fn api_retries(mut self, retries: u32) -> Self {
        if let Some(api) = &mut self.api {
            api.json.retries = retries;
        }
        self
    }

    fn verified(&self, delivery: &Delivery, now: Timestamp) -> Result<Verified, Rejection> {
        let mut verified = self.webhooks.verified(delivery, now)?;
        for event in &mut verified.events {
            if event.kind == TEST_KIND {
                event.id = setup::test_id(&event.body).ok_or(Rejection::BodyMalformed)?;
            }
            event.livemode = Some(self.live);
        }
        Ok(verified)
    }
}

impl Gateway for Razorpay {
    fn name(&self) -> &'static str {
        "Razorpay"
    }

    fn check(&self) -> Result<(), String> {
        self.webhooks.check()?;
        self.accounts.check("Razorpay")?;
        if self.cycles == 0 {
            return Err("expected at least one billing cycle of a subscription, got none".to_owned());
        }
        self.api.as_ref().map_or(Ok(()), |api| api.json.check())
    }

    fn verify<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> Verification<'a> {
        Verification::Ready(self.verified(delivery, now))
    }

    fn interpret(&self, event: &Recorded<'_>) -> Result<Interpretation, Malformed> {
        if event.kind == TEST_KIND {
            return Ok(test_interpretation());
        }
        self.accounts.heard(event, || interpret::interpret(event, &self.owner_key))
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

    fn dashboard_url(&self, gateway_ref: &GatewayRef, _: Mode) -> Option<String> {
        let pages = [("pay_", "payments"), ("order_", "orders"), ("sub_", "subscriptions"), ("rfnd_", "refunds")];
        let (_, page) = pages.iter().find(|(prefix, _)| gateway_ref.starts_with(prefix))?;
        let is_plain = gateway_ref.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        is_plain.then(|| format!("https://dashboard.razorpay.com/app/{page}/{gateway_ref}"))
    }

    fn start<'a>(&'a self, payment: &'a PaymentRequest) -> BoxFuture<'a, Result<Started, GatewayError>> {
        match &self.api {
            Some(api) => Box::pin(api.checkout(payment)),
            None => Box::pin(std::future::ready(Ok(Started::Done))),
        }
    }

    fn supports(&self, verb: Verb) -> Result<(), String> {
        match verb {
            Verb::Complete => Err("Razorpay completes a payment by itself.".to_owned()),
            _ if self.api.is_none() => Err(no_key().to_string()),
            _ => Ok(()),
        }
    }

    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Vec<Envelope>, GatewayError>> {
        call_supported(self.api.as_ref(), Gateway::supports(self, call.verb), |api| Box::pin(api.call(call)))
    }

    fn refresh_leaves_out(&self) -> Option<&'static str> {
        Some("disputes of which no event has come")
    }

    fn subscriptions(&self) -> Option<&dyn SubscriptionGateway> {
        Some(self)
    }
}

fn no_key() -> GatewayError {
    GatewayError::Unsupported(
        "this variant has no API key, so Razorpay can't be asked for anything from here".to_owned(),
    )
}
