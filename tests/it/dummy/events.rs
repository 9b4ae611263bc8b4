//! Are the gateway's own events believed and understood, and nobody else's?

use actix_payments::domain::delivery::Rejection;
use actix_payments::domain::event::{Interpretation, Recorded};
use actix_payments::domain::fact::{Aspect, State};
use actix_payments::gateways::dummy::{Dummy, DummyEvent, Kind, sign_delivery};
use actix_payments::gateways::{Gateway, Verification};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{NOW, SECRET, at, delivery, dummy, eur, signed, understand, verify};

const EVENT: &[u8] = br#"{"id":"de_1","kind":"payment.paid","created":1791800000,"object":{}}"#;

#[test]
fn every_kind_states_its_fact() {
    // The kind, what its fact says, and the same in words.
    let cases = [
        (Kind::Paid, Aspect::Capture, State::Succeeded, "the customer paid 49.99 EUR"),
        (Kind::Failed, Aspect::Authorization, State::Failed, "the payment of 49.99 EUR failed"),
        (
            Kind::Authorized,
            Aspect::Authorization,
            State::Authorized,
            "the customer authorized 49.99 EUR, to be captured",
        ),
        (Kind::Captured, Aspect::Capture, State::Succeeded, "the authorized 49.99 EUR were captured"),
        (Kind::Canceled, Aspect::Authorization, State::Canceled, "the payment of 49.99 EUR was canceled"),
        (Kind::Expired, Aspect::Authorization, State::Expired, "the payment of 49.99 EUR expired"),
    ];
    for (kind, aspect, state, summary) in cases {
        let said = understand(&dummy().delivery(&DummyEvent::new("de_1", kind, "tok_1", eur(4999)), at(NOW))).unwrap();
        assert_eq!(said.summary, summary);
        let [fact] = said.facts.as_slice() else { panic!("{kind:?} states one fact") };
        assert_eq!((fact.aspect, fact.state, fact.gateway_ref.as_str()), (aspect, state, "dp_tok_1"));
        assert_eq!((fact.amount, fact.face, fact.currency), (Some(4999), Some(4999), Some(eur(0).currency)));
        assert_eq!((fact.event_id.as_str(), fact.occurred_at), ("de_1", at(NOW)));
        assert_eq!(
            (said.references.tokens, said.references.gateway_refs),
            (vec!["tok_1".into()], vec!["dp_tok_1".into()])
        );
    }
}

#[test]
fn a_refund_belongs_to_its_payment_attempt() {
    let event = DummyEvent::refund("de_2", "tok_1", eur(4999), "dr_1", 1000).object("dp_second");
    let said = understand(&dummy().delivery(&event, at(NOW))).unwrap();
    let fact = &said.facts[0];
    assert_eq!((fact.aspect, fact.state, fact.gateway_ref.as_str()), (Aspect::Refund, State::Succeeded, "dr_1"));
    assert_eq!((fact.amount, fact.parent.as_deref(), fact.since), (Some(1000), Some("dp_second"), Some(at(NOW))));
    assert_eq!(said.references.gateway_refs, ["dp_second"]);
    assert_eq!(said.summary, "10.00 EUR of 49.99 EUR went back to the customer");
}

#[test]
fn an_event_is_never_of_real_money() {
    let verified = verify(&signed(EVENT), NOW).unwrap();
    assert_eq!((verified.skew_seconds, verified.secret.as_deref()), (Some(0), Some("primary")));
    let event = &verified.events[0];
    assert_eq!((event.id.as_str(), event.kind.as_str()), ("de_1", "payment.paid"));
    assert_eq!((event.occurred_at, event.livemode, event.body.as_ref()), (Some(at(NOW)), Some(false), EVENT));
}

#[test]
fn what_the_gateway_did_not_sign_is_refused() {
    let good = sign_delivery(SECRET, NOW, EVENT);
    let (time, signature) = good.split_once(",v1=").unwrap();
    let cases = [
        ("".to_owned(), Rejection::SignatureMissing),
        ("  ".to_owned(), Rejection::SignatureMissing),
        ("hello".to_owned(), Rejection::SignatureMalformed),
        (time.to_owned(), Rejection::SignatureMalformed),
        (format!("{good},v1={signature}"), Rejection::SignatureMalformed),
        (format!("v1={signature},{time}"), Rejection::SignatureMalformed),
        (good.to_uppercase().replace("T=", "t=").replace("V1=", "v1="), Rejection::SignatureMalformed),
        (good.replacen("t=", "t=+", 1), Rejection::SignatureMalformed),
        (good.replacen("t=", "t=0", 1), Rejection::SignatureMismatch),
        (format!("{time},v1={}", "0".repeat(64)), Rejection::SignatureMismatch),
        (sign_delivery("another secret", NOW, EVENT), Rejection::SignatureMismatch),
        (sign_delivery(SECRET, NOW - 301, EVENT), Rejection::SignatureStale),
        // An old forgery is a forgery.
        (sign_delivery("another secret", NOW - 301, EVENT), Rejection::SignatureMismatch),
    ];
    for (header, expected) in cases {
        assert_eq!(verify(&delivery(&header, EVENT), NOW), Err(expected), "{header}");
    }
    let bare = delivery("", EVENT);
    assert_eq!(verify(&bare, NOW), Err(Rejection::SignatureMissing));
}

#[test]
fn an_altered_body_is_refused() {
    let mut altered = dummy().delivery(&DummyEvent::new("de_1", Kind::Paid, "tok_1", eur(4999)), at(NOW));
    altered.body = String::from_utf8(altered.body.to_vec()).unwrap().replace("4999", "9999").into();
    assert_eq!(verify(&altered, NOW), Err(Rejection::SignatureMismatch));
}

#[test]
fn the_tolerance_is_300_seconds_and_only_towards_the_past() {
    let delivery = signed(EVENT);
    assert_eq!(verify(&delivery, NOW + 300).unwrap().skew_seconds, Some(300));
    assert_eq!(verify(&delivery, NOW + 301), Err(Rejection::SignatureStale));
    assert_eq!(verify(&delivery, NOW - 4000).unwrap().skew_seconds, Some(-4000));
}

#[test]
fn a_signed_body_without_an_event_is_refused() {
    let bodies = [
        "",
        "[]",
        "null",
        "{}",
        "\u{0}",
        "{\"id\":1}",
        r#"["de_1","payment.paid",1]"#,
        r#"{"kind":"payment.paid","created":1}"#,
        r#"{"id":"","kind":"payment.paid","created":1}"#,
        r#"{"id":"a\u0000b","kind":"payment.paid","created":1}"#,
        r#"{"id":"de_1","kind":{},"created":1}"#,
        r#"{"id":"de_1","kind":"payment.paid"}"#,
        r#"{"id":"de_1","kind":"payment.paid","created":-1}"#,
        r#"{"id":"de_1","kind":"payment.paid","created":1.5}"#,
        r#"{"id":"de_1","kind":"payment.paid","created":99999999999999}"#,
        r#"{"id":"de_1","kind":"payment.paid","created":1}x"#,
    ];
    for body in bodies {
        assert_eq!(verify(&signed(body.as_bytes()), NOW), Err(Rejection::BodyMalformed), "{body}");
    }
    let deep = format!("{{\"a\":{}1", "[".repeat(100_000));
    assert_eq!(verify(&signed(deep.as_bytes()), NOW), Err(Rejection::BodyMalformed));
}

/// What is said of an event of `kind` whose object is a sound one with some fields set to other values.
fn read(kind: &str, changes: Value) -> Result<Interpretation, String> {
    let mut object = json!({"id": "dp_1", "payment": "tok_1", "amount": 4999, "currency": "EUR"});
    object.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    let body = json!({"id": "de_1", "kind": kind, "created": NOW, "object": object}).to_string();
    understand(&signed(body.as_bytes())).map_err(|malformed| malformed.to_string())
}

#[test]
fn an_unknown_kind_states_nothing_and_says_so() {
    let said = read("payment.admired", json!({"id": 5})).unwrap();
    assert!(said.facts.is_empty());
    assert_eq!(said.summary, "an event of another kind: kept for handlers, it states nothing of a payment");
}

#[test]
fn what_cannot_be_read_is_refused_in_words() {
    let wrong = |changes| read("payment.paid", changes).unwrap_err();
    assert_eq!(
        wrong(json!({"payment": null})),
        "expected `payment` of `object` to be an id of 1 to 255 printable characters, got null"
    );
    assert_eq!(
        wrong(json!({"amount": -1})),
        "expected `amount` of `object` to be a whole number of minor units, zero or more, got another number"
    );
    assert_eq!(
        wrong(json!({"currency": "euro"})),
        "expected `currency` of `object` to be an ISO 4217 code, got another text"
    );
    assert_eq!(
        read("payment.refunded", json!({})).unwrap_err(),
        "expected `amount` of `refund` to be a whole number of minor units, zero or more, got nothing"
    );
}

#[test]
fn amounts_have_the_decimals_of_iso() {
    let yen = read("payment.paid", json!({"amount": 500, "currency": "jpy"})).unwrap();
    assert_eq!(yen.summary, "the customer paid 500 JPY");
}

#[test]
fn a_blank_secret_works_nowhere() {
    for blank in ["", " \n"] {
        let dummy = Dummy::new(blank);
        assert_eq!(dummy.check(), Err("expected a signing secret for the dummy gateway, got a blank text".to_owned()));
        let delivery = delivery(&sign_delivery(blank, NOW, EVENT), EVENT);
        let Verification::Ready(answer) = dummy.verify(&delivery, at(NOW)) else { panic!() };
        assert_eq!(answer, Err(Rejection::SignatureMismatch));
    }
    assert_eq!(dummy().check(), Ok(()));
    assert!(!format!("{:?}", dummy()).contains(SECRET));
}

proptest! {
    #[test]
    fn whatever_comes_nothing_panics(header in "\\PC*|t=[0-9]{1,30},v1=[0-9a-f]{64}", body: Vec<u8>, now in -377_705_116_800..253_402_300_799_i64) {
        let _ = verify(&delivery(&header, body.clone()), now);
        let _ = verify(&signed(&body), NOW);
        for kind in Kind::ALL {
            let _ = dummy().interpret(&Recorded::new("de_1", kind.as_str(), at(NOW), &body));
        }
    }

    #[test]
    fn whatever_is_signed_at_whatever_time_is_answered(time in 0..i64::MAX, age in -400..400_i64) {
        let signed_at = |time| delivery(&sign_delivery(SECRET, time, EVENT), EVENT);
        prop_assert_eq!(verify(&signed_at(NOW - age), NOW).is_ok(), age <= 300);
        prop_assert_eq!(verify(&signed_at(time), NOW).is_ok(), NOW - time <= 300);
    }

    #[test]
    fn whatever_the_object_holds_nothing_panics(
        name in "id|payment|amount|currency|refund",
        value in prop_oneof![
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".*".prop_map(Value::from),
            Just(json!({"id": "dr_1", "amount": i64::MAX})),
            Just(json!([])),
        ],
        at in 0..Kind::ALL.len(),
    ) {
        let _ = read(Kind::ALL[at].as_str(), json!({name: value}));
    }
}
