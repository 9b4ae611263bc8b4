//! Is Mercado Pago believed only what it signed and what it answers, and does every payment end as it says?

mod calls;
pub mod fake;

use actix_payments::domain::delivery::{Delivery, Rejection};
use actix_payments::domain::event::{Envelope, Recorded};
use actix_payments::domain::ledger::Ledger;
use actix_payments::domain::named::NamedObject;
use actix_payments::domain::payment::Status;
use actix_payments::gateways::conformance::Conformance;
use actix_payments::gateways::mercado_pago::MercadoPago;
use actix_payments::gateways::{Fetch, Gateway, TEST_KIND};
use actix_payments::{NewPayment, Person, Token};
use actix_web::http::Method;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Company, hex, hmac_sha256, interpret, verify};
use crate::app::{App, Kind, NOW, on_both_databases};
use crate::companies;
use crate::person::{EMAIL, with_key};
use crate::scenes::money;
use fake::{Fake, payment, refund};

pub const SECRET: &str = "a4f8e0c1b2d3948576a0b1c2d3e4f506-hidden";

pub fn gateway() -> MercadoPago {
    MercadoPago::new(SECRET)
}

fn asking(fake: &Fake) -> MercadoPago {
    gateway().access_token("APP_USR-1").api_base(&fake.listener.address).api_retries(0)
}

/// The header fields of a notification of this object under this id of its request.
fn signed(object: &str, request: &str) -> [(&'static str, String); 2] {
    let message = format!("id:{object};request-id:{request};ts:{NOW};");
    let signature = format!("ts={NOW},v1={}", hex(&hmac_sha256(SECRET.as_bytes(), message.as_bytes())));
    [("x-signature", signature), ("x-request-id", request.to_owned())]
}

/// A notification as Mercado Pago sends it: the id in the address is signed, the body is not.
fn notification(topic: &str, object: &str, request: &str) -> Delivery {
    let body = json!({"action": format!("{topic}.updated"), "data": {"id": object}, "id": 12345, "type": topic});
    Delivery::new(body.to_string())
        .with_headers(signed(object, request).map(|(name, value)| (name.to_owned(), value.into_bytes())).into())
        .with_query(format!("data.id={object}&type={topic}"))
}

/// What notifications tell is asked for: their bodies name an object, and show nothing of it.
pub struct Of;

/// A field of a notification's body.
fn named(body: &str, place: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap();
    body.pointer(place).unwrap().as_str().unwrap().to_owned()
}

impl Company for Of {
    type Gateway = MercadoPago;
    const NAME: &'static str = "mercado_pago";
    const SECRET: &'static str = SECRET;

    fn gateway() -> MercadoPago {
        gateway()
    }

    fn signed(body: &str, id: &str) -> (Vec<(&'static str, String)>, String) {
        (signed(&named(body, "/data/id"), id).into(), body.to_owned())
    }

    fn query(body: &str) -> String {
        format!("data.id={}&type={}", named(body, "/data/id"), named(body, "/type"))
    }

    fn of(body: &str, _: &str) -> String {
        body.to_owned()
    }
}

async fn post(app: &App, delivery: &Delivery) -> u16 {
    let headers: Vec<(String, String)> = delivery
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), String::from_utf8(value.clone()).unwrap()))
        .collect();
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let path = format!("/payments/mercado-pago/?{}", delivery.query);
    app.request(Method::POST, &path, &headers, &delivery.body).await.status
}

/// Notifies of an object, and lets it be asked for.
pub async fn notify(app: &App, topic: &str, object: &str, request: &str) {
    assert_eq!(post(app, &notification(topic, object, request)).await, 200);
    app.drain().await;
    app.pass(5);
    app.drain().await;
}

pub async fn app(kind: Kind, fake: &Fake) -> (App, Token) {
    let app = App::bare(kind, |builder| builder.variant("mercado-pago", asking(fake))).await;
    let order = NewPayment::new("mercado-pago", money(4999, "BRL")).without_checkout();
    let token = app.payments.create(order).await.unwrap().payment.token;
    (app, token)
}

#[test]
fn every_recorded_delivery_is_answered_as_it_should_be() {
    // What its documentation says of an id with letters is believed beside what its libraries do.
    companies::answers_as_recorded("mercadopago", 19, &["id_upper_signed_lower"], |vector| {
        let config = &vector["config"];
        let gateway = MercadoPago::new(config["secret"].as_str().unwrap());
        match config["tolerance"].as_u64() {
            Some(seconds) => gateway.tolerance(std::time::Duration::from_secs(seconds)),
            None => gateway,
        }
    });
}

#[test]
fn the_topics_to_tick_lead_to_questions() {
    for topic in gateway().setup().kinds {
        let event = &verify(&gateway(), &notification(topic, "123", "r"), NOW).unwrap().events[0];
        assert_eq!((event.kind.as_str(), event.id.as_str()), (topic, "123:r"));
        let said = interpret(&gateway(), event);
        assert!(said.facts.is_empty() && said.object_to_fetch.is_some(), "{said:?}");
    }
    let other = &verify(&gateway(), &notification("subscription_preapproval", "1", "r"), NOW).unwrap().events[0];
    assert_eq!(interpret(&gateway(), other).object_to_fetch, None);
}

#[test]
fn what_cannot_work_is_refused_in_words_and_never_shown() {
    let refused = |mercado_pago: MercadoPago| mercado_pago.check().unwrap_err();
    assert!(refused(MercadoPago::new(" ")).contains("signing secret"));
    assert!(refused(gateway().secret("next", "s\n")).contains("line break"));
    assert!(refused(gateway().access_token(" ")).contains("API key of Mercado Pago"));
    assert!(refused(gateway().notification_url("http://shop.example")).contains("https://"));
    assert!(refused(gateway().sellers([""])).contains("seller"));
    assert!(!format!("{:?}", gateway().access_token("hidden")).contains("hidden"));
    let test = gateway().test_delivery("evt_1", companies::at(NOW)).unwrap();
    let event = verify(&gateway(), &test, NOW).unwrap().events.remove(0);
    assert_eq!((event.id.as_str(), event.kind.as_str()), ("evt_1", TEST_KIND));
}

/// Its documentation says that an id with letters is signed in lower case; its libraries sign it as it is.
#[test]
fn an_id_with_letters_is_signed_as_it_is_or_in_lower_case() {
    for signed in ["ORD01JABC", "ord01jabc"] {
        let mut delivery = notification("order", signed, "r");
        delivery.query = "data.id=ORD01JABC&type=order".to_owned();
        assert_eq!(verify(&gateway(), &delivery, NOW).unwrap().events[0].id, "ORD01JABC:r");
        delivery.query = "data.id=ORD01JABD&type=order".to_owned();
        assert_eq!(verify(&gateway(), &delivery, NOW).unwrap_err(), Rejection::SignatureMismatch);
    }
    let mut delivery = notification("order", "ORD01JABC", "r");
    delivery.query = "data.id=ord01jabc&type=order".to_owned();
    assert_eq!(verify(&gateway(), &delivery, NOW).unwrap_err(), Rejection::SignatureMismatch);
}

#[test]
fn nothing_but_what_is_signed_is_believed() {
    let genuine = notification("payment", "123", "r");
    let refused = |change: fn(&mut Delivery)| {
        let mut delivery = genuine.clone();
        change(&mut delivery);
        verify(&gateway(), &delivery, NOW).unwrap_err()
    };
    assert_eq!(refused(|it| it.query = "data.id=124&type=payment".to_owned()), Rejection::SignatureMismatch);
    assert_eq!(refused(|it| it.headers[1].1 = b"s".to_vec()), Rejection::SignatureMismatch);
    assert_eq!(refused(|it| it.query += "&data.id=124"), Rejection::BodyMalformed);
    assert_eq!(refused(|it| it.query = "type=payment".to_owned()), Rejection::BodyMalformed);
    assert_eq!(refused(|it| it.query = "data.id=123".to_owned()), Rejection::BodyMalformed);
    // In an answer facts are read, and a notification is never one.
    assert_eq!(refused(|it| it.query = "data.id=123&type=payment.answered".to_owned()), Rejection::BodyMalformed);
    let mut other = genuine.clone();
    other.body = json!({"type": "payment.answered", "data": payment(123, "t", "approved")}).to_string().into();
    let event = verify(&gateway(), &other, NOW).unwrap().events.remove(0);
    let said = interpret(&gateway(), &event);
    assert_eq!((said.facts, said.references.gateway_refs), (vec![], vec!["payment_123".into()]));
}

/// The answers to a question about each state of a payment, and about what surrounds it.
async fn answers() -> Vec<Envelope> {
    let fake = Fake::new();
    let mut events = Vec::new();
    let states = ["pending", "in_process", "authorized", "approved", "in_mediation", "charged_back", "rejected", "new"];
    for (status, n) in states.iter().zip(0..) {
        let refunds = json!({"refunds": [refund(1, json!(19.99), "approved")], "transaction_amount_refunded": 19.99});
        fake.pay(1, "tok", status, if n > 3 { refunds } else { json!({}) });
        events.extend(asked(&fake, "payment", "payment_1", n).await);
    }
    fake.show("/v1/chargebacks/5", chargeback(None));
    events.extend(asked(&fake, "chargeback", "chargeback_5", 20).await);
    fake.show(
        "/merchant_orders/9",
        json!({"id": 9, "status": "opened", "external_reference": "tok", "payments": [{"id": 1}]}),
    );
    events.extend(asked(&fake, "merchant_order", "merchant_order_9", 30).await);
    events
}

async fn asked(fake: &Fake, family: &str, gateway_ref: &str, n: usize) -> Vec<Envelope> {
    let object = NamedObject::new(family, gateway_ref);
    asking(fake).fetch(&Fetch::new(object, format!("fetch_{n}"))).await.unwrap()
}

fn chargeback(covered: Option<bool>) -> Value {
    json!({"id": "5", "payments": [1], "currency_id": "BRL", "amount": 49.99, "coverage_applied": covered,
        "date_documentation_deadline": "2026-11-01T00:00:00.000-04:00", "date_created": "2026-10-20T04:53:18.000-04:00",
        "date_last_updated": if covered.is_some() { "2026-11-20T04:53:18.000-04:00" } else { "2026-10-20T04:53:18.000-04:00" }})
}

#[actix_web::test]
async fn it_keeps_the_promises() {
    let gateway = gateway();
    let suite = Conformance::new(&gateway).secret(SECRET).signs_some_fields();
    let suite = suite.delivery(notification("payment", "123", "r"), companies::at(NOW));
    let events = answers().await.into_iter();
    let suite = events.fold(suite, |suite, event| suite.event(event, companies::at(NOW)));
    suite.check().await.unwrap_or_else(|broken| panic!("{broken}"));
}

#[actix_web::test]
async fn no_order_makes_another_ledger() {
    let facts: Vec<_> = answers().await.iter().map(|event| interpret(&gateway(), event).facts).collect();
    let straight = Ledger::from_facts(facts.iter().flatten().cloned());
    for turn in 0..facts.len() {
        let turned = facts.iter().rev().cycle().skip(turn).take(facts.len() * 2);
        let turned = Ledger::from_facts(turned.flatten().cloned());
        assert_eq!(turned.facts().collect::<Vec<_>>(), straight.facts().collect::<Vec<_>>());
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(body: Vec<u8>, cut in 0..900usize, kind in 0..6usize, query: String) {
        let kinds = ["payment", "refund", "chargeback", "merchant_order", "preference", "ended_preference"];
        let kind = format!("{}.answered", kinds[kind]);
        let whole = json!({"currency_id": "BRL", "data": payment(1, "tok", "charged_back")}).to_string();
        for body in [&body[..], &whole.as_bytes()[..cut.min(whole.len())], whole.as_bytes()] {
            let recorded = Recorded::new("1:r", &kind, companies::at(NOW), body);
            let _ = (gateway().interpret(&recorded), gateway().references(&recorded));
            let delivery = Delivery::new(body.to_vec()).with_query(query.clone());
            assert!(verify(&gateway(), &delivery, NOW).is_err());
        }
    }
}

on_both_databases! {
    async fn a_payment_ends_as_mercado_pago_answers(kind) {
        let fake = Fake::new();
        let (app, token) = app(kind, &fake).await;
        let steps = [
            ("pending", json!({}), Status::Pending, 0),
            ("rejected", json!({"status_detail": "cc_rejected_bad_filled_cvv", "date_last_updated": "2026-10-12T05:00:00-04:00"}), Status::Failed, 0),
            ("in_process", json!({"date_last_updated": "2026-10-12T05:01:00-04:00"}), Status::Pending, 0),
            ("authorized", json!({"date_last_updated": "2026-10-12T05:02:00-04:00"}), Status::Authorized, 0),
            ("approved", json!({"date_last_updated": "2026-10-12T05:03:00-04:00"}), Status::Paid, 0),
            ("approved", json!({"refunds": [refund(3, json!(19.99), "in_process")]}), Status::Paid, 0),
            ("approved", json!({"refunds": [refund(3, json!(19.99), "approved")], "transaction_amount_refunded": 19.99}), Status::PartiallyRefunded, 1999),
            ("refunded", json!({"refunds": [refund(3, json!(19.99), "approved"), refund(4, json!(30), "approved")], "transaction_amount_refunded": 49.99}), Status::Refunded, 4999),
        ];
        for ((status, changes, expected, refunded), n) in steps.into_iter().zip(0..) {
            fake.pay(1, &token, status, changes);
            notify(&app, "payment", "1", &format!("r{n}")).await;
            let payment = app.payments.payment(&token).await.unwrap().unwrap();
            assert_eq!((payment.status, payment.refunded.minor, payment.needs_review()), (expected, refunded, false), "{status}");
        }
        let payment = app.payments.payment(&token).await.unwrap().unwrap();
        assert_eq!((payment.captured.minor, payment.customer.as_deref()), (4999, Some("mia@shop.example")));
        assert!(app.payments.rebuild(&token).await.unwrap().same);
        let page = app.get(&format!("/payments/admin/payments/{token}")).await.text();
        assert!(page.contains("payment refunded: 49.99 BRL; refund made: 19.99 BRL; refund made: 30.00 BRL"), "{page}");
    }

    async fn what_mercado_pago_keeps_of_the_shops_money_is_a_movement(kind) {
        let fake = Fake::new();
        let (app, token) = app(kind, &fake).await;
        let fees = json!([
            {"type": "mercadopago_fee", "amount": 2.5, "fee_payer": "collector"},
            {"type": "financing_fee", "amount": 7, "fee_payer": "payer"},
        ]);
        let changed = "2026-11-12T05:03:00-04:00";
        fake.pay(1, &token, "approved", json!({"fee_details": fees, "date_last_updated": changed}));
        notify(&app, "payment", "1", "r1").await;
        let moved = app.texts("SELECT kind || ' ' || amount AS t FROM pay_movements ORDER BY amount");
        assert_eq!(moved, ["fee -250", "capture 4999"]);
        // The last change was a month later; the money moved when the payment was approved.
        let days = app.texts("SELECT DISTINCT substr(CAST(moved_at AS TEXT), 1, 10) AS t FROM pay_movements");
        assert_eq!(days, ["2026-10-12"]);
        // An earlier release read no such day, so it is a difference that a rebuild mends.
        app.run("UPDATE pay_ledger SET since = NULL WHERE register = 'fee'");
        let found = app.payments.rebuild(&token).await.unwrap();
        assert!(!found.same && found.only_fees, "{:?}", found.registers);
        app.post(&format!("/payments/admin/payments/{token}/rebuild"), "").await;
        app.drain().await;
        assert!(app.payments.rebuild(&token).await.unwrap().same);
    }

    async fn a_payment_is_given_up_or_runs_out(kind) {
        for (detail, expected) in [("by_collector", Status::Canceled), ("expired", Status::Expired)] {
            let fake = Fake::new();
            let (app, token) = app(kind, &fake).await;
            fake.pay(1, &token, "pending", json!({}));
            notify(&app, "payment", "1", "r1").await;
            fake.pay(1, &token, "cancelled", json!({"status_detail": detail, "date_last_updated": "2026-10-13T05:00:00-04:00"}));
            notify(&app, "payment", "1", "r2").await;
            assert_eq!(app.payments.payment(&token).await.unwrap().unwrap().status, expected);
        }
    }

    async fn a_part_that_was_captured_elsewhere_settles_the_payment(kind) {
        let fake = Fake::new();
        let (app, token) = app(kind, &fake).await;
        fake.pay(1, &token, "authorized", json!({}));
        notify(&app, "payment", "1", "r1").await;
        assert_eq!(app.payments.payment(&token).await.unwrap().unwrap().status, Status::Authorized);
        fake.pay(1, &token, "approved", json!({"transaction_amount": 20, "captured": true}));
        notify(&app, "payment", "1", "r2").await;
        let payment = app.payments.payment(&token).await.unwrap().unwrap();
        assert_eq!((payment.status, payment.captured.minor, payment.needs_review()), (Status::Paid, 2000, false));
        assert!(app.payments.rebuild(&token).await.unwrap().same);
    }

    async fn an_ended_checkout_with_an_order_and_a_rejected_payment_is_canceled(kind) {
        let fake = Fake::new();
        let (app, token) = app(kind, &fake).await;
        fake.show("/merchant_orders/9001", json!({"id": 9001, "order_status": "payment_required", "external_reference": token,
            "preference_id": "7-abc", "payments": [{"id": 1}], "date_created": "2026-10-12T04:53:10.000-04:00"}));
        fake.pay(1, &token, "rejected", json!({}));
        notify(&app, "topic_merchant_order_wh", "9001", "r1").await;
        assert_eq!(app.payments.payment(&token).await.unwrap().unwrap().status, Status::Failed);
        fake.show("/checkout/preferences/7-abc", json!({"id": "7-abc", "external_reference": token}));
        app.payments.cancel(&token).await.unwrap();
        app.drain().await;
        assert_eq!(app.payments.payment(&token).await.unwrap().unwrap().status, Status::Canceled);
        assert!(fake.listener.heard().iter().all(|heard| heard.method == "GET" || heard.path.contains("/preferences/")));
    }

    async fn a_claim_and_a_chargeback_are_followed_to_their_end(kind) {
        let fake = Fake::new();
        let (app, token) = app(kind, &fake).await;
        let steps = [
            ("payment", "approved", "accredited", None, (false, 0)),
            ("payment", "in_mediation", "pending", None, (true, 0)),
            ("payment", "approved", "accredited", None, (false, 0)),
            ("topic_chargebacks_wh", "charged_back", "in_process", None, (true, 0)),
            ("topic_chargebacks_wh", "charged_back", "settled", Some(false), (true, 4999)),
            ("topic_chargebacks_wh", "charged_back", "reimbursed", Some(true), (false, 0)),
        ];
        for ((topic, status, detail, covered, expected), n) in steps.into_iter().zip(0..) {
            let at = format!("2026-{}-20T0{n}:53:18.000-04:00", if covered.is_some() { 11 } else { 10 });
            fake.pay(1, &token, status, json!({"status_detail": detail, "date_last_updated": at}));
            let mut chargeback = chargeback(covered);
            chargeback["date_last_updated"] = json!(at);
            fake.show("/v1/chargebacks/5", chargeback);
            notify(&app, topic, if topic == "payment" { "1" } else { "5" }, &format!("r{n}")).await;
            let payment = app.payments.payment(&token).await.unwrap().unwrap();
            assert_eq!((payment.status, payment.disputed, payment.lost.minor), (Status::Paid, expected.0, expected.1), "{status} {detail}");
        }
        let page = app.get(&format!("/payments/admin/payments/{token}")).await.text();
        assert!(page.contains("chargeback to be answered: 49.99 BRL"), "{page}");
        // Not of the payment that nobody ever disputed.
        assert_eq!(app.number("SELECT count(*) FROM pay_events WHERE outcome LIKE '%ended without a decision%'"), 1);
        assert!(app.payments.rebuild(&token).await.unwrap().same);
    }

    async fn a_sum_of_binary_fractions_is_read_as_the_amount_that_it_is(kind) {
        let sums = [("39.980000000000004", Some(3998)), ("39.97999999999999", Some(3998)), ("39.9850000000001", None)];
        for (sum, refunded) in sums {
            let fake = Fake::new();
            let (app, token) = app(kind, &fake).await;
            let refunds = json!([refund(1, json!(19.99), "approved"), refund(2, json!(19.99), "approved")]);
            let sum: Value = serde_json::from_str(sum).unwrap();
            fake.pay(1, &token, "approved", json!({"refunds": refunds, "transaction_amount_refunded": sum}));
            notify(&app, "payment", "1", "r1").await;
            let payment = app.payments.payment(&token).await.unwrap().unwrap();
            let expected = (refunded.map_or(Status::Pending, |_| Status::PartiallyRefunded), refunded.unwrap_or(0));
            assert_eq!((payment.status, payment.refunded.minor), expected, "{sum}");
        }
    }

    async fn recorded_notifications_are_answered_by_a_question(kind) {
        let fake = Fake::new();
        let (app, token) = app(kind, &fake).await;
        fake.pay(123_456, &token, "approved", json!({}));
        for name in ["payment.created", "payment.updated"] {
            let path = companies::fixtures().join(format!("events/mercado_pago/{name}.json"));
            let mut delivery = notification("payment", "123456", name);
            delivery.body = std::fs::read(path).unwrap().into();
            assert_eq!(post(&app, &delivery).await, 200);
        }
        app.drain().await;
        app.pass(5);
        app.drain().await;
        assert_eq!(app.payments.payment(&token).await.unwrap().unwrap().status, Status::Paid);
        assert_eq!(app.number("SELECT count(*) FROM pay_events WHERE source = 'delivery' AND state = 'completed'"), 2);
    }

    async fn a_merchant_order_leads_to_its_payments(kind) {
        let fake = Fake::new();
        let (app, token) = app(kind, &fake).await;
        let order = |payments: Value, status: &str| {
            json!({"id": 9001, "order_status": status, "external_reference": token, "preference_id": "7-abc",
                "payments": payments, "date_created": "2026-10-12T04:53:10.000-04:00", "last_updated": "2026-10-12T05:53:10.000-04:00"})
        };
        fake.show("/merchant_orders/9001", order(json!([]), "payment_required"));
        notify(&app, "topic_merchant_order_wh", "9001", "r1").await;
        assert_eq!(app.payments.payment(&token).await.unwrap().unwrap().status, Status::Pending);
        fake.pay(1, &token, "approved", json!({}));
        fake.show("/merchant_orders/9001", order(json!([{"id": 1, "status": "approved"}]), "paid"));
        notify(&app, "topic_merchant_order_wh", "9001", "r2").await;
        let payment = app.payments.payment(&token).await.unwrap().unwrap();
        assert_eq!((payment.status, payment.captured.minor, payment.needs_review()), (Status::Paid, 4999, false));
    }

    async fn a_replayed_notification_is_a_duplicate_whatever_its_body_says(kind) {
        let fake = Fake::new();
        let (app, token) = app(kind, &fake).await;
        fake.pay(1, &token, "approved", json!({}));
        let mut delivery = notification("payment", "1", "r1");
        for n in 0..5 {
            delivery.body = json!({"id": n, "type": "payment"}).to_string().into();
            assert_eq!(post(&app, &delivery).await, 200);
        }
        app.drain().await;
        assert_eq!(app.number("SELECT count(*) FROM pay_events WHERE source = 'delivery'"), 1);
        assert_eq!(app.number("SELECT count(*) FROM pay_fetches"), 1);
        assert_eq!(app.payments.payment(&token).await.unwrap().unwrap().status, Status::Paid);
    }

    async fn a_payment_of_another_seller_is_not_believed(kind) {
        let fake = Fake::new();
        for (seller, expected) in [("724484980", Status::Paid), ("1", Status::Pending)] {
            let gateway = asking(&fake).sellers([seller]);
            let app = App::bare(kind, |builder| builder.variant("mercado-pago", gateway)).await;
            let order = NewPayment::new("mercado-pago", money(4999, "BRL")).without_checkout();
            let token = app.payments.create(order).await.unwrap().payment.token;
            fake.pay(1, &token, "approved", json!({}));
            notify(&app, "payment", "1", "r1").await;
            assert_eq!(app.payments.payment(&token).await.unwrap().unwrap().status, expected);
        }
    }

    async fn what_it_answers_about_the_erased_is_reduced_and_pays(kind) {
        let fake = Fake::new();
        let app = App::bare(kind, |builder| with_key(builder.variant("mercado-pago", asking(&fake)))).await;
        let order = NewPayment::new("mercado-pago", money(4999, "BRL")).customer(EMAIL).without_checkout();
        let token = app.payments.create(order).await.unwrap().payment.token;
        assert_eq!(app.payments.erase(&Person::email(EMAIL)).await.unwrap().payments, 1);
        let payer = json!({"id": "99", "email": EMAIL, "first_name": "Mia", "last_name": "Kowalska"});
        fake.pay(1, &token, "approved", json!({"payer": payer, "description": "Mia Kowalska likes tea"}));
        notify(&app, "payment", "1", "r1").await;
        assert_eq!(app.payments.payment(&token).await.unwrap().unwrap().status, Status::Paid);
        assert!(app.number("SELECT count(*) FROM pay_events WHERE source = 'answer'") > 0);
        assert_eq!(app.found(), Vec::<String>::new());
    }

    async fn neither_an_order_nor_a_chargeback_of_another_seller_is_believed(kind) {
        let fake = Fake::new();
        for (seller, disputed) in [("724484980", true), ("1", false)] {
            let gateway = asking(&fake).sellers([seller]);
            let app = App::bare(kind, |builder| builder.variant("mercado-pago", gateway)).await;
            let order = NewPayment::new("mercado-pago", money(4999, "BRL")).without_checkout();
            let token = app.payments.create(order).await.unwrap().payment.token;
            fake.pay(1, &token, "charged_back", json!({"status_detail": "in_process"}));
            fake.show("/v1/chargebacks/5", chargeback(None));
            notify(&app, "topic_chargebacks_wh", "5", "r1").await;
            fake.show("/merchant_orders/9", json!({"id": 9, "order_status": "expired", "external_reference": token,
                "collector": {"id": 724_484_980}, "payments": []}));
            notify(&app, "topic_merchant_order_wh", "9", "r2").await;
            app.pass(3600);
            app.drain().await;
            assert_eq!(app.payments.payment(&token).await.unwrap().unwrap().disputed, disputed);
            assert_eq!(app.number("SELECT count(*) FROM pay_payments"), 1, "none is adopted");
            let unbelieved = "SELECT count(*) FROM pay_events WHERE outcome LIKE '%of the seller 724484980, which this variant%'";
            // The chargeback, its payment and the order.
            assert_eq!(app.number(unbelieved), if disputed { 0 } else { 3 });
        }
        // Of payments of several sellers it is nobody's.
        fake.pay(1, "tok", "charged_back", json!({}));
        fake.pay(2, "tok", "charged_back", json!({"collector_id": 1}));
        let mut both = chargeback(None);
        both["payments"] = json!([1, 2]);
        fake.show("/v1/chargebacks/5", both);
        let events = asked(&fake, "chargeback", "chargeback_5", 1).await;
        assert_eq!((events.len(), events[0].account.as_deref(), events[2].account.as_deref()), (3, None, Some("1")));
        assert_eq!(interpret(&gateway().sellers(["724484980"]), &events[0]).facts, []);
    }

    async fn without_a_token_notifications_wait_and_say_what_for(kind) {
        let app = App::bare(kind, |builder| builder.variant("mercado-pago", gateway())).await;
        notify(&app, "payment", "1", "r1").await;
        assert_eq!(app.texts("SELECT state AS t FROM pay_events"), ["parked"]);
        let page = app.get("/payments/admin/events/1").await.text();
        assert!(page.contains("this variant has no access token"), "{page}");
    }

    async fn a_storm_of_notifications_in_any_order_and_with_lost_answers_ends_as_mercado_pago_says(kind) {
        let fake = Fake::new();
        let (app, first) = app(kind, &fake).await;
        let mut tokens = vec![first];
        for _ in 0..3 {
            let order = NewPayment::new("mercado-pago", money(4999, "BRL")).without_checkout();
            tokens.push(app.payments.create(order).await.unwrap().payment.token);
        }
        let ends = ["approved", "refunded", "rejected", "charged_back"];
        for round in 0..6 {
            fake.lose(round % 3);
            for (at, token) in tokens.iter().enumerate() {
                let id = at as u64 + 1;
                let status = if (round + at) % 5 < 3 && round < 4 { "pending" } else { ends[at] };
                let refunds = json!({"refunds": [refund(id, json!(49.99), "approved")], "transaction_amount_refunded": 49.99,
                    "date_last_updated": format!("2026-10-1{round}T05:00:00-04:00"), "order": null});
                let none = json!({"status_detail": "settled", "date_last_updated": format!("2026-10-1{round}T05:00:00-04:00"), "order": null});
                fake.pay(id, token, status, if status == "refunded" { refunds } else { none });
                for again in 0..3 {
                    let delivery = notification("payment", &id.to_string(), &format!("{round}-{again}"));
                    assert_eq!(post(&app, &delivery).await, 200);
                }
            }
            app.drain().await;
        }
        for _ in 0..12 {
            app.pass(3600);
            app.drain().await;
        }
        let mut stand = Vec::new();
        for token in &tokens {
            let payment = app.payments.payment(&token.into()).await.unwrap().unwrap();
            stand.push((payment.status, payment.lost.minor));
            assert!(app.payments.rebuild(&token.into()).await.unwrap().same);
        }
        assert_eq!(stand, [(Status::Paid, 0), (Status::Refunded, 0), (Status::Failed, 0), (Status::Paid, 4999)]);
        assert_eq!(app.number("SELECT count(*) FROM pay_events WHERE state NOT IN ('completed', 'ignored')"), 0);
    }
}
