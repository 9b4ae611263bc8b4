//! Genuine deliveries that others refuse or misread: times in milliseconds, blanks in headers, a header that is missing,
//! two rules for one key, and events that can't be read but name their payment.

use std::time::Duration;

use actix_payments::NewPayment;
use actix_payments::domain::Timestamp;
use actix_payments::domain::delivery::{Delivery, Rejection};
use actix_payments::domain::event::{Envelope, Interpretation, Malformed, Recorded, References, Verified};
use actix_payments::gateways::dummy::{Dummy, DummyEvent, Kind as Happened};
use actix_payments::gateways::hmac_webhooks::{HeaderField, HmacWebhooks, SignedPart, TimestampUnit};
use actix_payments::gateways::standard_webhooks::StandardWebhooks;
use actix_payments::gateways::{BoxFuture, Gateway, GatewayError, Listing, Verification};
use actix_web::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::hmac;

use crate::app::{App, NOW, on_both_databases};
use crate::events::changed;
use crate::scenes::money;

const BODY: &[u8] = br#"{"id":"evt_1","type":"ping","at":1791800100123}"#;

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn mac(key: &[u8], parts: &[&[u8]]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), &parts.concat())
}

fn verify(gateway: &impl Gateway, headers: &[(&str, &str)], body: &[u8], millis: i64) -> Result<Verified, Rejection> {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
    let delivery = Delivery::new(body.to_vec()).with_headers(headers);
    let now = Timestamp::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000).unwrap();
    match gateway.verify(&delivery, now) {
        Verification::Ready(answer) => answer,
        _ => panic!("these signatures need nobody else"),
    }
}

fn timed() -> HmacWebhooks {
    let part = |name| HeaderField::part("signature", ';', name);
    HmacWebhooks::new("Timed", part("h1"), "secret")
        .timestamp(part("ts"), Duration::from_secs(5))
        .signed([SignedPart::Timestamp, SignedPart::text(":"), SignedPart::Body])
        .occurred_at("/at")
}

/// The header of a signature made then, the parts separated so.
fn signed(time: i64, separator: &str) -> String {
    format!("ts={time}{separator}h1={}", hex(mac(b"secret", &[time.to_string().as_bytes(), b":", BODY])))
}

#[test]
fn a_signature_s_time_may_be_in_milliseconds() {
    let now = NOW * 1_000 + 400;
    let at = |time: i64| {
        verify(&timed().timestamp_unit(TimestampUnit::Milliseconds), &[("signature", &signed(time, ";"))], BODY, now)
    };
    assert_eq!(at(now - 3_000).unwrap().skew_seconds, Some(3));
    assert_eq!(at(now + 5_000).unwrap().skew_seconds, Some(-5));
    for late in [now - 5_001, now + 5_001] {
        assert_eq!(at(late), Err(Rejection::SignatureStale), "{late}");
    }
    assert_eq!(at(NOW), Err(Rejection::TimestampUnit), "these can only be seconds");
    let event = at(now).unwrap().events.remove(0);
    assert_eq!(event.occurred_at.unwrap().unix_timestamp_nanos() / 1_000_000, 1_791_800_100_123);
}

#[test]
fn a_time_that_can_only_be_milliseconds_is_no_wrong_clock() {
    let at = |time| verify(&timed(), &[("signature", &signed(time, ";"))], BODY, NOW * 1_000);
    assert_eq!(at(NOW * 1_000), Err(Rejection::TimestampUnit));
    assert_eq!(at(NOW - 6), Err(Rejection::SignatureStale));
    assert!(at(NOW).is_ok());
    assert!(Rejection::TimestampUnit.likely_cause().contains("milliseconds"));
    assert!(Rejection::TimestampUnit.next_step().contains("timestamp_unit"));
    // Who can't sign learns nothing of it.
    let forged = format!("ts={};h1={}", NOW * 1_000, "0".repeat(64));
    assert_eq!(verify(&timed(), &[("signature", &forged)], BODY, NOW * 1_000), Err(Rejection::SignatureMismatch));
}

#[test]
fn blanks_around_the_parts_of_a_header_are_no_part_of_them() {
    for separator in ["; ", " ;", "  ;\t ", ";"] {
        let header = signed(NOW, separator);
        assert!(verify(&timed(), &[("signature", &header)], BODY, NOW * 1_000).is_ok(), "{header:?}");
    }
    let around = signed(NOW, ";").replace('=', " = ");
    assert!(verify(&timed(), &[("signature", &around)], BODY, NOW * 1_000).is_ok(), "{around:?}");
}

#[test]
fn a_missing_id_header_has_a_reason_of_its_own() {
    let gateway = HmacWebhooks::new("Sender", HeaderField::whole("signature"), "secret")
        .id_header(HeaderField::whole("x-event-id"));
    let signature = hex(mac(b"secret", &[BODY]));
    let with =
        |id: &[(&str, &str)]| verify(&gateway, &[&[("signature", signature.as_str())], id].concat(), BODY, NOW * 1_000);
    assert_eq!(with(&[]), Err(Rejection::EventIdMissing));
    assert_eq!(with(&[("x-event-id", "")]), Err(Rejection::EventIdMissing));
    assert_eq!(with(&[("x-event-id", "e1")]).unwrap().events[0].id, "e1");
    assert_eq!(with(&[("x-event-id", "e\u{1}")]), Err(Rejection::BodyMalformed));
    assert!(Rejection::EventIdMissing.likely_cause().contains("header"));
}

#[test]
fn one_variant_takes_polar_s_deliveries_by_either_rule_for_the_key() {
    let key = b"0123456789abcdef0123456789abcdef";
    for prefix in ["whsec_", "polar_whs_"] {
        let secret = format!("{prefix}{}", BASE64.encode(key));
        let polar = StandardWebhooks::polar(&secret);
        assert_eq!(polar.check(), Ok(()));
        let time = NOW.to_string();
        let by = |key: &[u8]| {
            let made = mac(key, &[b"msg_1.", time.as_bytes(), b".", BODY]);
            let signature = format!("v1,{}", BASE64.encode(made));
            verify(
                &polar,
                &[("webhook-id", "msg_1"), ("webhook-timestamp", &time), ("webhook-signature", &signature)],
                BODY,
                NOW * 1_000,
            )
        };
        assert_eq!(by(secret.as_bytes()).unwrap().secret.as_deref(), Some("primary"), "{prefix}");
        assert!(by(key).is_ok(), "{prefix}");
        assert_eq!(by(b"another"), Err(Rejection::SignatureMismatch));
    }
    // Any text is a key by the first rule; one that is no base64 has no other.
    assert_eq!(StandardWebhooks::polar("polar_whs_no base64!").check(), Ok(()));
    assert!(StandardWebhooks::polar(" ").check().is_err());
}

/// Reads nothing, and panics when it is asked for ids.
struct Panicking;

impl Gateway for Panicking {
    fn name(&self) -> &'static str {
        "Panicking"
    }

    fn check(&self) -> Result<(), String> {
        Ok(())
    }

    fn verify<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> Verification<'a> {
        let event = DummyEvent::new("de_1", Happened::Paid, "x", money(1, "EUR"));
        let _ = (delivery, event);
        let delivery =
            Dummy::new("secret").delivery(&DummyEvent::new("de_1", Happened::Paid, "x", money(1, "EUR")), now);
        let headers: Vec<_> =
            delivery.headers.iter().map(|(n, v)| (n.as_str(), std::str::from_utf8(v).unwrap())).collect();
        Verification::Ready(verify(&Dummy::new("secret"), &headers, &delivery.body, now.unix_timestamp() * 1_000))
    }

    fn interpret(&self, _: &Recorded<'_>) -> Result<Interpretation, Malformed> {
        Err(Malformed("as the test says".to_owned()))
    }

    fn references(&self, _: &Recorded<'_>) -> References {
        panic!("as the test says")
    }

    fn supports_list(&self) -> Result<(), String> {
        Ok(())
    }

    fn list<'a>(&'a self, _: Timestamp, _: Option<&'a Envelope>) -> BoxFuture<'a, Result<Listing, GatewayError>> {
        Box::pin(async { panic!("as the test says") })
    }
}

on_both_databases! {
    async fn an_event_that_can_not_be_read_is_found_by_its_ids_and_shown_on_its_payment(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        let unreadable = changed("checkout.session.completed", &[
            ("/id", "evt_unreadable".into()),
            ("/data/object/client_reference_id", token.as_str().into()),
            ("/data/object/amount_total", "49.99".into()),
            ("/data/object/id", "cs_unreadable".into()),
            ("/data/object/payment_intent", "pi_unreadable".into()),
        ]);
        app.deliver(&[&unreadable]).await;
        let words = "could not be read: `amount_total` of a checkout session is the text \"49.99\"";
        assert!(app.outcomes()[0].contains(words), "{:?}", app.outcomes());
        let page = app.get(&format!("/payments/admin/payments/{token}")).await.text();
        assert!(page.contains(words), "{page}");
        for text in ["cs_unreadable", "pi_unreadable", &token] {
            let found = app.get(&format!("/payments/admin/events?q={text}")).await;
            assert!(found.text().contains("checkout.session.completed"), "{text}: {}", found.text());
        }
        assert_eq!(app.status(&token).await.as_str(), "pending");
        app.same(&token).await;
        // It stays found when it is tried again, and others in its batch are none the worse.
        app.make_available();
        app.deliver(&[&crate::scenes::completed(&token)]).await;
        assert_eq!(app.status(&token).await.as_str(), "paid");
        assert_eq!(app.number("SELECT count(*) FROM pay_events WHERE payment_id IS NOT NULL"), 2);
        app.same(&token).await;
    }

    async fn a_gateway_that_panics_when_it_is_asked_has_an_unknown_outcome(kind) {
        let app = App::bare(kind, |b| b.variant("panicking", Panicking)).await;
        let error = app.payments.reconcile("panicking").await.unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(error.kind() == actix_payments::ErrorKind::Gateway && cause.contains("panicked"), "{error}: {cause}");
    }

    async fn what_no_payment_is_known_for_is_found_by_its_ids_all_the_same(kind) {
        let app = App::new(kind).await;
        let refund = changed("refund.created", &[("/data/object/amount", serde_json::json!({})), ("/data/object/charge", "ch_lonely".into())]);
        app.deliver(&[&refund]).await;
        assert_eq!(app.codes(), ["malformed"]);
        assert!(app.get("/payments/admin/events?q=ch_lonely").await.text().contains("refund.created"));
    }

    async fn the_dummy_s_events_and_a_gateway_that_panics_are_no_worse(kind) {
        let app = App::bare(kind, |b| b.variant("dummy", Dummy::new("secret")).variant("panicking", Panicking)).await;
        let _ = app.payments.mount("/payments");
        let token = app.payments.create(NewPayment::new("dummy", money(4999, "EUR"))).await.unwrap().payment.token;
        let body = format!(r#"{{"id":"de_9","kind":"payment.paid","created":{NOW},"object":{{"id":"dp_9","payment":"{token}","amount":"x","currency":"EUR"}}}}"#);
        let signature = actix_payments::gateways::dummy::sign_delivery("secret", NOW, body.as_bytes());
        let answer = app.request(Method::POST, "/payments/dummy/", &[("dummy-signature", &signature)], body.as_bytes()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(app.request(Method::POST, "/payments/panicking/", &[], b"{}").await.status, 200);
        app.drain().await;
        assert_eq!(app.codes(), ["malformed", "malformed"]);
        let page = app.get(&format!("/payments/admin/payments/{token}")).await.text();
        assert!(page.contains("could not be read"), "{page}");
    }
}
