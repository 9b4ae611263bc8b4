//! Are Standard Webhooks taken as the libraries of the standard, of Svix and of Polar take them?

use std::path::PathBuf;

use actix_payments::Event;
use actix_payments::domain::Timestamp;
use actix_payments::domain::delivery::{Delivery, Rejection};
use actix_payments::domain::event::Verified;
use actix_payments::gateways::standard_webhooks::StandardWebhooks;
use actix_payments::gateways::{Gateway, TEST_KIND, Verification};
use actix_web::http::Method;
use proptest::prelude::*;
use serde_json::Value;

use crate::app::{App, NOW, on_both_databases};

const SECRET: &str = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";
/// These are signed as they should be and carry no event that could be stored.
const NO_EVENT: [&str; 4] = ["body_not_json", "body_null", "body_bom", "id_with_dots"];

fn vectors(file: &str) -> Vec<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/vectors").join(file);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_timestamp(seconds).unwrap()
}

fn verify(gateway: &StandardWebhooks, delivery: &Delivery, now: i64) -> Result<Verified, Rejection> {
    match gateway.verify(delivery, at(now)) {
        Verification::Ready(answer) => answer,
        _ => panic!("these signatures need nobody else"),
    }
}

fn delivery(vector: &Value) -> Delivery {
    let headers = vector["headers"].as_object().unwrap().iter();
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.as_str().unwrap().as_bytes().to_vec()));
    let body = vector["body"].as_str().unwrap().as_bytes().to_vec();
    Delivery::new(body).with_headers(headers.collect())
}

/// The vectors whose answer is another than the libraries' own, which stands in `field`.
fn mismatches(file: &str, field: &str, gateway: fn(&str) -> StandardWebhooks) -> Vec<String> {
    let mismatch = |vector: &Value| {
        let name = vector["name"].as_str().unwrap();
        let answer = verify(&gateway(vector["secret"].as_str().unwrap()), &delivery(vector), vector["now"].as_i64()?);
        let right = match (vector[field].as_str().unwrap(), &answer) {
            ("ok", Ok(verified)) => verified.events.len() == 1 && !NO_EVENT.contains(&name),
            ("ok", Err(Rejection::BodyMalformed)) => NO_EVENT.contains(&name),
            ("reject", Err(Rejection::BodyMalformed)) => NO_EVENT.contains(&name),
            ("reject", Err(_)) => true,
            _ => false,
        };
        (!right).then(|| format!("{name} ({}): {answer:?}", vector["why"]))
    };
    vectors(file).iter().filter_map(mismatch).collect()
}

#[test]
fn every_recorded_delivery_is_answered_as_the_standards_libraries_do() {
    assert_eq!(vectors("standard_webhooks.json").len(), 66);
    let none: [String; 0] = [];
    assert_eq!(mismatches("standard_webhooks.json", "expect_signature", |s| StandardWebhooks::new(s)), none);
}

#[test]
fn every_recorded_delivery_is_answered_as_svixs_libraries_do() {
    let none: [String; 0] = [];
    assert_eq!(mismatches("standard_webhooks.json", "expect_svix", |s| StandardWebhooks::new(s).svix()), none);
}

#[test]
fn every_recorded_delivery_is_answered_as_polars_libraries_do() {
    assert_eq!(vectors("polar.json").len(), 11);
    let none: [String; 0] = [];
    assert_eq!(mismatches("polar.json", "expect", |s| StandardWebhooks::text_key(s)), none);
}

#[test]
fn each_kind_of_refusal_has_its_own_code() {
    let gateway = StandardWebhooks::new(SECRET);
    let good = gateway.test_delivery("msg_1", at(NOW)).unwrap();
    let with = |name: &str, value: &str| {
        let mut changed = good.clone();
        changed.headers.retain(|(given, _)| given != name);
        changed.headers.push((name.to_owned(), value.as_bytes().to_vec()));
        changed
    };
    let cases = [
        (with("webhook-id", ""), NOW, Rejection::EventIdMissing),
        (with("webhook-timestamp", ""), NOW, Rejection::SignatureMissing),
        (with("webhook-signature", ""), NOW, Rejection::SignatureMissing),
        (with("webhook-timestamp", "now"), NOW, Rejection::SignatureMalformed),
        (with("webhook-signature", "v1"), NOW, Rejection::SignatureMalformed),
        (with("webhook-signature", "v1,AAAA"), NOW, Rejection::SignatureMismatch),
        (good.clone(), NOW + 301, Rejection::SignatureStale),
        (good.clone(), NOW - 301, Rejection::SignatureStale),
        // An old forgery is a forgery.
        (with("webhook-signature", "v1,AAAA"), NOW + 301, Rejection::SignatureMismatch),
    ];
    for (delivery, now, expected) in cases {
        assert_eq!(verify(&gateway, &delivery, now), Err(expected));
    }
}

#[test]
fn an_id_that_can_not_be_stored_is_refused_though_it_is_signed() {
    let gateway = StandardWebhooks::new(SECRET);
    let signed = |id: &str| verify(&gateway, &gateway.test_delivery(id, at(NOW)).unwrap(), NOW);
    assert_eq!(signed(&"x".repeat(255)).unwrap().events[0].id.len(), 255);
    for id in ["x".repeat(256), "a\u{1}b".to_owned(), "a\u{7f}b".to_owned()] {
        assert_eq!(signed(&id), Err(Rejection::BodyMalformed), "{id:?}");
    }
}

#[test]
fn the_label_of_the_secret_that_matched_is_told() {
    let gateway = StandardWebhooks::new("whsec_bmV3").secret("old", SECRET);
    let signed = StandardWebhooks::new(SECRET).test_delivery("msg_1", at(NOW)).unwrap();
    let verified = verify(&gateway, &signed, NOW + 7).unwrap();
    assert_eq!((verified.secret.as_deref(), verified.skew_seconds), (Some("old"), Some(7)));
    assert_eq!((verified.events[0].id.as_str(), verified.events[0].kind.as_str()), ("msg_1", TEST_KIND));
}

#[test]
fn secrets_that_cannot_work_are_refused_and_never_shown() {
    for secret in ["", "whsec_", "whsec_hidden-hidden", " whsec_AQID"] {
        let message = StandardWebhooks::new(secret).check().unwrap_err();
        assert!(message.contains("primary") && !message.contains("hidden"), "{message}");
    }
    assert!(StandardWebhooks::text_key("  ").check().is_err());
    assert!(StandardWebhooks::new(SECRET).secret("primary", SECRET).check().is_err());
    assert!(!format!("{:?}", StandardWebhooks::new(SECRET)).contains("AQID"));
}

proptest! {
    #[test]
    fn no_bytes_of_a_stranger_are_believed_and_none_make_it_panic(
        fields in prop::collection::vec(("(webhook|svix)-(id|timestamp|signature)", "[ -~]{0,40}"), 0..6),
        body: Vec<u8>,
    ) {
        let headers = fields.into_iter().map(|(name, value)| (name, value.into_bytes())).collect();
        let delivery = Delivery::new(body).with_headers(headers);
        prop_assert!(verify(&StandardWebhooks::new(SECRET).svix(), &delivery, NOW).is_err());
    }
}

on_both_databases! {
    async fn a_signed_event_reaches_the_handler_of_its_kind_once(kind) {
        let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let noted = seen.clone();
        let handler = move |event: Event| {
            noted.lock().unwrap().push(event.kind.clone());
            std::future::ready(Ok(()))
        };
        let variant = StandardWebhooks::new(SECRET);
        let app = App::with(kind, |b| b.variant("svix", variant).on_event("order.*", "orders", handler)).await;
        // Signed by the standard's own library for Python, with this secret, five seconds before `now`.
        let vector = vectors("standard_webhooks.json").into_iter().find(|v| v["name"] == "plain").unwrap();
        app.pass(vector["now"].as_i64().unwrap() - NOW);
        let headers = vector["headers"].as_object().unwrap();
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
        let body = vector["body"].as_str().unwrap().as_bytes();
        for _ in 0..3 {
            assert_eq!(app.request(Method::POST, "/payments/svix/", &headers, body).await.status, 200);
        }
        app.drain().await;
        assert_eq!(*seen.lock().unwrap(), ["order.paid"]);
        assert_eq!(app.texts("SELECT gateway_event_id AS t FROM pay_events"), ["msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"]);
        let forged = [headers[0], headers[1], headers[2]];
        assert_eq!(app.request(Method::POST, "/payments/svix/", &forged, b"{}").await.status, 400);
    }
}
