//! The gateway for Lemon Squeezy. [`LemonSqueezy`] is one webhook of a store. With an API key it also opens checkouts
//! and refunds orders.
//!
//! See [`LemonSqueezy`] for an example of a variant's configuration.

mod api;
mod interpret;
mod resource;
mod setup;
mod subscription;
mod subscriptions;

use sha2::{Digest, Sha256};

use super::believed::Believed;
use super::hmac_webhooks::{HeaderField, HmacWebhooks};
use super::json::{self, Members, Object, short};
use super::json_api::call_supported;
use super::reading::id_text;
use super::subscriptions::SubscriptionGateway;
use super::{
    BoxFuture, Call, Gateway, GatewayError, Mode, PaymentRequest, Setup, Started, TEST_KIND, Verb, Verification,
    test_interpretation,
};
use crate::domain::Timestamp;
use crate::domain::delivery::{Delivery, Rejection};
use crate::domain::event::{Envelope, Interpretation, Malformed, Recorded, References, Verified, storable};
use crate::domain::hex::hex;
use crate::domain::identifier::GatewayRef;
use api::Api;

/// One webhook of a Lemon Squeezy store. Its events say whether they are of test mode.
///
/// Events find their payment by the payment's token. A host that opens checkouts itself passes the token to Lemon
/// Squeezy as `payment_token` in the checkout's custom data. Ids are numbers that orders and invoices share, so they
/// are known here as `order_1` and `invoice_1`.
///
/// ```
/// use actix_payments::gateways::{Gateway, lemon_squeezy::LemonSqueezy};
///
/// let lemon_squeezy = LemonSqueezy::new("the webhook's secret");
/// assert_eq!(lemon_squeezy.check(), Ok(()));
/// ```
#[derive(Debug, Clone)]
pub struct LemonSqueezy {
    webhooks: HmacWebhooks,
    owner_key: String,
    stores: Believed,
    /// Whether discounts explain a lower price.
    discounts: bool,
    api: Option<Api>,
}

impl LemonSqueezy {
    /// A webhook with its signing secret, which gets the label `primary`.
    pub fn new(secret: impl Into<String>) -> Self {
        // <https://docs.lemonsqueezy.com/help/webhooks/signing-requests>
        let webhooks = HmacWebhooks::new("Lemon Squeezy", HeaderField::whole("x-signature"), secret)
            .id_from(["/meta/event_name", "/data/id"])
            .kind("/meta/event_name")
            .occurred_at("/data/attributes/updated_at");
        let stores = Believed::all("store", &["data", "attributes", "store_id"]);
        Self { webhooks, owner_key: "owner".to_owned(), stores, discounts: false, api: None }
    }

    /// Adds another signing secret, such as the next one while it is changed. The label shows which one matched.
    /// Default: none.
    pub fn secret(mut self, label: impl Into<String>, secret: impl Into<String>) -> Self {
        self.webhooks = self.webhooks.secret(label, secret);
        self
    }

    /// Sets the key of the custom data that has a subscription's owner. Default: `owner`.
    pub fn owner_key(mut self, key: impl Into<String>) -> Self {
        self.owner_key = key.into();
        self
    }

    /// Names stores whose events are believed, by their numbers. Default: that of [`LemonSqueezy::api_key`], and
    /// without an API key all. Events of other stores are kept for handlers.
    pub fn stores(mut self, stores: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.stores.name(stores);
        self
    }

    /// Declares that your discount codes may apply to payments. Default: a checkout that is opened here accepts no
    /// codes, and a discounted order does not pay a payment at less than its price. Otherwise customers who open a
    /// checkout in the browser could use a code for another product.
    pub fn discounts(mut self) -> Self {
        self.discounts = true;
        self
    }

    /// Sets the API key, of test or live mode, with which the crate calls Lemon Squeezy's API, and the store. Default:
    /// none, and the host makes all calls itself. Refunds of orders, refreshes and subscriptions use the key.
    pub fn api_key(mut self, key: impl Into<String>, store: impl Into<String>) -> Self {
        let store = store.into();
        self.stores.name([store.clone()]);
        self.api = Some(Api::new(key, store));
        self
    }

    /// Sets the product variant as which payments are sold, each at its own price, and the store's currency: Lemon
    /// Squeezy sells in no other. Default: none, and the host opens checkouts itself. Has an effect only after
    /// [`LemonSqueezy::api_key`].
    pub fn product_variant(mut self, variant: impl Into<String>, currency: impl Into<String>) -> Self {
        if let Some(api) = &mut self.api {
            api.sells = Some((variant.into(), currency.into()));
        }
        self
    }

    /// Sets the address of Lemon Squeezy's API, for tests with a fake: `https://`, or `http://` to this machine.
    /// Default: `https://api.lemonsqueezy.com`. Has an effect only after [`LemonSqueezy::api_key`].
    pub fn api_base(mut self, base: impl Into<String>) -> Self {
        if let Some(api) = &mut self.api {
            api.json.base = base.into();
        }
        self
    }

    /// Sets how often a call that can be repeated is retried when Lemon Squeezy can't be reached or reports an error of
    /// its own. Default: 2. Has an effect only after [`LemonSqueezy::api_key`].
    pub fn api_retries(mut self, retries: u32) -> Self {
        if let Some(api) = &mut self.api {
            api.json.retries = retries;
        }
        self
    }

    fn verified(&self, delivery: &Delivery, now: Timestamp) -> Result<Verified, Rejection> {
        let mut verified = self.webhooks.verified(delivery, now)?;
        for event in &mut verified.events {
            identify(event, &self.stores);
            if !storable(&event.id) {
                return Err(Rejection::BodyMalformed);
            }
        }
        Ok(verified)
    }
}

/// Gives the event an id, its store and its mode. Lemon Squeezy sends no id: the kind, the object, its last change, its
/// status and what was refunded name the event, and the hash of the object tells it from another one of that second.
/// They are the same each time it is sent.
fn identify(event: &mut Envelope, stores: &Believed) {
    let read = |event: &Envelope| {
        let whole = Object::read(std::str::from_utf8(&event.body).ok()?, "an event").ok()?;
        let data = whole.object("data", "data").ok()??;
        let of = data.object("attributes", "attributes").ok()??;
        let meta = whole.object("meta", "meta").ok()??;
        let parts = [
            Some(event.id.clone()),
            short(&data, "type"),
            short(&of, "updated_at"),
            short(&of, "status"),
            id_text(&of, "refunded_amount"),
            Some(content_hash(&data)?),
        ];
        let id = parts.into_iter().flatten().collect::<Vec<_>>().join(":");
        Some((id, meta.bool("test_mode").ok()?.map(|test| !test), stores.account(&whole)))
    };
    if event.kind == TEST_KIND {
        event.id = event.id.trim_start_matches(TEST_KIND).trim_start_matches(':').to_owned();
    } else if let Some((id, livemode, store)) = read(event) {
        (event.id, event.livemode, event.account) = (id, livemode, store);
    }
}

/// The hash of an object's attributes, but for the links, which are signed anew whenever they are shown.
fn content_hash(data: &Object<'_>) -> Option<String> {
    let mut members = Members::of(data.raw("attributes")?);
    let mut hash = Sha256::new();
    while let Some((key, value)) = members.next().ok()? {
        if json::text(key).is_none_or(|key| key != "urls") {
            hash.update(key);
            hash.update(value);
        }
    }
    Some(hex(&hash.finalize()[..8]))
}

impl Gateway for LemonSqueezy {
    fn name(&self) -> &'static str {
        "Lemon Squeezy"
    }

    fn is_merchant_of_record(&self) -> bool {
        true
    }

    fn check(&self) -> Result<(), String> {
        self.webhooks.check()?;
        self.stores.check("Lemon Squeezy")?;
        self.api.as_ref().map_or(Ok(()), Api::check)
    }

    fn verify<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> Verification<'a> {
        Verification::Ready(self.verified(delivery, now))
    }

    fn interpret(&self, event: &Recorded<'_>) -> Result<Interpretation, Malformed> {
        if event.kind == TEST_KIND {
            return Ok(test_interpretation());
        }
        self.stores.heard(event, || interpret::interpret(event, &self.owner_key, self.discounts))
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
        self.signed_delivery(id, &setup::test_event(id), now)
    }

    /// Orders and subscriptions have a page, by their numbers.
    fn dashboard_url(&self, gateway_ref: &GatewayRef, _: Mode) -> Option<String> {
        let (page, id) = match gateway_ref.strip_prefix("order_") {
            Some(id) => ("orders", id),
            None => ("subscriptions", gateway_ref.as_str()),
        };
        let is_number = (1..=20).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| format!("https://app.lemonsqueezy.com/{page}/{id}"))
    }

    fn start<'a>(&'a self, payment: &'a PaymentRequest) -> BoxFuture<'a, Result<Started, GatewayError>> {
        match &self.api {
            Some(api) if api.sells.is_some() => Box::pin(api.checkout(payment, self.discounts)),
            _ => Box::pin(std::future::ready(Ok(Started::Done))),
        }
    }

    fn supports(&self, verb: Verb) -> Result<(), String> {
        match verb {
            Verb::Complete => Err("Lemon Squeezy completes an order by itself.".to_owned()),
            Verb::Capture => Err("Lemon Squeezy takes the money at once, so there is nothing to capture.".to_owned()),
            Verb::Cancel => Err("Lemon Squeezy can't be asked to end a checkout; it ends by itself.".to_owned()),
            _ if self.api.is_none() => Err(no_key().to_string()),
            _ => Ok(()),
        }
    }

    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Vec<Envelope>, GatewayError>> {
        call_supported(self.api.as_ref(), Gateway::supports(self, call.verb), |api| Box::pin(api.call(call)))
    }

    fn subscriptions(&self) -> Option<&dyn SubscriptionGateway> {
        Some(self)
    }
}

fn no_key() -> GatewayError {
    GatewayError::Unsupported(
        "this variant has no API key, so Lemon Squeezy can't be asked for anything from here".to_owned(),
    )
}
