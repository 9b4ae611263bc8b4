//! Do PayPal's events state the facts that they should, and do they end in the right payment in any order?

use std::collections::BTreeMap;
use std::fmt::Write;

use actix_payments::domain::Timestamp;
use actix_payments::domain::event::{Interpretation, Recorded};
use actix_payments::domain::ledger::Ledger;
use actix_payments::domain::money::{Currency, Money};
use actix_payments::domain::payment::Status;
use actix_payments::gateways::Gateway;
use actix_payments::gateways::paypal::PayPal;
use actix_payments::{NewPayment, Payment};
use actix_web::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use proptest::prelude::*;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::Value;
use time::format_description::well_known::Rfc3339;

use crate::app::{App, Kind, on_both_databases};

const WEBHOOK: &str = "1JE4291016473214C";
const ADDRESS: &str = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-test";

fn fixture(path: &str) -> Vec<u8> {
    std::fs::read(super::folder().join("..").join(path)).unwrap()
}

/// A webhook that believes a certificate of the tests' own authority.
pub(crate) fn paypal() -> PayPal {
    PayPal::new(WEBHOOK).roots(fixture("paypal/root.pem")).certificate(ADDRESS, fixture("paypal/leaf.pem"))
}

/// The header fields of a genuine delivery, signed here and not by the crate.
pub(crate) fn signed(body: &str) -> Vec<(&'static str, String)> {
    let key = RsaKeyPair::from_pkcs8(&fixture("paypal/leaf.key.der")).unwrap();
    let (id, time) = ("69cd13f0-d67a-11e5-baa3-778b53f4ae55", "2026-10-12T10:13:20Z");
    let message = format!("{id}|{time}|{WEBHOOK}|{}", crc32fast::hash(body.as_bytes()));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
    vec![
        ("paypal-transmission-id", id.to_owned()),
        ("paypal-transmission-time", time.to_owned()),
        ("paypal-transmission-sig", BASE64.encode(signature)),
        ("paypal-cert-url", ADDRESS.to_owned()),
        ("paypal-auth-algo", "SHA256withRSA".to_owned()),
    ]
}

/// Every event fixture, by its name and in order.
pub(crate) fn events() -> BTreeMap<String, String> {
    let files = std::fs::read_dir(super::folder().join("../events/paypal")).unwrap().map(|entry| entry.unwrap().path());
    let named = |path: std::path::PathBuf| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path);
    files.map(named).map(|(name, path)| (name, std::fs::read_to_string(path).unwrap())).collect()
}

fn understand(body: &str) -> Interpretation {
    let event: Value = serde_json::from_str(body).unwrap();
    let occurred_at = Timestamp::parse(event["create_time"].as_str().unwrap(), &Rfc3339).unwrap();
    let (id, kind) = (event["id"].as_str().unwrap(), event["event_type"].as_str().unwrap());
    paypal().interpret(&Recorded::new(id, kind, occurred_at, body.as_bytes())).unwrap()
}

#[test]
fn a_dispute_says_why_the_customer_opened_it() {
    for name in ["CUSTOMER.DISPUTE.CREATED", "CUSTOMER.DISPUTE.UPDATED", "CUSTOMER.DISPUTE.RESOLVED.buyer"] {
        let said = understand(&events()[name]);
        let reasons: Vec<_> = said.facts.iter().filter_map(|fact| fact.reason.as_deref()).collect();
        assert_eq!(reasons, ["MERCHANDISE_OR_SERVICE_NOT_RECEIVED"], "{name}");
    }
}

#[test]
fn every_fixture_states_its_facts() {
    let expected = std::fs::read_to_string(super::folder().join("../events/paypal.expected")).unwrap_or_default();
    let mut given = String::new();
    for (name, body) in events() {
        let said = understand(&body);
        writeln!(given, "{name}\n  says {}", said.summary).unwrap();
        for fact in &said.facts {
            let money = fact.amount.zip(fact.currency).map(|(minor, currency)| Money::new(minor, currency).to_string());
            let (money, parent) = (money.as_deref().unwrap_or("-"), fact.parent.as_deref().unwrap_or("-"));
            let (aspect, state) = (fact.aspect.as_str(), fact.state.as_str());
            writeln!(given, "  fact {aspect} {} {state} {money} in {parent}", fact.gateway_ref).unwrap();
        }
        writeln!(given, "  refs {:?} tokens {:?}", said.references.gateway_refs, said.references.tokens).unwrap();
    }
    assert_eq!(given.lines().collect::<Vec<_>>(), expected.lines().collect::<Vec<_>>(), "{given}");
}

/// Whether an event says anything of a payment or a subscription.
fn states(said: &Interpretation) -> bool {
    !said.facts.is_empty() || said.subscription.is_some()
}

#[test]
fn the_kinds_to_tick_are_those_that_state_facts() {
    let kind = |body: &str| serde_json::from_str::<Value>(body).unwrap()["event_type"].as_str().unwrap().to_owned();
    let mut stating: Vec<_> =
        events().values().filter(|body| states(&understand(body))).map(|body| kind(body)).collect();
    stating.sort();
    stating.dedup();
    let mut kinds = paypal().setup().kinds;
    kinds.sort_unstable();
    assert_eq!(stating, kinds);
}

proptest! {
    #[test]
    fn no_order_and_no_repetition_makes_another_ledger(
        order in Just(events().into_values().collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let ledger = |events: &[String]| Ledger::from_facts(events.iter().flat_map(|body| understand(body).facts));
        let twice: Vec<_> = order.iter().chain(order.iter().rev()).cloned().collect();
        let straight: Vec<_> = events().into_values().collect();
        let (shuffled, straight) = (ledger(&twice), ledger(&straight));
        prop_assert_eq!(shuffled.facts().collect::<Vec<_>>(), straight.facts().collect::<Vec<_>>());
    }

    #[test]
    fn no_bytes_make_it_panic(body: Vec<u8>, cut in 0..3000usize, name in 0..37usize, kind in 0..37usize) {
        let events = events();
        let (body_of, kind_of) = (events.values().nth(name).unwrap(), events.keys().nth(kind).unwrap());
        let broken = &body_of.as_bytes()[..cut.min(body_of.len())];
        for body in [&body[..], broken, body_of.as_bytes()] {
            let _ = paypal().interpret(&Recorded::new("1", kind_of, Timestamp::UNIX_EPOCH, body));
        }
    }
}

fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::parse("EUR").unwrap())
}

/// Tells the fixtures' events of a payment, each twice, and says how it stands.
async fn told(kind: Kind, names: &[&str]) -> (App, Payment) {
    let app = App::with(kind, |b| b.variant("paypal", paypal())).await;
    let order = NewPayment::new("paypal", eur(4999)).reference("10042");
    let token = app.payments.create(order).await.unwrap().payment.token;
    for name in names {
        let body = events()[*name].replace(r#""custom_id":"42""#, &format!(r#""custom_id":"{token}""#));
        let body = body.replace(r#""custom":"42""#, &format!(r#""custom":"{token}""#));
        let headers = signed(&body);
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        for _ in 0..2 {
            let answer = app.request(Method::POST, "/payments/paypal/", &headers, body.as_bytes()).await;
            assert_eq!((answer.status, answer.body.as_str()), (200, "ok"), "{name}");
        }
        app.drain().await;
    }
    let payment = app.payments.payment(&token).await.unwrap().unwrap();
    assert!(app.payments.rebuild(&token).await.unwrap().same);
    // The page says the same, with the word that people read.
    let page = app.get(&format!("/payments/admin/payments/{token}")).await.text();
    assert!(page.contains(&payment.status.as_str().replace('_', " ")), "{page}");
    assert_eq!(page.contains("disputed"), payment.disputed, "{page}");
    (app, payment)
}

on_both_databases! {
    async fn an_authorization_is_captured_and_refunded_in_part(kind) {
        let begin = ["CHECKOUT.ORDER.APPROVED.authorize", "PAYMENT.AUTHORIZATION.CREATED"];
        let (_, held) = told(kind, &begin).await;
        assert_eq!((held.status, held.captured), (Status::Authorized, eur(0)));
        let (_, voided) = told(kind, &["PAYMENT.AUTHORIZATION.VOIDED", begin[1]]).await;
        assert_eq!(voided.status, Status::Canceled);
        let story = [begin[0], begin[1], "PAYMENT.CAPTURE.COMPLETED", "PAYMENT.CAPTURE.REFUNDED.partial"];
        let (app, refunded) = told(kind, &story).await;
        assert_eq!((refunded.status, refunded.captured), (Status::PartiallyRefunded, eur(4999)));
        let page = app.get(&format!("/payments/admin/payments/{}", refunded.token)).await.text();
        assert!(page.contains("refunded: 19.99 EUR") && page.contains("captured: 49.99 EUR"), "{page}");
        let backwards: Vec<_> = story.into_iter().rev().collect();
        let (_, same) = told(kind, &backwards).await;
        assert_eq!((same.status, same.captured, same.refunded), (refunded.status, refunded.captured, refunded.refunded));
    }

    async fn a_reversal_takes_the_money_back_and_a_failed_refund_does_not(kind) {
        let (_, reversed) = told(kind, &["PAYMENT.CAPTURE.REVERSED", "PAYMENT.CAPTURE.COMPLETED"]).await;
        assert_eq!((reversed.status, reversed.refunded), (Status::Refunded, eur(4999)));
        let (_, paid) = told(kind, &["PAYMENT.CAPTURE.COMPLETED", "PAYMENT.REFUND.PENDING", "PAYMENT.REFUND.FAILED"]).await;
        assert_eq!((paid.status, paid.refunded), (Status::Paid, eur(0)));
    }

    async fn a_dispute_is_won_or_lost_whatever_comes_first(kind) {
        for (outcome, disputed) in [("seller", false), ("buyer", true)] {
            let resolved = format!("CUSTOMER.DISPUTE.RESOLVED.{outcome}");
            let (_, open) = told(kind, &["PAYMENT.CAPTURE.COMPLETED", "CUSTOMER.DISPUTE.CREATED"]).await;
            assert!(open.disputed);
            let (_, ended) = told(kind, &["PAYMENT.CAPTURE.COMPLETED", &resolved, "CUSTOMER.DISPUTE.CREATED"]).await;
            assert_eq!((ended.status, ended.disputed), (Status::Paid, disputed), "{outcome}");
        }
    }

    async fn a_pending_a_declined_and_a_reversed_approval_are_not_paid(kind) {
        let cases = [
            ("PAYMENT.CAPTURE.PENDING", Status::Pending),
            ("PAYMENT.CAPTURE.DECLINED", Status::Failed),
            ("PAYMENT.CAPTURE.DENIED", Status::Failed),
            ("CHECKOUT.PAYMENT-APPROVAL.REVERSED", Status::Canceled),
            ("CHECKOUT.ORDER.COMPLETED", Status::Pending),
        ];
        for (name, status) in cases {
            assert_eq!(told(kind, &[name]).await.1.status, status, "{name}");
        }
    }
}
