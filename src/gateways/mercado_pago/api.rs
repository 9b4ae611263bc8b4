//! The calls of Mercado Pago's API (<https://www.mercadopago.com.br/developers/en/reference>): makes preferences, which
//! are its hosted checkouts, captures, cancels, refunds and refreshes payments, and asks for what notifications name.

use bytes::Bytes;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use super::interpret::{
    CHARGEBACK, ENDED, Family, MERCHANT_ORDER, PAYMENT, PREFERENCE, REFUND, is_preference, number, numbers, reference,
};
use super::money;
use super::verify::is_number;
use crate::domain::Timestamp;
use crate::domain::event::{Envelope, Malformed};
use crate::domain::fact::Aspect;
use crate::domain::money::Money;
use crate::gateways::http::Response;
use crate::gateways::json::{Object, short};
use crate::gateways::json_api::{ApiCall, Credentials, JsonApi, is_plain, no_object};
use crate::gateways::signature::Secret;
use crate::gateways::{Call, CaptureMethod, Fetch, GatewayError, PaymentRequest, Started, Verb, retry};

const BASE: &str = "https://api.mercadopago.com";
const KEY: &str = "x-idempotency-key";
/// How many payments of one order, chargeback or token are looked up at most.
const LOOKUPS: usize = 10;

type Events = Result<Vec<Envelope>, GatewayError>;

/// The API, with the access token of one seller.
#[derive(Debug, Clone)]
pub(super) struct Api {
    pub(super) json: JsonApi,
    /// Whether the token is one of the old test credentials, which have a checkout of their own.
    is_test: bool,
}

fn malformed(Malformed(why): Malformed) -> GatewayError {
    GatewayError::Malformed(why)
}

impl Api {
    pub(super) fn new(token: impl Into<String>) -> Self {
        let token = token.into();
        let is_test = token.starts_with("TEST-");
        let credentials = Credentials::Key("Bearer", Secret::new(token));
        Self { json: JsonApi::new("Mercado Pago", credentials, BASE, []), is_test }
    }

    /// Makes a preference. Its external reference is the payment's token, which its payments bear too.
    pub(super) async fn checkout(
        &self,
        payment: &PaymentRequest,
        notification_url: Option<&str>,
    ) -> Result<Started, GatewayError> {
        if payment.capture == CaptureMethod::Manual {
            let why =
                "a checkout of Mercado Pago's takes the money at once: create a payment of your own for a capture";
            return Err(GatewayError::Declined(why.to_owned()));
        }
        let body = preference(payment, notification_url)?;
        let request = ApiCall::post("/checkout/preferences/", body);
        let answer = self.json.send(request.idempotent(KEY, format!("{}-checkout", payment.token))).await?;
        let made = Object::read(answer.text()?, "a preference").map_err(malformed)?;
        let of_test = if self.is_test { short_url(&made, "sandbox_init_point") } else { None };
        let url = of_test.or_else(|| short_url(&made, "init_point"));
        let url =
            url.ok_or_else(|| GatewayError::Malformed("expected a preference's `init_point`, got none".into()))?;
        let id = made.need_id("id").map_err(malformed)?;
        Ok(Started::Redirect { url, gateway_refs: vec![reference(Family::Preference, &id).into()] })
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

    /// Captures all that was authorized. Whether that is what was asked for, the payment shows.
    async fn capture(&self, call: &Call) -> Events {
        let id = payment(call, Aspect::Authorization)?;
        if let Some(amount) = call.amount
            && whole(&self.look(call, id).await?) != Some(amount)
        {
            let why = "Mercado Pago takes the whole authorized amount here; what a part does is not known";
            return Err(GatewayError::Declined(why.to_owned()));
        }
        let key = &call.idempotency_key;
        let answer = self.change(id, key.clone(), json!({"capture": true}), "approved").await?;
        Ok(vec![event(key.clone(), PAYMENT, &answer, None)?])
    }

    /// The payment as it stands before a call that acts.
    async fn look(&self, call: &Call, id: &str) -> Result<Response, GatewayError> {
        let shown = self.json.send(ApiCall::get(format!("/v1/payments/{id}"))).await;
        let shown = shown.map_err(|why| retry::unsent(call.tries, why))?;
        status(&shown).map(|_| shown).ok_or_else(|| GatewayError::Unavailable("the answer shows no payment".to_owned()))
    }

    /// Changes an authorized or pending payment. What is done can't be done again.
    async fn change(&self, id: &str, key: String, body: Value, becomes: &str) -> Result<Response, GatewayError> {
        let path = format!("/v1/payments/{id}");
        let request = ApiCall::put(&path, body).idempotent(KEY, key);
        self.json.settle(request, &path, |shown| Some(status(shown)? == becomes)).await
    }

    /// Ends the checkout, so that nobody pays in it anymore, and cancels the payments that wait.
    async fn cancel(&self, call: &Call) -> Events {
        let (key, checkout) = (&call.idempotency_key, known_preference(call).ok());
        let mut payments = Vec::new();
        for id in known(call, Family::Payment) {
            payments.push((id, self.look(call, id).await?));
        }
        let mut events = Vec::new();
        if let Some(id) = checkout {
            events.push(event(key.clone(), ENDED, &self.end(call, id).await?, None)?);
        }
        for (id, shown) in payments {
            let answer = match status(&shown).as_deref() {
                Some("pending" | "in_process" | "authorized") => {
                    let body = json!({"status": "cancelled"});
                    let answer = self.change(id, format!("{key}-{id}"), body, "cancelled").await;
                    answer.map_err(|error| if events.is_empty() { error } else { partly(error) })?
                }
                // By an earlier try.
                Some("cancelled") => shown,
                _ => continue,
            };
            let number = events.len() + 1;
            let id = if events.is_empty() { key.clone() } else { format!("{key}-{number}") };
            events.push(event(id, PAYMENT, &answer, None)?);
        }
        if events.is_empty() {
            let why = "neither a checkout nor a payment of Mercado Pago's waits that could be cancelled";
            return Err(GatewayError::Declined(why.to_owned()));
        }
        Ok(events)
    }

    /// Ends a checkout.
    async fn end(&self, call: &Call, id: &str) -> Result<Response, GatewayError> {
        let at = call.requested_at.format(&Rfc3339).map_err(|bad| GatewayError::Declined(bad.to_string()))?;
        let body = json!({"expires": true, "expiration_date_to": at});
        let request = ApiCall::put(format!("/checkout/preferences/{id}"), body);
        self.json.send(request.idempotent(KEY, &call.idempotency_key)).await
    }

    async fn refund(&self, call: &Call) -> Events {
        let id = payment(call, Aspect::Capture)?;
        let body = match call.part() {
            Some(amount) => json!({"amount": money::write(amount)?}),
            None => json!({}),
        };
        let request = ApiCall::post(format!("/v1/payments/{id}/refunds"), body);
        let answer = self.json.send(request.idempotent(KEY, &call.idempotency_key)).await?;
        Ok(vec![event(call.idempotency_key.clone(), REFUND, &answer, Some(call.total))?])
    }

    /// Reports the payments that bear the token, and those that are known; without any, the checkout.
    async fn refresh(&self, call: &Call) -> Events {
        let mut payments: Vec<String> = known(call, Family::Payment).map(str::to_owned).collect();
        let limit = LOOKUPS + 1;
        let search = format!("/v1/payments/search?external_reference={}&limit={limit}", call.token);
        if is_plain(&call.token) {
            let found = self.json.send(ApiCall::get(search)).await?;
            payments.extend(numbers(&Object::read(found.text()?, "a list").map_err(malformed)?, "results"));
        }
        payments.sort();
        payments.dedup();
        let shown = self.show(&payments).await?;
        let numbered = shown.iter().zip(1..);
        let key = &call.idempotency_key;
        let events = numbered.map(|(answer, n)| event(format!("{key}-{n}"), PAYMENT, answer, None));
        let events = events.collect::<Result<Vec<_>, _>>()?;
        if !events.is_empty() {
            return Ok(events);
        }
        let id = known_preference(call)?;
        let answer = self.json.send(ApiCall::get(format!("/checkout/preferences/{id}"))).await?;
        Ok(vec![event(format!("{key}-1"), PREFERENCE, &answer, None)?])
    }

    /// The payments with these numbers.
    async fn show(&self, payments: &[String]) -> Result<Vec<Response>, GatewayError> {
        if payments.len() > LOOKUPS {
            // A part of them must not pass for all.
            let why = "there are more payments at Mercado Pago than are looked up";
            return Err(GatewayError::Declined(why.to_owned()));
        }
        let mut shown = Vec::new();
        for id in payments {
            shown.push(self.json.send(ApiCall::get(format!("/v1/payments/{id}"))).await?);
        }
        Ok(shown)
    }

    /// The object that a notification names, with the payments that it is about.
    pub(super) async fn fetch(&self, fetch: &Fetch) -> Events {
        let key = &fetch.idempotency_key;
        let unknown = || GatewayError::Declined("Mercado Pago has no object of this kind that can be asked for".into());
        let prefix = format!("{}_", fetch.object.object_type);
        let id = fetch.object.gateway_ref.strip_prefix(&prefix).filter(|id| is_number(id)).ok_or_else(unknown)?;
        let (path, kind, list) = match fetch.object.object_type.as_str() {
            "payment" => (format!("/v1/payments/{id}"), PAYMENT, ""),
            "chargeback" => (format!("/v1/chargebacks/{id}"), CHARGEBACK, "payments"),
            "merchant_order" => (format!("/merchant_orders/{id}"), MERCHANT_ORDER, "payments"),
            _ => return Err(unknown()),
        };
        let answer = self.json.send(ApiCall::get(path)).await?;
        let object = Object::read(answer.text()?, "an answer").map_err(malformed)?;
        let mut payments = numbers(&object, list);
        if kind == CHARGEBACK && payments.is_empty() {
            payments.extend(number(&object, "payment_id"));
        }
        let payments = self.show(&payments).await?;
        let seller = if kind == CHARGEBACK { the_seller(&payments) } else { seller(kind, &object) };
        let mut events = vec![event_of(seller, format!("{key}-1"), kind, &answer, None)?];
        for (shown, n) in payments.iter().zip(2..) {
            events.push(event(format!("{key}-{n}"), PAYMENT, shown, None)?);
        }
        Ok(events)
    }
}

/// The body of a preference.
fn preference(payment: &PaymentRequest, notification_url: Option<&str>) -> Result<Value, GatewayError> {
    let currency = payment.amount.currency;
    let mut items = Vec::new();
    for item in &payment.items {
        items.push(json!({
            "title": item.name,
            "quantity": item.quantity,
            "unit_price": money::write(Money::new(item.unit_amount, currency))?,
            "currency_id": currency.as_str(),
        }));
    }
    let mut body = json!({"items": items, "external_reference": payment.token});
    if !payment.metadata.is_empty() {
        body["metadata"] = json!(payment.metadata);
    }
    if let Some(email) = &payment.customer {
        body["payer"] = json!({"email": email});
    }
    if let Some(url) = &payment.return_url {
        let failure = payment.cancel_url.as_ref().unwrap_or(url);
        body["back_urls"] = json!({"success": url, "pending": url, "failure": failure});
        body["auto_return"] = json!("approved");
    }
    if let Some(url) = notification_url {
        // Without this, Mercado Pago sends its older notifications to it as well, which it does not sign.
        body["notification_url"] = json!(format!("{url}?source_news=webhooks"));
    }
    if let Some(at) = payment.expires_at.and_then(|at| at.format(&Rfc3339).ok()) {
        body["expires"] = json!(true);
        body["expiration_date_to"] = json!(at);
    }
    Ok(body)
}

fn short_url(made: &Object<'_>, name: &str) -> Option<String> {
    let url = made.text(name).ok().flatten()?.into_owned();
    url.starts_with("http").then_some(url)
}

/// The numbers of the known objects of a family.
fn known(call: &Call, family: Family) -> impl Iterator<Item = &str> {
    let numbers = call.gateway_refs.iter().filter_map(move |id| id.strip_prefix(family.word())?.strip_prefix('_'));
    numbers.filter(|id| is_number(id))
}

/// The checkout that a payment was begun with.
fn known_preference(call: &Call) -> Result<&str, GatewayError> {
    let mut ids = call.gateway_refs.iter().filter_map(|id| id.strip_prefix("preference_"));
    ids.find(|id| is_preference(id)).ok_or_else(|| no_object("Mercado Pago"))
}

/// The payment that a call is about: one of which a fact of this aspect is known, otherwise the first.
fn payment(call: &Call, aspect: Aspect) -> Result<&str, GatewayError> {
    let of_aspect = call.ids(Some(aspect)).filter_map(|id| id.strip_prefix("payment_")).find(|id| is_number(id));
    of_aspect.or_else(|| known(call, Family::Payment).next()).ok_or_else(|| no_object("Mercado Pago"))
}

/// The status of the payment in an answer.
fn status(answer: &Response) -> Option<String> {
    short(&Object::read(answer.text().ok()?, "a payment").ok()?, "status")
}

/// That a part of a call was done, though the rest was refused.
fn partly(error: GatewayError) -> GatewayError {
    match error {
        GatewayError::Declined(why) => GatewayError::OutcomeUnknown(why),
        error => error,
    }
}

/// The whole amount of the payment in an answer, as far as it can be read.
fn whole(answer: &Response) -> Option<Money> {
    let payment = Object::read(answer.text().ok()?, "a payment").ok()?;
    money::read(&payment, "transaction_amount", money::currency(&payment).ok()?).ok()?
}

/// The seller whose object this is, as far as it says that.
fn seller(kind: &str, object: &Object<'_>) -> Option<String> {
    match kind {
        MERCHANT_ORDER => number(&object.object("collector", "a seller").ok()??, "id"),
        _ => number(object, "collector_id"),
    }
}

/// The seller of a chargeback, which does not name one: that of all its payments.
fn the_seller(payments: &[Response]) -> Option<String> {
    let of = |shown: &Response| seller(PAYMENT, &Object::read(shown.text().ok()?, "a payment").ok()?);
    let first = of(payments.first()?);
    first.filter(|first| payments.iter().all(|shown| of(shown).as_ref() == Some(first)))
}

/// The event that reports the object in an answer.
fn event(id: String, kind: &str, answer: &Response, total: Option<Money>) -> Result<Envelope, GatewayError> {
    let seller = seller(kind, &Object::read(answer.text()?, "an answer").map_err(malformed)?);
    event_of(seller, id, kind, answer, total)
}

/// The same of an object of this seller's. A refund does not state its currency, which is that of `total`.
fn event_of(
    account: Option<String>,
    id: String,
    kind: &str,
    answer: &Response,
    total: Option<Money>,
) -> Result<Envelope, GatewayError> {
    let (text, at): (&str, Timestamp) = (answer.text()?, answer.answered_at());
    let object = Object::read(text, "an answer").map_err(malformed)?;
    let currency = total.map(|total| format!(r#""currency_id":"{}","#, total.currency)).unwrap_or_default();
    let seller = account.as_ref().map(|seller| format!(r#""seller":"{seller}","#)).unwrap_or_default();
    let body = format!(r#"{{"type":"{kind}",{seller}{currency}"data":{text}}}"#);
    let livemode = object.bool("live_mode").ok().flatten();
    Ok(Envelope {
        id,
        kind: kind.to_owned(),
        occurred_at: Some(at),
        livemode,
        account,
        api_version: None,
        body: Bytes::from(body),
    })
}
