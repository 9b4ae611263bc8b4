//! The gateway for Braintree. [`Braintree`] is one merchant's webhook: it verifies notifications, answers the challenge
//! with which Braintree checks an address, and reads facts. It calls Braintree for subscriptions only.
//!
//! See [`Braintree`] for an example of a variant's configuration.

mod api;
mod interpret;
mod notification;
mod setup;
mod subscription;
mod subscriptions;
mod verify;

use super::signature::Secret;
use super::subscriptions::SubscriptionGateway;
use super::{
    BoxFuture, Gateway, Mode, PageRequest, PageResponse, Setup, TEST_KIND, Verb, Verification, test_interpretation,
};
use crate::domain::Timestamp;
use crate::domain::delivery::Delivery;
use crate::domain::event::{Interpretation, Malformed, Recorded, References};
use crate::domain::identifier::GatewayRef;
use api::Api;
use verify::Keys;

/// The webhook of one Braintree merchant, in the sandbox or in production. With its keys, subscriptions can also be
/// canceled and refreshed.
///
/// Events find their payment by the payment's token: pass it to Braintree as the transaction's `order_id`. Braintree
/// sends no notifications about ordinary card sales, captures, voids and refunds.
///
/// ```
/// use actix_payments::gateways::{Gateway, braintree::Braintree};
///
/// let braintree = Braintree::new("merchant", "public_key", "private_key").live();
/// assert_eq!(braintree.check(), Ok(()));
/// ```
#[derive(Debug, Clone)]
pub struct Braintree {
    merchant_id: String,
    keys: Keys,
    accounts: Vec<String>,
    live: bool,
    api: Api,
}

impl Braintree {
    /// A merchant's id, and the pair of API keys with which its notifications are verified. They are keys of the
    /// sandbox unless [`Braintree::live`] says otherwise.
    pub fn new(merchant_id: impl Into<String>, public_key: impl Into<String>, private_key: impl Into<String>) -> Self {
        let keys = Keys { public: public_key.into(), private: Secret::new(private_key) };
        Self { merchant_id: merchant_id.into(), keys, accounts: Vec::new(), live: false, api: Api::new() }
    }

    /// Names the connected merchants (`source-merchant-id`, Braintree Auth) whose notifications are believed. Default:
    /// none, and only those of the merchant itself change payments. Those of others are kept for handlers, since a
    /// connected merchant can put any order id into its transactions.
    pub fn accounts(mut self, accounts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.accounts.extend(accounts.into_iter().map(Into::into));
        self
    }

    /// Sets the address of Braintree's API, for tests with a fake: `https://`, or `http://` to this machine. Default:
    /// Braintree's own address, of the sandbox or of production.
    pub fn api_base(mut self, base: impl Into<String>) -> Self {
        self.api.base = Some(base.into());
        self
    }

    /// Sets how often a call is retried when Braintree can't be reached or reports an error of its own. Default: 2.
    pub fn api_retries(mut self, retries: u32) -> Self {
        self.api.retries = retries;
        self
    }

    /// Declares the keys to be of production. Default: the sandbox. Notifications do not say which they are of.
    pub fn live(mut self) -> Self {
        self.live = true;
        self
    }
}

impl Gateway for Braintree {
    fn name(&self) -> &'static str {
        "Braintree"
    }

    fn check(&self) -> Result<(), String> {
        let is_plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && b != b'|');
        if !is_plain(&self.merchant_id) {
            return Err(format!("expected Braintree's merchant id, got {:?}", self.merchant_id));
        }
        if !is_plain(&self.keys.public) {
            return Err(format!("expected Braintree's public key, got {:?}", self.keys.public));
        }
        if self.keys.private.is_blank() {
            return Err("expected Braintree's private key, got a blank text".to_owned());
        }
        if let Some(where_blank) = self.keys.private.surrounding_blank() {
            return Err(format!("expected Braintree's private key, got one that {where_blank}"));
        }
        self.api.check()
    }

    fn verify<'a>(&'a self, delivery: &'a Delivery, _: Timestamp) -> Verification<'a> {
        let xml = verify::verify(&self.keys, delivery);
        Verification::Ready(xml.and_then(|xml| notification::envelope(xml, self.live)))
    }

    fn references(&self, event: &Recorded<'_>) -> References {
        interpret::references(event)
    }

    fn interpret(&self, event: &Recorded<'_>) -> Result<Interpretation, Malformed> {
        match event.kind {
            TEST_KIND => Ok(test_interpretation()),
            _ => interpret::interpret(event, |account| {
                account == self.merchant_id || self.accounts.iter().any(|a| a == account)
            }),
        }
    }

    fn supports(&self, _: Verb) -> Result<(), String> {
        Err("This crate does not call Braintree's API: use its Control Panel, or your own code.".to_owned())
    }

    fn subscriptions(&self) -> Option<&dyn SubscriptionGateway> {
        Some(self)
    }

    fn page<'a>(&'a self, request: &'a PageRequest) -> BoxFuture<'a, Option<PageResponse>> {
        let challenge = request.query.iter().find(|(name, _)| name == "bt_challenge").map(|(_, value)| value.as_str());
        let is_own_address = !request.post && request.path.is_empty();
        let answer =
            challenge.filter(|_| is_own_address).map(|challenge| match verify::answer(&self.keys, challenge) {
                Some(answer) => PageResponse::Text(answer),
                None => PageResponse::Error(400, "challenge_malformed".to_owned()),
            });
        Box::pin(std::future::ready(answer))
    }

    fn setup(&self) -> Setup {
        setup::setup(&self.keys)
    }

    fn signed_delivery(&self, _: &str, event: &[u8], _: Timestamp) -> Option<Delivery> {
        let body = verify::form(&self.keys, event);
        let headers = vec![("content-type".to_owned(), b"application/x-www-form-urlencoded".to_vec())];
        Some(Delivery { headers, query: String::new(), body: body.into() })
    }

    fn test_delivery(&self, id: &str, now: Timestamp) -> Option<Delivery> {
        self.signed_delivery(id, setup::test_notification(id, now).as_bytes(), now)
    }

    fn dashboard_url(&self, gateway_ref: &GatewayRef, mode: Mode) -> Option<String> {
        let host = if mode == Mode::Live { "www" } else { "sandbox" };
        // The longer ids of disputes and local payments have no page there.
        let is_transaction =
            (6..=16).contains(&gateway_ref.len()) && gateway_ref.bytes().all(|b| b.is_ascii_alphanumeric());
        let merchant = &self.merchant_id;
        let is_plain = merchant.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        (is_transaction && is_plain)
            .then(|| format!("https://{host}.braintreegateway.com/merchants/{merchant}/transactions/{gateway_ref}"))
    }
}
