//! Is Braintree read as Braintree's own libraries read it, and do its notifications end in the right payment?

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use actix_payments::NewPayment;
use actix_payments::domain::Timestamp;
use actix_payments::domain::delivery::{Delivery, Rejection};
use actix_payments::domain::event::{Interpretation, Recorded, Verified};
use actix_payments::domain::fact::Aspect;
use actix_payments::domain::ledger::Ledger;
use actix_payments::domain::money::{Currency, Money};
use actix_payments::domain::payment::Status;
use actix_payments::gateways::braintree::Braintree;
use actix_payments::gateways::{Gateway, PageRequest, PageResponse, TEST_KIND, Verification};
use actix_web::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use serde_json::Value;
use sha1::{Digest, Sha1};

use crate::app::{App, on_both_databases};

const PUBLIC: &str = "s7k3zq9xw2m8n4bt";
pub(crate) const PRIVATE: &str = "4b1f6f7fdcd7c28ee5b36b1b2f6c0a17";
const NOW: i64 = 1_791_800_100;

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn vectors() -> Vec<Value> {
    serde_json::from_str(&std::fs::read_to_string(fixtures().join("vectors/braintree.json")).unwrap()).unwrap()
}

pub(crate) fn braintree() -> Braintree {
    Braintree::new("merchant_id_x", PUBLIC, PRIVATE)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_timestamp(seconds).unwrap()
}

fn delivery(body: impl Into<Vec<u8>>) -> Delivery {
    Delivery::new(body.into())
}

fn verify(body: impl Into<Vec<u8>>) -> Result<Verified, Rejection> {
    match braintree().verify(&delivery(body), at(NOW)) {
        Verification::Ready(answer) => answer,
        _ => panic!("Braintree's signatures need nobody else"),
    }
}

/// A form as Braintree sends it, signed here and not by the crate.
pub(crate) fn signed(xml: &str) -> String {
    let payload = BASE64.encode(xml) + "\n";
    let mut mac = Hmac::<Sha1>::new_from_slice(&Sha1::digest(PRIVATE)).unwrap();
    mac.update(payload.as_bytes());
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let coded = payload.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D").replace('\n', "%0A");
    format!("bt_signature={PUBLIC}%7C{hex}&bt_payload={coded}")
}

async fn challenge(query: &str) -> Option<PageResponse> {
    let mut request = PageRequest::get("/payments/braintree", "", at(NOW));
    request.query = vec![("bt_challenge".to_owned(), query.to_owned())];
    braintree().page(&request).await
}

#[actix_web::test]
async fn every_recorded_delivery_and_challenge_is_answered_as_braintrees_libraries_do() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 107);
    let mut wrong = Vec::new();
    for vector in &vectors {
        let (name, ok) = (vector["name"].as_str().unwrap(), vector["expect"] == "ok");
        let said = match vector["method"].as_str().unwrap() {
            "GET" => {
                let answer = challenge(vector["challenge"].as_str().unwrap()).await;
                let right = vector["response"].as_str().map(|text| PageResponse::Text(text.to_owned()));
                let refused = matches!(answer, Some(PageResponse::Error(400, _)));
                (if ok { answer == right } else { refused }, format!("{answer:?}"))
            }
            _ => {
                let answer = verify(vector["body"].as_str().unwrap());
                (answer.is_ok() == (ok), format!("{:?}", answer.map(|v| v.events[0].id.clone())))
            }
        };
        if !said.0 {
            wrong.push(format!("{name} ({}): {}", vector["why"], said.1));
        }
    }
    assert!(wrong.is_empty(), "{} of 107 are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn each_kind_of_refusal_has_its_own_code() {
    let good = signed("<notification><kind>check</kind></notification>");
    let (_, payload) = good.split_once('&').unwrap();
    let cases = [
        (String::new(), Rejection::SignatureMissing),
        (payload.to_owned(), Rejection::SignatureMissing),
        (format!("{good}&bt_payload=x"), Rejection::SignatureMalformed),
        (good.replace("%0A", "%20"), Rejection::SignatureMalformed),
        (good.replace("%7C", "%7Cx%7C"), Rejection::SignatureMalformed),
        (good.replace(PUBLIC, "another"), Rejection::SignatureMismatch),
        (good.replace("bt_payload=", "bt_payload=A"), Rejection::SignatureMismatch),
        (signed("hello"), Rejection::BodyMalformed),
        (signed("<notification></notification>"), Rejection::BodyMalformed),
        (
            signed("<!DOCTYPE a [<!ENTITY b 'c'>]><notification><kind>&b;</kind></notification>"),
            Rejection::BodyMalformed,
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(verify(body.clone()), Err(expected), "{body}");
    }
    assert!(verify(good).is_ok());
}

#[actix_web::test]
async fn what_is_asked_of_the_challenge_is_never_a_notification() {
    let Some(PageResponse::Text(answer)) = challenge("20f9f8ed05f77439fe955c977e4c8a53").await else { panic!() };
    let body = format!("bt_signature={}&bt_payload=20f9f8ed05f77439fe955c977e4c8a53", answer.replace('|', "%7C"));
    assert_eq!(verify(body), Err(Rejection::BodyMalformed));
}

#[test]
fn a_deep_document_is_no_trouble() {
    for depth in [500, 200_000] {
        let deep =
            format!("<notification><kind>check</kind>{}{}</notification>", "<a>".repeat(depth), "</a>".repeat(depth));
        let _ = verify(signed(&deep));
        let recorded = Recorded::new("1", "transaction_settled", at(NOW), deep.as_bytes());
        assert!(braintree().interpret(&recorded).is_err());
    }
}

#[test]
fn a_test_delivery_is_genuine_and_says_nothing() {
    let delivery = braintree().test_delivery("evt_1", at(NOW)).unwrap();
    let event = verify(delivery.body.to_vec()).unwrap().events.remove(0);
    assert_eq!((event.id.as_str(), event.kind.as_str()), ("evt_1", TEST_KIND));
    let recorded = Recorded::new("evt_1", TEST_KIND, at(NOW), &event.body);
    assert_eq!(braintree().interpret(&recorded).unwrap().facts, []);
}

#[test]
fn keys_that_cannot_work_are_refused_and_never_shown() {
    assert!(Braintree::new("", PUBLIC, PRIVATE).check().unwrap_err().contains("merchant id"));
    assert!(Braintree::new("m", "a|b", PRIVATE).check().unwrap_err().contains("public key"));
    assert!(Braintree::new("m", PUBLIC, " ").check().unwrap_err().contains("private key"));
    assert!(!format!("{:?}", braintree()).contains(PRIVATE));
}

proptest! {
    #[test]
    fn no_bytes_of_a_stranger_are_believed_and_none_make_it_panic(body: Vec<u8>, pair in "[ -~]{0,60}", payload in "[A-Za-z0-9+/=%\n]{0,60}") {
        prop_assert!(verify(body.clone()).is_err());
        let form = format!("bt_signature={pair}&bt_payload={payload}");
        prop_assert!(verify(form).is_err());
        let recorded = Recorded::new("1", "dispute_lost", at(NOW), &body);
        prop_assert!(braintree().interpret(&recorded).is_err());
    }
}

/// Every event fixture, by its name and in order.
pub(crate) fn events() -> BTreeMap<String, String> {
    let files = std::fs::read_dir(fixtures().join("events/braintree")).unwrap().map(|entry| entry.unwrap().path());
    files
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(path).unwrap()))
        .collect()
}

fn understand(xml: &str) -> Interpretation {
    let event = verify(signed(xml)).unwrap().events.remove(0);
    let occurred_at = event.occurred_at.unwrap();
    braintree().interpret(&Recorded::new(&event.id, &event.kind, occurred_at, &event.body)).unwrap()
}

#[test]
fn every_fixture_states_its_facts() {
    let expected = std::fs::read_to_string(fixtures().join("events/braintree.expected")).unwrap_or_default();
    let mut given = String::new();
    for (name, xml) in events() {
        let said = understand(&xml);
        writeln!(given, "{name}\n  says {}", said.summary).unwrap();
        for fact in &said.facts {
            let money = fact.amount.zip(fact.currency).map(|(minor, currency)| Money::new(minor, currency).to_string());
            let parent = fact.parent.as_deref().unwrap_or("-");
            let money = money.as_deref().unwrap_or("-");
            writeln!(
                given,
                "  fact {} {} {} {money} in {parent}",
                fact.aspect.as_str(),
                fact.gateway_ref,
                fact.state.as_str()
            )
            .unwrap();
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
    let stating = events().into_iter().filter(|(_, xml)| states(&understand(xml)));
    let mut stating: Vec<_> = stating.map(|(_, xml)| verify(signed(&xml)).unwrap().events[0].kind.clone()).collect();
    stating.sort();
    stating.dedup();
    let mut kinds = braintree().setup().kinds;
    kinds.sort_unstable();
    assert_eq!(stating, kinds);
}

proptest! {
    #[test]
    fn no_order_and_no_repetition_makes_another_ledger(order in Just(events().into_values().collect::<Vec<_>>()).prop_shuffle()) {
        let ledger = |events: &[String]| Ledger::from_facts(events.iter().flat_map(|xml| understand(xml).facts));
        let twice: Vec<_> = order.iter().chain(order.iter().rev()).cloned().collect();
        let straight: Vec<_> = events().into_values().collect();
        let (shuffled, straight) = (ledger(&twice), ledger(&straight));
        prop_assert_eq!(shuffled.facts().collect::<Vec<_>>(), straight.facts().collect::<Vec<_>>());
    }
}

fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::parse("EUR").unwrap())
}

/// A fixture whose order id is the payment's token.
fn of(name: &str, token: &str) -> String {
    events()[name].replace("order-10042", token)
}

/// A dispute about the realistic fixtures' transaction.
fn dispute(kind: &str) -> String {
    let transaction = "<transaction><id>8x1k2mqp</id></transaction>";
    format!(
        "<notification><kind>{kind}</kind><timestamp>2026-10-13T08:00:00Z</timestamp><subject><dispute><id>d1</id>\
         <amount-disputed>49.99</amount-disputed><currency-iso-code>EUR</currency-iso-code>{transaction}</dispute></subject></notification>"
    )
}

async fn told(kind: crate::app::Kind, stories: &[fn(&str) -> String]) -> (App, actix_payments::Payment) {
    let app = App::with(kind, |b| b.variant("braintree", braintree())).await;
    let order = NewPayment::new("braintree", eur(4999)).reference("10042");
    let token = app.payments.create(order).await.unwrap().payment.token;
    for story in stories {
        for _ in 0..2 {
            let form = signed(&story(&token));
            let answer = app.request(Method::POST, "/payments/braintree/", &[], form.as_bytes()).await;
            assert_eq!((answer.status, answer.body.as_str()), (200, "ok"));
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

/// What is read of a transaction of this type through PayPal as a fee, in its currency.
fn fee_of(kind: &str, details: &str) -> Vec<String> {
    let body = format!(
        "<notification><kind>transaction_settled</kind><timestamp>2026-10-13T08:00:00Z</timestamp><subject><transaction>\
         <id>8x1k2mqp</id><type>{kind}</type><amount>49.99</amount><currency-iso-code>EUR</currency-iso-code>\
         <paypal><payer-id>P1</payer-id>{details}</paypal></transaction></subject></notification>"
    );
    let recorded = Recorded::new("1", "transaction_settled", at(NOW), body.as_bytes());
    let facts = braintree().interpret(&recorded).unwrap().facts.into_iter();
    let fees = facts.filter(|fact| (fact.aspect, fact.gateway_ref.as_str()) == (Aspect::Fee, "8x1k2mqp"));
    fees.map(|fee| Money::new(fee.amount.unwrap(), fee.currency.unwrap()).to_string()).collect()
}

#[test]
fn what_paypal_keeps_of_a_transaction_is_a_fee() {
    let part = |name: &str, amount: &str| {
        format!("<{name}-amount>{amount}</{name}-amount><{name}-currency-iso-code>USD</{name}-currency-iso-code>")
    };
    let (kept, back) = (part("transaction-fee", "1.75"), part("refund-from-transaction-fee", "0.30"));
    assert_eq!(fee_of("sale", &kept), ["1.75 USD"]);
    assert_eq!(fee_of("credit", &(kept + &back)), ["-0.30 USD"]);
    for none in ["", "<transaction-fee-amount>1.75</transaction-fee-amount>", &part("transaction-fee", "much")] {
        assert_eq!(fee_of("sale", none), [""; 0], "{none}");
    }
}

on_both_databases! {
    async fn a_settled_transaction_pays_and_a_lost_dispute_is_told(kind) {
        let (app, payment) = told(kind, &[|t| of("realistic.transaction_settled", t), |_| dispute("dispute_opened")]).await;
        assert_eq!((payment.status, payment.captured, payment.disputed), (Status::Paid, eur(4999), true));
        let page = app.get(&format!("/payments/admin/payments/{}", payment.token)).await.text();
        assert!(page.contains("dispute was opened: 49.99 EUR"), "{page}");
        let (_, won) = told(kind, &[|_| dispute("dispute_won"), |t| of("realistic.transaction_settled", t), |_| dispute("dispute_opened")]).await;
        assert_eq!((won.status, won.disputed), (Status::Paid, false));
        let (_, lost) = told(kind, &[|t| of("realistic.transaction_settled", t), |_| dispute("dispute_lost"), |_| dispute("dispute_opened")]).await;
        assert!(lost.disputed);
    }

    async fn a_declined_settlement_fails_and_a_failed_refund_leaves_it_paid(kind) {
        let (_, declined) = told(kind, &[|t| of("realistic.transaction_settlement_declined", t)]).await;
        assert_eq!(declined.status, Status::Failed);
        let (_, paid) = told(kind, &[|t| of("realistic.transaction_settled", t), |t| of("realistic.refund_failed", t)]).await;
        assert_eq!((paid.status, paid.refunded), (Status::Paid, eur(0)));
    }

    async fn a_charged_subscription_pays_and_a_failed_charge_does_not(kind) {
        let (_, paid) = told(kind, &[|t| of("realistic.subscription_charged_successfully", t)]).await;
        assert_eq!((paid.status, paid.captured), (Status::Paid, eur(4999)));
        let (_, failed) = told(kind, &[|t| of("realistic.subscription_charged_unsuccessfully", t)]).await;
        assert_eq!(failed.status, Status::Failed);
    }

    async fn the_address_answers_braintrees_challenge_over_http(kind) {
        let app = App::with(kind, |b| b.variant("braintree", braintree())).await;
        let vector = vectors().into_iter().find(|v| v["name"] == "challenge:genuine_32").unwrap();
        let answer = app.request(Method::GET, &format!("/payments/braintree/?{}", vector["query"].as_str().unwrap()), &[], b"").await;
        assert_eq!((answer.status, answer.body.as_str()), (200, vector["response"].as_str().unwrap()));
        let refused = app.request(Method::GET, "/payments/braintree/?bt_challenge=%3Cscript%3E", &[], b"").await;
        assert_eq!((refused.status, refused.body.as_str()), (400, "challenge_malformed"));
        assert_eq!(app.request(Method::GET, "/payments/braintree/", &[], b"").await.status, 405);
    }
}
