//! Does Mollie hear from us what it hears from its own library?

use std::path::Path;

use actix_payments::domain::Timestamp;
use actix_payments::domain::delivery::Delivery;
use actix_payments::domain::named::NamedObject;
use actix_payments::gateways::conformance::Conformance;
use actix_payments::gateways::mollie::Mollie;
use actix_payments::gateways::{Call, CaptureMethod, Fetch, Gateway, GatewayError, LineItem, PaymentRequest, Verb};
use serde_json::{Value, json};

use super::fake::{ADDRESS, Fake, KEY};
use crate::app::NOW;
use crate::scenes::{money, with};
use crate::stripe::listener::{Heard, Listener, Say};

const ID: &str = "tr_7UhSN1zuXS";

fn recorded() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/vectors/mollie_api_requests.json");
    let recorded: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    recorded["calls"].as_array().unwrap().clone()
}

/// Asserts that what was heard is the recorded request: its path, its headers and its body, but for the fields of
/// `added` and of `replaced`, which are ours.
fn assert_like_recorded(heard: &Heard, place: usize, added: &[(&str, Value)]) {
    let theirs = &recorded()[place];
    assert_eq!(
        (heard.method.as_str(), heard.path.as_str()),
        (theirs["method"].as_str().unwrap(), theirs["path"].as_str().unwrap())
    );
    for (name, value) in theirs["headers"].as_object().unwrap().iter().filter(|(name, _)| *name != "idempotency-key") {
        assert_eq!(heard.header(name), value.as_str(), "{name}");
    }
    let has_key = theirs["headers"].get("idempotency-key").is_some();
    assert_eq!(heard.header("idempotency-key").is_some(), has_key);
    let mut expected = theirs["body"].clone();
    for (name, value) in added {
        expected[*name] = value.clone();
    }
    // A call that has nothing to say may do so by an empty object.
    let ours = if heard.body.is_empty() { Value::Null } else { serde_json::from_str(&heard.body).unwrap() };
    let is_nothing = |body: &Value| body.is_null() || *body == json!({});
    assert!(ours == expected || (is_nothing(&ours) && is_nothing(&expected)), "{ours}\n{expected}");
}

fn mollie(listener: &Listener) -> Mollie {
    Mollie::new().api_key(KEY).webhook_url(ADDRESS).api_base(&listener.address).api_retries(0)
}

fn ok(body: &Value) -> Listener {
    Listener::saying([Say::Answer(201, vec![("content-type", "application/hal+json".to_owned())], body.to_string())])
}

fn payment() -> Value {
    json!({"resource": "payment", "id": ID, "mode": "test", "status": "open", "createdAt": "2026-10-12T08:53:20+00:00",
        "amount": {"currency": "EUR", "value": "49.98"},
        "_links": {"checkout": {"href": "https://www.mollie.com/checkout/x", "type": "text/html"}}})
}

fn call(verb: Verb, amount: Option<i64>) -> Call {
    with(
        Call::new(verb, "order-10042".to_owned(), money(4998, "EUR"), "op_1".to_owned(), Timestamp::UNIX_EPOCH),
        |it| {
            it.gateway_refs = vec!["re_1".into(), ID.into()];
            it.aspects = Default::default();
            it.amount = amount.map(|minor| money(minor, "EUR"));
        },
    )
}

#[actix_web::test]
async fn a_payment_is_created_as_mollies_library_creates_it() {
    let listener = ok(&payment());
    let order = with(PaymentRequest::new("order-10042", money(4998, "EUR")), |it| {
        it.return_url = Some("https://shop.example/thanks".to_owned());
        it.cancel_url = Some("https://shop.example/cancel".to_owned());
        it.items = vec![LineItem::new("Tasse ☕".to_owned(), 2, 2499)];
        it.capture = CaptureMethod::Manual;
        it.locale = Some("de".to_owned());
        it.metadata = [("note".to_owned(), "Zoë & Söhne".to_owned())].into();
    });
    mollie(&listener).start(&order).await.unwrap();
    let heard = listener.heard();
    assert_like_recorded(&heard[0], 0, &[]);
    assert_eq!(heard[0].header("idempotency-key"), Some("order-10042-checkout"));
    // Where the customer goes afterwards, Mollie must be told.
    let lost = with(order, |it| it.return_url = None);
    let refused = mollie(&listener).start(&lost).await.unwrap_err();
    assert!(matches!(&refused, GatewayError::Declined(why) if why.contains("return_url")), "{refused}");
}

#[actix_web::test]
async fn a_payment_is_asked_for_canceled_refunded_and_captured_as_mollies_library_does() {
    let fetch = Fetch::new(NamedObject::new("payment", ID), "fetch_1".to_owned());
    let listener = ok(&payment());
    let events = mollie(&listener).fetch(&fetch).await.unwrap();
    assert_like_recorded(&listener.heard()[0], 1, &[]);
    assert_eq!((events[0].id.as_str(), events[0].kind.as_str()), ("fetch_1-1", "payment.answered"));
    assert_eq!(events[0].livemode, Some(false));

    let listener = ok(&payment());
    mollie(&listener).call(&call(Verb::Cancel, None)).await.unwrap();
    assert_like_recorded(&listener.heard()[0], 2, &[]);

    // What is made bears the key of the call that made it.
    let metadata = json!({"payment_token": "order-10042", "operation": "op_1"});
    let refund = json!({"resource": "refund", "id": "re_1", "mode": "test", "status": "pending", "paymentId": ID,
        "amount": {"currency": "EUR", "value": "5.95"}});
    let listener = ok(&refund);
    mollie(&listener).call(&call(Verb::Refund, Some(595))).await.unwrap();
    assert_like_recorded(&listener.heard()[0], 3, &[("metadata", metadata.clone())]);

    let listener = ok(&payment());
    mollie(&listener).call(&call(Verb::Capture, Some(2000))).await.unwrap();
    assert_like_recorded(&listener.heard()[0], 4, &[("metadata", metadata)]);
}

#[actix_web::test]
async fn amounts_are_decimal_texts_with_as_many_decimals_as_the_currency_has() {
    for (code, minor, value) in [("EUR", 1, "0.01"), ("JPY", 4998, "4998"), ("EUR", 100_000, "1000.00")] {
        let listener = ok(&payment());
        let order = with(PaymentRequest::new("order-1", money(minor, code)), |it| {
            it.return_url = Some("https://shop.example/".to_owned())
        });
        mollie(&listener).start(&order).await.unwrap();
        let body: Value = serde_json::from_str(&listener.heard()[0].body).unwrap();
        assert_eq!(body["amount"], json!({"currency": code, "value": value}));
    }
}

#[actix_web::test]
async fn mollie_keeps_the_promises() {
    let fake = Fake::new(NOW);
    let id = fake.made_elsewhere(5000);
    let now = Timestamp::from_unix_timestamp(NOW).unwrap();
    let gateway = fake.gateway();
    let hint = Delivery::new(format!("id={id}"));
    let mut suite = Conformance::new(&gateway).secret(KEY).delivery(hint, now);
    for (number, status) in
        ["open", "pending", "authorized", "paid", "failed", "expired", "canceled"].iter().enumerate()
    {
        fake.becomes(&id, status);
        if *status == "paid" {
            let refund = fake.refund(&id, 1000);
            fake.refund_becomes(&id, &refund, "refunded");
            fake.charge_back(&id, 500);
        }
        let idempotency_key = format!("fetch_{number}");
        let fetch = Fetch::new(NamedObject::new("payment", id.as_str()), idempotency_key);
        for event in gateway.fetch(&fetch).await.unwrap() {
            suite = suite.event(event, now);
        }
    }
    suite.check().await.unwrap_or_else(|broken| panic!("{broken}"));
}
