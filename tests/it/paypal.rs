//! Is PayPal believed when it is PayPal, and nobody else?

use std::path::PathBuf;

use actix_payments::domain::Timestamp;
use actix_payments::domain::delivery::{Delivery, Rejection};
use actix_payments::domain::event::Verified;
use actix_payments::gateways::paypal::PayPal;
use actix_payments::gateways::{Gateway, Verification};
use actix_web::http::Method;
use proptest::prelude::*;
use serde_json::Value;

use crate::app::{App, NOW, on_both_databases};

mod calls;
pub(crate) mod events;
mod fake;
mod online;
mod orders;
mod storm;
mod trouble;

/// These are signed as they should be and carry no event that could be stored.
const NO_EVENT: [&str; 2] = ["body_empty", "crc_small"];
const ADDRESS: &str = "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-7a8ac8df";

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/vectors")
}

fn vectors() -> Vec<Value> {
    serde_json::from_str(&std::fs::read_to_string(folder().join("paypal.json")).unwrap()).unwrap()
}

fn vector(name: &str) -> Value {
    vectors().into_iter().find(|vector| vector["name"] == name).unwrap()
}

fn pem(file: &Value) -> Vec<u8> {
    std::fs::read(folder().join(file.as_str().unwrap())).unwrap()
}

/// The webhook that a vector was made for, with its roots and what PayPal would serve.
fn paypal(vector: &Value) -> PayPal {
    let config = &vector["config"];
    let paypal = PayPal::new(config["webhook_id"].as_str().unwrap()).roots(pem(&config["roots_file"]));
    match (vector["headers"]["paypal-cert-url"].as_str(), &vector["cert_file"]) {
        (Some(address), file @ Value::String(_)) => paypal.certificate(address, pem(file)),
        _ => paypal,
    }
}

fn delivery(vector: &Value) -> Delivery {
    let headers = vector["headers"].as_object().unwrap().iter();
    let headers = headers.map(|(name, value)| (name.clone(), value.as_str().unwrap().as_bytes().to_vec()));
    let body = vector["body"].as_str().unwrap().as_bytes().to_vec();
    Delivery::new(body).with_headers(headers.collect())
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_timestamp(seconds).unwrap()
}

/// The answer, which needs nobody when the certificate is at hand or the headers alone decide.
fn verify(paypal: &PayPal, delivery: &Delivery, now: i64) -> Result<Verified, Rejection> {
    match paypal.verify(delivery, at(now)) {
        Verification::Ready(answer) => answer,
        _ => panic!("a certificate would be fetched"),
    }
}

#[test]
fn every_recorded_delivery_is_answered_as_it_should_be() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 66);
    let mismatch = |vector: &Value| {
        let name = vector["name"].as_str().unwrap();
        let answer = verify(&paypal(vector), &delivery(vector), vector["now"].as_i64().unwrap());
        let right = match (vector["expect"].as_str().unwrap(), &answer) {
            ("ok", Ok(verified)) => verified.events.len() == 1 && !NO_EVENT.contains(&name),
            ("ok", Err(Rejection::BodyMalformed)) => NO_EVENT.contains(&name),
            ("reject", Err(rejection)) => *rejection != Rejection::BodyMalformed,
            _ => false,
        };
        (!right).then(|| format!("{name} ({}): {answer:?}", vector["why"]))
    };
    let wrong: Vec<_> = vectors.iter().filter_map(mismatch).collect();
    assert!(wrong.is_empty(), "{} of 66 are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn each_kind_of_refusal_has_its_own_code() {
    let good = vector("sandbox");
    let without = |name: &str| {
        let mut changed = good.clone();
        changed["headers"].as_object_mut().unwrap().remove(name);
        changed
    };
    let with = |name: &str, value: &str| {
        let mut changed = good.clone();
        changed["headers"][name] = value.into();
        changed
    };
    let cases = [
        (without("paypal-transmission-sig"), Rejection::SignatureMissing),
        (with("paypal-auth-algo", "SHA1withRSA"), Rejection::SignatureMalformed),
        (with("paypal-transmission-sig", "!"), Rejection::SignatureMalformed),
        (with("paypal-cert-url", "https://evil.example/v1/notifications/certs/CERT-1"), Rejection::SignatureMalformed),
        (with("paypal-transmission-id", "another"), Rejection::SignatureMismatch),
    ];
    let now = good["now"].as_i64().unwrap();
    for (changed, expected) in cases {
        assert_eq!(verify(&paypal(&good), &delivery(&changed), now), Err(expected), "{changed}");
    }
    assert!(verify(&paypal(&good), &delivery(&good), now).is_ok());
}

#[test]
fn a_certificate_is_no_longer_believed_after_its_time() {
    let good = vector("sandbox");
    let late = good["now"].as_i64().unwrap() + 50 * 365 * 24 * 3600;
    assert_eq!(verify(&paypal(&good), &delivery(&good), late), Err(Rejection::SignatureMismatch));
}

#[test]
fn a_name_that_the_issuer_does_not_vouch_for_is_no_name() {
    let mut good = vector("root_only_chain_with_root_served");
    good["config"]["roots_file"] = "paypal_certs/roots_and_intermediate.pem".into();
    for (file, expected) in [("leaf", None), ("leaf_cn_good_san_evil", Some(Rejection::SignatureMismatch))] {
        good["cert_file"] = format!("paypal_certs/{file}.pem").into();
        let answer = verify(&paypal(&good), &delivery(&good), good["now"].as_i64().unwrap());
        assert_eq!(answer.err(), expected, "{file}");
    }
}

#[test]
fn the_systems_roots_do_not_vouch_for_another_authority() {
    let good = vector("sandbox");
    let address = good["headers"]["paypal-cert-url"].as_str().unwrap();
    let paypal =
        PayPal::new(good["config"]["webhook_id"].as_str().unwrap()).certificate(address, pem(&good["cert_file"]));
    assert_eq!(verify(&paypal, &delivery(&good), good["now"].as_i64().unwrap()), Err(Rejection::SignatureMismatch));
}

#[test]
fn what_cannot_work_is_refused_in_words() {
    let roots = pem(&"paypal_certs/roots.pem".into());
    let check = |paypal: PayPal| paypal.roots(&roots).check();
    assert_eq!(check(PayPal::new("1JE4291016473214C")), Ok(()));
    assert!(check(PayPal::new(" ")).unwrap_err().contains("id of PayPal's webhook"));
    assert!(check(PayPal::new("WH-2WR32451HC0233532-67976317FL4543714")).unwrap_err().contains("id of an event"));
    assert!(check(PayPal::new("1JE4").roots("no certificate")).unwrap_err().contains("PEM"));
    assert!(check(PayPal::new("1JE4").certificate("https://evil.example/", &roots)).unwrap_err().contains("addresses"));
}

proptest! {
    #[test]
    fn no_bytes_of_a_stranger_are_believed_and_none_make_it_panic(
        values in prop::collection::vec("[ -~]{0,60}", 4), body: Vec<u8>, algorithm in prop_oneof![Just("SHA256withRSA"), Just("none")],
    ) {
        let good = vector("sandbox");
        let names = ["paypal-transmission-id", "paypal-transmission-time", "paypal-transmission-sig", "paypal-auth-algo"];
        let mut headers: Vec<_> = names.into_iter().zip(values).map(|(name, value)| (name.to_owned(), value.into_bytes())).collect();
        headers[3].1 = algorithm.into();
        headers.push(("paypal-cert-url".to_owned(), good["headers"]["paypal-cert-url"].as_str().unwrap().into()));
        let delivery = Delivery::new(body).with_headers(headers);
        prop_assert!(verify(&paypal(&good), &delivery, NOW).is_err());
    }
}

on_both_databases! {
    async fn a_genuine_event_is_kept_once_and_a_forged_one_never(kind) {
        let good = vector("sandbox");
        let app = App::with(kind, |b| b.variant("paypal", paypal(&good))).await;
        app.pass(good["now"].as_i64().unwrap() - NOW);
        let headers = good["headers"].as_object().unwrap();
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
        let body = good["body"].as_str().unwrap().as_bytes();
        for _ in 0..3 {
            assert_eq!(app.request(Method::POST, "/payments/paypal/", &headers, body).await.status, 200);
        }
        let forged = app.request(Method::POST, "/payments/paypal/", &headers, b"{}").await;
        assert_eq!((forged.status, forged.body.as_str()), (400, "signature_mismatch"));
        assert_eq!(app.number("SELECT count(*) FROM pay_events"), 1);
    }

    async fn a_certificate_that_cannot_be_had_asks_paypal_to_send_again(kind) {
        let mut vector = vector("sandbox");
        let app = App::with(kind, |b| b.variant("paypal", paypal(&vector))).await;
        // No such certificate is served, and where there is no network none at all.
        vector["headers"]["paypal-cert-url"] = format!("{ADDRESS}-that-was-never-there").into();
        let headers = vector["headers"].as_object().unwrap();
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
        let answer = app.request(Method::POST, "/payments/paypal/", &headers, vector["body"].as_str().unwrap().as_bytes()).await;
        assert_eq!((answer.status, answer.body.as_str()), (503, "unverifiable"));
        assert_eq!(answer.header("retry-after"), Some("5"));
        assert_eq!(app.number("SELECT count(*) FROM pay_events"), 0);
    }
}
