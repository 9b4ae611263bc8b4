//! Do PayPal and Braintree hear from us what they hear from their own libraries, and is every recorded call compared?

use std::collections::BTreeMap;

use actix_payments::domain::fact::Aspect;
use actix_payments::domain::money::Money;
use actix_payments::gateways::braintree::Braintree;
use actix_payments::gateways::paypal::PayPal;
use actix_payments::gateways::subscriptions::SubscriptionVerb;
use actix_payments::gateways::{Call, Gateway, Verb};
use serde_json::Value;

use super::{assert_as_recorded, call, fixtures, ok, order, subscription_call, subscription_request};
use crate::scenes::{money, with};
use crate::stripe::listener::{Listener, Say};

/// A PayPal that gives a token and shows an order in this state; all else it does not know.
fn paypals(intent: &'static str, status: &'static str) -> Listener {
    Listener::answering(move |heard| match heard.path.as_str() {
        "/v1/oauth2/token" => ok(r#"{"access_token":"token_1","expires_in":32400}"#),
        "/v2/checkout/orders/ORDER1" => ok(format!(r#"{{"id":"ORDER1","intent":"{intent}","status":"{status}"}}"#)),
        _ => Say::Answer(404, vec![], r#"{"name":"RESOURCE_NOT_FOUND"}"#.to_owned()),
    })
}

fn asked(listener: &Listener) -> PayPal {
    PayPal::new("WH-1").client("client_1", "secret_1").api_base(&listener.address).api_retries(0)
}

/// A call about these objects.
fn about(verb: Verb, objects: &[(&str, Aspect)], amount: Option<Money>) -> Call {
    let refs: Vec<&str> = objects.iter().map(|(id, _)| *id).collect();
    with(call(verb, &refs, amount), |it| {
        it.aspects = objects.iter().map(|(id, aspect)| ((*id).into(), *aspect)).collect::<BTreeMap<_, _>>();
    })
}

#[actix_web::test]
async fn paypal_is_asked_as_its_library_asks() {
    let eur = |minor| Some(money(minor, "EUR"));
    let (held, taken) = ([("AUTH1", Aspect::Authorization)], [("CAP1", Aspect::Capture)]);
    type Case<'a> = (Verb, &'a [(&'a str, Aspect)], Option<Money>, &'a [&'a str]);
    let cases: [Case<'_>; 9] = [
        (Verb::Complete, &[("ORDER1", Aspect::Checkout)], None, &["show_order", "complete"]),
        (Verb::Capture, &held, None, &["capture"]),
        (Verb::Capture, &held, eur(3000), &["capture_part"]),
        (Verb::Cancel, &held, None, &["cancel"]),
        (Verb::Refund, &taken, None, &["refund_all"]),
        (Verb::Refund, &taken, eur(1999), &["refund_part"]),
        (Verb::Refresh, &held, None, &["show_authorization"]),
        (Verb::Refresh, &taken, None, &["show_capture"]),
        (Verb::Refresh, &[("REF1", Aspect::Refund)], None, &["show_refund"]),
    ];
    for (verb, objects, amount, names) in cases {
        let listener = paypals("CAPTURE", "APPROVED");
        // What comes of an answer is another test's.
        let _ = asked(&listener).call(&about(verb, objects, amount)).await;
        let heard = listener.heard();
        for (name, heard) in names.iter().zip(&heard[1..]) {
            assert_as_recorded("paypal", name, heard);
        }
        assert_eq!(heard.len(), 1 + names.len(), "{verb:?}: {heard:?}");
    }
    let listener = paypals("AUTHORIZE", "APPROVED");
    let _ = asked(&listener).call(&about(Verb::Complete, &[("ORDER1", Aspect::Checkout)], None)).await;
    assert_as_recorded("paypal", "complete_manual", &listener.heard()[2]);
    let listener = paypals("CAPTURE", "CREATED");
    let _ = asked(&listener).start(&with(order("EUR"), |it| it.customer = Some("mia@shop.example".to_owned()))).await;
    assert_as_recorded("paypal", "checkout", &listener.heard()[1]);
}

#[actix_web::test]
async fn paypal_is_asked_about_a_subscription_as_its_library_asks() {
    for (verb, name) in [
        (SubscriptionVerb::Cancel, "subscription_cancel"),
        (SubscriptionVerb::Pause, "subscription_pause"),
        (SubscriptionVerb::Unpause, "subscription_unpause"),
        (SubscriptionVerb::Refresh, "subscription_refresh"),
    ] {
        let (listener, refresh) = (paypals("CAPTURE", "CREATED"), "subscription_refresh");
        let paypal = asked(&listener);
        let _ = paypal.subscriptions().unwrap().call(&subscription_call(verb, "I-1")).await;
        let heard = listener.heard();
        assert_as_recorded("paypal", name, &heard[1]);
        assert_as_recorded("paypal", refresh, heard.last().unwrap());
    }
    let listener = paypals("CAPTURE", "CREATED");
    let paypal = asked(&listener);
    let _ = paypal.subscriptions().unwrap().subscribe(&subscription_request("P-1")).await;
    assert_as_recorded("paypal", "subscribe", &listener.heard()[1]);
}

#[actix_web::test]
async fn braintree_is_asked_about_a_subscription_as_its_library_asks() {
    for (verb, name) in
        [(SubscriptionVerb::Cancel, "subscription_cancel"), (SubscriptionVerb::Refresh, "subscription_refresh")]
    {
        let listener = Listener::saying([Say::Answer(404, vec![], String::new())]);
        let braintree =
            Braintree::new("merchant_1", "public_1", "private_1").api_base(&listener.address).api_retries(0);
        let _ = braintree.subscriptions().unwrap().call(&subscription_call(verb, "sub_1")).await;
        let heard = listener.heard();
        assert_as_recorded("braintree", name, &heard[0]);
        assert_as_recorded("braintree", "subscription_refresh", heard.last().unwrap());
    }
}

/// The texts of the files below a folder.
fn sources(folder: &std::path::Path) -> Vec<String> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let texts = |path: std::path::PathBuf| {
        if path.is_dir() { sources(&path) } else { vec![std::fs::read_to_string(path).unwrap()] }
    };
    paths.flat_map(texts).collect()
}

/// A call that is recorded and compared with nothing would say that ours is right.
#[test]
fn every_recorded_call_is_compared_with_ours() {
    let tests = sources(&std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/companies"));
    let functions: Vec<&str> = tests.iter().flat_map(|text| text.split("fn ")).collect();
    let mut missing = Vec::new();
    for file in std::fs::read_dir(fixtures().join("vectors/api_requests")).unwrap() {
        let path = file.unwrap().path();
        let company = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let recorded: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let compares = |function: &&&str| function.contains(&format!("assert_as_recorded(\"{company}\""));
        let compared: Vec<&str> = functions.iter().filter(compares).copied().collect();
        let names = recorded["calls"].as_array().unwrap().iter().map(|call| call["name"].as_str().unwrap());
        let is_missing = |name: &&str| !compared.iter().any(|function| function.contains(&format!("\"{name}\"")));
        missing.extend(names.filter(is_missing).map(|name| format!("{company} {name}")));
    }
    assert_eq!(missing, Vec::<String>::new());
}
