//! Which deliveries does Stripe's gateway take, and what does it read of the event before it is stored?

use std::time::Duration;

use actix_payments::Mode;
use actix_payments::domain::delivery::{Delivery, Rejection};
use actix_payments::gateways::Gateway;
use actix_payments::gateways::stripe::{Stripe, sign_delivery};
use proptest::prelude::*;

use super::{NOW, SECRET, at, deliver, delivery, event, events, verify};

const EVENT: &str = r#"{"id":"evt_1","type":"charge.succeeded"}"#;

#[test]
fn the_label_of_the_secret_that_matched_is_told() {
    let stripe = Stripe::new("whsec_new").secret("old", "whsec_old");
    for (secret, label) in [("whsec_new", "primary"), ("whsec_old", "old")] {
        let signed = delivery(&sign_delivery(secret, NOW, EVENT.as_bytes()), EVENT);
        let verified = verify(&stripe, &signed, at(NOW + 7)).unwrap();
        assert_eq!((verified.secret.as_deref(), verified.skew_seconds), (Some(label), Some(7)));
    }
}

#[test]
fn each_kind_of_refusal_has_its_own_code() {
    let good = sign_delivery(SECRET, NOW, EVENT.as_bytes());
    let (time, signature) = good.split_once(",v1=").unwrap();
    let cases = [
        ("".to_owned(), Rejection::SignatureMissing),
        ("  ".to_owned(), Rejection::SignatureMissing),
        ("hello".to_owned(), Rejection::SignatureMalformed),
        (time.to_owned(), Rejection::SignatureMalformed),
        (format!("{time},v0={signature}"), Rejection::SignatureMalformed),
        (format!("v1={signature}"), Rejection::SignatureMalformed),
        (format!("{time},t=1,v1={signature}"), Rejection::SignatureMalformed),
        (format!("{time},v1={}", "0".repeat(64)), Rejection::SignatureMismatch),
        (sign_delivery(SECRET, NOW - 301, EVENT.as_bytes()), Rejection::SignatureStale),
        // An old forgery is a forgery.
        (sign_delivery("whsec_wrong", NOW - 301, EVENT.as_bytes()), Rejection::SignatureMismatch),
    ];
    for (header, expected) in cases {
        assert_eq!(verify(&Stripe::new(SECRET), &delivery(&header, EVENT), at(NOW)), Err(expected), "{header}");
    }
    let bare = Delivery::new(EVENT);
    assert_eq!(verify(&Stripe::new(SECRET), &bare, at(NOW)), Err(Rejection::SignatureMissing));
}

#[test]
fn a_plus_sign_before_the_time_is_read_as_stripes_libraries_read_it() {
    let header = sign_delivery(SECRET, NOW, EVENT.as_bytes()).replacen("t=", "t=+", 1);
    assert!(verify(&Stripe::new(SECRET), &delivery(&header, EVENT), at(NOW)).is_ok());
}

#[test]
fn no_tolerance_means_no_age_check_and_still_a_signature() {
    let stripe = Stripe::new(SECRET).tolerance(Duration::ZERO);
    let old = delivery(&sign_delivery(SECRET, 5, EVENT.as_bytes()), EVENT);
    assert!(verify(&stripe, &old, at(NOW)).is_ok());
    let forged = delivery(&sign_delivery("whsec_wrong", NOW, EVENT.as_bytes()), EVENT);
    assert_eq!(verify(&stripe, &forged, at(NOW)), Err(Rejection::SignatureMismatch));
}

#[test]
fn misconfiguration_is_told_without_the_secret() {
    let duplicate = Stripe::new("whsec_hush").secret("primary", "whsec_hush2");
    let api_key = Stripe::new("sk_live_hush");
    let blank = Stripe::new("whsec_hush").secret("old", " \t\r\n");
    let label = Stripe::new("whsec_hush").secret(" ", "whsec_hush2");
    for (stripe, word) in [(&duplicate, "twice"), (&api_key, "API key"), (&blank, "blank text"), (&label, "blank one")]
    {
        let message = stripe.check().unwrap_err();
        assert!(message.starts_with("expected ") && message.contains(word), "{message}");
        assert!(!message.contains("hush") && !format!("{stripe:?}").contains("hush"), "{message} {stripe:?}");
    }
    assert_eq!(Stripe::new("whsec_hush").secret("old", "whsec_hush").check(), Ok(()));
    // A space that is not ASCII is a key like any other, as in Stripe's libraries.
    assert_eq!(Stripe::new("\u{a0}").check(), Ok(()));
}

#[test]
fn a_blank_secret_verifies_nothing() {
    for secret in ["", " \t"] {
        let signed = delivery(&sign_delivery(secret, NOW, EVENT.as_bytes()), EVENT);
        assert_eq!(verify(&Stripe::new(secret), &signed, at(NOW)), Err(Rejection::SignatureMismatch));
    }
}

#[test]
fn the_envelope_of_every_fixture_is_read() {
    for (name, body) in events() {
        let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let envelope = deliver(body.clone()).unwrap().events.remove(0);
        assert_eq!(envelope.id, json["id"].as_str().unwrap(), "{name}");
        assert_eq!(envelope.kind, json["type"].as_str().unwrap(), "{name}");
        assert_eq!(envelope.livemode, json["livemode"].as_bool(), "{name}");
        assert_eq!(envelope.account.as_deref(), json["account"].as_str(), "{name}");
        assert_eq!(envelope.api_version.as_deref(), json["api_version"].as_str(), "{name}");
        if let Some(created) = json["created"].as_i64() {
            assert_eq!(envelope.occurred_at, Some(at(created)), "{name}");
        }
        assert_eq!(envelope.body, body, "{name}");
    }
}

#[test]
fn a_thin_event_has_its_time_in_words() {
    let envelope = deliver(event("_thin.v1.customer.updated.json")).unwrap().events.remove(0);
    assert_eq!((envelope.kind.as_str(), envelope.occurred_at), ("v1.customer.updated", Some(at(1_791_795_200))));
}

#[test]
fn odd_json_around_a_readable_id_and_kind_is_taken() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let big = "x".repeat(1 << 20);
    let odd = [
        r#"{"id":"evt_1","type":"charge.succeeded","x":"\ud800","\udfff":1}"#.to_owned(),
        r#"{"id":"evt_0","id":"evt_1","type":"a","type":"charge.succeeded","x":1,"x":2}"#.to_owned(),
        r#"{"id":"evt_1","type":"charge.succeeded","x":NaN,"data":{"y":-Infinity}}"#.to_owned(),
        r#"{"id":"evt_1","type":"charge.succeeded","created":1e999,"livemode":"yes","account":7}"#.to_owned(),
        r#"{"\u0069d":"evt\u005f1","type":"charge.succeeded","x":123456789012345678901234567890}"#.to_owned(),
        "\r\n\t {\"id\" : \"evt_1\" , \"type\" : \"charge.succeeded\" }\n".to_owned(),
        format!(r#"{{"data":{deep},"id":"evt_1","type":"charge.succeeded"}}"#),
        format!(r#"{{"id":"evt_1","data":{{"object":{{"description":"{big}"}}}},"type":"charge.succeeded"}}"#),
    ];
    for body in odd {
        let start: String = body.chars().take(60).collect();
        let envelope = deliver(body).unwrap_or_else(|refused| panic!("{refused}: {start}")).events.remove(0);
        assert_eq!((envelope.id.as_str(), envelope.kind.as_str()), ("evt_1", "charge.succeeded"), "{start}");
    }
}

#[test]
fn a_body_without_a_readable_id_and_kind_is_refused() {
    let long = "x".repeat(256);
    let bodies = [
        r#"{"id":"evt_1"}"#.to_owned(),
        r#"{"type":"charge.succeeded"}"#.to_owned(),
        r#"{"id":null,"type":"charge.succeeded"}"#.to_owned(),
        r#"{"id":7,"type":"charge.succeeded"}"#.to_owned(),
        r#"{"id":"","type":"charge.succeeded"}"#.to_owned(),
        r#"{"id":"evt\u0000","type":"charge.succeeded"}"#.to_owned(),
        r#"{"id":"\ud800","type":"charge.succeeded"}"#.to_owned(),
        r#"{"id":"evt_1","type":"charge\nsucceeded"}"#.to_owned(),
        r#"{"data":{"id":"evt_1","type":"charge.succeeded"}}"#.to_owned(),
        r#"[{"id":"evt_1","type":"charge.succeeded"}]"#.to_owned(),
        r#"{"id":"evt_1","type":"charge.succeeded""#.to_owned(),
        format!("\u{feff}{EVENT}"),
        format!(r#"{{"id":"{long}","type":"charge.succeeded"}}"#),
    ];
    for body in bodies {
        assert_eq!(deliver(body.clone()), Err(Rejection::BodyMalformed), "{body}");
    }
    assert_eq!(deliver(b"{\"id\":\"evt_1\",\"type\":\"a\",\"x\":\"\xe9\"}".to_vec()), Err(Rejection::BodyMalformed));
    assert!(deliver(format!(r#"{{"id":"{}","type":"a"}}"#, &long[1..])).is_ok());
}

#[test]
fn the_dashboard_shows_intents_and_charges() {
    let stripe = Stripe::new(SECRET);
    let url = |gateway_ref: &str, mode| stripe.dashboard_url(&gateway_ref.into(), mode);
    assert_eq!(url("pi_1", Mode::Live).as_deref(), Some("https://dashboard.stripe.com/payments/pi_1"));
    assert_eq!(url("ch_1", Mode::Test).as_deref(), Some("https://dashboard.stripe.com/test/payments/ch_1"));
    for other in ["cs_test_1", "", "pi_1/../../evil", "re_1"] {
        assert_eq!(url(other, Mode::Live), None, "{other}");
    }
}

proptest! {
    #[test]
    fn no_signed_bytes_make_the_gateway_panic(body: Vec<u8>, text in r#"[{}\[\]",:\\a-z0-9 ]{0,80}"#) {
        let _ = (deliver(body), deliver(text));
    }

    #[test]
    fn no_header_makes_the_gateway_panic_or_passes(header in "(t=|v1=|[0-9a-f]{1,20}|,|=|\\PC){0,12}") {
        prop_assert!(verify(&Stripe::new(SECRET), &delivery(&header, EVENT), at(NOW)).is_err());
    }
}
