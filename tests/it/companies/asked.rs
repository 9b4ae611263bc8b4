//! What do the gateways ask their companies, and is it what the SDKs were recorded to ask?

use actix_payments::domain::Timestamp;
use actix_payments::domain::money::Money;
use actix_payments::gateways::subscriptions::{SubscriptionCall, SubscriptionRequest, SubscriptionVerb};
use actix_payments::gateways::{Call, LineItem, PaymentRequest, Verb};
use serde_json::Value;

use super::fixtures;
use crate::scenes::{money, with};
use crate::stripe::listener::{Heard, Say};

/// An answer of a company.
pub fn ok(body: impl Into<String>) -> Say {
    Say::Answer(200, vec![("date", "Mon, 12 Oct 2026 11:15:00 GMT".to_owned())], body.into())
}

/// A call about a payment of which these ids are known.
pub fn call(verb: Verb, refs: &[&str], amount: Option<Money>) -> Call {
    with(Call::new(verb, "tok_1".to_owned(), money(4998, "EUR"), "op_1".to_owned(), Timestamp::UNIX_EPOCH), |it| {
        it.gateway_refs = refs.iter().map(|id| (*id).into()).collect();
        it.aspects = Default::default();
        it.amount = amount;
    })
}

/// A payment of two cups.
pub fn order(currency: &str) -> PaymentRequest {
    with(PaymentRequest::new("tok_1", money(4998, currency)), |it| {
        it.items = vec![LineItem::new("Cup".to_owned(), 2, 2499)];
        it.return_url = Some("https://shop.example/thanks".to_owned());
    })
}

/// Asserts that a request is the one that the company's SDK was recorded to send for `name`: method, path, header
/// fields and body.
#[track_caller]
pub fn assert_as_recorded(company: &str, name: &str, heard: &Heard) {
    let path = fixtures().join("vectors/api_requests").join(format!("{company}.json"));
    let recorded: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let theirs = recorded["calls"].as_array().unwrap().iter().find(|call| call["name"] == name).unwrap();
    assert_eq!(
        (heard.method.as_str(), heard.path.as_str()),
        (theirs["method"].as_str().unwrap(), theirs["path"].as_str().unwrap())
    );
    for (field, value) in theirs["headers"].as_object().unwrap() {
        // Without a body, SDKs differ in what they say of its type.
        if field != "content-type" || !theirs["body"].is_null() {
            assert_eq!(heard.header(field), value.as_str(), "{company} {name}: {field}");
        }
    }
    let body: Value = serde_json::from_str(&heard.body).unwrap_or_default();
    assert_eq!(body, theirs["body"], "{company} {name}");
}

pub fn subscription_call(verb: SubscriptionVerb, gateway_ref: &str) -> SubscriptionCall {
    SubscriptionCall::new(verb, gateway_ref, "op_1")
}

/// Three of a price, for a user of the host's.
pub fn subscription_request(price: &str) -> SubscriptionRequest {
    let mut request = SubscriptionRequest::new("tok_1", price);
    request.quantity = 3;
    request.owner = Some("user-42".to_owned());
    request.return_url = Some("https://shop.example/thanks".to_owned());
    request
}
