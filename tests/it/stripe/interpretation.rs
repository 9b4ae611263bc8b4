//! Are the events read rightly that no fixture shows, and is what can't be read refused in words?

use std::collections::BTreeSet;

use actix_payments::domain::event::Interpretation;
use actix_payments::domain::fact::{Aspect, State};
use actix_payments::gateways::Gateway;
use actix_payments::gateways::stripe::Stripe;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{event, events, interpret};

/// The event of a fixture, with some fields of its object set to other values.
fn altered(fixture: &str, changes: Value) -> Vec<u8> {
    let mut body: Value = serde_json::from_slice(&event(fixture)).unwrap();
    for (name, value) in changes.as_object().unwrap() {
        body["data"]["object"][name] = value.clone();
    }
    serde_json::to_vec(&body).unwrap()
}

fn read(kind: &str, fixture: &str, changes: Value) -> Interpretation {
    interpret(kind, &altered(fixture, changes)).unwrap()
}

fn refusal(kind: &str, fixture: &str, changes: Value) -> String {
    interpret(kind, &altered(fixture, changes)).unwrap_err().to_string()
}

/// The aspect, state, amount and face of every fact.
fn facts(interpretation: &Interpretation) -> Vec<(Aspect, State, Option<i64>, Option<i64>)> {
    interpretation.facts.iter().map(|fact| (fact.aspect, fact.state, fact.amount, fact.face)).collect()
}

#[test]
fn a_discount_tax_and_shipping_are_told_apart_from_what_was_asked_for() {
    let details = json!({"amount_discount": 1000, "amount_tax": 300, "amount_shipping": null});
    let changes = json!({"total_details": details, "amount_subtotal": 5699});
    let session = read("checkout.session.completed", "checkout.session.completed.json", changes);
    assert_eq!(facts(&session), [(Aspect::Checkout, State::Succeeded, Some(4999), Some(5699))]);
}

#[test]
fn the_token_is_found_in_the_metadata_too() {
    let changes = json!({"metadata": {"payment_token": "tok_1"}, "latest_charge": {"id": "ch_9", "object": "charge"}});
    let intent = read("payment_intent.succeeded", "payment_intent.succeeded.json", changes);
    assert_eq!(intent.references.tokens, ["tok_1"]);
    assert_eq!(intent.references.gateway_refs, ["pi_3kNxQ46LHsTkP6q921vWNUTz", "ch_9"]);
}

#[test]
fn shillings_and_kronur_are_counted_in_isos_units() {
    let changes = json!({"currency": "ugx", "amount": 5000, "amount_received": 5000});
    let intent = read("payment_intent.succeeded", "payment_intent.succeeded.json", changes);
    assert_eq!(facts(&intent), [(Aspect::CaptureTotal, State::Succeeded, Some(50), Some(50))]);
    assert_eq!(intent.summary, "payment intent succeeded: 50 UGX");
}

#[test]
fn a_session_that_says_it_failed_or_expired_is_never_paid() {
    for (verb, state) in [("async_payment_failed", State::Failed), ("expired", State::Expired)] {
        let kind = format!("checkout.session.{verb}");
        let session = read(&kind, "checkout.session.completed.json", json!({}));
        assert_eq!(session.facts[0].state, state, "{kind}");
    }
}

#[test]
fn a_failed_attempt_to_raise_an_authorization_leaves_it_authorized() {
    let intent = read("payment_intent.payment_failed", "payment_intent.amount_capturable_updated.json", json!({}));
    assert_eq!(facts(&intent), [(Aspect::Authorization, State::Authorized, Some(4999), Some(4999))]);
}

#[test]
fn what_was_never_captured_is_released_and_not_refunded() {
    let changes = json!({"refunded": true, "amount_refunded": 4999});
    for kind in ["charge.refunded", "charge.updated"] {
        let charge = read(kind, "charge.succeeded.authorized.json", changes.clone());
        assert_eq!(facts(&charge), [(Aspect::Authorization, State::Canceled, Some(4999), Some(4999))], "{kind}");
    }
    let refund = read("refund.created", "refund.created.json", json!({"reason": "expired_uncaptured_charge"}));
    assert_eq!(facts(&refund), []);
}

#[test]
fn the_rest_of_a_charge_captured_in_part_is_not_called_refunded() {
    let part = |refunded, whole| {
        let changes = json!({"amount_captured": 3000, "amount_refunded": refunded, "refunded": whole});
        facts(&read("charge.updated", "charge.captured.json", changes))
    };
    let capture = (Aspect::Capture, State::Succeeded, Some(3000), Some(4999));
    let refund = |state, minor| (Aspect::RefundTotal, state, Some(minor), None);
    assert_eq!(part(1999, false), [capture]);
    assert_eq!(part(2999, false), [capture, refund(State::Pending, 1000)], "at least");
    assert_eq!(part(4999, true), [capture, refund(State::Succeeded, 3000)]);
    assert_eq!(part(3000, true), [capture, refund(State::Succeeded, 3000)]);
    assert_eq!(part(500, false), [capture, refund(State::Succeeded, 500)]);
}

#[test]
fn words_that_stripe_may_add_fail_nothing() {
    let cases = [
        ("charge.dispute.updated", "charge.dispute.updated.json", json!({"status": "new"}), Some(State::Open)),
        ("charge.dispute.updated", "charge.dispute.updated.json", json!({"status": "prevented"}), Some(State::Closed)),
        ("refund.updated", "refund.updated.json", json!({"status": "new"}), Some(State::Pending)),
        ("refund.updated", "refund.updated.json", json!({"status": null}), Some(State::Pending)),
        ("charge.updated", "charge.updated.json", json!({"status": "new"}), None),
        ("payment_intent.new", "payment_intent.created.json", json!({"status": "new"}), Some(State::Pending)),
        (
            "checkout.session.new",
            "checkout.session.completed.json",
            json!({"payment_status": "new"}),
            Some(State::Pending),
        ),
        ("charge.new.thing", "payout.paid.json", json!({}), None),
    ];
    for (kind, fixture, changes, state) in cases {
        let interpretation = read(kind, fixture, changes);
        assert_eq!(interpretation.facts.first().map(|fact| fact.state), state, "{kind}");
        assert!(!interpretation.summary.is_empty());
    }
}

#[test]
fn a_needed_field_of_another_type_is_refused_in_words() {
    let succeeded = |changes| refusal("payment_intent.succeeded", "payment_intent.succeeded.json", changes);
    let number = |given| format!("`amount_received` of a payment intent is {given}, not a whole number");
    assert_eq!(succeeded(json!({"amount_received": "4999"})), number("the text \"4999\""));
    assert_eq!(succeeded(json!({"amount_received": 49.99})), number("the number 49.99"));
    assert_eq!(succeeded(json!({"amount_received": "mia@shop.example"})), number("text"));
    assert_eq!(succeeded(json!({"amount_received": null})), number("null"));
    assert_eq!(succeeded(json!({"status": [1]})), "expected `status` of a payment intent to be text, got a list");
    assert_eq!(
        succeeded(json!({"currency": "euros"})),
        "expected a currency code of three letters (ISO 4217), got \"euros\""
    );
    assert_eq!(
        succeeded(json!({"currency": "ugx"})),
        "expected an amount that UGX can express, got 4999 in Stripe's units"
    );
    assert_eq!(
        succeeded(json!({"object": "charge"})),
        "expected an object of type payment_intent with payment_intent.succeeded, got another"
    );
    let total = json!({"amount_total": i64::MAX, "amount_subtotal": null, "total_details": {"amount_discount": 1}});
    let message = refusal("checkout.session.completed", "checkout.session.completed.json", total);
    assert_eq!(message, "expected a session's total and its details to add up within 64 bits, got more");
}

#[test]
fn odd_values_beside_the_needed_ones_stop_nothing() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    for odd in [r#""\ud800""#, "NaN", "1e999", &deep] {
        let text = String::from_utf8(event("charge.captured.json")).unwrap();
        let text = text.replacen(r#""amount":"#, &format!(r#""description": {odd}, "amount":"#), 1);
        let charge = interpret("charge.captured", text.as_bytes()).unwrap();
        assert_eq!(facts(&charge), [(Aspect::Capture, State::Succeeded, Some(4999), Some(4999))]);
    }
}

#[test]
fn an_event_cut_short_anywhere_is_refused() {
    for (name, body) in events() {
        let body = body.trim_ascii_end();
        let kind = serde_json::from_slice::<Value>(body).unwrap()["type"].as_str().unwrap().to_owned();
        for length in (0..body.len()).step_by(7).chain([body.len() - 1]) {
            assert!(interpret(&kind, &body[..length]).is_err(), "{name} to {length}");
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_interpretation_panic(
        kind in "(charge|refund|charge.refund|charge.dispute|payment_intent|checkout.session|payout).[a-z_]{0,12}",
        body: Vec<u8>,
    ) {
        let _ = interpret(&kind, &body);
    }

    #[test]
    fn no_change_of_an_event_makes_the_interpretation_panic(
        which: prop::sample::Index,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let events = events();
        let (name, mut body) = events[which.index(events.len())].clone();
        for (place, byte) in changes {
            let place = place.index(body.len());
            body[place] = byte;
        }
        let kind = name.split(".json").next().unwrap();
        let _ = interpret(kind, &body);
    }
}

#[test]
fn the_kinds_to_tick_are_those_that_state_facts() {
    let mut stating = BTreeSet::new();
    for (_, body) in events() {
        let text: Value = serde_json::from_slice(&body).unwrap();
        let Some(kind) = text["type"].as_str() else { continue };
        // The link between a subscription's session and its intent, without which both would be payments.
        let is_link = kind == "invoice_payment.paid";
        if is_link || interpret(kind, &body).is_ok_and(|said| !said.facts.is_empty() || said.subscription.is_some()) {
            stating.insert(kind.to_owned());
        }
    }
    let setup = Stripe::new("whsec_x").setup();
    let to_tick: BTreeSet<String> = setup.kinds.iter().map(|kind| (*kind).to_owned()).collect();
    assert_eq!(to_tick.len(), setup.kinds.len(), "each once");
    assert_eq!(to_tick, stating);
}
