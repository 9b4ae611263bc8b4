//! Can a gateway that nobody wrote be taken in by saying how it signs? Ten of them are, by the recorded answers of
//! their own libraries.

use std::path::PathBuf;
use std::time::Duration;

use actix_payments::Event;
use actix_payments::domain::Timestamp;
use actix_payments::domain::delivery::{Delivery, Rejection};
use actix_payments::domain::event::Verified;
use actix_payments::gateways::hmac_webhooks::{
    Algorithm, Encoding, HeaderField, HmacWebhooks, KeyEncoding, SignedPart,
};
use actix_payments::gateways::{Gateway, Verification};
use actix_web::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::app::{App, NOW, on_both_databases};
use crate::scenes::with;

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn vectors(file: &str) -> Vec<Value> {
    let path = fixtures().join("vectors").join(format!("{file}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_timestamp(seconds).unwrap()
}

fn verify(gateway: &HmacWebhooks, delivery: &Delivery, now: i64) -> Result<Verified, Rejection> {
    match gateway.verify(delivery, at(now)) {
        Verification::Ready(answer) => answer,
        _ => panic!("these signatures need nobody else"),
    }
}

fn delivery(vector: &Value) -> Delivery {
    let headers = vector["headers"].as_object().unwrap().iter();
    let headers = headers.map(|(name, value)| (name.clone(), value.as_str().unwrap().as_bytes().to_vec())).collect();
    let body = match (&vector["body"], &vector["body_base64"]) {
        (Value::String(body), _) => body.clone().into_bytes(),
        (_, coded) => BASE64.decode(coded.as_str().unwrap()).unwrap(),
    };
    Delivery::new(body).with_headers(headers)
}

/// Asserts that each recorded delivery is answered as the gateway's libraries do, but for the named cases. A genuine
/// delivery without an event is refused for its body, whatever the libraries say of bodies.
fn answers_as_recorded(file: &str, count: usize, but_for: &[&str], gateway: impl Fn(&Value) -> HmacWebhooks) {
    let vectors = vectors(file);
    assert_eq!(vectors.len(), count, "{file}");
    let mut taken = 0;
    let mut mismatch = |vector: &Value| {
        let answer = verify(&gateway(&vector["config"]), &delivery(vector), vector["now"].as_i64().unwrap_or(NOW));
        taken += usize::from(answer.is_ok());
        let expected = vector["expect_signature"].as_str().unwrap_or_else(|| vector["expect"].as_str().unwrap());
        let name = vector["name"].as_str().unwrap();
        let right = match &answer {
            Ok(_) => expected == "ok",
            Err(Rejection::BodyMalformed) => name.starts_with("body_"),
            Err(_) => expected != "ok",
        };
        (right == but_for.contains(&name)).then(|| format!("{name} ({}): {answer:?}", vector["why"]))
    };
    let wrong: Vec<_> = vectors.iter().filter_map(&mut mismatch).collect();
    assert!(wrong.is_empty(), "{file}: {} of {count} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(taken > 0, "{file}: none was taken");
}

fn secret(config: &Value) -> String {
    let last = config["secrets"].as_array().and_then(|secrets| secrets.last()?.as_str());
    config["secret"].as_str().or(config["signature_key"].as_str()).or(last).unwrap().to_owned()
}

pub(crate) fn paddle(config: &Value) -> HmacWebhooks {
    let part = |name| HeaderField::part("paddle-signature", ';', name);
    HmacWebhooks::new("Paddle", part("h1"), secret(config))
        .timestamp(part("ts"), Duration::from_secs(5))
        .signed([SignedPart::Timestamp, SignedPart::text(":"), SignedPart::Body])
        .id("/event_id")
        .kind("/event_type")
}

pub(crate) fn gocardless(config: &Value) -> HmacWebhooks {
    HmacWebhooks::gocardless(secret(config))
}

#[test]
fn paddle_is_answered_as_its_libraries_do() {
    // Its libraries take a blank secret and a plus sign; and of an unknown part of the header, which one of them
    // refuses and the other passes over, a scheme says nothing.
    answers_as_recorded("paddle", 31, &["secret_empty", "ts_plus", "unknown_key"], paddle);
}

#[test]
fn gocardless_is_answered_as_its_libraries_do() {
    // Its libraries take a blank secret.
    answers_as_recorded("gocardless", 21, &["secret_empty"], gocardless);
}

#[test]
fn lemon_squeezy_is_answered_as_its_scheme_says() {
    answers_as_recorded("lemonsqueezy", 20, &[], |config| {
        HmacWebhooks::new("Lemon Squeezy", HeaderField::whole("x-signature"), secret(config))
            .id_from(["/meta/event_name", "/data/type", "/data/id", "/data/attributes/status"])
            .kind("/meta/event_name")
    });
}

#[test]
fn square_is_answered_as_its_libraries_do() {
    // Without the address in the configuration, its libraries throw.
    answers_as_recorded("square", 24, &["url_empty"], |config| {
        let address = config["notification_url"].as_str().unwrap();
        HmacWebhooks::new("Square", HeaderField::whole("x-square-hmacsha256-signature"), secret(config))
            .encoding(Encoding::Base64)
            .signed([SignedPart::text(address), SignedPart::Body])
            .id("/event_id")
    });
}

#[test]
fn razorpay_is_answered_as_its_libraries_do() {
    answers_as_recorded("razorpay", 12, &[], |config| {
        HmacWebhooks::new("Razorpay", HeaderField::whole("x-razorpay-signature"), secret(config))
            .id_header(HeaderField::whole("x-razorpay-event-id"))
            .kind("/event")
    });
}

#[test]
fn coinbase_commerce_is_answered_as_its_libraries_do() {
    answers_as_recorded("coinbase_commerce", 22, &[], |config| HmacWebhooks::coinbase_commerce(secret(config)));
}

#[test]
fn paystack_is_answered_as_its_scheme_says() {
    answers_as_recorded("paystack", 19, &[], |config| HmacWebhooks::paystack(secret(config)));
}

#[test]
fn authorize_net_is_answered_as_its_scheme_says() {
    answers_as_recorded("authorizenet", 24, &[], |config| HmacWebhooks::authorize_net(secret(config)));
}

#[test]
fn checkout_com_is_answered_as_its_scheme_says() {
    answers_as_recorded("checkout_com", 25, &[], |config| HmacWebhooks::checkout_com(secret(config)));
}

#[test]
fn mollies_next_generation_is_answered_as_its_libraries_do() {
    answers_as_recorded("mollie", 22, &[], |config| HmacWebhooks::mollie(secret(config)));
}

/// The ids and kinds of a company's event fixtures, each as a genuine delivery carries it.
fn named(gateway: &HmacWebhooks, folder: &str, sign: fn(&[u8]) -> (&'static str, String)) -> Vec<(String, String)> {
    let files = std::fs::read_dir(fixtures().join("events").join(folder)).unwrap();
    let mut named = Vec::new();
    for file in files {
        let body = std::fs::read(file.unwrap().path()).unwrap();
        let (name, signature) = sign(&body);
        let headers = vec![(name.to_owned(), signature.into_bytes())];
        let verified = verify(gateway, &Delivery::new(body).with_headers(headers), NOW);
        let events = verified.unwrap_or_else(|refused| panic!("{folder}: {refused}")).events;
        named.extend(events.into_iter().map(|event| (event.kind, event.id)));
    }
    named.sort();
    named
}

fn mac<M: hmac::Mac + hmac::KeyInit>(body: &[u8]) -> String {
    let mut mac = <M as hmac::KeyInit>::new_from_slice(b"shh").unwrap();
    mac.update(body);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn each_event_has_its_kind_and_an_id_of_its_own() {
    type Sha256 = hmac::Hmac<sha2::Sha256>;
    type Sha512 = hmac::Hmac<sha2::Sha512>;
    let coinbase = named(&HmacWebhooks::coinbase_commerce("shh"), "coinbase_commerce", |body| {
        ("x-cc-webhook-signature", mac::<Sha256>(body))
    });
    let checkout_com =
        named(&HmacWebhooks::checkout_com("shh"), "checkout_com", |body| ("cko-signature", mac::<Sha256>(body)));
    let authorize_net = named(&HmacWebhooks::authorize_net("shh"), "authorizenet", |body| {
        ("x-anet-signature", format!("sha512={}", mac::<Sha512>(body).to_uppercase()))
    });
    let gocardless =
        named(&HmacWebhooks::gocardless("shh"), "gocardless", |body| ("webhook-signature", mac::<Sha256>(body)));
    let paystack =
        named(&HmacWebhooks::paystack("shh"), "paystack", |body| ("x-paystack-signature", mac::<Sha512>(body)));
    for (named, kind) in [
        (&coinbase, "charge:confirmed"),
        (&checkout_com, "payment_captured"),
        (&authorize_net, "net.authorize.payment.refund.created"),
        (&gocardless, "payments.confirmed"),
        (&paystack, "charge.success"),
    ] {
        assert!(named.iter().any(|(given, _)| given == kind), "{named:?}");
        let ids: std::collections::BTreeSet<_> = named.iter().map(|(_, id)| id).collect();
        assert!(ids.len() > 3 && ids.len() == named.len(), "{named:?}");
    }
    let ids: Vec<_> = paystack.iter().map(|(_, id)| id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "charge.dispute.create:358950:awaiting-merchant-feedback",
            "charge.success:302961:success",
            "refund.failed:TRF_123:failed",
            "refund.pending:TRF_123:pending",
            "refund.processed:TRF_123:processed",
            "subscription.disable:SUB_vsyqdmlzble3uii:complete",
        ]
    );
}

/// Paystack sends one for each day on which nobody answered, about the dispute as it stood.
#[test]
fn each_reminder_of_a_dispute_is_an_event_of_its_own() {
    let id = |day: &str| {
        let data =
            json!({"id": 358_950, "status": "awaiting-merchant-feedback", "dueAt": "2026-10-26", "updatedAt": day});
        let body = json!({"event": "charge.dispute.remind", "data": data}).to_string();
        let headers =
            vec![("x-paystack-signature".to_owned(), mac::<hmac::Hmac<sha2::Sha512>>(body.as_bytes()).into_bytes())];
        let delivery = Delivery::new(body).with_headers(headers);
        verify(&HmacWebhooks::paystack("shh"), &delivery, NOW).unwrap().events.remove(0).id
    };
    assert_eq!(id("2026-10-23"), id("2026-10-23"), "the same reminder, sent again");
    assert_ne!(id("2026-10-23"), id("2026-10-24"));
    assert!(id("2026-10-23").starts_with("charge.dispute.remind:358950:awaiting-merchant-feedback:"));
}

#[test]
fn what_cannot_work_is_refused_in_words() {
    let new = |secret: &str| HmacWebhooks::new("Acme", HeaderField::whole("x-signature"), secret);
    let ten = Duration::from_secs(10);
    let cases = [
        (new(" "), "got none that can be read"),
        (new("hidden!").key(KeyEncoding::Hex), "(Hex)"),
        (new("hidden!").key(KeyEncoding::Base64), "(Base64)"),
        (new("hidden").secret("primary", "hidden"), "label of its own"),
        (HmacWebhooks::new("Acme", HeaderField::whole("X-Signature"), "hidden"), "in lower case"),
        (new("hidden").signed([SignedPart::text("x")]), "the body among"),
        (new("hidden").timestamp(HeaderField::whole("x-time"), ten), "the time among"),
        (new("hidden").signed([SignedPart::Timestamp, SignedPart::Body]), "where the signed time is"),
        (new("hidden").kind("type"), r#"a JSON pointer like /data/id, got "type""#),
        (new("hidden").id_from([""; 0]), "where an event's id is"),
    ];
    for (gateway, expected) in cases {
        let message = gateway.check().unwrap_err();
        assert!(message.contains(expected) && !message.contains("hidden"), "expected {expected:?}, got {message:?}");
        assert!(!format!("{gateway:?}").contains("hidden"));
    }
    assert_eq!(new("hidden").check(), Ok(()));
}

#[cfg(feature = "sha1")]
#[test]
fn sha_1_and_decoded_keys_sign_as_rfc_2202_and_4231_say() {
    // RFC 2202, case 2, and RFC 4231, case 1; both over a body that is no event.
    let cases = [
        (
            "Jefe",
            KeyEncoding::Plain,
            Algorithm::Sha1,
            "what do ya want for nothing?",
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
        ),
        (
            "0B0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
            KeyEncoding::Hex,
            Algorithm::Sha256,
            "Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ),
        (
            "CwsLCwsLCwsLCwsLCwsLCwsLCws=",
            KeyEncoding::Base64,
            Algorithm::Sha256,
            "Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ),
    ];
    for (key, rule, algorithm, body, signature) in cases {
        let gateway = HmacWebhooks::new("Acme", HeaderField::whole("s"), key).key(rule).algorithm(algorithm);
        let headers = |text: &str| vec![("s".to_owned(), text.as_bytes().to_vec())];
        let signed = |text: &str| Delivery::new(body.to_owned()).with_headers(headers(text));
        assert_eq!(verify(&gateway, &signed(signature), NOW), Err(Rejection::BodyMalformed));
        assert_eq!(verify(&gateway, &signed(&signature.to_uppercase()), NOW), Err(Rejection::SignatureMismatch));
    }
}

proptest! {
    #[test]
    fn no_bytes_of_a_stranger_are_believed_and_none_make_it_panic(header in "[ -~]{0,80}", body: Vec<u8>) {
        let config = serde_json::json!({"secret": "s"});
        for (gateway, name) in [(paddle(&config), "paddle-signature"), (gocardless(&config), "webhook-signature")] {
            let headers = vec![(name.to_owned(), header.clone().into_bytes())];
            let delivery = Delivery::new(body.clone()).with_headers(headers);
            prop_assert!(verify(&gateway, &delivery, NOW).is_err());
        }
    }
}

/// A delivery of GoCardless with its header, signed by its library for Python where the vectors have it.
pub(crate) fn many() -> (String, String) {
    use hmac::{Hmac, KeyInit, Mac};
    let body = std::fs::read_to_string(fixtures().join("events/gocardless/many.json")).unwrap();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"shh").unwrap();
    mac.update(body.as_bytes());
    let signature = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    (body, signature)
}

on_both_databases! {
    async fn each_event_of_a_delivery_is_kept_once_and_reaches_its_handler(kind) {
        let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let noted = seen.clone();
        let handler = move |event: Event| {
            noted.lock().unwrap().push(event.kind.clone());
            std::future::ready(Ok(()))
        };
        let variant = gocardless(&serde_json::json!({"secret": "shh"}))
            .reader(|event| Ok(with(Default::default(), |it| it.summary = format!("read {}", event.kind))));
        let app = App::with(kind, |b| b.variant("gocardless", variant).on_event("*", "all", handler)).await;
        let (body, signature) = many();
        let expected: Value = serde_json::from_str(&body).unwrap();
        let expected = expected["events"].as_array().unwrap();
        assert!(expected.len() > 1);
        for _ in 0..2 {
            let headers = [("webhook-signature", signature.as_str())];
            assert_eq!(app.request(Method::POST, "/payments/gocardless/", &headers, body.as_bytes()).await.status, 200);
        }
        app.drain().await;
        let ids: Vec<_> = expected.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(app.texts("SELECT gateway_event_id AS t FROM pay_events ORDER BY id"), ids);
        let text = |event: &Value, name: &str| event[name].as_str().unwrap().to_owned();
        let mut kinds: Vec<_> = expected.iter().map(|e| format!("{}.{}", text(e, "resource_type"), text(e, "action"))).collect();
        let mut seen = seen.lock().unwrap().clone();
        kinds.sort();
        seen.sort();
        assert_eq!(seen, kinds);
        app.counted("duplicate", i64::try_from(ids.len()).unwrap());
    }

    async fn a_sender_hears_the_words_that_it_wants(kind) {
        let variant = gocardless(&serde_json::json!({"secret": "shh"})).accepted_with(202, "[accepted]").refused_with(498, "Token Invalid");
        let app = App::with(kind, |b| b.variant("gocardless", variant)).await;
        let (body, signature) = many();
        let post = async |signature: &str| {
            let headers = [("webhook-signature", signature)];
            let answer = app.request(Method::POST, "/payments/gocardless/", &headers, body.as_bytes()).await;
            (answer.status, answer.body)
        };
        assert_eq!(post(&signature).await, (202, "[accepted]".to_owned()));
        assert_eq!(post(&signature).await, (202, "[accepted]".to_owned()), "a duplicate is as safe");
        for wrong in ["", "00", &signature.replace('a', "b")] {
            assert_eq!(post(wrong).await, (498, "Token Invalid".to_owned()), "{wrong}");
        }
        app.counted("rejected:signature_mismatch", 2);
    }
}
