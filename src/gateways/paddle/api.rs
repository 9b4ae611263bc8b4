//! The calls of Paddle's API (<https://developer.paddle.com/api-reference/overview>): opens transactions, cancels,
//! refunds and refreshes them, and lists events.
//!
//! Paddle knows no idempotency keys. A refund therefore bears the key in its reason, and is looked for before it is
//! made.

use bytes::Bytes;
use serde_json::{Value, json};

use super::answer::{data, event, malformed};
use crate::domain::Timestamp;
use crate::domain::event::{Envelope, storable};
use crate::domain::identifier::GatewayRef;
use crate::domain::parse_rfc3339;
use crate::gateways::http::Response;
use crate::gateways::json::{Object, elements, short};
use crate::gateways::json_api::{ApiCall, Credentials, JsonApi, is_plain, no_object};
use crate::gateways::reading::number_text;
use crate::gateways::signature::Secret;
use crate::gateways::{Call, CaptureMethod, GatewayError, Listing, PaymentRequest, Started, Verb, retry};

const SANDBOX: &str = "https://sandbox-api.paddle.com";
const LIVE: &str = "https://api.paddle.com";
/// The longest part of a refund's reason that is passed on, in characters.
const REASON: usize = 150;
/// How many events a page of the list has.
const PAGE: usize = 100;

type Events = Result<Vec<Envelope>, GatewayError>;

/// The API, with the key of one account.
#[derive(Debug, Clone)]
pub(super) struct Api {
    pub(super) json: JsonApi,
}

impl Api {
    pub(super) fn new(key: impl Into<String>, live: bool) -> Self {
        let base = if live { LIVE } else { SANDBOX };
        let credentials = Credentials::Key("bearer", Secret::new(key));
        Self { json: JsonApi::new("Paddle", credentials, base, [("paddle-version", "1")]) }
    }

    /// Turns to the live account, unless the address was set to another one.
    pub(super) fn live(&mut self) {
        if self.json.base == SANDBOX {
            LIVE.clone_into(&mut self.json.base);
        }
    }

    /// Creates a transaction of prices that are made for it. They include tax, so that the customer pays what was
    /// asked.
    pub(super) async fn checkout(&self, payment: &PaymentRequest) -> Result<Started, GatewayError> {
        if payment.capture == CaptureMethod::Manual {
            return Err(GatewayError::Declined("Paddle can't hold money to be captured later".to_owned()));
        }
        let currency = payment.amount.currency.as_str();
        let item = |item: &crate::gateways::LineItem| {
            json!({"quantity": item.quantity, "price": {
                "description": item.name,
                "name": item.name,
                "tax_mode": "internal",
                "unit_price": {"amount": item.unit_amount.to_string(), "currency_code": currency},
                "product": {"name": item.name, "tax_category": "standard"},
            }})
        };
        let mut own: serde_json::Map<String, Value> =
            payment.metadata.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
        own.insert("payment_token".to_owned(), json!(payment.token));
        let items: Vec<Value> = payment.items.iter().map(item).collect();
        let body = json!({
            "items": items, "currency_code": currency, "collection_mode": "automatic", "custom_data": own,
        });
        self.opened(body).await
    }

    /// Creates a transaction, and leads to its checkout.
    pub(super) async fn opened(&self, body: Value) -> Result<Started, GatewayError> {
        let answer = self.json.send(ApiCall::post("/transactions", body)).await?;
        let transaction = Object::read(data(&answer)?, "a transaction").map_err(malformed)?;
        let checkout = transaction.object("checkout", "a checkout").map_err(malformed)?;
        let url = checkout.and_then(|checkout| checkout.text("url").ok().flatten().map(|url| url.into_owned()));
        let url = url.filter(|url| url.starts_with("https://") || url.starts_with("http://")).ok_or_else(|| {
            GatewayError::Malformed("the transaction has no checkout: set a default payment link at Paddle".to_owned())
        })?;
        Ok(Started::Redirect { url, gateway_refs: vec![transaction.need_id("id").map_err(malformed)?.into()] })
    }

    /// Carries out a call.
    pub(super) async fn call(&self, call: &Call) -> Events {
        let is_transaction = |id: &&GatewayRef| id.starts_with("txn_") && is_plain(id);
        let id = call.gateway_refs.iter().find(is_transaction).ok_or_else(|| no_object("Paddle"))?;
        match call.verb {
            Verb::Cancel => {
                let body = json!({"status": "canceled"});
                let path = format!("/transactions/{id}");
                // What is canceled can't be canceled again.
                let answer = self.json.settle(ApiCall::patch(&path, body), &path, is_canceled).await?;
                Ok(vec![event(call.idempotency_key.clone(), "transaction", data(&answer)?, answer.answered_at())?])
            }
            Verb::Refund => self.refund(call, id).await,
            _ => self.refresh(call, id).await,
        }
    }

    async fn refund(&self, call: &Call, id: &str) -> Events {
        let key = &call.idempotency_key;
        let look = ApiCall::get(format!("/transactions/{id}?include=adjustment"));
        let shown = self.json.send(look).await.map_err(|why| retry::unsent(call.tries, why))?;
        let unreadable = |why: GatewayError| GatewayError::Unavailable(why.to_string());
        let transaction = data(&shown).and_then(|data| Object::read(data, "a transaction").map_err(malformed));
        let transaction = transaction.map_err(unreadable)?;
        let made = adjustments(&transaction).map_err(unreadable)?;
        for raw in &made {
            let adjustment = Object::read(raw, "an adjustment").map_err(|why| unreadable(malformed(why)))?;
            let reason = adjustment.text("reason").map_err(|why| unreadable(malformed(why)))?.unwrap_or_default();
            if reason.split_whitespace().next_back() == Some(key.as_str()) {
                return Ok(vec![event(key.clone(), "adjustment", raw, shown.answered_at())?]);
            }
        }
        let reason = format!("{} {key}", plain_words(call.reason.as_deref().unwrap_or("refund")));
        let mut body = json!({"action": "refund", "transaction_id": id, "reason": reason});
        if call.part().is_none() && made.is_empty() {
            body["type"] = json!("full");
        } else {
            let amount = call.amount.map(|amount| amount.minor);
            body["type"] = json!("partial");
            body["items"] = json!(shares(&transaction, &made, amount)?);
        }
        let answer = self.json.send(ApiCall::post("/adjustments", body)).await?;
        Ok(vec![event(key.clone(), "adjustment", data(&answer)?, answer.answered_at())?])
    }

    async fn refresh(&self, call: &Call, id: &str) -> Events {
        let answer = self.json.send(ApiCall::get(format!("/transactions/{id}?include=adjustment"))).await?;
        let (raw, at) = (data(&answer)?, answer.answered_at());
        let transaction = Object::read(raw, "a transaction").map_err(malformed)?;
        let mut objects = vec![("transaction", raw)];
        objects.extend(adjustments(&transaction)?.into_iter().map(|raw| ("adjustment", raw)));
        let numbered = objects.into_iter().zip(1..);
        numbered.map(|((family, raw), n)| event(format!("{}-{n}", call.idempotency_key), family, raw, at)).collect()
    }

    /// A page of the events since `since` that are older than the event with the id `before`, newest first.
    pub(super) async fn list(
        &self,
        since: Timestamp,
        before: Option<&str>,
        live: bool,
    ) -> Result<Listing, GatewayError> {
        let after = match before {
            Some(id) if is_plain(id) => format!("&after={id}"),
            _ => String::new(),
        };
        let path = format!("/events?order_by=id%5BDESC%5D&per_page={PAGE}{after}");
        let answer = self.json.send(ApiCall::get(path)).await?;
        let list = elements(data(&answer)?)
            .ok_or_else(|| GatewayError::Malformed("expected `data` of a list of events to be a list".to_owned()))?;
        let count = list.len();
        let mut events: Vec<Envelope> = list.into_iter().filter_map(|raw| listed(raw, live)).collect();
        let whole = events.len();
        events.retain(|event| event.occurred_at.is_none_or(|at| at >= since));
        Ok(Listing { more: count >= PAGE && events.len() == whole && whole > 0, events })
    }
}

/// An event of the list; `None` if it can't be stored.
fn listed(raw: &str, live: bool) -> Option<Envelope> {
    let event = Object::read(raw, "an event").ok()?;
    let (id, kind) = (short(&event, "event_id")?, short(&event, "event_type")?);
    let occurred_at = short(&event, "occurred_at").and_then(|text| parse_rfc3339(&text));
    let body = Bytes::copy_from_slice(raw.as_bytes());
    let (livemode, account, api_version) = (Some(live), None, None);
    (storable(&id) && storable(&kind)).then_some(Envelope {
        id,
        kind,
        occurred_at,
        livemode,
        account,
        api_version,
        body,
    })
}

/// The reason for a refund without anything that Paddle might cut or refuse: the key behind it has to stay.
fn plain_words(reason: &str) -> String {
    let printable = |char: char| if char.is_control() { ' ' } else { char };
    reason.chars().take(REASON).map(printable).collect::<String>().trim().to_owned()
}

/// The raw JSON text of each adjustment of a transaction. Whoever asked for them gets a list, if only an empty one.
fn adjustments<'a>(transaction: &Object<'a>) -> Result<Vec<&'a str>, GatewayError> {
    let list = transaction.raw("adjustments").and_then(elements);
    list.ok_or_else(|| GatewayError::Malformed("expected `adjustments` of a transaction to be a list".to_owned()))
}

fn is_canceled(shown: &Response) -> Option<bool> {
    let transaction = Object::read(data(shown).ok()?, "a transaction").ok()?;
    short(&transaction, "status").map(|status| status == "canceled")
}

/// What to take of each item of a transaction: `amount` in all, or everything that is left.
fn shares(transaction: &Object<'_>, made: &[&str], amount: Option<i64>) -> Result<Vec<Value>, GatewayError> {
    let unreadable = || GatewayError::Unavailable("the transaction's items can't be read".to_owned());
    let details = transaction.object("details", "details").ok().flatten().ok_or_else(unreadable)?;
    let lines = details.objects("line_items", "an item").map_err(|_| unreadable())?;
    let mut wanted = amount.unwrap_or(i64::MAX);
    let mut shares = Vec::new();
    for line in &lines {
        let id = line.need_id("id").map_err(|_| unreadable())?;
        let totals = line.object("totals", "totals").ok().flatten().ok_or_else(unreadable)?;
        let total = number_text(&totals, "total").ok().flatten().ok_or_else(unreadable)?;
        let (mut refunded, mut charged_back) = (0_i64, 0_i64);
        for raw in made {
            let taken = taken(raw, &id).ok_or_else(unreadable)?;
            refunded = refunded.saturating_add(taken.refunded);
            charged_back = charged_back.saturating_add(taken.charged_back);
        }
        // Paddle may say of a chargeback that it is reversed, make an adjustment that reverses it, or both.
        let left = total.saturating_sub(refunded).saturating_sub(charged_back.max(0));
        let share = left.min(wanted);
        if share > 0 {
            wanted -= share;
            shares.push(json!({"item_id": id, "type": "partial", "amount": share.to_string()}));
        }
    }
    if shares.is_empty() || (amount.is_some() && wanted > 0) {
        return Err(GatewayError::Declined("the transaction has not that much left to refund".to_owned()));
    }
    Ok(shares)
}

/// What an adjustment took of an item, or is about to take.
#[derive(Default)]
struct Taken {
    refunded: i64,
    /// Less than nothing where a bank gave it back.
    charged_back: i64,
}

/// `None` if the adjustment does not say so.
fn taken(raw: &str, item: &str) -> Option<Taken> {
    let adjustment = Object::read(raw, "an adjustment").ok()?;
    if matches!(short(&adjustment, "status")?.as_str(), "rejected" | "reversed") {
        return Some(Taken::default());
    }
    let items = adjustment.objects("items", "an item").ok()?;
    let mut of_it = items.iter().filter(|of| short(of, "item_id").as_deref() == Some(item));
    let sum = of_it.try_fold(0_i64, |sum, of| sum.checked_add(number_text(of, "amount").ok()??))?;
    Some(match short(&adjustment, "action").as_deref() {
        Some("credit" | "credit_reverse" | "chargeback_warning" | "chargeback_warning_reverse") => Taken::default(),
        Some("chargeback") => Taken { charged_back: sum, ..Taken::default() },
        Some("chargeback_reverse") => Taken { charged_back: -sum, ..Taken::default() },
        _ => Taken { refunded: sum, ..Taken::default() },
    })
}
