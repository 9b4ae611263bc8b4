//! How does one talk to Stripe? [`Stripe`] is one configured endpoint: it verifies what comes in and reads facts
//! out of it. With an API key it starts checkouts; without, that is the host's, with Stripe's own client and
//! `client_reference_id`.

mod api;
mod envelope;
mod interpret;
pub mod money;
mod setup;
mod verify;

use std::time::Duration;

use super::signature::{self, Secret};
use super::{BoxFuture, Call, Gateway, GatewayError, Listing, Order, Setup, Started, Verb, Verification};
use crate::domain::Timestamp;
use crate::domain::delivery::{Delivery, Rejection};
use crate::domain::event::{Envelope, Interpretation, Malformed, Recorded, Verified};

/// One webhook endpoint of a Stripe account, test or live.
///
/// An event finds its payment by the payment's token: hand it to Stripe as the session's `client_reference_id`,
/// or as `payment_token` in the metadata of a session or payment intent.
///
/// ```
/// use actix_payments::gateways::{Gateway, stripe::Stripe};
///
/// let stripe = Stripe::new("whsec_new").secret("old", "whsec_old");
/// assert_eq!(stripe.check(), Ok(()));
/// ```
#[derive(Debug, Clone)]
pub struct Stripe {
    secrets: Vec<(String, Secret)>,
    tolerance: Duration,
    api: Option<api::Api>,
}

impl Stripe {
    /// An endpoint with its signing secret (`whsec_…`), which gets the label `primary`. The text is the key as it
    /// stands: it is not trimmed and not split at commas.
    pub fn new(secret: impl Into<String>) -> Self {
        Self {
            secrets: vec![("primary".to_owned(), Secret::new(secret))],
            tolerance: Duration::from_secs(300),
            api: None,
        }
    }

    /// Adds a further signing secret under a label that shows which one matched. Default none. After a secret is
    /// rolled, Stripe signs with both for up to a day, and here both can be known before the roll.
    pub fn secret(mut self, label: impl Into<String>, secret: impl Into<String>) -> Self {
        self.secrets.push((label.into(), Secret::new(secret)));
        self
    }

    /// How old a signature may be. Default 300 seconds, as in Stripe's libraries: longer than any clock should be
    /// off, shorter than a thief of a recorded delivery would like. Stripe signs each of its retries anew, so
    /// late retries pass. Zero leaves the age unchecked, as in Stripe's libraries, never the signature; that is for
    /// replaying recorded deliveries, which are then told apart by their event id alone.
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// The API key (`sk_…`, or better a restricted `rk_…` that may write checkout sessions, payment intents and refunds,
    /// and read charges and events), with which payments are started, captured, canceled, refunded and asked about here: [`Payments::create`](crate::Payments::create) then answers the address of Stripe's checkout.
    /// Default none: the host starts them itself.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api = Some(api::Api::new(key));
        self
    }

    /// Where Stripe's API is. Default `https://api.stripe.com`; for tests, a fake on this machine by plain `http://`.
    /// Call it after [`Stripe::api_key`].
    pub fn api_base(mut self, base: impl Into<String>) -> Self {
        if let Some(api) = &mut self.api {
            api.base = base.into();
        }
        self
    }

    /// How often a call is tried again when Stripe can't be reached or asks for it. Default 2, as in Stripe's own
    /// libraries; each try bears the same idempotency key. Call it after [`Stripe::api_key`].
    pub fn api_retries(mut self, retries: u32) -> Self {
        if let Some(api) = &mut self.api {
            api.retries = retries;
        }
        self
    }

    fn verified(&self, delivery: &Delivery, now: Timestamp) -> Result<Verified, Rejection> {
        let genuine = verify::verify(&self.secrets, self.tolerance, delivery, now)?;
        let event = envelope::read(&delivery.body)?;
        Ok(Verified {
            events: vec![event],
            secret: Some(genuine.label.to_owned()),
            skew_seconds: Some(genuine.skew_seconds),
        })
    }
}

impl Gateway for Stripe {
    fn name(&self) -> &'static str {
        "Stripe"
    }

    fn check(&self) -> Result<(), String> {
        for (at, (label, secret)) in self.secrets.iter().enumerate() {
            if label.trim().is_empty() {
                return Err("expected a label for every signing secret of Stripe, got a blank one".to_owned());
            }
            if self.secrets[..at].iter().any(|(earlier, _)| earlier == label) {
                return Err(format!("expected a label of its own for every signing secret, got {label:?} twice"));
            }
            if secret.is_blank() {
                return Err(format!("expected Stripe's signing secret (whsec_…) as {label:?}, got a blank text"));
            }
            if [b"sk_", b"rk_", b"pk_"].iter().any(|key| secret.expose().starts_with(*key)) {
                return Err(format!("expected Stripe's signing secret (whsec_…) as {label:?}, got an API key"));
            }
        }
        self.api.as_ref().map_or(Ok(()), api::Api::check)
    }

    fn verify<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> Verification<'a> {
        Verification::Ready(self.verified(delivery, now))
    }

    fn interpret(&self, event: &Recorded<'_>) -> Result<Interpretation, Malformed> {
        interpret::interpret(event)
    }

    fn setup(&self) -> Setup {
        setup::setup(&self.secrets, self.api.is_some())
    }

    fn sign(&self, body: &[u8], now: Timestamp) -> Option<Vec<(String, String)>> {
        // The first secret is the current one; the others are on their way out.
        let (_, secret) = self.secrets.first().filter(|(_, secret)| !secret.is_blank())?;
        Some(vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            (verify::HEADER.to_owned(), signed(secret, now.unix_timestamp(), body)),
        ])
    }

    fn test_delivery(&self, id: &str, now: Timestamp) -> Option<Delivery> {
        let body = setup::test_event(id, now);
        let headers = self.sign(&body, now)?.into_iter().map(|(name, value)| (name, value.into_bytes()));
        Some(Delivery { headers: headers.collect(), query: String::new(), body: body.into() })
    }

    fn start<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Result<Started, GatewayError>> {
        match &self.api {
            Some(api) => Box::pin(api.checkout(order)),
            None => Box::pin(std::future::ready(Ok(Started::Done))),
        }
    }

    fn supports(&self, verb: Verb) -> Result<(), String> {
        match &self.api {
            _ if verb == Verb::Complete => Err("Stripe completes a payment by itself.".to_owned()),
            Some(_) => Ok(()),
            None => {
                Err(format!("This variant has no API key, so Stripe can't be asked to {} from here.", verb.as_str()))
            }
        }
    }

    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Vec<Envelope>, GatewayError>> {
        match &self.api {
            Some(api) => Box::pin(api.call(call)),
            None => Box::pin(std::future::ready(Err(no_key()))),
        }
    }

    fn list<'a>(
        &'a self,
        since: Timestamp,
        before: Option<&'a Envelope>,
    ) -> BoxFuture<'a, Result<Listing, GatewayError>> {
        match &self.api {
            Some(api) => Box::pin(api.list(since, before.map(|event| event.id.as_str()))),
            None => Box::pin(std::future::ready(Err(no_key()))),
        }
    }

    fn dashboard_url(&self, gateway_ref: &str, livemode: bool) -> Option<String> {
        // Only these have a page that an id alone leads to; `py_` is what a charge by another means than a card
        // is called. The id goes into an address, so it has to look like one.
        let known = ["pi_", "ch_", "py_"].iter().any(|prefix| gateway_ref.starts_with(prefix));
        let plain = gateway_ref.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let mode = if livemode { "" } else { "test/" };
        (known && plain).then(|| format!("https://dashboard.stripe.com/{mode}payments/{gateway_ref}"))
    }
}

fn no_key() -> GatewayError {
    GatewayError::Unsupported("this variant has no API key".to_owned())
}

/// The `Stripe-Signature` header that Stripe would send with `body` at `timestamp` (Unix seconds), for tests and
/// demonstrations.
pub fn sign_delivery(secret: &str, timestamp: i64, body: &[u8]) -> String {
    signed(&Secret::new(secret), timestamp, body)
}

fn signed(secret: &Secret, timestamp: i64, body: &[u8]) -> String {
    format!("t={timestamp},v1={}", signature::sign(secret, &timestamp.to_string(), body))
}
