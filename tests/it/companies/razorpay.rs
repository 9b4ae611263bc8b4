//! Is Razorpay read as Razorpay's own libraries read it, and asked as they ask?

use std::collections::BTreeMap;

use actix_payments::domain::fact::{Aspect, Fact};
use actix_payments::domain::money::Money;
use actix_payments::domain::payment::Status;
use actix_payments::domain::subscription::SubscriptionStatus;
use actix_payments::gateways::razorpay::Razorpay;
use actix_payments::gateways::subscriptions::SubscriptionVerb;
use actix_payments::gateways::{Call, Gateway, GatewayError, Started, Verb};
use proptest::prelude::*;
use serde_json::Value;

use super::{Company, Stands, assert_as_recorded, call, ends, events, hex, hmac_sha256, ok, order, story, told};
use crate::app::on_both_databases;
use crate::companies;
use crate::scenes::{money, with};
use crate::stripe::listener::{Listener, Say};

pub struct Of;

impl Company for Of {
    type Gateway = Razorpay;
    const NAME: &'static str = "razorpay";
    const SECRET: &'static str = "rzp_hidden_secret";

    fn gateway() -> Razorpay {
        Razorpay::new(Self::SECRET)
    }

    fn signed(body: &str, id: &str) -> (Vec<(&'static str, String)>, String) {
        let signature = hex(&hmac_sha256(Self::SECRET.as_bytes(), body.as_bytes()));
        (vec![("x-razorpay-signature", signature), ("x-razorpay-event-id", id.to_owned())], body.to_owned())
    }

    fn of(body: &str, token: &str) -> String {
        let mut event: Value = serde_json::from_str(body).unwrap();
        if event["payload"]["payment"]["entity"]["notes"]["payment_id"] == "42" {
            event["payload"]["payment"]["entity"]["notes"] = serde_json::json!({"payment_token": token});
        }
        event.to_string()
    }
}

#[test]
fn every_recorded_delivery_is_answered_as_it_should_be() {
    companies::answers_as_recorded("razorpay", 12, &[], |vector| {
        Razorpay::new(vector["config"]["secret"].as_str().unwrap())
    });
}

#[test]
fn every_fixture_states_its_facts() {
    companies::every_fixture_states_its_facts::<Of>();
}

#[test]
fn the_kinds_to_tick_are_those_that_state_facts() {
    companies::the_kinds_to_tick_state_facts::<Of>(&companies::kinds::razorpays());
}

#[actix_web::test]
async fn it_keeps_the_promises() {
    companies::keeps_the_promises::<Of>().await;
    companies::a_test_event_is_genuine::<Of>();
}

proptest! {
    #[test]
    fn no_order_makes_another_ledger(by: u64) {
        companies::no_order_makes_another_ledger::<Of>(by);
    }

    #[test]
    fn no_bytes_make_it_panic(body: Vec<u8>, cut in 0..2000usize, seed in 0..4096usize) {
        companies::no_bytes_make_it_panic::<Of>(&body, cut, seed);
    }
}

#[test]
fn what_cannot_work_is_refused_in_words_and_never_shown() {
    let refused = |razorpay: Razorpay| razorpay.check().unwrap_err();
    assert!(refused(Razorpay::new("")).contains("signing secret"));
    assert!(refused(Of::gateway().api_key("", "s")).contains("API key of Razorpay"));
    assert!(refused(Of::gateway().api_key("rzp_test_1", " ")).contains("API key of Razorpay"));
    assert!(refused(Of::gateway().billing_cycles(0)).contains("billing cycle"));
    assert!(!format!("{:?}", Razorpay::new("hidden").api_key("rzp_test_1", "hidden")).contains("hidden"));
}

/// A fixture with other values of one of its entities, and under another kind.
fn changed(name: &str, kind: &str, entity: &str, values: Value) -> (String, String) {
    let mut event: Value = serde_json::from_str(&events::<Of>()[name]).unwrap();
    event["event"] = kind.into();
    for (field, value) in values.as_object().unwrap() {
        match field.as_str() {
            "at" => event["created_at"] = value.clone(),
            _ => event["payload"][entity]["entity"][field] = value.clone(),
        }
    }
    (format!("{kind}.{}", event["created_at"]), event.to_string())
}

pub fn link(kind: &str, status: &str, paid: i64) -> (String, String) {
    let (_, body) = changed("payment.captured", kind, "payment", serde_json::json!({}));
    let mut event: Value = serde_json::from_str(&body).unwrap();
    event["payload"]["payment_link"]["entity"] = serde_json::json!({
        "id": "plink_1", "order_id": "order_DESlLckIVRkHWj", "amount": 4999, "amount_paid": paid, "currency": "INR",
        "status": status, "reference_id": "order-10042", "notes": {"payment_token": "TOKEN"},
    });
    if status != "paid" {
        event["payload"].as_object_mut().unwrap().remove("payment");
    }
    (kind.to_owned(), event.to_string())
}

/// The fees that an event tells.
fn fees((name, body): (String, String)) -> Vec<String> {
    let facts = companies::understand::<Of>(&name, &body).facts.into_iter();
    let money = |fact: Fact| Some(Money::new(fact.amount?, fact.currency?).to_string());
    facts.filter(|fact| fact.aspect == Aspect::Fee).filter_map(money).collect()
}

#[test]
fn a_fee_of_a_captured_payment_is_in_the_currency_of_the_account() {
    let payment = |values: Value| changed("payment.captured", "payment.captured", "payment", values);
    assert_eq!(fees(payment(serde_json::json!({}))), ["1.18 INR"]);
    assert_eq!(fees(payment(serde_json::json!({"international": true}))), ["1.18 INR"]);
    assert_eq!(fees(payment(serde_json::json!({"currency": "MYR"}))), ["1.18 MYR"]);
    // An international card may pay an account of dollars in dollars, and one from here may pay in dollars.
    let mut foreign = serde_json::json!({"international": true, "currency": "USD"});
    assert_eq!(fees(payment(foreign.clone())), ["1.18 USD"]);
    foreign["base_currency"] = "MYR".into();
    assert_eq!(fees(payment(foreign.clone())), ["1.18 MYR"]);
    foreign["international"] = false.into();
    assert_eq!(fees(payment(foreign)), ["1.18 MYR"]);
    for none in [serde_json::json!({"fee": null}), serde_json::json!({"fee": "much"}), serde_json::json!({"fee": 0})] {
        assert_eq!(fees(payment(none)), [""; 0]);
    }
    assert_eq!(
        fees(changed("payment.captured", "payment.authorized", "payment", serde_json::json!({"status": "authorized"}))),
        [""; 0]
    );
}

const PAID: Stands = (Status::Paid, 4999, 0, false);

on_both_databases! {
    async fn a_payment_is_authorized_and_captured_in_any_order(kind) {
        let inr = money(4999, "INR");
        ends::<Of>(kind, inr, story::<Of>(&["payment.authorized"]), (Status::Authorized, 0, 0, false)).await;
        ends::<Of>(kind, inr, story::<Of>(&["payment.authorized", "payment.captured", "order.paid"]), PAID).await;
        ends::<Of>(kind, inr, story::<Of>(&["payment.failed"]), (Status::Failed, 0, 0, false)).await;
        // Another attempt at the same order.
        let (name, body) = changed("payment.failed", "payment.failed", "payment", serde_json::json!({"id": "pay_first"}));
        let mut tried_again = story::<Of>(&["payment.captured", "order.paid"]);
        tried_again.insert(0, (name, body));
        ends::<Of>(kind, inr, tried_again, PAID).await;
    }

    async fn a_refund_counts_once_it_is_processed(kind) {
        let inr = money(4999, "INR");
        ends::<Of>(kind, inr, story::<Of>(&["payment.captured", "refund.created"]), PAID).await;
        let part = story::<Of>(&["payment.captured", "refund.created", "refund.processed"]);
        ends::<Of>(kind, inr, part, (Status::PartiallyRefunded, 4999, 1999, false)).await;
        let failed = story::<Of>(&["payment.captured", "refund.created", "refund.failed"]);
        ends::<Of>(kind, inr, failed, PAID).await;
        let all = story::<Of>(&["payment.captured", "refund.processed.full"]);
        let (app, payment) = told::<Of>(kind, inr, &all).await;
        assert_eq!((payment.status, payment.refunded.minor), (Status::Refunded, 4999));
        let page = app.get(&format!("/payments/admin/payments/{}", payment.token)).await.text();
        assert!(page.contains("refund processed: 49.99 INR"), "{page}");
    }

    async fn money_that_was_only_held_is_released_and_not_refunded(kind) {
        let released = serde_json::json!({"status": "refunded", "captured": false, "at": 1_792_400_000});
        let (_, body) = changed("refund.processed.full", "refund.processed", "payment", released.clone());
        let payment = changed("payment.authorized", "payment.refunded", "payment", released);
        let all = vec![story::<Of>(&["payment.authorized"]).remove(0), ("refund.processed".to_owned(), body), payment];
        ends::<Of>(kind, money(4999, "INR"), all, (Status::Canceled, 0, 0, false)).await;
    }

    async fn a_dispute_ends_won_or_lost_whatever_comes_first(kind) {
        let inr = money(4999, "INR");
        let begun = story::<Of>(&["payment.captured", "payment.dispute.created"]);
        ends::<Of>(kind, inr, begun.clone(), (Status::Paid, 4999, 0, true)).await;
        for (word, disputed) in [("won", false), ("lost", true), ("closed", false)] {
            let values = serde_json::json!({"status": word, "at": 1_793_000_000});
            let mut all = begun.clone();
            all.push(changed("payment.dispute.created", &format!("payment.dispute.{word}"), "dispute", values));
            ends::<Of>(kind, inr, all, (Status::Paid, 4999, 0, disputed)).await;
        }
        let asked = serde_json::json!({"phase": "retrieval"});
        let inquiry = changed("payment.dispute.created", "payment.dispute.created", "dispute", asked);
        let all = vec![begun[0].clone(), inquiry];
        ends::<Of>(kind, inr, all, PAID).await;
    }

    async fn a_payment_link_is_paid_or_ends(kind) {
        let inr = money(4999, "INR");
        let captured = story::<Of>(&["payment.captured"]).remove(0);
        let paid = story::<Of>(&["order.paid"]).remove(0);
        ends::<Of>(kind, inr, vec![captured, link("payment_link.paid", "paid", 4999), paid], PAID).await;
        for (kind_of, status, expected) in [
            ("payment_link.expired", "expired", Status::Expired),
            ("payment_link.cancelled", "cancelled", Status::Canceled),
        ] {
            let app = crate::app::App::bare(kind, |builder| builder.variant("razorpay", Of::gateway())).await;
            let order = actix_payments::NewPayment::new("razorpay", inr);
            let token = app.payments.create(order).await.unwrap().payment.token;
            let (name, body) = link(kind_of, status, 0);
            companies::tell::<Of>(&app, &name, &body.replace("TOKEN", &token)).await;
            assert_eq!(app.payments.payment(&token).await.unwrap().unwrap().status, expected);
        }
    }

    async fn a_subscription_stands_alike_in_every_order(kind) {
        let step = |word: &str, status: &str, at: i64| {
            let values = serde_json::json!({"status": status, "at": at, "notes": {"owner": "7"}});
            let (name, body) = changed("subscription.charged", &format!("subscription.{word}"), "subscription", values);
            let mut event: Value = serde_json::from_str(&body).unwrap();
            if word != "charged" {
                event["payload"].as_object_mut().unwrap().remove("payment");
            }
            (name, event.to_string())
        };
        let mut all = vec![
            step("authenticated", "authenticated", 1_791_799_100),
            step("charged", "active", 1_791_800_000),
            step("pending", "pending", 1_794_478_500),
        ];
        for one in companies::subscribed::<Of>(kind, "sub_DEX6xcJ1HSW4CR", &all).await {
            assert_eq!((one.status(), one.owner()), (SubscriptionStatus::PastDue, Some("7")));
            assert!(one.state.last_invoice.as_ref().unwrap().paid);
        }
        all.push(step("halted", "halted", 1_794_800_000));
        for one in companies::subscribed::<Of>(kind, "sub_DEX6xcJ1HSW4CR", &all).await {
            assert_eq!(one.status(), SubscriptionStatus::Unpaid);
        }
        all.push(step("cancelled", "cancelled", 1_794_900_000));
        all.push(step("activated", "active", 1_795_000_000));
        for one in companies::subscribed::<Of>(kind, "sub_DEX6xcJ1HSW4CR", &all).await {
            assert_eq!(one.status(), SubscriptionStatus::Canceled);
        }
    }

    /// Each attempt is a payment of its own; another may have begun before the one that paid was known.
    async fn an_invoice_is_that_of_the_payment_that_paid_it(kind) {
        let attempt = |word: &str, values: Value| {
            let (_, body) = changed("subscription.charged", &format!("subscription.{word}"), "payment", values);
            (word.to_owned(), body)
        };
        let paid = attempt("charged", serde_json::json!({"invoice_id": "inv_1"}));
        let failed = serde_json::json!({"invoice_id": "inv_1", "id": "pay_late", "status": "failed", "captured": false,
            "created_at": 1_791_799_999, "at": 1_791_800_100});
        let failed = attempt("pending", failed);
        for order in [[&paid, &failed], [&failed, &paid]] {
            let app = crate::app::App::bare(kind, |builder| builder.variant("razorpay", Of::gateway())).await;
            for (name, body) in order {
                companies::tell::<Of>(&app, name, body).await;
            }
            let found = app.payments.subscription_at("razorpay", "sub_DEX6xcJ1HSW4CR").await.unwrap().unwrap();
            assert!(found.state.last_invoice.as_ref().unwrap().paid);
            assert_eq!(app.texts("SELECT status AS t FROM pay_subscription_invoices"), ["captured"]);
            let page = app.get(&format!("/payments/admin/subscriptions/{}", found.token)).await.body;
            assert!(page.contains("payments/pay_"), "its payment is linked: {page}");
        }
    }

    async fn what_is_completed_runs_until_its_last_cycle_is_over(kind) {
        let ended = serde_json::json!({"status": "completed", "ended_at": 1_791_800_000, "current_end": 1_794_478_400,
            "notes": {"owner": "7"}});
        let (name, body) = changed("subscription.charged", "subscription.completed", "subscription", ended);
        let app = crate::app::App::bare(kind, |builder| builder.variant("razorpay", Of::gateway())).await;
        companies::tell::<Of>(&app, &name, &body).await;
        let found = app.payments.subscription_at("razorpay", "sub_DEX6xcJ1HSW4CR").await.unwrap().unwrap();
        assert_eq!(found.status(), SubscriptionStatus::Expired);
        assert!(app.payments.active("7").await.unwrap());
        let page = app.get(&format!("/payments/admin/subscriptions/{}", found.token)).await.text();
        assert!(page.contains("It will not renew; it is paid for until"), "{page}");
        app.pass(31 * 86_400);
        assert!(!app.payments.active("7").await.unwrap());
    }
}

fn asked(listener: &Listener) -> Razorpay {
    Of::gateway().api_key("rzp_test_1", "secret_1").api_base(&listener.address)
}

fn shown(status: &str) -> Say {
    ok(format!(
        r#"{{"id":"pay_1","entity":"payment","amount":4998,"currency":"INR","status":"{status}","captured":true,"order_id":"order_1"}}"#
    ))
}

const REFUND: &str = r#"{"id":"rfnd_1","entity":"refund","amount":1999,"currency":"INR","payment_id":"pay_1","status":"pending","created_at":1791800000}"#;

/// A call about a payment of Razorpay's that is known by a fact.
fn known(verb: Verb, aspect: Aspect, minor: Option<i64>) -> Call {
    let refs = ["order_1", "pay_failed", "pay_1", "plink_1"];
    let call = call(verb, &refs, minor.map(|minor| money(minor, "INR")));
    with(call, |it| {
        it.aspects = BTreeMap::from([("pay_1".into(), aspect)]);
        it.total = money(4998, "INR");
    })
}

#[actix_web::test]
async fn every_call_is_made_as_razorpays_library_makes_it() {
    let link =
        ok(r#"{"id":"plink_1","short_url":"https://rzp.io/i/1","status":"created","amount":4998,"currency":"INR"}"#);
    let listener = Listener::saying([link.clone()]);
    let request = with(order("INR"), |it| {
        it.customer = Some("mia@shop.example".to_owned());
        it.expires_at = Some(companies::at(1_791_803_600));
    });
    let started = asked(&listener).start(&request).await.unwrap();
    let url = "https://rzp.io/i/1".to_owned();
    assert_eq!(started, Started::Redirect { url, gateway_refs: vec!["plink_1".into()] });
    assert_as_recorded("razorpay", "checkout", &listener.heard()[0]);
    let cases = [
        (known(Verb::Capture, Aspect::Authorization, None), shown("captured"), "capture", "payment.answered"),
        (known(Verb::Cancel, Aspect::Checkout, None), link, "cancel", "payment_link.answered"),
        (known(Verb::Refund, Aspect::Capture, None), ok(REFUND), "refund_all", "refund.answered"),
        (known(Verb::Refund, Aspect::Capture, Some(1999)), ok(REFUND), "refund_part", "refund.answered"),
    ];
    for (call, say, name, kind) in cases {
        let listener = Listener::saying([say]);
        let events = asked(&listener).call(&call).await.unwrap();
        assert_eq!((events[0].id.as_str(), events[0].kind.as_str()), ("op_1", kind));
        companies::interpret(&Of::gateway(), &events[0]);
        assert_as_recorded("razorpay", name, &listener.heard()[0]);
        let key = listener.heard()[0].header("x-refund-idempotency").map(str::to_owned);
        assert_eq!(key, (call.verb == Verb::Refund).then(|| "operation_op_1".to_owned()));
    }
}

#[actix_web::test]
async fn a_repeated_capture_that_is_refused_was_made() {
    let refusal = r#"{"error":{"code":"BAD_REQUEST_ERROR","description":"This payment has already been captured"}}"#;
    let refused = Say::Answer(400, vec![], refusal.to_owned());
    let listener = Listener::saying([refused.clone(), shown("captured")]);
    let call = known(Verb::Capture, Aspect::Authorization, None);
    let events = asked(&listener).call(&call).await.unwrap();
    assert_eq!(companies::interpret(&Of::gateway(), &events[0]).summary, "payment captured: 49.98 INR");
    let listener = Listener::saying([refused, shown("failed")]);
    let declined = asked(&listener).call(&call).await.unwrap_err();
    let words = "400 BAD_REQUEST_ERROR: This payment has already been captured";
    assert_eq!(declined, GatewayError::Declined(words.to_owned()));
}

#[actix_web::test]
async fn a_refresh_reports_the_link_its_payments_and_their_refunds() {
    let listener = Listener::answering(|heard| match heard.path.as_str() {
        "/v1/payment_links/plink_1" => ok(
            r#"{"id":"plink_1","status":"paid","amount":4998,"amount_paid":4998,"currency":"INR","order_id":"order_1","payments":[{"payment_id":"pay_1"}]}"#,
        ),
        "/v1/payments/pay_1" => shown("captured"),
        "/v1/payments/pay_1/refunds?count=100" => ok(format!(r#"{{"items":[{REFUND}]}}"#)),
        _ => Say::Answer(404, vec![], String::new()),
    });
    let events = asked(&listener).call(&call(Verb::Refresh, &["plink_1"], None)).await.unwrap();
    let said: Vec<_> = events.iter().map(|event| companies::interpret(&Of::gateway(), event).summary).collect();
    assert_eq!(said, ["payment link paid: 49.98 INR", "payment captured: 49.98 INR", "refund pending: 19.99 INR"]);
    let heard = listener.heard();
    for (name, heard) in ["link", "show", "refunds"].iter().zip(&heard) {
        assert_as_recorded("razorpay", name, heard);
    }
}

#[actix_web::test]
async fn the_payments_of_an_order_and_a_known_dispute_are_asked_for_as_razorpays_library_asks() {
    let listener = Listener::answering(|heard| match heard.path.as_str() {
        "/v1/orders/order_1/payments" => ok(r#"{"items":[{"id":"pay_1"}]}"#),
        "/v1/payments/pay_1" => shown("captured"),
        "/v1/disputes/disp_1" => {
            ok(r#"{"id":"disp_1","payment_id":"pay_1","amount":4998,"currency":"INR","status":"won"}"#)
        }
        _ => ok(r#"{"items":[]}"#),
    });
    let refresh = with(call(Verb::Refresh, &["order_1"], None), |it| {
        it.aspects = BTreeMap::from([("disp_1".into(), Aspect::Dispute), ("../1".into(), Aspect::Dispute)]);
    });
    let events = asked(&listener).call(&refresh).await.unwrap();
    let said: Vec<_> = events.iter().map(|event| companies::interpret(&Of::gateway(), event).summary).collect();
    assert_eq!(said, ["payment captured: 49.98 INR", "dispute was won: 49.98 INR"]);
    let heard = listener.heard();
    assert_as_recorded("razorpay", "order_payments", &heard[0]);
    assert_as_recorded("razorpay", "dispute", &heard[3]);
    assert_eq!(heard.len(), 4, "what is no id is not asked for");
}

#[actix_web::test]
async fn a_subscription_is_asked_about_as_razorpays_library_asks() {
    let shown = ok(r#"{"id":"sub_1","status":"active","short_url":"https://rzp.io/i/2"}"#);
    let cases = [
        (SubscriptionVerb::Cancel, "subscription_cancel"),
        (SubscriptionVerb::CancelAtEnd, "subscription_cancel_at_end"),
        (SubscriptionVerb::Refresh, "subscription_refresh"),
    ];
    for (verb, name) in cases {
        let listener = Listener::saying([shown.clone()]);
        let razorpay = asked(&listener);
        let events =
            razorpay.subscriptions().unwrap().call(&companies::subscription_call(verb, "sub_1")).await.unwrap();
        assert_eq!(companies::interpret(&razorpay, &events[0]).summary, "subscription active");
        assert_as_recorded("razorpay", name, &listener.heard()[0]);
    }
    let listener = Listener::saying([shown]);
    let razorpay = asked(&listener);
    let request = companies::subscription_request("plan_1");
    razorpay.subscriptions().unwrap().subscribe(&request).await.unwrap();
    assert_as_recorded("razorpay", "subscribe", &listener.heard()[0]);
    assert!(razorpay.subscriptions().unwrap().supports(SubscriptionVerb::Resume).is_err());
}
