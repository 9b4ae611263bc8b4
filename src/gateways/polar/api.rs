//! The calls of Polar's API (<https://polar.sh/docs/api-reference/introduction>): opens checkouts, refunds and
//! refreshes orders. Its answers become events in Polar's own format.
//!
//! Polar knows no idempotency keys. A refund therefore bears the key in its metadata, and is looked for before it is
//! made.

use bytes::Bytes;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use crate::domain::Timestamp;
use crate::domain::event::{Envelope, Malformed};
use crate::domain::fact::Aspect;
use crate::gateways::http::Response;
use crate::gateways::json::{Object, elements};
use crate::gateways::json_api::{ApiCall, Credentials, JsonApi, is_plain, no_object};
use crate::gateways::reading::{ANSWERED, nested};
use crate::gateways::signature::Secret;
use crate::gateways::{Call, CaptureMethod, GatewayError, PaymentRequest, Started, Verb, retry};

const SANDBOX: &str = "https://sandbox-api.polar.sh";
const LIVE: &str = "https://api.polar.sh";
/// How many refunds a page of a list has, and how many pages are read at most.
const LIMIT: usize = 100;
const PAGES: i64 = 10;

type Events = Result<Vec<Envelope>, GatewayError>;

/// The API, with the token of one organization.
#[derive(Debug, Clone)]
pub(super) struct Api {
    pub(super) json: JsonApi,
    /// The product that payments are sold as.
    pub(super) product: Option<String>,
}

pub(super) fn malformed(Malformed(why): Malformed) -> GatewayError {
    GatewayError::Malformed(why)
}

impl Api {
    pub(super) fn new(token: impl Into<String>, live: bool) -> Self {
        let base = if live { LIVE } else { SANDBOX };
        Self { json: JsonApi::new("Polar", Credentials::Key("Bearer", Secret::new(token)), base, []), product: None }
    }

    /// Turns to production, unless the address was set to another one.
    pub(super) fn live(&mut self) {
        if self.json.base == SANDBOX {
            LIVE.clone_into(&mut self.json.base);
        }
    }

    /// Checks that token, product and address are usable.
    pub(super) fn check(&self) -> Result<(), String> {
        if let Some(product) = self.product.as_ref().filter(|product| !is_plain(product)) {
            return Err(format!("expected the id of a product of Polar's, got {product:?}"));
        }
        self.json.check()
    }

    /// Opens a checkout of the product, at a price of its own, in which a discount code can be entered or not.
    pub(super) async fn checkout(&self, payment: &PaymentRequest, discounts: bool) -> Result<Started, GatewayError> {
        let Some(product) = &self.product else { return Ok(Started::Done) };
        if payment.capture == CaptureMethod::Manual {
            return Err(GatewayError::Declined("Polar can't hold money to be captured later".to_owned()));
        }
        let mut metadata: serde_json::Map<String, Value> =
            payment.metadata.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
        metadata.insert("payment_token".to_owned(), json!(payment.token));
        let currency = payment.amount.currency.as_str().to_ascii_lowercase();
        let price = json!({"amount_type": "fixed", "price_currency": currency, "price_amount": payment.amount.minor});
        let mut body = checkout(product, metadata, payment.return_url.as_deref());
        body["allow_discount_codes"] = json!(discounts);
        body["prices"] = json!({product.as_str(): [price]});
        if let Some(email) = &payment.customer {
            body["customer_email"] = json!(email);
        }
        let (url, id) = self.opened(body).await?;
        Ok(Started::Redirect { url, gateway_refs: vec![id.into()] })
    }

    /// Opens a checkout: its address and its id.
    pub(super) async fn opened(&self, body: Value) -> Result<(String, String), GatewayError> {
        let answer = self.json.send(ApiCall::post("/v1/checkouts/", body)).await?;
        let checkout = Object::read(answer.text()?, "a checkout").map_err(malformed)?;
        let url = checkout.need_text("url").map_err(malformed)?.into_owned();
        Ok((url, checkout.need_id("id").map_err(malformed)?))
    }

    /// Carries out a call.
    pub(super) async fn call(&self, call: &Call) -> Events {
        let seen = async {
            let (id, shown) = self.order(call).await?;
            let refunds = self.refunds(&id).await?;
            Ok((id, shown, refunds))
        };
        let seen: Result<_, GatewayError> = seen.await;
        if call.verb == Verb::Refund {
            let (id, shown, refunds) = seen.map_err(|why| retry::unsent(call.tries, why))?;
            return self.refund(call, &id, &shown, &refunds).await;
        }
        let (_, shown, refunds) = seen?;
        let first = event(format!("{}-1", call.idempotency_key), "order", shown.text()?, shown.answered_at());
        let others = refunds
            .into_iter()
            .zip(2..)
            .map(|((raw, at), n)| event(format!("{}-{n}", call.idempotency_key), "refund", &raw, at));
        [first].into_iter().chain(others).collect()
    }

    /// All refunds of an order, as raw JSON text and with the time of the answer.
    async fn refunds(&self, id: &str) -> Result<Vec<(String, Timestamp)>, GatewayError> {
        let mut refunds = Vec::new();
        for page in 1..=PAGES {
            let path = format!("/v1/refunds/?limit={LIMIT}&order_id={id}&page={page}");
            let listed = self.json.send(ApiCall::get(path)).await?;
            let on_page = items(&listed)?;
            refunds.extend(on_page.iter().map(|raw| ((*raw).to_owned(), listed.answered_at())));
            if on_page.len() < LIMIT && last_page(&listed)?.is_none_or(|last| last <= page) {
                return Ok(refunds);
            }
        }
        Err(GatewayError::Unavailable("the order has more refunds than are looked through".to_owned()))
    }

    async fn refund(&self, call: &Call, id: &str, shown: &Response, refunds: &[(String, Timestamp)]) -> Events {
        let key = &call.idempotency_key;
        for (raw, at) in refunds {
            let refund = Object::read(raw, "a refund").map_err(|Malformed(why)| GatewayError::Unavailable(why))?;
            if nested(&refund, "metadata", "operation").is_some_and(|operation| operation == *key) {
                return Ok(vec![event(key.clone(), "refund", raw, *at)?]);
            }
        }
        let amount = net(shown, call.amount.map(|amount| amount.minor)).map_err(|error| match error {
            GatewayError::Malformed(why) => GatewayError::Unavailable(why),
            error => error,
        })?;
        let reason = call.reason.as_deref().unwrap_or("customer_request");
        let body = json!({
            "order_id": id,
            "reason": reason,
            "amount": amount,
            "metadata": {"operation": key},
            "revoke_benefits": false,
        });
        let answer = self.json.send(ApiCall::post("/v1/refunds/", body)).await?;
        Ok(vec![event(key.clone(), "refund", answer.text()?, answer.answered_at())?])
    }

    /// The order that a call is about, and the answer that shows it. Ids do not show what they are of: each is taken for
    /// an order's first, and then for a checkout's.
    async fn order(&self, call: &Call) -> Result<(String, Response), GatewayError> {
        let known = call.ids(Some(Aspect::Capture)).chain(&call.gateway_refs);
        for id in known.filter(|id| is_plain(id)).take(10) {
            match self.json.send(ApiCall::get(format!("/v1/orders/{id}"))).await {
                Err(GatewayError::Declined(_)) => {}
                answer => return Ok((id.to_string(), answer?)),
            }
            let path = format!("/v1/orders/?checkout_id={id}&limit=10&page=1");
            let answer = match self.json.send(ApiCall::get(path)).await {
                Err(GatewayError::Declined(_)) => continue,
                answer => answer?,
            };
            if let Some(raw) = items(&answer)?.first() {
                let id = Object::read(raw, "an order").and_then(|order| order.need_id("id")).map_err(malformed)?;
                let shown = self.json.send(ApiCall::get(format!("/v1/orders/{id}"))).await?;
                return Ok((id, shown));
            }
        }
        Err(no_object("Polar"))
    }
}

/// The body of a checkout, with what Polar's own library sends by default.
pub(super) fn checkout(product: &str, metadata: serde_json::Map<String, Value>, success_url: Option<&str>) -> Value {
    let mut body = json!({
        "products": [product],
        "metadata": metadata,
        "allow_discount_codes": true,
        "require_billing_address": false,
        "allow_trial": true,
        "is_business_customer": false,
    });
    if let Some(url) = success_url {
        body["success_url"] = json!(url);
    }
    body
}

/// The raw JSON text of each object in a list.
fn items(answer: &Response) -> Result<Vec<&str>, GatewayError> {
    let list = Object::read(answer.text()?, "a list").map_err(malformed)?;
    list.raw("items")
        .and_then(elements)
        .ok_or_else(|| GatewayError::Malformed("expected `items` to be a list of objects".to_owned()))
}

/// The number of the last page of a list, where the list says so.
fn last_page(answer: &Response) -> Result<Option<i64>, GatewayError> {
    let list = Object::read(answer.text()?, "a list").map_err(malformed)?;
    let pagination = list.object("pagination", "the pages of a list").map_err(malformed)?;
    pagination.map(|pages| pages.integer("max_page")).transpose().map(Option::flatten).map_err(malformed)
}

/// How much to refund without tax, which is how Polar counts a refund: of `gross` with tax, or all that is left.
fn net(shown: &Response, gross: Option<i64>) -> Result<i64, GatewayError> {
    let order = Object::read(shown.text()?, "an order").map_err(malformed)?;
    let of = |name: &str| order.need_integer(name).map_err(malformed);
    let left = of("refundable_amount")?;
    let Some(gross) = gross else {
        return if left > 0 { Ok(left) } else { Err(GatewayError::Declined("nothing is left to refund".to_owned())) };
    };
    let (total, net) = (i128::from(of("total_amount")?), i128::from(of("net_amount")?));
    if total <= 0 {
        return Err(GatewayError::Declined("nothing was paid for the order".to_owned()));
    }
    // All that is left, tax and all: the part of it may come out a cent too much.
    let tax_left = order.integer("refundable_tax_amount").map_err(malformed)?.unwrap_or(0);
    if left > 0 && left.checked_add(tax_left) == Some(gross) {
        return Ok(left);
    }
    // Rounded to the nearest.
    let part = (i128::from(gross) * net + total / 2) / total;
    let part = i64::try_from(part).unwrap_or(i64::MAX);
    if part > left {
        return Err(GatewayError::Declined("the order has not that much left to refund".to_owned()));
    }
    Ok(part)
}

/// The event that reports the current state of an object.
pub(super) fn event(id: String, family: &str, object: &str, at: Timestamp) -> Result<Envelope, GatewayError> {
    Object::read(object, "an answer").map_err(malformed)?;
    let kind = format!("{family}{ANSWERED}");
    let time = at.format(&Rfc3339).map_err(|bad| GatewayError::Malformed(bad.to_string()))?;
    let body = format!(r#"{{"type":"{kind}","timestamp":"{time}","data":{object}}}"#);
    let (livemode, account, api_version) = (None, None, None);
    Ok(Envelope { id, kind, occurred_at: Some(at), livemode, account, api_version, body: Bytes::from(body) })
}
