//! Is Polar read as Polar's own libraries read it, and asked as they ask?

use std::collections::BTreeMap;

use actix_payments::domain::fact::Aspect;
use actix_payments::domain::payment::Status;
use actix_payments::domain::subscription::{SubscriptionFacts, SubscriptionStatus};
use actix_payments::gateways::polar::Polar;
use actix_payments::gateways::subscriptions::SubscriptionVerb;
use actix_payments::gateways::{Call, Gateway, GatewayError, Started, Verb};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Company, Stands, assert_as_recorded, base64, call, ends, events, hmac_sha256, ok, order, story, told};
use crate::app::{NOW, on_both_databases};
use crate::companies;
use crate::scenes::{money, with};
use crate::stripe::listener::{Listener, Say};

pub const SUBSCRIPTION: &str = "0e4f4f6a-6f0d-4b0e-9c39-6c9a1f1d2a10";

pub struct Of;

impl Company for Of {
    type Gateway = Polar;
    const NAME: &'static str = "polar";
    const SECRET: &'static str = "polar_whs_hidden_secret";

    fn gateway() -> Polar {
        Polar::new(Self::SECRET)
    }

    fn signed(body: &str, id: &str) -> (Vec<(&'static str, String)>, String) {
        let signature = base64(&hmac_sha256(Self::SECRET.as_bytes(), format!("{id}.{NOW}.{body}").as_bytes()));
        let headers = vec![
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", NOW.to_string()),
            ("webhook-signature", format!("v1,{signature}")),
        ];
        (headers, body.to_owned())
    }

    fn of(body: &str, token: &str) -> String {
        let mut event: Value = serde_json::from_str(body).unwrap();
        if event["data"]["metadata"]["payment_id"] == "42" {
            event["data"]["metadata"] = json!({"payment_token": token});
        }
        event.to_string()
    }
}

#[test]
fn every_recorded_delivery_is_answered_as_it_should_be() {
    // Of its two libraries one knows the second rule of a key; both are followed.
    let but_for = ["polar:whsec_decoded_key", "polar:plain_base64_looking_decoded"];
    companies::answers_as_recorded("polar", 11, &but_for, |vector| Polar::new(vector["secret"].as_str().unwrap()));
}

#[test]
fn every_fixture_states_its_facts() {
    companies::every_fixture_states_its_facts::<Of>();
}

#[test]
fn the_kinds_to_tick_are_those_that_state_facts() {
    let stating = companies::stating_kinds::<Of>();
    let mut kinds = Of::gateway().setup().kinds;
    kinds.sort_unstable();
    assert_eq!(stating, kinds);
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
    fn no_bytes_make_it_panic(body: Vec<u8>, cut in 0..3000usize, seed in 0..4096usize) {
        companies::no_bytes_make_it_panic::<Of>(&body, cut, seed);
    }
}

#[test]
fn what_cannot_work_is_refused_in_words_and_never_shown() {
    let refused = |polar: Polar| polar.check().unwrap_err();
    assert!(refused(Polar::new("")).contains("signing secret"));
    assert!(refused(Of::gateway().access_token("")).contains("API key of Polar"));
    assert!(refused(Of::gateway().access_token("t").product("a b")).contains("product"));
    assert!(!format!("{:?}", Polar::new("hidden").access_token("hidden")).contains("hidden"));
}

/// A fixture with other values of its object.
fn changed(name: &str, values: Value) -> (String, String) {
    let mut event: Value = serde_json::from_str(&events::<Of>()[name]).unwrap();
    for (field, value) in values.as_object().unwrap() {
        event["data"][field] = value.clone();
    }
    (format!("{name} {values}"), event.to_string())
}

/// An event of a day of October about the refund that answers a dispute of the whole order, each in a status.
fn disputed(status: &str, of_refund: &str, day: u8) -> (String, String) {
    let (_, body) = changed(
        "refund.created",
        json!({"status": of_refund, "amount": 4201, "tax_amount": 798,
        "reason": "dispute_prevention", "modified_at": format!("2026-10-{day}T08:53:20Z"), "dispute": {
            "id": "dis_1", "status": status, "amount": 4201, "tax_amount": 798, "currency": "eur",
            "created_at": "2026-10-13T08:53:20Z"}}),
    );
    let mut event: Value = serde_json::from_str(&body).unwrap();
    let kind = if day == 13 { "refund.created" } else { "refund.updated" };
    (event["type"], event["timestamp"]) = (json!(kind), json!(format!("2026-10-{day}T08:53:20Z")));
    (format!("dispute {status} {day}"), event.to_string())
}

const PAID: Stands = (Status::Paid, 4999, 0, false);

on_both_databases! {
    async fn an_order_is_paid_in_any_order(kind) {
        let eur = money(4999, "EUR");
        let all = ["checkout.created", "checkout.updated", "order.created", "order.paid", "order.updated"];
        ends::<Of>(kind, eur, story::<Of>(&all), PAID).await;
        ends::<Of>(kind, eur, story::<Of>(&["checkout.created", "order.created"]), (Status::Pending, 0, 0, false)).await;
        ends::<Of>(kind, eur, story::<Of>(&["checkout.created", "checkout.expired"]), (Status::Expired, 0, 0, false)).await;
        let voided = vec![changed("order.created", json!({"status": "void"}))];
        ends::<Of>(kind, eur, voided, (Status::Canceled, 0, 0, false)).await;
        // The price before tax is the amount that was asked for.
        ends::<Of>(kind, money(4201, "EUR"), story::<Of>(&["order.paid"]), PAID).await;
    }

    async fn a_refund_and_the_orders_total_are_the_same_money(kind) {
        let eur = money(4999, "EUR");
        ends::<Of>(kind, eur, story::<Of>(&["order.paid", "refund.created"]), PAID).await;
        let part = ["order.paid", "refund.created", "refund.updated", "order.refunded.partial"];
        ends::<Of>(kind, eur, story::<Of>(&part), (Status::PartiallyRefunded, 4999, 1999, false)).await;
        ends::<Of>(kind, eur, story::<Of>(&["order.paid", "refund.updated"]), (Status::PartiallyRefunded, 4999, 1999, false)).await;
        ends::<Of>(kind, eur, story::<Of>(&["order.paid", "order.refunded"]), (Status::Refunded, 4999, 4999, false)).await;
        let taken_off = json!({"status": "paid", "refunded_amount": 0, "refunded_tax_amount": 0});
        let (name, body) = changed("order.paid", taken_off);
        let mut all = story::<Of>(&["order.paid", "order.refunded.partial"]);
        all.push((name, body.replace("\"timestamp\":\"2026-10-12", "\"timestamp\":\"2026-10-13")));
        ends::<Of>(kind, eur, all, PAID).await;
        let failed = changed("refund.updated", json!({"status": "failed"}));
        let all = vec![story::<Of>(&["order.paid"]).remove(0), story::<Of>(&["refund.created"]).remove(0), failed];
        ends::<Of>(kind, eur, all, PAID).await;
    }

    async fn a_dispute_is_read_from_the_refund_that_answers_it(kind) {
        let dispute = |status: &str| json!({"dispute": {
            "id": "dis_1", "status": status, "amount": 4201, "tax_amount": 798, "currency": "eur",
            "created_at": "2026-10-11T08:53:20Z"}});
        for (status, disputed) in [("needs_response", true), ("won", false), ("lost", true), ("early_warning", false)] {
            let all = vec![story::<Of>(&["order.paid"]).remove(0), changed("refund.created", dispute(status))];
            ends::<Of>(kind, money(4999, "EUR"), all, (Status::Paid, 4999, 0, disputed)).await;
        }
    }

    async fn a_dispute_goes_on_to_its_end_whatever_comes_first(kind) {
        let eur = money(4999, "EUR");
        let begun = || vec![story::<Of>(&["order.paid"]).remove(0), disputed("early_warning", "pending", 13)];
        let opened = || begun().into_iter().chain([disputed("needs_response", "pending", 14), disputed("under_review", "pending", 15)]);
        ends::<Of>(kind, eur, begun(), PAID).await;
        ends::<Of>(kind, eur, opened().collect(), (Status::Paid, 4999, 0, true)).await;
        let ended = |status, of_refund| opened().chain([disputed(status, of_refund, 16)]).collect::<Vec<_>>();
        ends::<Of>(kind, eur, ended("won", "canceled"), PAID).await;
        ends::<Of>(kind, eur, ended("lost", "canceled"), (Status::Paid, 4999, 0, true)).await;
        // No chargeback happened: the customer has the money by the refund, and the bank took none.
        let prevented = || begun().into_iter().chain([disputed("prevented", "succeeded", 14)]).collect::<Vec<_>>();
        ends::<Of>(kind, eur, prevented(), (Status::Refunded, 4999, 4999, false)).await;
        for (all, lost, words) in [
            (ended("won", "canceled"), 0, "dispute was won: 49.99 EUR"),
            (ended("lost", "canceled"), 4999, "dispute was lost: 49.99 EUR"),
            (prevented(), 0, "dispute was prevented: no chargeback happened: 49.99 EUR"),
        ] {
            let (app, payment) = told::<Of>(kind, eur, &all).await;
            assert_eq!(payment.lost.minor, lost);
            let page = app.get(&format!("/payments/admin/payments/{}", payment.token)).await.text();
            assert!(page.contains(words), "{page}");
            let rows = app.texts("SELECT kind AS t FROM pay_movements WHERE kind <> 'fee' ORDER BY kind");
            let went = if lost > 0 { Some("dispute_withdrawn") } else { (payment.refunded.minor > 0).then_some("refund") };
            assert_eq!(rows, ["capture"].into_iter().chain(went).collect::<Vec<_>>());
            let open = app.get("/payments/admin/disputes").await.text();
            assert!(!open.contains(payment.token.as_str()), "a decided dispute is not to be answered: {open}");
        }
    }

    async fn a_renewal_is_not_the_first_payment_again(kind) {
        let renewal = json!({"billing_reason": "subscription_cycle", "id": "ord_renewal", "subscription_id": SUBSCRIPTION});
        let all = vec![story::<Of>(&["order.paid"]).remove(0), changed("order.paid", renewal)];
        let (app, payment) = told::<Of>(kind, money(4999, "EUR"), &all).await;
        assert_eq!((payment.status, payment.captured.minor), (Status::Paid, 4999));
        app.pass(3600);
        app.drain().await;
        assert_eq!(app.number("SELECT count(*) FROM pay_payments"), 2);
    }

    async fn a_customers_state_replaces_nothing_that_a_subscription_showed(kind) {
        let three_months = json!({"recurring_interval_count": 3, "amount": 3_000});
        let mut all = vec![changed("subscription.active", three_months)];
        all.extend(story::<Of>(&["customer.state_changed"]));
        for one in companies::subscribed::<Of>(kind, SUBSCRIPTION, &all).await {
            assert_eq!(one.state.monthly(), Some(money(1_000, "EUR")));
        }
    }

    async fn canceled_is_not_over_and_revoked_is(kind) {
        let begun = ["subscription.created", "subscription.active", "customer.state_changed", "subscription.past_due"];
        let mut all = story::<Of>(&begun);
        for one in companies::subscribed::<Of>(kind, SUBSCRIPTION, &all).await {
            assert_eq!((one.status(), one.owner()), (SubscriptionStatus::PastDue, Some("tenant-7")));
        }
        all.extend(story::<Of>(&["subscription.updated", "subscription.canceled"]));
        for one in companies::subscribed::<Of>(kind, SUBSCRIPTION, &all).await {
            assert_eq!(one.status(), SubscriptionStatus::Active);
            assert_eq!(one.state.ends_at(), one.state.period.map(|period| period.end));
        }
        all.extend(story::<Of>(&["subscription.uncanceled"]));
        for one in companies::subscribed::<Of>(kind, SUBSCRIPTION, &all).await {
            assert_eq!((one.status(), one.state.ends_at()), (SubscriptionStatus::Active, None));
        }
        all.extend(story::<Of>(&["subscription.paused"]));
        for one in companies::subscribed::<Of>(kind, SUBSCRIPTION, &all).await {
            assert_eq!(one.status(), SubscriptionStatus::Paused);
        }
        all.extend(story::<Of>(&["subscription.revoked", "subscription.resumed"]));
        for one in companies::subscribed::<Of>(kind, SUBSCRIPTION, &all).await {
            assert_eq!(one.status(), SubscriptionStatus::Canceled);
        }
    }
}

fn asked(listener: &Listener) -> Polar {
    Of::gateway().access_token("polar_oat_1").product("prod_1").api_base(&listener.address)
}

const ORDER: &str = r#"{"id":"ord_1","status":"paid","currency":"eur","subtotal_amount":4201,"net_amount":4201,"tax_amount":798,
    "total_amount":4999,"refunded_amount":0,"refunded_tax_amount":0,"refundable_amount":4201,"created_at":"2026-10-12T09:00:00Z"}"#;
const REFUND: &str = r#"{"id":"ref_1","status":"succeeded","currency":"eur","amount":1680,"tax_amount":319,"order_id":"ord_1",
    "metadata":{"operation":"op_1"}}"#;

/// A Polar that has these refunds.
fn listener(refunds: &'static str) -> Listener {
    Listener::answering(move |heard| match (heard.method.as_str(), heard.path.as_str()) {
        ("GET", "/v1/orders/ord_1") => ok(ORDER),
        ("GET", "/v1/refunds/?limit=100&order_id=ord_1&page=1") => ok(format!(r#"{{"items":[{refunds}]}}"#)),
        ("GET", "/v1/orders/?checkout_id=chk_1&limit=10&page=1") => ok(format!(r#"{{"items":[{ORDER}]}}"#)),
        ("POST", "/v1/refunds/") => ok(REFUND),
        _ => Say::Answer(404, vec![], String::new()),
    })
}

fn known(verb: Verb, minor: Option<i64>) -> Call {
    let call = call(verb, &["chk_1", "ord_1"], minor.map(|minor| money(minor, "EUR")));
    with(call, |it| it.aspects = BTreeMap::from([("ord_1".into(), Aspect::Capture)]))
}

#[actix_web::test]
async fn a_checkout_is_asked_for_as_polars_library_asks() {
    let listener = Listener::saying([ok(r#"{"id":"chk_1","url":"https://sandbox.polar.sh/checkout/1"}"#)]);
    let request = with(order("EUR"), |it| it.customer = Some("mia@shop.example".to_owned()));
    let started = asked(&listener).start(&request).await.unwrap();
    let url = "https://sandbox.polar.sh/checkout/1".to_owned();
    assert_eq!(started, Started::Redirect { url, gateway_refs: vec!["chk_1".into()] });
    assert_as_recorded("polar", "checkout", &listener.heard()[0]);
}

#[actix_web::test]
async fn a_refund_is_looked_for_before_it_is_made() {
    let polar = listener("");
    let events = asked(&polar).call(&known(Verb::Refund, Some(1999))).await.unwrap();
    let words = "refund succeeded: 19.99 EUR";
    assert_eq!(companies::interpret(&Of::gateway(), &events[0]).summary, words);
    for (name, heard) in ["show", "refunds", "refund"].iter().zip(polar.heard()) {
        assert_as_recorded("polar", name, &heard);
    }
    // The first try got through after all.
    let polar = listener(REFUND);
    let events = asked(&polar).call(&known(Verb::Refund, Some(1999))).await.unwrap();
    assert_eq!((events[0].id.as_str(), polar.heard().len()), ("op_1", 2));
    // All that is left, and more than that.
    let polar = listener("");
    asked(&polar).call(&known(Verb::Refund, None)).await.unwrap();
    assert!(polar.heard()[2].body.contains(r#""amount":4201"#));
    // What rounding left of it, tax and all, is a cent less than its part.
    let rest = ORDER.replace(r#""refundable_amount":4201"#, r#""refundable_amount":2099,"refundable_tax_amount":400"#);
    let rest = Listener::answering(move |heard| match (heard.method.as_str(), heard.path.as_str()) {
        ("GET", "/v1/orders/ord_1") => ok(rest.clone()),
        ("POST", _) => ok(REFUND),
        _ => ok(r#"{"items":[]}"#),
    });
    asked(&rest).call(&known(Verb::Refund, Some(2499))).await.unwrap();
    assert!(rest.heard()[2].body.contains(r#""amount":2099"#), "{:?}", rest.heard());
    let too_much = asked(&polar).call(&known(Verb::Refund, Some(5001))).await;
    assert!(matches!(too_much, Err(GatewayError::Declined(_))), "{too_much:?}");
}

#[actix_web::test]
async fn a_refresh_finds_the_order_of_a_checkout_and_its_refunds() {
    let polar = listener(REFUND);
    let events = asked(&polar).call(&call(Verb::Refresh, &["chk_1"], None)).await.unwrap();
    let said: Vec<_> = events.iter().map(|event| companies::interpret(&Of::gateway(), event).summary).collect();
    assert_eq!(said, ["order paid: 49.99 EUR", "refund succeeded: 19.99 EUR"]);
    assert_as_recorded("polar", "orders", &polar.heard()[1]);
}

#[actix_web::test]
async fn a_subscription_is_asked_about_as_polars_library_asks() {
    let cases = [
        (SubscriptionVerb::Cancel, "subscription_cancel"),
        (SubscriptionVerb::CancelAtEnd, "subscription_cancel_at_end"),
        (SubscriptionVerb::Resume, "subscription_resume"),
        (SubscriptionVerb::Refresh, "subscription_refresh"),
    ];
    for (verb, name) in cases {
        let listener = Listener::saying([ok(r#"{"id":"sub_1","status":"active","cancel_at_period_end":false}"#)]);
        let polar = asked(&listener);
        let events = polar.subscriptions().unwrap().call(&companies::subscription_call(verb, "sub_1")).await.unwrap();
        assert_eq!(companies::interpret(&polar, &events[0]).summary, "subscription active");
        assert_as_recorded("polar", name, &listener.heard()[0]);
    }
    let listener = Listener::saying([ok(r#"{"id":"chk_1","url":"https://sandbox.polar.sh/checkout/1"}"#)]);
    let polar = asked(&listener);
    polar.subscriptions().unwrap().subscribe(&companies::subscription_request("prod_1")).await.unwrap();
    assert_as_recorded("polar", "subscribe", &listener.heard()[0]);
}

#[test]
fn only_a_discount_explains_a_free_order() {
    for (discount, face) in [(0, 0), (4201, 4201)] {
        let free = json!({"total_amount": 0, "tax_amount": 0, "net_amount": 0, "discount_amount": discount});
        let (name, body) = changed("order.paid", free);
        let event = &companies::received::<Of>(&name, &body)[0];
        assert_eq!(companies::interpret(&Of::gateway().discounts(), event).facts[0].face, Some(face));
        assert_eq!(companies::interpret(&Of::gateway(), event).facts[0].face, Some(0));
    }
}

/// Below zero it was the customer's money before, above it a debt of the customer's.
#[test]
fn what_the_customers_balance_pays_is_not_charged() {
    for (balance, charged, face) in [(-2000, 2999, 4201), (-4999, 0, 4201), (501, 5500, 4201), (0, 4999, 4201)] {
        let (name, body) = changed("order.paid", json!({"applied_balance_amount": balance}));
        let said = companies::understand::<Of>(&name, &body);
        assert_eq!((said.facts[0].amount, said.facts[0].face), (Some(charged), Some(face)), "{balance}");
        let captured = said.facts.iter().find(|fact| fact.aspect == Aspect::Capture);
        assert_eq!(captured.and_then(|fact| fact.amount), Some(charged).filter(|charged| *charged > 0));
    }
}

#[test]
fn the_amount_of_a_subscription_is_that_of_all_its_seats() {
    for seats in [json!(null), json!(5)] {
        let (name, body) = changed("subscription.active", json!({"seats": seats}));
        let stated = companies::understand::<Of>(&name, &body).subscription.unwrap();
        assert_eq!(SubscriptionFacts::of(stated.facts).state().monthly(), Some(money(1900, "EUR")));
    }
}

/// Its event came within the second of the answer, and says more of when.
#[test]
fn an_answer_is_no_older_than_what_it_shows() {
    let (_, body) = changed("subscription.active", json!({"modified_at": "2026-10-12T11:15:00.500000Z"}));
    let answer = companies::received::<Of>("answer", &body).remove(0);
    let occurred_at = Some(companies::at(1_791_803_700));
    let answer = with(answer, |it| {
        it.kind = "subscription.answered".to_owned();
        it.occurred_at = occurred_at;
    });
    let stated = companies::interpret(&Of::gateway(), &answer).subscription.unwrap();
    let as_of = SubscriptionFacts::of(stated.facts).state().as_of.unwrap();
    assert_eq!((as_of.unix_timestamp(), as_of.millisecond()), (1_791_803_700, 500));
}

#[test]
fn what_is_revoked_lets_nobody_in_though_it_was_to_end_later() {
    let revoked = companies::received::<Of>("revoked", &events::<Of>()["subscription.revoked"]).remove(0);
    let revoked = with(revoked, |it| it.occurred_at = Some(companies::at(1_791_803_700)));
    let stated = companies::interpret(&Of::gateway(), &revoked).subscription.unwrap();
    let state = SubscriptionFacts::of(stated.facts).state();
    assert_eq!((state.status, state.ended_at), (SubscriptionStatus::Canceled, state.as_of));
    assert!(!state.is_active(companies::at(1_791_803_701), std::time::Duration::from_secs(3 * 86_400)));
}

/// It was paid before the subscription became past due.
#[test]
fn a_refresh_of_an_old_order_is_no_payment_of_today() {
    let (_, order) = changed("order.paid", json!({"subscription_id": "sub_1", "modified_at": "2026-10-12T08:53:21Z"}));
    let answer = companies::received::<Of>("answer", &order).remove(0);
    let occurred_at = Some(companies::at(1_795_000_000));
    let answer = with(answer, |it| {
        it.kind = "order.answered".to_owned();
        it.occurred_at = occurred_at;
    });
    let due = companies::received::<Of>("due", &events::<Of>()["subscription.past_due"]).remove(0);
    let due = with(due, |it| it.occurred_at = Some(companies::at(1_794_473_600)));
    let stated = [due, answer].map(|event| companies::interpret(&Of::gateway(), &event).subscription.unwrap());
    let state = SubscriptionFacts::of(stated.into_iter().flat_map(|stated| stated.facts)).state();
    assert!(state.last_invoice.as_ref().unwrap().paid && state.doubt.is_none());
    assert!(!state.is_active(companies::at(1_800_000_000), std::time::Duration::from_secs(3 * 86_400)));
}

#[actix_web::test]
async fn an_order_is_found_by_its_own_id() {
    let polar = listener("");
    let call = with(call(Verb::Refund, &["ref_0", "ord_1"], None), |it| {
        it.aspects = BTreeMap::from([("ord_1".into(), Aspect::Checkout)])
    });
    assert_eq!(asked(&polar).call(&call).await.unwrap()[0].id, "op_1");
}

#[actix_web::test]
async fn a_refund_is_looked_for_on_all_pages() {
    let polar = |second: &'static str| {
        Listener::answering(move |heard| match (heard.method.as_str(), heard.path.as_str()) {
            ("GET", "/v1/orders/ord_1") => ok(ORDER),
            ("GET", path) if path.ends_with("&page=1") => ok(r#"{"items":[],"pagination":{"max_page":2}}"#),
            ("GET", path) if path.ends_with("&page=2") => ok(second),
            _ => Say::Answer(404, vec![], String::new()),
        })
    };
    let found = polar(r#"{"items":[{"id":"ref_1","order_id":"ord_1","metadata":{"operation":"op_1"}}]}"#);
    let events = asked(&found).call(&known(Verb::Refund, None)).await.unwrap();
    assert_eq!((events[0].id.as_str(), found.heard().len()), ("op_1", 3));
    // What can't be read must not pass for nothing.
    for second in ["{}", r#"{"items":[1]}"#] {
        let unread = polar(second);
        let refused = asked(&unread).call(&known(Verb::Refund, None)).await;
        assert!(matches!(refused, Err(GatewayError::Unavailable(_))), "{refused:?}");
        assert!(unread.heard().iter().all(|heard| heard.method == "GET"));
    }
}
