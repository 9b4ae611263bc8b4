//! The calls of Lemon Squeezy's API (<https://docs.lemonsqueezy.com/api>): opens checkouts, refunds and refreshes
//! orders.
//!
//! Lemon Squeezy knows no idempotency keys, and a refund bears no mark of ours. Whether a lost refund of a part was
//! made can't be told, so it is not repeated.

use bytes::Bytes;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use crate::domain::Timestamp;
use crate::domain::event::{Envelope, Malformed};
use crate::domain::money::Money;
use crate::gateways::http::Response;
use crate::gateways::json::Object;
use crate::gateways::json_api::{ApiCall, Credentials, JsonApi, is_plain, no_object};
use crate::gateways::reading::{ANSWERED, id_text};
use crate::gateways::signature::Secret;
use crate::gateways::{Call, CaptureMethod, GatewayError, PaymentRequest, Started, Verb, retry};

const BASE: &str = "https://api.lemonsqueezy.com";
/// JSON:API.
const TYPE: &str = "application/vnd.api+json";

type Events = Result<Vec<Envelope>, GatewayError>;

/// The API, with the key of one account.
#[derive(Debug, Clone)]
pub(super) struct Api {
    pub(super) json: JsonApi,
    store: String,
    /// The product variant that payments are sold as, and the store's currency.
    pub(super) sells: Option<(String, String)>,
}

pub(super) fn malformed(Malformed(why): Malformed) -> GatewayError {
    GatewayError::Malformed(why)
}

impl Api {
    pub(super) fn new(key: impl Into<String>, store: impl Into<String>) -> Self {
        let credentials = Credentials::Key("Bearer", Secret::new(key));
        let json = JsonApi::new("Lemon Squeezy", credentials, BASE, [("accept", TYPE), ("content-type", TYPE)]);
        Self { json, store: store.into(), sells: None }
    }

    /// Checks that key, ids and address are usable.
    pub(super) fn check(&self) -> Result<(), String> {
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(&self.store) {
            return Err(format!("expected the number of a store of Lemon Squeezy's, got {:?}", self.store));
        }
        if let Some((variant, currency)) = &self.sells {
            if !is_number(variant) {
                return Err(format!("expected the number of a product variant of Lemon Squeezy's, got {variant:?}"));
            }
            crate::domain::money::Currency::parse(currency).map_err(|bad| bad.to_string())?;
        }
        self.json.check()
    }

    /// Opens a checkout at a price of its own, in which a discount code can be entered or not.
    pub(super) async fn checkout(&self, payment: &PaymentRequest, discounts: bool) -> Result<Started, GatewayError> {
        let Some((variant, currency)) = &self.sells else { return Ok(Started::Done) };
        if payment.capture == CaptureMethod::Manual {
            return Err(GatewayError::Declined("Lemon Squeezy can't hold money to be captured later".to_owned()));
        }
        if !payment.amount.currency.as_str().eq_ignore_ascii_case(currency) {
            let why = format!("the store sells in {currency}, and the payment is in {}", payment.amount.currency);
            return Err(GatewayError::Declined(why));
        }
        let mut own: serde_json::Map<String, Value> =
            payment.metadata.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
        own.insert("payment_token".to_owned(), json!(payment.token));
        let mut attributes = json!({"custom_price": payment.amount.minor, "checkout_data": {"custom": own}});
        if !discounts {
            attributes["checkout_options"] = json!({"discount": false});
        }
        if let Some(email) = &payment.customer {
            attributes["checkout_data"]["email"] = json!(email);
        }
        if let Some(url) = &payment.return_url {
            attributes["product_options"] = json!({"redirect_url": url});
        }
        if let Some(at) = payment.expires_at.and_then(|at| at.format(&Rfc3339).ok()) {
            attributes["expires_at"] = json!(at);
        }
        self.opened(variant, attributes).await
    }

    /// Opens a checkout of a product variant.
    pub(super) async fn opened(&self, variant: &str, attributes: Value) -> Result<Started, GatewayError> {
        let body = json!({"data": {
            "type": "checkouts",
            "attributes": attributes,
            "relationships": {
                "store": {"data": {"type": "stores", "id": self.store}},
                "variant": {"data": {"type": "variants", "id": variant}},
            },
        }});
        let answer = self.json.send(ApiCall::post("/v1/checkouts", body)).await?;
        let checkout = Object::read(data(&answer)?, "a checkout").map_err(malformed)?;
        let of = checkout.need_object("attributes", "a checkout").map_err(malformed)?;
        let url = of.need_text("url").map_err(malformed)?.into_owned();
        // No event names the checkout.
        Ok(Started::Redirect { url, gateway_refs: Vec::new() })
    }

    /// Carries out a call.
    pub(super) async fn call(&self, call: &Call) -> Events {
        let id = |prefix: &str| {
            let ids = call.gateway_refs.iter().filter_map(|id| id.strip_prefix(prefix));
            ids.filter(|id| is_plain(id)).map(str::to_owned).next()
        };
        let (order, invoice) = (id("order_"), id("invoice_"));
        match (call.verb, order, invoice) {
            (Verb::Refund, Some(id), _) => self.refund(call, &format!("/v1/orders/{id}"), "orders", "order", &id).await,
            (Verb::Refund, None, Some(id)) => {
                let path = format!("/v1/subscription-invoices/{id}");
                self.refund(call, &path, "subscription-invoices", "invoice", &id).await
            }
            (_, Some(id), _) => self.refresh(call, format!("/v1/orders/{id}"), "order").await,
            (_, None, Some(id)) => self.refresh(call, format!("/v1/subscription-invoices/{id}"), "invoice").await,
            _ => Err(no_object("Lemon Squeezy")),
        }
    }

    async fn refund(&self, call: &Call, path: &str, of: &str, family: &str, id: &str) -> Events {
        let look = self.json.send(ApiCall::get(path)).await;
        let looked = look.and_then(|shown| left(&shown).map(|left| (shown, left)));
        let (shown, left) = looked.map_err(|why| retry::unsent(call.tries, why))?;
        let amount = match call.amount {
            Some(Money { minor, .. }) if call.tries > 1 => {
                let why = format!(
                    "it is not known whether the first try refunded {minor} cents: {left} are left; refresh the payment, and \
                     refund again if it is missing"
                );
                return Err(GatewayError::OutcomeUnknown(why));
            }
            Some(amount) => amount.minor,
            // The first try got through.
            None if left <= 0 && call.tries > 1 => {
                return Ok(vec![event(call.idempotency_key.clone(), family, data(&shown)?, shown.answered_at())?]);
            }
            None => left,
        };
        let body = json!({"data": {"type": of, "id": id, "attributes": {"amount": amount}}});
        let answer = self.json.send(ApiCall::post(format!("{path}/refund"), body)).await?;
        Ok(vec![event(call.idempotency_key.clone(), family, data(&answer)?, answer.answered_at())?])
    }

    async fn refresh(&self, call: &Call, path: String, family: &str) -> Events {
        let answer = self.json.send(ApiCall::get(path)).await?;
        Ok(vec![event(format!("{}-1", call.idempotency_key), family, data(&answer)?, answer.answered_at())?])
    }
}

/// What is left of an order or an invoice to refund, in cents.
fn left(shown: &Response) -> Result<i64, GatewayError> {
    let object = Object::read(data(shown)?, "an order").map_err(malformed)?;
    let of = object.need_object("attributes", "an order").map_err(malformed)?;
    let total = of.need_integer("total").map_err(malformed)?;
    Ok(total.saturating_sub(of.integer("refunded_amount").map_err(malformed)?.unwrap_or(0)))
}

/// The raw JSON text of the object in an answer.
pub(super) fn data(answer: &Response) -> Result<&str, GatewayError> {
    let whole = Object::read(answer.text()?, "an answer").map_err(malformed)?;
    whole.raw("data").ok_or_else(|| GatewayError::Malformed("expected `data` in an answer, got nothing".to_owned()))
}

/// The event that reports the current state of an object, in Lemon Squeezy's own format.
pub(super) fn event(id: String, family: &str, object: &str, at: Timestamp) -> Result<Envelope, GatewayError> {
    let read = Object::read(object, "an answer").map_err(malformed)?;
    if id_text(&read, "id").is_none() {
        return Err(GatewayError::Malformed("expected an object with an id, got another".to_owned()));
    }
    let of = read.object("attributes", "an object").map_err(malformed)?;
    let livemode = of.and_then(|of| of.bool("test_mode").ok().flatten()).map(|test| !test);
    let kind = format!("{family}{ANSWERED}");
    let body = format!(r#"{{"meta":{{"event_name":"{kind}"}},"data":{object}}}"#);
    let (account, api_version) = (None, None);
    Ok(Envelope { id, kind, occurred_at: Some(at), livemode, account, api_version, body: Bytes::from(body) })
}
