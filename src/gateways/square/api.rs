//! The calls of Square's API (<https://developer.squareup.com/reference/square>): makes payment links, completes,
//! cancels, refunds and refreshes payments. Its answers become events in Square's own format.

use bytes::Bytes;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use crate::domain::Timestamp;
use crate::domain::event::{Envelope, Malformed};
use crate::domain::fact::Aspect;
use crate::domain::identifier::GatewayRef;
use crate::domain::money::Money;
use crate::gateways::http::Response;
use crate::gateways::json::{Object, elements, short};
use crate::gateways::json_api::{ApiCall, Credentials, JsonApi, disputes, is_plain, no_object};
use crate::gateways::reading::ANSWERED;
use crate::gateways::signature::Secret;
use crate::gateways::{Call, CaptureMethod, GatewayError, LineItem, PaymentRequest, Started, Verb, retry};

const SANDBOX: &str = "https://connect.squareupsandbox.com";
const LIVE: &str = "https://connect.squareup.com";
/// The API version whose answers are read here. Without it, the application's default version would be used.
const VERSION: &str = "2026-09-16";
/// How many payments are looked up at most.
const LOOKUPS: usize = 10;

type Events = Result<Vec<Envelope>, GatewayError>;

/// The API, with the access token of one seller.
#[derive(Debug, Clone)]
pub(super) struct Api {
    pub(super) json: JsonApi,
    location: String,
}

fn malformed(Malformed(why): Malformed) -> GatewayError {
    GatewayError::Malformed(why)
}

impl Api {
    pub(super) fn new(token: impl Into<String>, location: impl Into<String>, live: bool) -> Self {
        let base = if live { LIVE } else { SANDBOX };
        let credentials = Credentials::Key("Bearer", Secret::new(token));
        let json = JsonApi::new("Square", credentials, base, [("square-version", VERSION)]);
        Self { json, location: location.into() }
    }

    /// Turns to production, unless the address was set to another one.
    pub(super) fn live(&mut self) {
        if self.json.base == SANDBOX {
            LIVE.clone_into(&mut self.json.base);
        }
    }

    /// Checks that token, location and address are usable.
    pub(super) fn check(&self) -> Result<(), String> {
        if !is_plain(&self.location) {
            return Err(format!("expected the id of a location of Square's, got {:?}", self.location));
        }
        self.json.check()
    }

    /// Makes a payment link for an order with the payment's token.
    pub(super) async fn checkout(&self, payment: &PaymentRequest) -> Result<Started, GatewayError> {
        if payment.capture == CaptureMethod::Manual {
            let why = "a payment link of Square's takes the money at once: create a payment of your own for a capture";
            return Err(GatewayError::Declined(why.to_owned()));
        }
        let currency = payment.amount.currency;
        let item = |item: &LineItem| {
            let price = in_words(Money::new(item.unit_amount, currency));
            json!({"name": item.name, "quantity": item.quantity.to_string(), "base_price_money": price})
        };
        let items: Vec<Value> = payment.items.iter().map(item).collect();
        let mut body = json!({
            "idempotency_key": format!("{}-checkout", payment.token),
            "order": {"location_id": self.location, "reference_id": payment.token, "line_items": items},
            // The order's reference is in no event of the payment; its note is.
            "payment_note": payment.token,
        });
        if let Some(url) = &payment.return_url {
            body["checkout_options"] = json!({"redirect_url": url});
        }
        if let Some(email) = &payment.customer {
            body["pre_populated_data"] = json!({"buyer_email": email});
        }
        let answer = self.json.send(ApiCall::post("/v2/online-checkout/payment-links", body).repeatable()).await?;
        let link = Object::read(raw(&answer, "payment_link")?, "a payment link").map_err(malformed)?;
        let url = link.need_text("url").map_err(malformed)?.into_owned();
        let refs = [Some(link.need_id("id").map_err(malformed)?), short(&link, "order_id")];
        Ok(Started::Redirect { url, gateway_refs: refs.into_iter().flatten().map(Into::into).collect() })
    }

    /// Carries out a call.
    pub(super) async fn call(&self, call: &Call) -> Events {
        match call.verb {
            // Square completes a payment as a whole.
            Verb::Capture if call.amount.is_some_and(|amount| amount != call.total) => {
                Err(GatewayError::Declined("Square completes an approved payment as a whole".to_owned()))
            }
            Verb::Capture => {
                let id = self.payment(call, Aspect::Authorization).await?;
                self.act(call, ApiCall::post(format!("/v2/payments/{id}/complete"), json!({})), &id).await
            }
            Verb::Cancel => {
                let id = self.payment(call, Aspect::Authorization).await?;
                self.act(call, ApiCall::post_empty(format!("/v2/payments/{id}/cancel")), &id).await
            }
            Verb::Refund => self.refund(call).await,
            _ => self.refresh(call).await,
        }
    }

    /// Completes or cancels a payment. Once that is done Square refuses it, and shows what came of it.
    async fn act(&self, call: &Call, request: ApiCall, id: &str) -> Events {
        let wanted = if call.verb == Verb::Capture { "COMPLETED" } else { "CANCELED" };
        let is_done = |shown: &Response| status(shown).map(|status| status == wanted);
        let answer = self.json.settle(request.repeatable(), format!("/v2/payments/{id}"), is_done).await?;
        Ok(vec![event(call.idempotency_key.clone(), "payment", raw(&answer, "payment")?, answer.answered_at())?])
    }

    async fn refund(&self, call: &Call) -> Events {
        let id = self.payment(call, Aspect::Capture).await?;
        let amount = match call.amount {
            Some(amount) => amount,
            // Square wants to be told how much is left.
            None => {
                let shown = self.json.send(ApiCall::get(format!("/v2/payments/{id}"))).await;
                shown.and_then(|shown| left(&shown, call.total)).map_err(|why| retry::unsent(call.tries, why))?
            }
        };
        let mut body =
            json!({"idempotency_key": call.idempotency_key, "amount_money": in_words(amount), "payment_id": id});
        if let Some(reason) = &call.reason {
            body["reason"] = json!(reason);
        }
        let answer = self.json.send(ApiCall::post("/v2/refunds", body).repeatable()).await?;
        Ok(vec![event(call.idempotency_key.clone(), "refund", raw(&answer, "refund")?, answer.answered_at())?])
    }

    /// Reports the known payments, or those of the order, their refunds, and the known disputes: Square lists disputes for
    /// no single payment.
    async fn refresh(&self, call: &Call) -> Events {
        let mut told = Vec::new();
        let mut payments: Vec<String> = known(call).map(String::from).collect();
        if payments.is_empty() {
            payments = self.payments_of_orders(call).await?;
        }
        if payments.len() > LOOKUPS {
            return Err(too_many());
        }
        for id in &payments {
            let answer = match self.json.send(ApiCall::get(format!("/v2/payments/{id}"))).await {
                // Of the ids that may be a payment's, some are another object's.
                Err(GatewayError::Declined(why)) if why.starts_with("404") => continue,
                answer => answer?,
            };
            let payment = raw(&answer, "payment")?;
            let refunds = Object::read(payment, "a payment").map_err(malformed)?;
            let refunds = elements(refunds.raw("refund_ids").unwrap_or("[]"));
            let refunds = refunds.ok_or_else(|| GatewayError::Malformed("expected a list of refunds".to_owned()))?;
            told.push(("payment", payment.to_owned(), answer.answered_at()));
            for id in refunds.into_iter().map(|raw| raw.trim_matches('"')).filter(|id| is_plain(id)) {
                let answer = self.json.send(ApiCall::get(format!("/v2/refunds/{id}"))).await?;
                told.push(("refund", raw(&answer, "refund")?.to_owned(), answer.answered_at()));
            }
        }
        if told.is_empty() {
            return Err(no_object("Square"));
        }
        for id in disputes(call) {
            let answer = self.json.send(ApiCall::get(format!("/v2/disputes/{id}"))).await?;
            told.push(("dispute", raw(&answer, "dispute")?.to_owned(), answer.answered_at()));
        }
        let numbered = told.into_iter().zip(1..);
        numbered.map(|((name, raw, at), n)| event(format!("{}-{n}", call.idempotency_key), name, &raw, at)).collect()
    }

    /// The payment that a call is about: one of which a fact of this aspect is known, otherwise the order's.
    async fn payment(&self, call: &Call, aspect: Aspect) -> Result<String, GatewayError> {
        if let Some(id) = call.ids(Some(aspect)).find(|id| is_plain(id)) {
            return Ok(id.to_string());
        }
        let payments = self.payments_of_orders(call).await.map_err(|why| retry::unsent(call.tries, why))?;
        payments.into_iter().next().ok_or_else(|| no_object("Square"))
    }

    /// The payments that the known orders show. Ids do not show what they are of, so each is asked about.
    async fn payments_of_orders(&self, call: &Call) -> Result<Vec<String>, GatewayError> {
        let mut payments = Vec::new();
        if call.gateway_refs.len() > LOOKUPS {
            return Err(too_many());
        }
        for id in call.gateway_refs.iter().filter(|id| is_plain(id)) {
            let answer = match self.json.send(ApiCall::get(format!("/v2/orders/{id}"))).await {
                Err(GatewayError::Declined(_)) => continue,
                answer => answer?,
            };
            let order = Object::read(raw(&answer, "order")?, "an order").map_err(malformed)?;
            let tenders = order.objects("tenders", "a tender").map_err(malformed)?;
            let ids = tenders.iter().filter_map(|tender| short(tender, "payment_id").or_else(|| short(tender, "id")));
            payments.extend(ids.filter(|id| is_plain(id)));
        }
        Ok(payments)
    }
}

/// The error for a payment of more objects than are asked about: a part of them must not pass for all.
fn too_many() -> GatewayError {
    GatewayError::Declined("the payment has more objects at Square than are looked up".to_owned())
}

/// The ids of payments that a fact is known of.
fn known(call: &Call) -> impl Iterator<Item = &GatewayRef> {
    let of_payment = [Aspect::Capture, Aspect::Authorization].map(Some);
    of_payment.into_iter().flat_map(|aspect| call.ids(aspect)).filter(|id| is_plain(id))
}

/// An amount as Square writes it.
fn in_words(amount: Money) -> Value {
    json!({"amount": amount.minor, "currency": amount.currency.as_str()})
}

/// The raw JSON text of the object `name` in an answer.
fn raw<'a>(answer: &'a Response, name: &'static str) -> Result<&'a str, GatewayError> {
    let whole = Object::read(answer.text()?, "an answer").map_err(malformed)?;
    whole.raw(name).ok_or_else(|| GatewayError::Malformed(format!("expected `{name}` in an answer, got nothing")))
}

fn status(answer: &Response) -> Option<String> {
    short(&Object::read(raw(answer, "payment").ok()?, "a payment").ok()?, "status")
}

/// What is left of a payment to refund.
fn left(shown: &Response, total: Money) -> Result<Money, GatewayError> {
    let payment = Object::read(raw(shown, "payment")?, "a payment").map_err(malformed)?;
    let of = |name: &str| -> Result<i64, GatewayError> {
        let amount = payment.object(name, "an amount").map_err(malformed)?;
        Ok(amount.map(|amount| amount.integer("amount")).transpose().map_err(malformed)?.flatten().unwrap_or(0))
    };
    let minor = of("total_money")?.saturating_sub(of("refunded_money")?);
    match minor {
        1.. => Ok(Money::new(minor, total.currency)),
        _ => Err(GatewayError::Declined("nothing is left of the payment to refund".to_owned())),
    }
}

/// The event that reports the current state of an object.
fn event(id: String, name: &str, object: &str, at: Timestamp) -> Result<Envelope, GatewayError> {
    Object::read(object, "an answer").map_err(malformed)?;
    let kind = format!("{name}{ANSWERED}");
    let time = at.format(&Rfc3339).map_err(|bad| GatewayError::Malformed(bad.to_string()))?;
    let body = format!(
        r#"{{"type":"{kind}","event_id":"{id}","created_at":"{time}","data":{{"type":"{name}","object":{{"{name}":{object}}}}}}}"#
    );
    let (livemode, account, api_version) = (None, None, Some(VERSION.to_owned()));
    Ok(Envelope { id, kind, occurred_at: Some(at), livemode, account, api_version, body: Bytes::from(body) })
}
