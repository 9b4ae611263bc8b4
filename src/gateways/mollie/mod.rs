//! The gateway for Mollie. Its classic webhooks are unsigned and contain only a payment's id, so they are not trusted:
//! with an API key Mollie is asked for the payment, and its answer is the event.
//!
//! See [`Mollie`] for an example of a variant's configuration.

mod api;
mod hint;
mod interpret;
mod money;
mod setup;

use super::{
    BoxFuture, Call, Fetch, Gateway, GatewayError, PaymentRequest, Setup, Started, Verb, Verification, http::is_base,
};
use crate::domain::Timestamp;
use crate::domain::delivery::Delivery;
use crate::domain::event::{Envelope, Interpretation, Malformed, Recorded, References};

/// One website profile of a Mollie account, test or live.
///
/// Events find their payment by Mollie's id of it, or by the payment's token, which a host that creates payments itself
/// passes to Mollie as `payment_token` in the metadata.
///
/// ```
/// use actix_payments::gateways::{Gateway, mollie::Mollie};
///
/// let mollie = Mollie::new().api_key("test_dHar4XY7LxsDOtmnkVtjNVWXLSlXsM").webhook_url(
///     "https://shop.example/payments/mollie/",
/// );
/// # #[cfg(feature = "https")]
/// assert_eq!(mollie.check(), Ok(()));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Mollie {
    api: Option<api::Api>,
    webhook_url: Option<String>,
}

impl Mollie {
    /// A profile without an API key: its hints are stored, and wait until there is one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the API key of the profile, `test_…` or `live_…`. Default: none. Without it no payment can be created here,
    /// and Mollie's hints wait, so that no payment changes.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api = Some(api::Api::new(key));
        self
    }

    /// Sets the public address of this variant's webhook endpoint, which is sent to Mollie with every payment that is
    /// created here: `https://shop.example/payments/mollie/`. Default: none, but an API key needs one.
    pub fn webhook_url(mut self, url: impl Into<String>) -> Self {
        self.webhook_url = Some(url.into());
        self
    }

    /// Sets the address of Mollie's API, for tests with a fake: `https://`, or `http://` to this machine. Default:
    /// `https://api.mollie.com`. Has an effect only after [`Mollie::api_key`].
    pub fn api_base(mut self, base: impl Into<String>) -> Self {
        if let Some(api) = &mut self.api {
            api.base = base.into();
        }
        self
    }

    /// Sets how often a call is retried when Mollie can't be reached or fails. Default: 2. Every try has the same
    /// idempotency key. Has an effect only after [`Mollie::api_key`].
    pub fn api_retries(mut self, retries: u32) -> Self {
        if let Some(api) = &mut self.api {
            api.retries = retries;
        }
        self
    }
}

impl Gateway for Mollie {
    fn name(&self) -> &'static str {
        "Mollie"
    }

    fn check(&self) -> Result<(), String> {
        let Some(api) = &self.api else { return Ok(()) };
        api.check()?;
        match &self.webhook_url {
            Some(url) if is_base(url) => Ok(()),
            Some(url) => Err(format!("expected an https:// address as Mollie's webhook_url, got {url:?}")),
            None => Err("expected a webhook_url with Mollie's API key: without it Mollie sends nothing".to_owned()),
        }
    }

    fn verify<'a>(&'a self, delivery: &'a Delivery, _: Timestamp) -> Verification<'a> {
        Verification::Hint(hint::read(&delivery.body))
    }

    fn references(&self, event: &Recorded<'_>) -> References {
        interpret::references(event)
    }

    fn interpret(&self, event: &Recorded<'_>) -> Result<Interpretation, Malformed> {
        if event.is_hint() { hint::interpret(event) } else { interpret::interpret(event) }
    }

    fn setup(&self) -> Setup {
        setup::setup(self.api.is_some())
    }

    fn start<'a>(&'a self, payment: &'a PaymentRequest) -> BoxFuture<'a, Result<Started, GatewayError>> {
        match (&self.api, &self.webhook_url) {
            (Some(api), Some(url)) => Box::pin(api.checkout(payment, url)),
            _ => Box::pin(std::future::ready(Ok(Started::Done))),
        }
    }

    fn supports(&self, verb: Verb) -> Result<(), String> {
        match (&self.api, verb) {
            (_, Verb::Complete) => Err("Mollie completes a payment by itself.".to_owned()),
            (Some(_), _) => Ok(()),
            (None, _) => {
                Err("This variant has no API key, so Mollie can't be asked for anything from here.".to_owned())
            }
        }
    }

    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Vec<Envelope>, GatewayError>> {
        match &self.api {
            Some(api) => Box::pin(api.call(call)),
            None => Box::pin(std::future::ready(Err(no_key()))),
        }
    }

    fn supports_fetch(&self) -> Result<(), String> {
        match &self.api {
            Some(_) => Ok(()),
            None => {
                Err("this variant has no API key, with which Mollie shows the payments that it hints at".to_owned())
            }
        }
    }

    fn fetch<'a>(&'a self, fetch: &'a Fetch) -> BoxFuture<'a, Result<Vec<Envelope>, GatewayError>> {
        match &self.api {
            Some(api) => Box::pin(api.fetch(fetch)),
            None => Box::pin(std::future::ready(Err(no_key()))),
        }
    }
}

fn no_key() -> GatewayError {
    GatewayError::Unsupported("this variant has no API key".to_owned())
}
