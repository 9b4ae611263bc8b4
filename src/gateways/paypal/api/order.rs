//! How does a payment begin at PayPal, and go on once its customer has agreed? As an order of one purchase unit
//! (<https://developer.paypal.com/docs/api/orders/v2/>), which bears our token as its `custom_id`; PayPal then waits to be
//! told to capture or to authorize it.

use serde_json::{Value, json};

use super::{Api, Ask, answer, money};
use crate::domain::event::Envelope;
use crate::domain::fact::Aspect;
use crate::domain::money::Money;
use crate::gateways::http::Response;
use crate::gateways::json::Object;
use crate::gateways::paypal::answered::{Named, movements};
use crate::gateways::{Call, Capture, GatewayError, Order, Started};

/// The states of an order that its customer agreed to, and that is done.
const APPROVED: &str = "APPROVED";
const COMPLETED: &str = "COMPLETED";
/// How many ids are tried for orders at the most: a payment of ours has one, a host's own code may have made some.
const ORDERS: usize = 20;
/// In how many tries PayPal's answers may know less than its events have told: about ten minutes by the default backoff.
const SEEN: u32 = 8;
/// The longest name of an item, and the longest description, in characters.
const LONG: usize = 127;

impl Api {
    /// Creates an order. The same payment is the same order, however often it is asked for.
    pub(in crate::gateways::paypal) async fn checkout(&self, order: &Order) -> Result<Started, GatewayError> {
        let ask = Ask::act("/v2/checkout/orders", &body(order)?, format!("{}-checkout", order.token));
        let answer = self.send(ask).await?;
        let read = answer::read(&answer)?;
        let malformed = |what: &str| GatewayError::Malformed(format!("expected {what} of PayPal's order, got none"));
        let id = read.link("id").filter(|id| answer::plain(id)).ok_or_else(|| malformed("the id"))?;
        let links = read.objects("links", "a link").unwrap_or_default();
        let leads = |rel: &str| links.iter().find(|link| link.text("rel").ok().flatten().as_deref() == Some(rel));
        let link = leads("payer-action").or_else(|| leads("approve"));
        let url = link.and_then(|link| link.text("href").ok().flatten()).map(|href| href.into_owned());
        Ok(Started::Redirect { url: url.ok_or_else(|| malformed("the customer's address"))?, gateway_refs: vec![id] })
    }

    /// Has an order that its customer approved captured or authorized, as it was meant from the start.
    pub(super) async fn complete(&self, call: &Call) -> Result<Vec<Envelope>, GatewayError> {
        let (id, order) = self.to_complete(call).await?;
        let read = answer::read(&order).map_err(unread)?;
        match text(&read, "status").as_str() {
            APPROVED => {}
            // Somebody was faster, or an answer was lost: what is true is what was asked for.
            COMPLETED => return Ok(vec![answer::event(call.idempotency_key.clone(), Named::Order, &order)?]),
            status => {
                return Err(not_yet(call, format!("the customer has not approved PayPal's order, it is {status}")));
            }
        }
        let step = if text(&read, "intent") == "AUTHORIZE" { "authorize" } else { "capture" };
        let path = format!("/v2/checkout/orders/{id}/{step}");
        let answer = self.send(Ask::act(path, &json!({}), &call.idempotency_key)).await?;
        Ok(vec![answer::event(call.idempotency_key.clone(), Named::Order, &answer)?])
    }

    /// The order that waits. Where nobody told which: one that is completed, as a lost try may have done that; else the
    /// first that its customer approved.
    async fn to_complete(&self, call: &Call) -> Result<(String, Response), GatewayError> {
        if let Some(id) = &call.awaited {
            let gone = || not_yet(call, "PayPal does not know the order".to_owned());
            let id = Some(id).filter(|id| answer::plain(id)).ok_or_else(answer::unknown)?;
            let found = self.find(&format!("/v2/checkout/orders/{id}")).await?;
            return found.map(|order| (id.clone(), order)).ok_or_else(gone);
        }
        let mut orders = self.orders(call).await.map_err(|error| match error {
            GatewayError::Malformed(_) => unread(error),
            error => error,
        })?;
        let position = |is: &dyn Fn(&Object<'_>, &str) -> bool| {
            let fits = |order: &Response| answer::read(order).is_ok_and(|read| is(&read, &text(&read, "status")));
            orders.iter().position(|(_, order)| fits(order))
        };
        let taken = position(&|order, status| status == COMPLETED && !came_to_nothing(order));
        let chosen = taken.or_else(|| position(&|_, status| status == APPROVED));
        let chosen = chosen.or_else(|| position(&|_, status| status == COMPLETED)).unwrap_or(0);
        if orders.is_empty() { Err(answer::unknown()) } else { Ok(orders.swap_remove(chosen)) }
    }

    /// The payment's orders: those of its ids that are one. Ids of PayPal's don't tell, but what other facts were stated of
    /// is none.
    pub(super) async fn orders(&self, call: &Call) -> Result<Vec<(String, Response)>, GatewayError> {
        let mut orders = Vec::new();
        let told = call.ids(Some(Aspect::Checkout)).map(|id| (id, true));
        let ids = told.chain(call.ids(None).map(|id| (id, false))).filter(|(id, _)| answer::plain(id));
        for (id, is_order) in ids.take(ORDERS) {
            let found = match self.find(&format!("/v2/checkout/orders/{id}")).await {
                // Whatever it is of, it is no order.
                Err(GatewayError::Declined(_)) if !is_order => None,
                found => found?,
            };
            if let Some(found) = found {
                answer::read(&found)?;
                orders.push((id.to_owned(), found));
            }
        }
        Ok(orders)
    }

    /// What is at this path, if there is anything.
    pub(super) async fn find(&self, path: &str) -> Result<Option<Response>, GatewayError> {
        match self.send(Ask::get(path)).await {
            Err(GatewayError::Declined(why)) if why.starts_with("404") => Ok(None),
            // A question changes nothing, so an answer that was lost is none.
            Err(GatewayError::OutcomeUnknown(why)) => Err(GatewayError::Unavailable(why)),
            answer => answer.map(Some),
        }
    }
}

fn text(of: &Object<'_>, name: &str) -> String {
    of.text(name).ok().flatten().unwrap_or_default().into_owned()
}

/// What an event has told may be seen a moment later by who asks.
fn not_yet(call: &Call, why: String) -> GatewayError {
    match call.awaited.is_some() && call.tries < SEEN {
        true => GatewayError::Unavailable(why),
        false => GatewayError::Declined(why),
    }
}

/// Whether its customer approved an order, and it waits.
pub(super) fn is_approved(order: &Response) -> bool {
    answer::read(order).is_ok_and(|read| text(&read, "status") == APPROVED)
}

/// Whether a completed order took no money and holds none: all that was tried was refused or is over.
fn came_to_nothing(order: &Object<'_>) -> bool {
    let units = order.objects("purchase_units", "a purchase unit").unwrap_or_default();
    let parts = movements(&units).unwrap_or_default().into_iter().filter(|(aspect, _)| *aspect != Aspect::Refund);
    let states: Vec<String> = parts.map(|(_, part)| text(&part, "status")).collect();
    let over = ["DECLINED", "FAILED", "DENIED", "VOIDED", "EXPIRED"];
    !states.is_empty() && states.iter().all(|state| over.contains(&state.as_str()))
}

/// A question that is not understood has done nothing yet.
fn unread(error: GatewayError) -> GatewayError {
    GatewayError::Unavailable(error.to_string())
}

fn body(order: &Order) -> Result<Value, GatewayError> {
    let Some(back) = &order.return_url else {
        return Err(GatewayError::Declined("PayPal needs a return_url, where the customer goes afterwards".to_owned()));
    };
    let mut amount = money::write(order.amount)?;
    let mut unit = json!({"custom_id": order.token});
    if let Some(reference) = &order.reference {
        unit["description"] = short(reference).into();
    }
    if let Some(items) = items(order) {
        amount["breakdown"] = json!({"item_total": amount.clone()});
        unit["items"] = items;
    }
    unit["amount"] = amount;
    let cancel = order.cancel_url.as_ref().unwrap_or(back);
    let mut experience = json!({"return_url": back, "cancel_url": cancel, "user_action": "PAY_NOW"});
    if let Some(locale) = order.locale.as_ref().filter(|locale| is_locale(locale)) {
        experience["locale"] = locale.as_str().into();
    }
    let mut paypal = json!({"experience_context": experience});
    if let Some(email) = order.customer.as_ref().filter(|text| text.contains('@')) {
        paypal["email_address"] = email.as_str().into();
    }
    let intent = if order.capture == Capture::Manual { "AUTHORIZE" } else { "CAPTURE" };
    Ok(json!({"intent": intent, "purchase_units": [unit], "payment_source": {"paypal": paypal}}))
}

/// The items, where PayPal can show them: it knows none that cost less than nothing, and none of no quantity.
fn items(order: &Order) -> Option<Value> {
    let shown = |item: &crate::gateways::Item| {
        let unit = money::write(Money::new(item.unit_amount, order.amount.currency)).ok();
        let unit = unit.filter(|_| item.unit_amount >= 0 && item.quantity > 0 && !item.name.trim().is_empty())?;
        Some(json!({"name": short(&item.name), "quantity": item.quantity.to_string(), "unit_amount": unit}))
    };
    order.items.iter().map(shown).collect::<Option<Vec<_>>>().filter(|items| !items.is_empty()).map(Value::from)
}

fn short(text: &str) -> String {
    text.chars().take(LONG).collect()
}

/// What PayPal takes for a language: `de`, `de-DE`. Another one would fail the order.
fn is_locale(text: &str) -> bool {
    let lower = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_lowercase());
    match text.split_once('-') {
        None => lower(text),
        Some((language, region)) => {
            lower(language) && region.len() == 2 && region.bytes().all(|b| b.is_ascii_uppercase())
        }
    }
}
