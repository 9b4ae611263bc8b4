//! The calls of Razorpay's API (<https://razorpay.com/docs/api/>): makes payment links, captures, cancels, refunds and
//! refreshes. Its answers become events in Razorpay's own format.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::domain::Timestamp;
use crate::domain::event::{Envelope, Malformed};
use crate::domain::fact::Aspect;
use crate::domain::identifier::GatewayRef;
use crate::gateways::http::Response;
use crate::gateways::json::{Object, elements, short};
use crate::gateways::json_api::{ApiCall, Credentials, JsonApi, disputes, is_plain, no_object};
use crate::gateways::reading::ANSWERED;
use crate::gateways::signature::Secret;
use crate::gateways::{Call, CaptureMethod, GatewayError, PaymentRequest, Started, Verb};

/// The address of Razorpay's API. The key decides whether it is in test or live mode.
const BASE: &str = "https://api.razorpay.com";
/// How many objects of one type are looked up at most.
const LOOKUPS: usize = 10;
/// How many refunds of a payment are asked for.
const REFUNDS: usize = 100;

type Events = Result<Vec<Envelope>, GatewayError>;

/// The API, with the key of one account.
#[derive(Debug, Clone)]
pub(super) struct Api {
    pub(super) json: JsonApi,
}

pub(super) fn malformed(Malformed(why): Malformed) -> GatewayError {
    GatewayError::Malformed(why)
}

/// The event that reports the current state of an object of this family, which is `payment.dispute` for a dispute.
pub(super) fn event(id: String, family: &str, object: &str, at: Timestamp) -> Result<Envelope, GatewayError> {
    Object::read(object, "an answer").map_err(malformed)?;
    let name = family.rsplit('.').next().unwrap_or(family);
    let kind = format!("{family}{ANSWERED}");
    let created = at.unix_timestamp();
    let body = format!(
        r#"{{"entity":"event","event":"{kind}","contains":["{name}"],"payload":{{"{name}":{{"entity":{object}}}}},"created_at":{created}}}"#
    );
    let (livemode, account, api_version) = (None, None, None);
    Ok(Envelope { id, kind, occurred_at: Some(at), livemode, account, api_version, body: Bytes::from(body) })
}

impl Api {
    pub(super) fn new(id: impl Into<String>, secret: impl Into<String>) -> Self {
        let credentials = Credentials::Basic(id.into(), Secret::new(secret));
        Self { json: JsonApi::new("Razorpay", credentials, BASE, []) }
    }

    /// Makes a payment link. Its `reference_id` is the payment's token, and Razorpay makes no second link with it.
    pub(super) async fn checkout(&self, payment: &PaymentRequest) -> Result<Started, GatewayError> {
        if payment.capture == CaptureMethod::Manual {
            let why = "a payment link of Razorpay's takes the money at once: create an order of your own for a capture";
            return Err(GatewayError::Declined(why.to_owned()));
        }
        let mut notes: serde_json::Map<String, Value> =
            payment.metadata.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
        notes.insert("payment_token".to_owned(), json!(payment.token));
        let names: Vec<&str> = payment.items.iter().map(|item| item.name.as_str()).collect();
        let mut body = json!({
            "amount": payment.amount.minor,
            "currency": payment.amount.currency.as_str(),
            "reference_id": payment.token,
            "description": names.join(", "),
            "notify": {"sms": false, "email": false},
            "reminder_enable": false,
            "notes": notes,
        });
        if let Some(email) = &payment.customer {
            body["customer"] = json!({"email": email});
        }
        if let Some(url) = &payment.return_url {
            body["callback_url"] = json!(url);
            body["callback_method"] = json!("get");
        }
        if let Some(at) = payment.expires_at {
            body["expire_by"] = json!(at.unix_timestamp());
        }
        let answer = self.json.send(ApiCall::post("/v1/payment_links", body)).await?;
        started(&answer, true)
    }

    /// Carries out a call.
    pub(super) async fn call(&self, call: &Call) -> Events {
        match call.verb {
            Verb::Capture => self.capture(call).await,
            Verb::Cancel => self.cancel(call).await,
            Verb::Refund => self.refund(call).await,
            _ => self.refresh(call).await,
        }
    }

    async fn capture(&self, call: &Call) -> Events {
        let id = payment(call, Aspect::Authorization)?;
        let amount = call.amount.unwrap_or(call.total);
        let body = json!({"amount": amount.minor, "currency": amount.currency.as_str()});
        // A repeated capture is refused, and so is one that was made in Razorpay's dashboard.
        let capture = ApiCall::post(format!("/v1/payments/{id}/capture"), body);
        let is_done = |shown: &Response| has_status(shown, "captured");
        let answer = self.json.settle(capture, format!("/v1/payments/{id}"), is_done).await?;
        Ok(vec![event(call.idempotency_key.clone(), "payment", answer.text()?, answer.answered_at())?])
    }

    /// Only a link can be canceled: Razorpay itself releases what is authorized and not captured in time.
    async fn cancel(&self, call: &Call) -> Events {
        let id = ids(call, "plink_").next().ok_or_else(|| {
            GatewayError::Declined(
                "Razorpay can cancel a payment link only; what is authorized and not captured is released in time"
                    .to_owned(),
            )
        })?;
        let cancel = ApiCall::post_empty(format!("/v1/payment_links/{id}/cancel"));
        let is_done = |shown: &Response| has_status(shown, "cancelled");
        let answer = self.json.settle(cancel, format!("/v1/payment_links/{id}"), is_done).await?;
        Ok(vec![event(call.idempotency_key.clone(), "payment_link", answer.text()?, answer.answered_at())?])
    }

    async fn refund(&self, call: &Call) -> Events {
        let id = payment(call, Aspect::Capture)?;
        let mut body = json!({"notes": {"payment_token": call.token}});
        if let Some(amount) = call.part() {
            body["amount"] = json!(amount.minor);
        }
        // <https://razorpay.com/docs/api/refunds/normal-refunds-idempotent/>: at least ten characters.
        let key = format!("operation_{}", call.idempotency_key);
        let request = ApiCall::post(format!("/v1/payments/{id}/refund"), body);
        let answer = self.json.send(request.idempotent("x-refund-idempotency", key)).await?;
        Ok(vec![event(call.idempotency_key.clone(), "refund", answer.text()?, answer.answered_at())?])
    }

    /// Reports the link, each payment that is known or that the link or order shows, their refunds, and the known disputes:
    /// Razorpay lists disputes for no single payment.
    async fn refresh(&self, call: &Call) -> Events {
        let mut told: Vec<(&str, String, Timestamp)> = Vec::new();
        let mut payments: Vec<String> = ids(call, "pay_").map(String::from).collect();
        if ["plink_", "order_"].iter().any(|prefix| ids(call, prefix).count() > LOOKUPS) {
            return Err(too_many());
        }
        for id in ids(call, "plink_") {
            let answer = self.json.send(ApiCall::get(format!("/v1/payment_links/{id}"))).await?;
            let link = Object::read(answer.text()?, "a payment link").map_err(malformed)?;
            let made = link.objects("payments", "a payment of a link").map_err(malformed)?;
            payments.extend(made.iter().filter_map(|made| short(made, "payment_id")));
            told.push(("payment_link", answer.text()?.to_owned(), answer.answered_at()));
        }
        for id in ids(call, "order_") {
            let answer = self.json.send(ApiCall::get(format!("/v1/orders/{id}/payments"))).await?;
            for raw in items(&answer)? {
                payments.extend(short(&Object::read(raw, "a payment").map_err(malformed)?, "id"));
            }
        }
        payments.sort();
        payments.dedup();
        if payments.len() > LOOKUPS {
            return Err(too_many());
        }
        for id in payments.iter().filter(|id| is_plain(id)) {
            let answer = self.json.send(ApiCall::get(format!("/v1/payments/{id}"))).await?;
            told.push(("payment", answer.text()?.to_owned(), answer.answered_at()));
            let refunds = self.json.send(ApiCall::get(format!("/v1/payments/{id}/refunds?count={REFUNDS}"))).await?;
            let refunds_of_it = items(&refunds)?;
            if refunds_of_it.len() >= REFUNDS {
                return Err(too_many());
            }
            for raw in refunds_of_it {
                told.push(("refund", raw.to_owned(), refunds.answered_at()));
            }
        }
        if told.is_empty() {
            return Err(no_object("Razorpay"));
        }
        for id in disputes(call).filter(|id| id.starts_with("disp_")) {
            let answer = self.json.send(ApiCall::get(format!("/v1/disputes/{id}"))).await?;
            told.push(("payment.dispute", answer.text()?.to_owned(), answer.answered_at()));
        }
        let numbered = told.into_iter().zip(1..);
        numbered
            .map(|((family, raw, at), n)| event(format!("{}-{n}", call.idempotency_key), family, &raw, at))
            .collect()
    }
}

/// Where the customer goes on, as a link or a subscription says.
pub(super) fn started(answer: &Response, is_of_payment: bool) -> Result<Started, GatewayError> {
    let made = Object::read(answer.text()?, "an answer").map_err(malformed)?;
    let url = made.need_text("short_url").map_err(malformed)?.into_owned();
    let id = made.need_id("id").map_err(malformed)?;
    Ok(Started::Redirect { url, gateway_refs: if is_of_payment { vec![id.into()] } else { Vec::new() } })
}

/// The known ids with this prefix.
fn ids<'a>(call: &'a Call, prefix: &'a str) -> impl Iterator<Item = &'a GatewayRef> {
    call.gateway_refs.iter().filter(move |id| id.starts_with(prefix) && is_plain(id))
}

/// The payment that a call is about: one of which a fact of this aspect is known, otherwise the first.
fn payment(call: &Call, aspect: Aspect) -> Result<&GatewayRef, GatewayError> {
    let known = call.ids(Some(aspect)).find(|id| id.starts_with("pay_") && is_plain(id));
    known.or_else(|| ids(call, "pay_").next()).ok_or_else(|| no_object("Razorpay"))
}

/// The raw JSON text of each object in a list.
fn items(answer: &Response) -> Result<Vec<&str>, GatewayError> {
    let list = Object::read(answer.text()?, "a list").map_err(malformed)?;
    list.raw("items")
        .and_then(elements)
        .ok_or_else(|| GatewayError::Malformed("expected `items` to be a list of objects".to_owned()))
}

/// Whether an answer shows its object in this status; `None` if it shows none.
pub(super) fn has_status(answer: &Response, wanted: &str) -> Option<bool> {
    let object = Object::read(answer.text().ok()?, "an answer").ok()?;
    short(&object, "status").map(|status| status == wanted)
}

/// The error for a payment of more objects than are asked about: a part of them must not pass for all.
fn too_many() -> GatewayError {
    GatewayError::Declined("the payment has more objects at Razorpay than are looked up".to_owned())
}
