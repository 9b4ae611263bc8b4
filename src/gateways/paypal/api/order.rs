//! PayPal's orders (<https://developer.paypal.com/docs/api/orders/v2/>). A payment starts as an order of one purchase
//! unit with our token as its `custom_id`; once the customer has approved it, PayPal waits for the call that captures
//! or authorizes it.

use serde_json::{Value, json};

use super::{Api, ApiRequest, answer, money};
use crate::domain::event::Envelope;
use crate::domain::fact::Aspect;
use crate::domain::identifier::GatewayRef;
use crate::domain::money::Money;
use crate::gateways::http::Response;
use crate::gateways::json::Object;
use crate::gateways::paypal::answered::{ObjectType, movements};
use crate::gateways::{Call, CaptureMethod, GatewayError, LineItem, PaymentRequest, Started};

/// The status of an order that the customer has approved and that waits for us.
const APPROVED: &str = "APPROVED";
/// The status of an order that was captured or authorized.
const COMPLETED: &str = "COMPLETED";
/// How many of a payment's ids are looked up as orders at most. A payment started here has one order; a host's own code
/// may have created a few.
const LOOKUPS: usize = 20;
/// For how many tries PayPal's API may lag behind its events: about ten minutes with the default backoff.
const LAGGING_TRIES: u32 = 8;
/// The longest item name or description, in characters.
const MAX_TEXT: usize = 127;

impl Api {
    /// Creates an order. The idempotency key is made of the payment's token, so one payment never gets two orders.
    pub(in crate::gateways::paypal) async fn checkout(
        &self,
        payment: &PaymentRequest,
    ) -> Result<Started, GatewayError> {
        let key = format!("{}-checkout", payment.token);
        let answer = self.send(ApiRequest::post("/v2/checkout/orders", &body(payment)?, key)).await?;
        let order = answer::read(&answer)?;
        let malformed = |what: &str| GatewayError::Malformed(format!("expected {what} of PayPal's order, got none"));
        let id = order.link("id").filter(|id| answer::is_plain(id)).ok_or_else(|| malformed("the id"))?;
        let links = order.objects("links", "a link").unwrap_or_default();
        let find = |rel: &str| links.iter().find(|link| link.text("rel").ok().flatten().as_deref() == Some(rel));
        let link = find("payer-action").or_else(|| find("approve"));
        let url = link.and_then(|link| link.text("href").ok().flatten()).map(|href| href.into_owned());
        Ok(Started::Redirect {
            url: url.ok_or_else(|| malformed("the customer's address"))?,
            gateway_refs: vec![id.into()],
        })
    }

    /// Captures or authorizes an approved order, by the intent that it was created with.
    pub(super) async fn complete(&self, call: &Call) -> Result<Vec<Envelope>, GatewayError> {
        let (id, order) = self.order_to_complete(call).await?;
        let object = answer::read(&order).map_err(nothing_sent)?;
        match text(&object, "status").as_str() {
            APPROVED => {}
            // Somebody else was faster, or an earlier answer was lost: the order already is as it should become.
            COMPLETED => return Ok(vec![answer::event(call.idempotency_key.clone(), ObjectType::Order, &order)?]),
            status => {
                return Err(not_yet(call, format!("the customer has not approved PayPal's order, it is {status}")));
            }
        }
        let step = if text(&object, "intent") == "AUTHORIZE" { "authorize" } else { "capture" };
        let path = format!("/v2/checkout/orders/{id}/{step}");
        let answer = self.send(ApiRequest::post(path, &json!({}), &call.idempotency_key)).await?;
        Ok(vec![answer::event(call.idempotency_key.clone(), ObjectType::Order, &answer)?])
    }

    /// The order that waits: the one that the call names, else one that is completed already (an earlier try whose
    /// answer was lost may have done that), else the first that the customer has approved.
    async fn order_to_complete(&self, call: &Call) -> Result<(GatewayRef, Response), GatewayError> {
        if let Some(id) = &call.awaited {
            let missing = || not_yet(call, "PayPal does not know the order".to_owned());
            let id = Some(id).filter(|id| answer::is_plain(id)).ok_or_else(answer::no_object)?;
            let found = self.find(&format!("/v2/checkout/orders/{id}")).await?;
            return found.map(|order| (id.clone(), order)).ok_or_else(missing);
        }
        let mut orders = self.orders(call).await.map_err(|error| match error {
            GatewayError::Malformed(_) => nothing_sent(error),
            error => error,
        })?;
        let position = |is_match: &dyn Fn(&Object<'_>, &str) -> bool| {
            let matches =
                |order: &Response| answer::read(order).is_ok_and(|order| is_match(&order, &text(&order, "status")));
            orders.iter().position(|(_, order)| matches(order))
        };
        let completed = position(&|order, status| status == COMPLETED && !has_no_money(order));
        let chosen = completed.or_else(|| position(&|_, status| status == APPROVED));
        let chosen = chosen.or_else(|| position(&|_, status| status == COMPLETED)).unwrap_or(0);
        if orders.is_empty() { Err(answer::no_object()) } else { Ok(orders.swap_remove(chosen)) }
    }

    /// The payment's orders: PayPal is asked about each id that is known to be an order, and about those of which no
    /// fact is known, since the form of an id does not tell.
    pub(super) async fn orders(&self, call: &Call) -> Result<Vec<(GatewayRef, Response)>, GatewayError> {
        let mut orders = Vec::new();
        let known = call.ids(Some(Aspect::Checkout)).map(|id| (id, true));
        let ids = known.chain(call.ids(None).map(|id| (id, false))).filter(|(id, _)| answer::is_plain(id));
        for (id, is_order) in ids.take(LOOKUPS) {
            let found = match self.find(&format!("/v2/checkout/orders/{id}")).await {
                // The id is of something else.
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

    /// Gets the object at this path; `None` when PayPal answers 404.
    pub(super) async fn find(&self, path: &str) -> Result<Option<Response>, GatewayError> {
        match self.send(ApiRequest::get(path)).await {
            Err(GatewayError::Declined(why)) if why.starts_with("404") => Ok(None),
            // A GET changes nothing, so a lost answer is harmless.
            Err(GatewayError::OutcomeUnknown(why)) => Err(GatewayError::Unavailable(why)),
            answer => answer.map(Some),
        }
    }
}

fn text(object: &Object<'_>, name: &str) -> String {
    object.text(name).ok().flatten().unwrap_or_default().into_owned()
}

/// The error for an order that is not as the event said: a retry may help, since PayPal's API can lag behind its
/// events.
fn not_yet(call: &Call, why: String) -> GatewayError {
    if call.awaited.is_some() && call.tries < LAGGING_TRIES {
        GatewayError::Unavailable(why)
    } else {
        GatewayError::Declined(why)
    }
}

/// Whether the customer has approved the order and it waits for us.
pub(super) fn is_approved(order: &Response) -> bool {
    answer::read(order).is_ok_and(|order| text(&order, "status") == APPROVED)
}

/// Whether a completed order took and holds no money, because every attempt was refused or is over.
fn has_no_money(order: &Object<'_>) -> bool {
    let units = order.objects("purchase_units", "a purchase unit").unwrap_or_default();
    let parts = movements(&units).unwrap_or_default().into_iter().filter(|(aspect, _)| *aspect != Aspect::Refund);
    let states: Vec<String> = parts.map(|(_, part)| text(&part, "status")).collect();
    let over = ["DECLINED", "FAILED", "DENIED", "VOIDED", "EXPIRED"];
    !states.is_empty() && states.iter().all(|state| over.contains(&state.as_str()))
}

/// An unreadable answer to a GET that comes before the call that acts: nothing was done yet.
fn nothing_sent(error: GatewayError) -> GatewayError {
    GatewayError::Unavailable(error.to_string())
}

/// The body of the request that creates an order.
fn body(payment: &PaymentRequest) -> Result<Value, GatewayError> {
    let Some(return_url) = &payment.return_url else {
        return Err(GatewayError::Declined("PayPal needs a return_url, where the customer goes afterwards".to_owned()));
    };
    let mut amount = money::write(payment.amount)?;
    let mut unit = json!({"custom_id": payment.token});
    if let Some(reference) = &payment.reference {
        unit["description"] = shortened(reference).into();
    }
    if let Some(items) = items(payment) {
        amount["breakdown"] = json!({"item_total": amount.clone()});
        unit["items"] = items;
    }
    unit["amount"] = amount;
    let cancel_url = payment.cancel_url.as_ref().unwrap_or(return_url);
    let mut experience = json!({"return_url": return_url, "cancel_url": cancel_url, "user_action": "PAY_NOW"});
    if let Some(locale) = payment.locale.as_ref().filter(|locale| is_locale(locale)) {
        experience["locale"] = locale.as_str().into();
    }
    let mut paypal = json!({"experience_context": experience});
    if let Some(email) = payment.customer.as_ref().filter(|text| text.contains('@')) {
        paypal["email_address"] = email.as_str().into();
    }
    let intent = if payment.capture == CaptureMethod::Manual { "AUTHORIZE" } else { "CAPTURE" };
    Ok(json!({"intent": intent, "purchase_units": [unit], "payment_source": {"paypal": paypal}}))
}

/// The items, or `None` where PayPal would refuse one: it accepts no negative price, no quantity of zero and no blank
/// name.
fn items(payment: &PaymentRequest) -> Option<Value> {
    let to_json = |item: &LineItem| {
        let unit = money::write(Money::new(item.unit_amount, payment.amount.currency)).ok();
        let unit = unit.filter(|_| item.unit_amount >= 0 && item.quantity > 0 && !item.name.trim().is_empty())?;
        Some(json!({"name": shortened(&item.name), "quantity": item.quantity.to_string(), "unit_amount": unit}))
    };
    payment.items.iter().map(to_json).collect::<Option<Vec<_>>>().filter(|items| !items.is_empty()).map(Value::from)
}

fn shortened(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

/// Whether PayPal accepts the text as a locale (`de`, `de-DE`): it would refuse the order for any other.
fn is_locale(text: &str) -> bool {
    let lower = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_lowercase());
    match text.split_once('-') {
        None => lower(text),
        Some((language, region)) => {
            lower(language) && region.len() == 2 && region.bytes().all(|b| b.is_ascii_uppercase())
        }
    }
}
