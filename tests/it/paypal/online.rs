//! Is PayPal asked about the very delivery, and what does a stranger cost who sends many?

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_payments::domain::delivery::{Delivery, Rejection};
use actix_payments::domain::{Timestamp, event::Verified};
use actix_payments::gateways::{Gateway, Verification};
use serde_json::Value;

use super::events::{paypal, signed};
use super::fake::{Fake, Fault};
use crate::app::NOW;
use crate::stripe::listener::{Listener, Say};

async fn asked_online(fake: &Fake, body: &[u8]) -> Result<Verified, Rejection> {
    let headers = signed("another body").into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes()));
    let delivery = Delivery::new(body.to_vec()).with_headers(headers.collect());
    let gateway = fake.gateway().verify_online();
    match gateway.verify(&delivery, Timestamp::from_unix_timestamp(NOW).unwrap()) {
        Verification::Ready(answer) => answer,
        Verification::Later(answer) => answer.await,
        _ => panic!("PayPal signs"),
    }
}

#[actix_web::test]
async fn paypal_is_asked_about_the_very_bytes() {
    let fake = Fake::new(NOW);
    // White space, an escape, a number beyond any float: none survives being written anew.
    let body = "{ \"id\" :\"WH-1\",\"event_type\":\"X\\u0041\", \"n\":12345678901234567890.10 }\n";
    fake.state().verdict = Some(r#"{"verification_status":"SUCCESS"}"#.to_owned());
    let verified = asked_online(&fake, body.as_bytes()).await.unwrap();
    assert_eq!((verified.events[0].id.as_str(), verified.events[0].kind.as_str()), ("WH-1", "XA"));
    let asked = fake.listener.heard().pop().unwrap();
    assert_eq!(asked.path, "/v1/notifications/verify-webhook-signature");
    let event = asked.body.split_once("\"webhook_event\":").unwrap().1.strip_suffix('}').unwrap();
    assert_eq!(event, body);
    let fields: Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(
        (fields["webhook_id"].as_str(), fields["auth_algo"].as_str()),
        (Some("1JE4291016473214C"), Some("SHA256withRSA"))
    );
    for (verdict, expected) in [
        (r#"{"verification_status":"FAILURE"}"#, Rejection::SignatureMismatch),
        (r#"{"verification_status":"MAYBE"}"#, Rejection::Unverifiable),
        (r#"{}"#, Rejection::Unverifiable),
        ("[]", Rejection::Unverifiable),
        ("trouble", Rejection::Unverifiable),
    ] {
        fake.state().verdict = Some(verdict.to_owned());
        assert_eq!(asked_online(&fake, body.as_bytes()).await.unwrap_err(), expected, "{verdict}");
    }
    fake.state().faults = [Some(Fault::CutBefore), Some(Fault::CutBefore)].into();
    assert_eq!(asked_online(&fake, body.as_bytes()).await.unwrap_err(), Rejection::Unverifiable);
}

#[actix_web::test]
async fn a_body_that_would_say_more_than_its_event_is_not_asked_about() {
    let fake = Fake::new(NOW);
    fake.state().verdict = Some(r#"{"verification_status":"SUCCESS"}"#.to_owned());
    for body in [r#"{},"webhook_id":"another""#, r#"{"a":1}}"#, "[]", "", "{", "\u{0}", r#"{"a":1} {"b":2}"#] {
        assert_eq!(asked_online(&fake, body.as_bytes()).await.unwrap_err(), Rejection::BodyMalformed, "{body}");
    }
    assert_eq!(asked_online(&fake, b"{\"id\":\"\xff\"}").await.unwrap_err(), Rejection::BodyMalformed);
    let gateway = fake.gateway().verify_online();
    let now = Timestamp::from_unix_timestamp(NOW).unwrap();
    for (left_out, changed, expected) in [
        ("paypal-transmission-sig", None, Rejection::SignatureMissing),
        ("paypal-cert-url", Some("https://evil.example/v1/notifications/certs/CERT-1"), Rejection::SignatureMalformed),
    ] {
        let kept = signed("x").into_iter().filter(|(name, _)| *name != left_out);
        let headers = kept.chain(changed.map(|value| (left_out, value.to_owned())));
        let headers = headers.map(|(name, value)| (name.to_owned(), value.into_bytes())).collect();
        let delivery = Delivery::new("{}").with_headers(headers);
        let Verification::Later(answer) = gateway.verify(&delivery, now) else { panic!("asked later") };
        assert_eq!(answer.await.unwrap_err(), expected);
    }
    assert!(fake.listener.heard().is_empty());
}

#[actix_web::test]
async fn strangers_wait_for_a_silent_paypal_only_a_few_at_a_time() {
    let silent = Arc::new(AtomicBool::new(true));
    let gate = silent.clone();
    let listener = Listener::answering(move |_| {
        while gate.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(10));
        }
        Say::Nothing
    });
    let gateway = paypal().client("a", "b").api_base(&listener.address).api_retries(0).verify_online();
    let headers = || signed("x").into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())).collect();
    let (ended, endings) = std::sync::mpsc::channel();
    for _ in 0..100 {
        let (gateway, ended) = (gateway.clone(), ended.clone());
        let delivery = Delivery::new("{}").with_headers(headers());
        actix_web::rt::spawn(async move {
            let Verification::Later(answer) = gateway.verify(&delivery, Timestamp::UNIX_EPOCH) else {
                panic!("asked later")
            };
            ended.send(answer.await.unwrap_err()).unwrap();
        });
    }
    let end = async |count: usize| {
        let mut ended = Vec::new();
        for _ in 0..1_000 {
            ended.extend(endings.try_iter());
            if ended.len() >= count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(ended, vec![Rejection::Unverifiable; count]);
    };
    end(36).await;
    // Those that wait for their turn wait in vain, and the few hear of it once PayPal hangs up.
    end(56).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(endings.try_iter().count(), 0, "eight still wait");
    silent.store(false, Ordering::Relaxed);
    end(8).await;
}
