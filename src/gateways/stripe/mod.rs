//! The gateway for Stripe. [`Stripe`] is one configured webhook endpoint. With an API key it also starts checkouts and
//! acts on payments; without one, the host does that with a Stripe client of its own.
//!
//! See [`Stripe`] for an example of a variant's configuration.

mod api;
mod envelope;
mod interpret;
pub mod money;
mod payload;
mod setup;
mod subscriptions;
mod thin;
mod thin_kinds;
mod verify;

use std::borrow::Cow;
use std::time::Duration;

use self::payload::Payload;
use super::objects::ObjectSource;
use super::signature::{self, Secret};
use super::subscriptions::SubscriptionGateway;
use super::{
    BoxFuture, Call, Fetch, Gateway, GatewayError, Listing, Mode, PaymentRequest, Setup, Started, Verb, Verification,
    compared,
};
use crate::domain::Timestamp;
use crate::domain::delivery::{Delivery, Rejection};
use crate::domain::event::{Envelope, Interpretation, Malformed, Recorded, References, Verified};
use crate::domain::identifier::GatewayRef;

/// One webhook endpoint of a Stripe account, test or live.
///
/// Events find their payment by the payment's token. A host that creates sessions or payment intents itself passes the
/// token to Stripe as the session's `client_reference_id`, or as `payment_token` in the metadata of either.
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
    accounts: Vec<String>,
    owner_key: String,
    payload: Payload,
    api: Option<api::Api>,
}

impl Stripe {
    /// An endpoint with its signing secret (`whsec_…`), which gets the label `primary`. The text is the key exactly as
    /// given: it is not trimmed and not split at commas.
    pub fn new(secret: impl Into<String>) -> Self {
        Self {
            secrets: vec![("primary".to_owned(), Secret::new(secret))],
            tolerance: Duration::from_secs(300),
            accounts: Vec::new(),
            owner_key: "owner".to_owned(),
            payload: Payload::Snapshots,
            api: None,
        }
    }

    /// An endpoint whose only destination sends thin events, with its signing secret, which gets the label `primary`.
    /// Thin events name an object without showing it, so Stripe is asked for it: they wait until [`Stripe::api_key`] is
    /// set. Missed events are looked for in Stripe's list of thin events only.
    pub fn thin(secret: impl Into<String>) -> Self {
        Self { payload: Payload::Thin, ..Self::new(secret) }
    }

    /// Adds another signing secret. The label shows which secret matched. Default: none. When a secret is rolled,
    /// Stripe signs with both for up to a day; add the new one here before the old one expires.
    pub fn secret(mut self, label: impl Into<String>, secret: impl Into<String>) -> Self {
        self.secrets.push((label.into(), Secret::new(secret)));
        self
    }

    /// Adds the signing secret of a destination that sends thin events to the same address, under the label `thin`.
    /// Default: none. Thin events name an object without showing it, so Stripe is asked for it: they wait until
    /// [`Stripe::api_key`] is set. If a snapshot destination reports the same change, it is processed once. Without a
    /// snapshot destination, begin with [`Stripe::thin`] instead.
    ///
    /// With it, missed events are looked for in both of Stripe's lists.
    pub fn thin_secret(mut self, secret: impl Into<String>) -> Self {
        self.payload = if self.payload == Payload::Thin { Payload::Thin } else { Payload::Both };
        self.secret("thin", secret)
    }

    /// Sets how old a signature may be. Default: 300 seconds, as in Stripe's libraries: long enough for clocks that are
    /// off, short enough to limit replays. Stripe signs each retry anew, so late retries are accepted.
    ///
    /// Zero turns off the check of the age, as in Stripe's libraries, but never that of the signature. Use it to replay
    /// recorded deliveries; duplicates are then recognized only by their event's id.
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Names the connected accounts (`acct_…`, Stripe Connect) whose events are believed. Default: none, and only
    /// events of the endpoint's own account change payments. Those of all other accounts are kept for handlers, since
    /// an account's owner can put any payment's token into its sessions and intents.
    pub fn accounts(mut self, accounts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.accounts.extend(accounts.into_iter().map(Into::into));
        self
    }

    /// Sets the key of a subscription's metadata that has its owner. Default: `owner`. If it is missing, the
    /// `client_reference_id` of the checkout session that began the subscription is the owner. Sessions of payment
    /// links are an exception, since there the customer's browser sets that id. In a pricing table the browser sets it,
    /// too: leave `client-reference-id` out of its HTML, or the customer chooses the owner.
    pub fn owner_key(mut self, key: impl Into<String>) -> Self {
        self.owner_key = key.into();
        self
    }

    /// Sets the API key with which the crate calls Stripe's API: `sk_…`, or better a restricted `rk_…`. That needs
    /// write access to checkout sessions, payment intents, refunds, subscriptions and the customer portal, and read
    /// access to charges and events. It also needs to read balance transactions, for the fees in the books, and
    /// invoices, for refreshed subscriptions. Default: none, and the host makes all calls itself.
    ///
    /// [`Payments::create`](crate::Payments::create) then creates a checkout session and returns its address. Captures,
    /// cancels, refunds, refreshes and the list of events use the key as well.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api = Some(api::Api::new(key));
        self
    }

    /// Sets the address of Stripe's API, for tests with a fake: `https://`, or `http://` to this machine. Default:
    /// `https://api.stripe.com`. Has an effect only after [`Stripe::api_key`].
    pub fn api_base(mut self, base: impl Into<String>) -> Self {
        if let Some(api) = &mut self.api {
            api.base = base.into();
        }
        self
    }

    /// Sets how often a call is retried when Stripe can't be reached or asks for a retry. Default: 2, as in Stripe's
    /// own libraries. Every try has the same idempotency key. Has an effect only after [`Stripe::api_key`].
    pub fn api_retries(mut self, retries: u32) -> Self {
        if let Some(api) = &mut self.api {
            api.retries = retries;
        }
        self
    }

    fn verified(&self, delivery: &Delivery, now: Timestamp) -> Result<Verified, Rejection> {
        let matched = verify::verify(&self.secrets, self.tolerance, delivery, now)?;
        let event = envelope::read(&delivery.body)?;
        Ok(Verified {
            events: vec![event],
            secret: Some(matched.label.to_owned()),
            skew_seconds: Some(matched.skew_seconds),
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
            if let Some(where_blank) = secret.surrounding_blank() {
                return Err(format!(
                    "expected Stripe's signing secret (whsec_…) as {label:?}, got one that {where_blank}"
                ));
            }
            if [b"sk_", b"rk_", b"pk_"].iter().any(|key| secret.expose().starts_with(*key)) {
                return Err(format!("expected Stripe's signing secret (whsec_…) as {label:?}, got an API key"));
            }
        }
        // It goes into a header. A destination of an organization names an account by the way to it.
        let is_plain = |rest: &str| rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_/".contains(&byte));
        let is_id = |text: &str| text.strip_prefix("acct_").is_some_and(|rest| !rest.is_empty() && is_plain(rest));
        if let Some(wrong) = self.accounts.iter().find(|account| !is_id(account)) {
            return Err(format!("expected a connected account of Stripe's (acct_…), got {wrong:?}"));
        }
        self.api.as_ref().map_or(Ok(()), api::Api::check)
    }

    fn verify<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> Verification<'a> {
        Verification::Ready(self.verified(delivery, now))
    }

    fn references(&self, event: &Recorded<'_>) -> References {
        interpret::references(event)
    }

    /// Not `pending_webhooks`, which counts down with each delivery; not `request`.
    fn unchanging<'a>(&self, body: &'a [u8]) -> Cow<'a, [u8]> {
        compared::members(body, &["type", "account", "created", "livemode", "data"])
    }

    fn interpret(&self, event: &Recorded<'_>) -> Result<Interpretation, Malformed> {
        interpret::interpret(event, &self.accounts, &self.owner_key)
    }

    fn setup(&self) -> Setup {
        setup::setup(&self.secrets, self.api.is_some(), self.payload)
    }

    fn sign(&self, body: &[u8], now: Timestamp) -> Option<Vec<(String, String)>> {
        // The first secret is the current one.
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

    fn start<'a>(&'a self, payment: &'a PaymentRequest) -> BoxFuture<'a, Result<Started, GatewayError>> {
        match &self.api {
            Some(api) => Box::pin(api.checkout(payment)),
            None => Box::pin(std::future::ready(Ok(Started::Done))),
        }
    }

    fn supports_account(&self, account: &str) -> Result<(), String> {
        if self.accounts.iter().any(|believed| believed == account) {
            return Ok(());
        }
        Err(format!(
            "expected one of the connected accounts that this variant names (Stripe::accounts), got {account:?}"
        ))
    }

    /// Its events name no account, and those of connected accounts do.
    fn own_account(&self) -> Option<String> {
        Some(String::new())
    }

    fn supports(&self, verb: Verb) -> Result<(), String> {
        if verb == Verb::Complete {
            return Err("Stripe completes a payment by itself.".to_owned());
        }
        if self.api.is_none() {
            return Err("This variant has no API key, so Stripe can't be asked for anything from here.".to_owned());
        }
        Ok(())
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
            None => Err("this variant has no API key, with which Stripe shows what its thin events name".to_owned()),
        }
    }

    fn fetch<'a>(&'a self, fetch: &'a Fetch) -> BoxFuture<'a, Result<Vec<Envelope>, GatewayError>> {
        match &self.api {
            Some(api) => Box::pin(api.fetch(fetch)),
            None => Box::pin(std::future::ready(Err(no_key()))),
        }
    }

    fn is_invoice(&self, gateway_ref: &GatewayRef) -> bool {
        gateway_ref.starts_with("in_")
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
            Some(api) => Box::pin(api.list(since, before, self.payload)),
            None => Box::pin(std::future::ready(Err(no_key()))),
        }
    }

    fn subscriptions(&self) -> Option<&dyn SubscriptionGateway> {
        Some(self)
    }

    fn objects(&self) -> Option<&dyn ObjectSource> {
        self.api.as_ref().map(|api| api as &dyn ObjectSource)
    }

    fn dashboard_url(&self, gateway_ref: &GatewayRef, mode: Mode) -> Option<String> {
        // Only these objects have a page that the id alone leads to; `py_` is the prefix of charges that are not by
        // card.
        let pages = [("pi_", "payments"), ("ch_", "payments"), ("py_", "payments"), ("sub_", "subscriptions")];
        let (_, page) = pages.iter().find(|(prefix, _)| gateway_ref.starts_with(prefix))?;
        // The id is inserted into an address.
        let is_plain = gateway_ref.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let mode = if mode == Mode::Live { "" } else { "test/" };
        is_plain.then(|| format!("https://dashboard.stripe.com/{mode}{page}/{gateway_ref}"))
    }
}

pub(super) fn no_key() -> GatewayError {
    GatewayError::Unsupported("this variant has no API key".to_owned())
}

/// The `Stripe-Signature` header that Stripe would send with `body` at `timestamp` (Unix seconds). For tests and
/// demonstrations.
///
/// ```
/// use actix_payments::domain::delivery::Delivery;
/// use actix_payments::gateways::stripe::sign_delivery;
///
/// let body = br#"{"id": "evt_1", "type": "charge.succeeded"}"#;
/// let signature = sign_delivery("whsec_1", 1_791_800_000, body);
/// assert!(signature.starts_with("t=1791800000,v1="));
/// let delivery = Delivery::new(&body[..]).with_header("stripe-signature", signature);
/// # drop(delivery);
/// ```
pub fn sign_delivery(secret: &str, timestamp: i64, body: &[u8]) -> String {
    signed(&Secret::new(secret), timestamp, body)
}

fn signed(secret: &Secret, timestamp: i64, body: &[u8]) -> String {
    format!("t={timestamp},v1={}", signature::sign(secret, &timestamp.to_string(), body))
}
