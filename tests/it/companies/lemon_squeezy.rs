//! Is Lemon Squeezy read as it documents, and asked as its own library asks?

use actix_payments::domain::payment::Status;
use actix_payments::domain::subscription::SubscriptionStatus;
use actix_payments::gateways::lemon_squeezy::LemonSqueezy;
use actix_payments::gateways::subscriptions::SubscriptionVerb;
use actix_payments::gateways::{Gateway, GatewayError, Started, Verb};
use actix_payments::{NewPayment, NewSubscription, Outcome, Refund, Resolution, Unmatched, Variant};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Company, Stands, assert_as_recorded, call, ends, events, hex, hmac_sha256, ok, order, story, told};
use crate::app::{App, on_both_databases};
use crate::companies;
use crate::scenes::{money, with};
use crate::stripe::listener::{Listener, Say};

pub struct Of;

impl Company for Of {
    type Gateway = LemonSqueezy;
    const NAME: &'static str = "lemon_squeezy";
    const SECRET: &'static str = "hidden signing secret";

    fn gateway() -> LemonSqueezy {
        LemonSqueezy::new(Self::SECRET)
    }

    fn signed(body: &str, _: &str) -> (Vec<(&'static str, String)>, String) {
        (vec![("x-signature", hex(&hmac_sha256(Self::SECRET.as_bytes(), body.as_bytes())))], body.to_owned())
    }

    fn of(body: &str, token: &str) -> String {
        let mut event: Value = serde_json::from_str(body).unwrap();
        event["meta"]["custom_data"] = json!({"payment_token": token, "owner": "7"});
        event.to_string()
    }
}

#[test]
fn every_recorded_delivery_is_answered_as_it_should_be() {
    companies::answers_as_recorded("lemonsqueezy", 20, &[], |vector| {
        LemonSqueezy::new(vector["config"]["secret"].as_str().unwrap())
    });
}

#[test]
fn every_fixture_states_its_facts() {
    companies::every_fixture_states_its_facts::<Of>();
}

#[test]
fn the_kinds_to_tick_are_those_that_state_facts() {
    companies::the_kinds_to_tick_state_facts::<Of>(&[]);
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
    let refused = |lemon: LemonSqueezy| lemon.check().unwrap_err();
    assert!(refused(LemonSqueezy::new(" ")).contains("signing secret"));
    assert!(refused(Of::gateway().api_key("k", "my store")).contains("number of a store"));
    assert!(refused(Of::gateway().api_key("k", "11").product_variant("x", "EUR")).contains("product variant"));
    assert!(refused(Of::gateway().api_key("k", "11").product_variant("22", "euro")).contains("currency"));
    assert!(!format!("{:?}", LemonSqueezy::new("hidden").api_key("hidden", "11")).contains("hidden"));
}

/// A fixture with other attributes.
fn changed(name: &str, values: Value) -> (String, String) {
    let mut event: Value = serde_json::from_str(&events::<Of>()[name]).unwrap();
    for (field, value) in values.as_object().unwrap() {
        event["data"]["attributes"][field] = value.clone();
    }
    event["meta"]["custom_data"] = json!({"owner": "7"});
    (format!("{name} {values}"), event.to_string())
}

/// The first invoice of the fixtures' subscription, which their order pays.
fn updated_later() -> (String, String) {
    changed("subscription_updated", json!({"updated_at": "2026-10-12T09:00:00.000000Z"}))
}

fn first_invoice(values: Value) -> (String, String) {
    let (_, body) = changed("subscription_payment_success", values);
    let mut event: Value = serde_json::from_str(&body).unwrap();
    event["data"]["id"] = json!("9");
    event["data"]["attributes"]["billing_reason"] = json!("initial");
    ("first_invoice".to_owned(), event.to_string())
}

const PAID: Stands = (Status::Paid, 4999, 0, false);

/// An order in another currency, of which Lemon Squeezy shows people this amount.
fn in_currency(code: &str, shown: &str) -> (String, String) {
    changed("order_created", json!({"currency": code, "total_formatted": shown}))
}

on_both_databases! {
    async fn amounts_are_read_with_the_decimals_of_their_currency_unless_another_one_is_shown(kind) {
        let right = [("JPY", "¥4,999"), ("KRW", "₩4,999"), ("KWD", "KD 4.999"), ("JPY", "4.999 円"), ("EUR", "€50"), ("KWD", "KD 4,999"),
            ("CLP", "$4.999,00"), ("KWD", "د.ك. 4.999"), ("JPY", "¥4\u{a0}999"), ("JPY", "¥49.9"), ("JPY", "free")];
        for (code, shown) in right {
            ends::<Of>(kind, money(4999, code), vec![in_currency(code, shown)], PAID).await;
        }
        // As if its numbers were in hundredths of a yen, or a customer had paid fifty.
        for (code, shown) in [("JPY", "¥50"), ("JPY", "¥49.99"), ("JPY", "¥499,900.00"), ("KWD", "KD 49.990"), ("KWD", "KD 49.99")] {
            let app = App::bare(kind, |builder| builder.variant("lemon-squeezy", Of::gateway())).await;
            let token = app.payments.create(NewPayment::new("lemon-squeezy", money(4999, code))).await.unwrap().payment.token;
            companies::tell::<Of>(&app, "order", &Of::of(&in_currency(code, shown).1, &token)).await;
            let payment = app.payments.payment(&token).await.unwrap().unwrap();
            let why = "Lemon Squeezy shows the customer another amount than its number is in this currency";
            assert_eq!((payment.status, payment.concerns), (Status::Paid, vec![why.to_owned()]), "{code} {shown}");
            let page = app.get(&format!("/payments/admin/payments/{token}")).await.text();
            assert!(page.contains(why), "{page}");
            // Who has decided about it is not asked again by the next event that shows it.
            app.payments.resolve_review(&token, Resolution::dismiss("the price is right")).await.unwrap();
            let values = json!({"currency": code, "total_formatted": shown, "status": "refunded", "refunded_amount": 4999});
            companies::tell::<Of>(&app, "refunded", &Of::of(&changed("order_refunded", values).1, &token)).await;
            let payment = app.payments.payment(&token).await.unwrap().unwrap();
            assert_eq!((payment.status, payment.concerns), (Status::Refunded, vec![]), "{code} {shown}");
        }
    }

    async fn five_thousand_yen_shown_with_a_point_are_not_five(kind) {
        let (name, body) = in_currency("JPY", "5.000 円");
        ends::<Of>(kind, money(5000, "JPY"), vec![(name, body.replace("4999", "5000"))], (Status::Paid, 5000, 0, false)).await;
    }

    async fn an_order_is_paid_and_refunded_in_any_order(kind) {
        let eur = money(4999, "EUR");
        ends::<Of>(kind, eur, story::<Of>(&["order_created"]), PAID).await;
        let part = story::<Of>(&["order_created", "order_refunded.partial"]);
        ends::<Of>(kind, eur, part, (Status::PartiallyRefunded, 4999, 1999, false)).await;
        let all = ["order_created", "order_refunded.partial", "order_refunded"];
        ends::<Of>(kind, eur, story::<Of>(&all), (Status::Refunded, 4999, 4999, false)).await;
        let taken_off = json!({"refunded_amount": 0, "updated_at": "2026-10-14T09:00:00.000000Z"});
        let mut all = story::<Of>(&["order_created", "order_refunded.partial"]);
        all.push(changed("order_created", taken_off));
        ends::<Of>(kind, eur, all, PAID).await;
        for (word, status) in [("pending", Status::Pending), ("failed", Status::Failed)] {
            let all = vec![changed("order_created", json!({"status": word}))];
            ends::<Of>(kind, eur, all, (status, 0, 0, false)).await;
        }
    }

    async fn a_fraudulent_order_is_to_be_reviewed(kind) {
        let app = crate::app::App::bare(kind, |builder| builder.variant("lemon-squeezy", Of::gateway())).await;
        let order = actix_payments::NewPayment::new("lemon-squeezy", money(4999, "EUR"));
        let token = app.payments.create(order).await.unwrap().payment.token;
        let (name, body) = changed("order_created", json!({"status": "fraudulent"}));
        companies::tell::<Of>(&app, &name, &Of::of(&body, &token)).await;
        let payment = app.payments.payment(&token).await.unwrap().unwrap();
        assert_eq!((payment.status, payment.needs_review()), (Status::Pending, true));
    }

    async fn a_renewal_and_the_first_invoice_are_not_the_first_payment_again(kind) {
        let mut all = story::<Of>(&["order_created", "subscription_payment_success", "subscription_payment_refunded"]);
        all.push(first_invoice(json!({})));
        let (app, payment) = told::<Of>(kind, money(4999, "EUR"), &all).await;
        assert_eq!((payment.status, payment.refunded.minor), (Status::Paid, 0));
        app.pass(3600);
        app.drain().await;
        assert_eq!(app.number("SELECT count(*) FROM pay_payments"), 2, "the renewal is a payment of its own");
        assert_eq!(app.texts("SELECT status AS t FROM pay_payments ORDER BY id"), ["paid", "refunded"]);
    }

    async fn a_subscription_stands_alike_in_every_order(kind) {
        let mut all = vec![
            changed("subscription_created", json!({"updated_at": "2026-10-12T08:53:19.000000Z"})),
            changed("subscription_updated", json!({"updated_at": "2026-11-12T08:53:20.000000Z", "status": "past_due"})),
            changed("subscription_payment_failed", json!({"updated_at": "2026-11-12T08:53:20.000000Z"})),
        ];
        for one in companies::subscribed::<Of>(kind, "1", &all).await {
            assert_eq!((one.status(), one.owner()), (SubscriptionStatus::PastDue, Some("7")));
            assert!(one.state.last_invoice.as_ref().unwrap().is_open());
        }
        all.push(changed("subscription_payment_recovered", json!({"updated_at": "2026-11-13T08:53:20.000000Z"})));
        all.push(changed("subscription_cancelled", json!({"updated_at": "2026-11-14T08:53:20.000000Z"})));
        for one in companies::subscribed::<Of>(kind, "1", &all).await {
            assert_eq!(one.status(), SubscriptionStatus::Active, "it runs until its end");
            assert_eq!(one.state.ends_at().unwrap().unix_timestamp(), 1_794_473_599);
            assert!(one.state.last_invoice.as_ref().unwrap().paid);
        }
        let over = json!({"updated_at": "2026-12-12T08:53:20.000000Z", "cancelled": true});
        all.push(changed("subscription_expired", over));
        all.push(changed("subscription_resumed", json!({"updated_at": "2026-12-13T08:53:20.000000Z"})));
        for one in companies::subscribed::<Of>(kind, "1", &all).await {
            assert_eq!(one.status(), SubscriptionStatus::Canceled);
        }
    }

    /// An answer has no custom data, and the subscription did not change since it was told of.
    async fn a_refresh_leaves_a_subscription_its_owner_and_counts_as_the_newest_word(kind) {
        let (name, updated) = changed("subscription_updated", json!({"status": "active"}));
        let mut data = serde_json::from_str::<Value>(&updated).unwrap()["data"].take();
        data["attributes"]["status"] = json!("past_due");
        let listener = Listener::saying([ok(json!({"data": data}).to_string())]);
        let lemon = asked_in_their_store(&listener);
        let app = crate::app::App::bare(kind, |builder| builder.variant("lemon-squeezy", lemon)).await;
        companies::tell::<Of>(&app, &name, &updated).await;
        let found = async || app.payments.subscription_at("lemon-squeezy", "1").await.unwrap().unwrap();
        assert_eq!((found().await.status(), found().await.owner()), (SubscriptionStatus::Active, Some("7")));
        assert_eq!(app.payments.refresh_subscription(&found().await.token).await.unwrap(), Outcome::Done);
        assert_eq!((found().await.status(), found().await.owner()), (SubscriptionStatus::PastDue, Some("7")));
        assert_eq!((found().await.state.doubt, app.payments.subscription(&"psub_none".into()).await.unwrap()), (None, None));
    }

    async fn a_subscription_started_here_is_one_and_its_orders_are_recorded_in_every_order(kind) {
        for unmatched in [Unmatched::Park, Unmatched::Ignore] {
            let names = ["order_created", "subscription_created", "subscription_payment_success"];
            for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
                let url = ok(r#"{"data":{"id":"u-1","attributes":{"url":"https://x.example/"}}}"#);
                let listener = Listener::saying([url]);
                let variant = Variant::new(asked_in_their_store(&listener)).unmatched(unmatched);
                let app = crate::app::App::bare(kind, |builder| builder.variant("lemon-squeezy", variant)).await;
                let new = NewSubscription::new("lemon-squeezy", "22").owner("user-42");
                let token = app.payments.subscribe(new).await.unwrap().subscription.token;
                for place in order {
                    let (name, body) = changed(names[place], json!({}));
                    let mut event: Value = serde_json::from_str(&body).unwrap();
                    event["meta"]["custom_data"] = json!({"subscription_token": token, "owner": "user-42"});
                    companies::tell::<Of>(&app, &name, &event.to_string()).await;
                }
                assert_eq!(app.number("SELECT count(*) FROM pay_subscriptions"), 1, "{order:?}");
                let found = app.payments.subscription(&token).await.unwrap().unwrap();
                assert_eq!((found.gateway_ref.as_deref(), found.owner()), (Some("1"), Some("user-42")));
                let paid = app.number("SELECT count(*) FROM pay_payments WHERE status = 'paid'");
                assert_eq!(paid, 2, "{unmatched:?} {order:?}: {:?}", app.outcomes());
            }
        }
    }

    async fn the_money_of_the_first_invoice_is_one_payment_linked_both_ways_whatever_comes_first_or_is_lost(kind) {
        let named = |name: &str| changed(name, json!({}));
        let order = || named("order_created");
        let created = || named("subscription_created");
        let updated = || named("subscription_updated");
        let invoice = || first_invoice(json!({}));
        let mut all = Vec::new();
        for places in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let of = [order(), created(), invoice()];
            all.push(places.iter().map(|place| of[*place].clone()).collect::<Vec<_>>());
            let of = [order(), updated(), invoice()];
            all.push(places.iter().map(|place| of[*place].clone()).chain([updated_later()]).collect());
        }
        all.extend([vec![order(), created()], vec![created(), order()]]);
        all.extend([vec![invoice()], vec![invoice(), created()], vec![created(), invoice()]]);
        for story in all {
            let names: Vec<&String> = story.iter().map(|(name, _)| name).collect();
            let app = crate::app::App::bare(kind, |builder| builder.variant("lemon-squeezy", Of::gateway())).await;
            for (name, body) in &story {
                companies::tell::<Of>(&app, name, body).await;
            }
            app.pass(3600);
            app.drain().await;
            let stands = "SELECT status || ' ' || captured_amount AS t FROM pay_payments WHERE absorbed_by IS NULL";
            assert_eq!(app.texts(stands), ["paid 4999"], "{names:?}: {:?}", app.outcomes());
            let token = app.texts("SELECT token AS t FROM pay_payments WHERE absorbed_by IS NULL").remove(0);
            assert!(app.payments.rebuild(&token.as_str().into()).await.unwrap().same, "{names:?}");
            if names.iter().any(|name| *name == "first_invoice") {
                let found = app.payments.subscription_at("lemon-squeezy", "1").await.unwrap().unwrap();
                let page = app.get(&format!("/payments/admin/subscriptions/{}", found.token)).await.body;
                assert!(page.contains(&format!("payments/{token}")), "{names:?}: {page}");
                let page = app.get(&format!("/payments/admin/payments/{token}")).await.body;
                assert!(page.contains(&format!("subscriptions/{}", found.token)), "{names:?}: {page}");
            }
        }
    }

    async fn a_refund_of_the_first_invoice_is_counted_once(kind) {
        let back = |minor: i64, word: &str| json!({"refunded_amount": minor, "status": word,
            "refunded_at": "2026-10-13T08:53:19.000000Z", "updated_at": "2026-10-13T08:53:19.000000Z"});
        let paid = || vec![changed("order_created", json!({})), changed("subscription_created", json!({})),
            first_invoice(json!({}))];
        let refunded = |minor: i64, word: &str| {
            [changed("order_refunded", back(minor, word)), first_invoice(back(minor, word))]
        };
        for (minor, word, status) in [(1999, "partial_refund", "partially_refunded"), (4999, "refunded", "refunded")] {
            for take in [&[0][..], &[1], &[0, 1], &[1, 0]] {
                let app = crate::app::App::bare(kind, |builder| builder.variant("lemon-squeezy", Of::gateway())).await;
                let told = take.iter().map(|place| refunded(minor, word)[*place].clone());
                for (name, body) in paid().into_iter().chain(told) {
                    companies::tell::<Of>(&app, &name, &body).await;
                }
                let stands = "SELECT status || ' ' || refunded_amount AS t FROM pay_payments WHERE absorbed_by IS NULL";
                assert_eq!(app.texts(stands), [format!("{status} {minor}")], "{take:?}: {:?}", app.outcomes());
            }
        }
    }

    /// Who waits for it hears so, and may ask anew.
    async fn a_refund_that_could_not_be_looked_at_is_refused_and_made_once_when_asked_for_anew(kind) {
        let refunded = |minor: i64| shown_order(json!({"refunded_amount": minor, "status": "partial_refund"}));
        let whole = || shown_order(json!({}));
        let listener = Listener::saying([Say::Nothing, whole(), refunded(1999), refunded(1999)]);
        let lemon = asked_in_their_store(&listener).api_retries(0);
        let app = crate::app::App::bare(kind, |builder| builder.variant("lemon-squeezy", lemon)).await;
        let new = NewPayment::new("lemon-squeezy", money(4999, "EUR"));
        let token = app.payments.create(new).await.unwrap().payment.token;
        companies::tell::<Of>(&app, "order_created", &Of::of(&events::<Of>()["order_created"], &token)).await;
        app.payments.refund(&token, Refund::part(money(1999, "EUR"))).await.unwrap_err();
        assert_eq!(app.texts("SELECT state AS t FROM pay_operations ORDER BY id"), ["declined"]);
        for _ in 0..3 {
            app.pass(3600);
            app.drain().await;
        }
        assert!(listener.heard().iter().all(|heard| heard.method == "GET"), "nothing is tried again");
        let anew = app.payments.refund(&token, Refund::part(money(1999, "EUR"))).await.unwrap();
        assert_eq!(anew, Outcome::Done);
        assert_eq!(listener.heard().iter().filter(|heard| heard.method == "POST").count(), 1);
        let payment = app.payments.payment(&token).await.unwrap().unwrap();
        assert_eq!((payment.status, payment.refunded.minor), (Status::PartiallyRefunded, 1999));
    }

    async fn a_named_refund_that_could_not_be_looked_at_is_made_by_a_later_try(kind) {
        let refunded = shown_order(json!({"refunded_amount": 1999, "status": "partial_refund"}));
        let listener = Listener::saying([Say::Nothing, shown_order(json!({})), refunded.clone(), refunded]);
        let lemon = asked_in_their_store(&listener).api_retries(0);
        let app = crate::app::App::bare(kind, |builder| builder.variant("lemon-squeezy", lemon)).await;
        let new = NewPayment::new("lemon-squeezy", money(4999, "EUR"));
        let token = app.payments.create(new).await.unwrap().payment.token;
        companies::tell::<Of>(&app, "order_created", &Of::of(&events::<Of>()["order_created"], &token)).await;
        let named = Refund::part(money(1999, "EUR")).key("order-7");
        assert_eq!(app.payments.refund(&token, named).await.unwrap(), Outcome::Underway);
        app.pass(3600);
        app.drain().await;
        assert_eq!(listener.heard().iter().filter(|heard| heard.method == "POST").count(), 1);
        let payment = app.payments.payment(&token).await.unwrap().unwrap();
        assert_eq!((payment.status, payment.refunded.minor), (Status::PartiallyRefunded, 1999));
    }

    async fn a_subscription_that_is_sold_on_their_page_is_told_of_under_park(kind) {
        let (name, created) = changed("subscription_created", json!({}));
        let variant = Variant::new(Of::gateway()).unmatched(Unmatched::Park);
        let app = crate::app::App::bare(kind, |builder| builder.variant("lemon-squeezy", variant)).await;
        companies::tell::<Of>(&app, &name, &created).await;
        assert_eq!((app.events("completed"), app.events("parked")), (1, 0), "{:?}", app.outcomes());
        assert!(app.payments.subscription_at("lemon-squeezy", "1").await.unwrap().is_some());
    }

    async fn a_subscription_of_which_no_renewal_was_heard_is_asked_about(kind) {
        let (name, created) = changed("subscription_created", json!({"renews_at": "2026-11-12T08:53:19.000000Z"}));
        let app = crate::app::App::bare(kind, |builder| builder.variant("lemon-squeezy", Of::gateway())).await;
        companies::tell::<Of>(&app, &name, &created).await;
        let found = app.payments.subscription_at("lemon-squeezy", "1").await.unwrap().unwrap();
        assert_eq!(found.state.renews_at.unwrap().unix_timestamp(), 1_794_473_599);
        let due = "SELECT count(*) FROM pay_subscriptions WHERE period_end IS NOT NULL AND period_start IS NULL";
        assert_eq!((app.number(due), found.state.period), (1, None));
    }
}

fn asked(listener: &Listener) -> LemonSqueezy {
    Of::gateway().api_key("key_1", "11").product_variant("22", "EUR").api_base(&listener.address)
}

/// The same for the fixtures' store.
fn asked_in_their_store(listener: &Listener) -> LemonSqueezy {
    Of::gateway().api_key("key_1", "1").api_base(&listener.address)
}

/// The fixtures' order as an answer shows it, with other attributes.
fn shown_order(values: Value) -> Say {
    let (_, body) = changed("order_created", values);
    ok(json!({"data": serde_json::from_str::<Value>(&body).unwrap()["data"]}).to_string())
}

fn shown(refunded: i64) -> Say {
    ok(format!(
        r#"{{"data":{{"type":"orders","id":"1","attributes":{{"status":"paid","total":4998,"refunded_amount":{refunded},
        "currency":"EUR","test_mode":true,"updated_at":"2026-10-12T09:00:00Z"}}}}}}"#
    ))
}

#[actix_web::test]
async fn a_checkout_is_asked_for_as_lemon_squeezys_library_asks() {
    let opened = ok(r#"{"data":{"id":"u-1","attributes":{"url":"https://shop.lemonsqueezy.com/checkout/1"}}}"#);
    let listener = Listener::saying([opened]);
    let request = with(order("EUR"), |it| {
        it.customer = Some("mia@shop.example".to_owned());
        it.expires_at = Some(companies::at(1_791_803_600));
    });
    let started = asked(&listener).start(&request).await.unwrap();
    let url = "https://shop.lemonsqueezy.com/checkout/1".to_owned();
    assert_eq!(started, Started::Redirect { url, gateway_refs: Vec::new() });
    assert_as_recorded("lemon_squeezy", "checkout", &listener.heard()[0]);
    let foreign = asked(&listener).start(&order("USD")).await;
    assert!(matches!(foreign, Err(GatewayError::Declined(_))), "{foreign:?}");
    let none = Of::gateway().api_key("key_1", "11").start(&order("EUR")).await;
    assert_eq!(none, Ok(Started::Done));
}

#[actix_web::test]
async fn a_refund_is_made_once_or_not_repeated() {
    let part = call(Verb::Refund, &["order_1"], Some(money(1999, "EUR")));
    let listener = Listener::saying([shown(0), shown(1999)]);
    let events = asked(&listener).call(&part).await.unwrap();
    let words = "order paid: 49.98 EUR, 19.99 EUR of it refunded";
    assert_eq!(companies::interpret(&Of::gateway(), &events[0]).summary, words);
    assert_eq!((events[0].id.as_str(), events[0].livemode), ("op_1", Some(false)));
    assert_as_recorded("lemon_squeezy", "show", &listener.heard()[0]);
    assert_as_recorded("lemon_squeezy", "refund", &listener.heard()[1]);
    let listener = Listener::saying([shown(0), shown(1999)]);
    asked(&listener).call(&call(Verb::Refund, &["invoice_1"], Some(money(1999, "EUR")))).await.unwrap();
    assert_as_recorded("lemon_squeezy", "show_invoice", &listener.heard()[0]);
    assert_as_recorded("lemon_squeezy", "refund_invoice", &listener.heard()[1]);
    asked(&listener).call(&call(Verb::Refresh, &["invoice_1"], None)).await.unwrap();
    assert_as_recorded("lemon_squeezy", "show_invoice", &listener.heard()[2]);
    // No mark of ours is on a refund, so a part is not refunded again by itself.
    let listener = Listener::saying([shown(1999)]);
    let again = asked(&listener).call(&with(part, |it| it.tries = 2)).await;
    assert!(matches!(again, Err(GatewayError::OutcomeUnknown(_))), "{again:?}");
    assert_eq!(listener.heard().len(), 1);
    // What was only looked at did nothing, so that the next try is a first one.
    let listener = Listener::saying([Say::Nothing]);
    let unsent = asked(&listener).api_retries(0).call(&call(Verb::Refund, &["order_1"], None)).await;
    assert!(matches!(unsent, Err(GatewayError::Unavailable(_))), "{unsent:?}");
    // All that is left can't be refunded twice.
    let all = call(Verb::Refund, &["order_1"], None);
    let listener = Listener::saying([shown(1999), shown(4998)]);
    asked(&listener).call(&all).await.unwrap();
    assert!(listener.heard()[1].body.contains(r#""amount":2999"#));
    let listener = Listener::saying([shown(4998)]);
    assert!(asked(&listener).call(&with(all.clone(), |it| it.tries = 2)).await.is_ok());
    assert_eq!(listener.heard().len(), 1);
    let events = asked(&listener).call(&call(Verb::Refresh, &["order_1"], None)).await.unwrap();
    assert_eq!(events[0].id, "op_1-1");
}

#[actix_web::test]
async fn a_subscription_is_asked_about_as_lemon_squeezys_library_asks() {
    let shown = ok(r#"{"data":{"type":"subscriptions","id":"1","attributes":{"status":"active","cancelled":false}}}"#);
    let cases = [
        (SubscriptionVerb::CancelAtEnd, "subscription_cancel_at_end"),
        (SubscriptionVerb::Resume, "subscription_resume"),
        (SubscriptionVerb::Refresh, "subscription_refresh"),
    ];
    for (verb, name) in cases {
        let listener = Listener::saying([shown.clone()]);
        let lemon = asked(&listener);
        let events = lemon.subscriptions().unwrap().call(&companies::subscription_call(verb, "1")).await.unwrap();
        assert_eq!(companies::interpret(&lemon, &events[0]).summary, "subscription active");
        assert_as_recorded("lemon_squeezy", name, &listener.heard()[0]);
    }
    let listener = Listener::saying([ok(r#"{"data":{"id":"u-1","attributes":{"url":"https://x.example/"}}}"#)]);
    let lemon = asked(&listener);
    lemon.subscriptions().unwrap().subscribe(&companies::subscription_request("22")).await.unwrap();
    assert_as_recorded("lemon_squeezy", "subscribe", &listener.heard()[0]);
    assert!(lemon.subscriptions().unwrap().supports(SubscriptionVerb::Cancel).is_err());
}

#[test]
fn only_a_discount_explains_a_free_order() {
    for (discount, face) in [(0, 0), (4201, 4999)] {
        let (name, body) = changed("order_created", json!({"total": 0, "tax": 0, "discount_total": discount}));
        let event = &companies::received::<Of>(&name, &body)[0];
        assert_eq!(companies::interpret(&Of::gateway().discounts(), event).facts[0].face, Some(face));
        assert_eq!(companies::interpret(&Of::gateway(), event).facts[0].face, Some(0));
    }
}
