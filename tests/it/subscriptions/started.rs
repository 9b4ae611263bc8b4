//! Is a subscription that was started here one, and is its money recorded, whatever comes first and whatever becomes of
//! events that nothing matches?

use actix_payments::domain::Timestamp;
use actix_payments::domain::money::{Currency, Money};
use actix_payments::domain::subscription::SubscriptionStatus;
use actix_payments::gateways::dummy::{Dummy, DummyInvoice, DummySubscription};
use actix_payments::gateways::stripe::Stripe;
use actix_payments::{NewSubscription, Token, Unmatched, Variant};
use serde_json::{Value, json};

use super::story::{Story, orders};
use crate::app::{App, Kind, NOW, SECRET, on_both_databases};
use crate::events::fixture;
use crate::stripe::listener::{Listener, Say};

fn at(second: i64) -> Timestamp {
    Timestamp::from_unix_timestamp(NOW + second).unwrap()
}

fn euro(minor: i64) -> Money {
    Money::new(minor, Currency::parse("EUR").unwrap())
}

/// An app with the dummy gateway and a subscription that it started: its token.
async fn started(kind: Kind, dummy: &Dummy, unmatched: Unmatched) -> (App, Token) {
    let variant = Variant::new(dummy.clone()).unmatched(unmatched);
    let app = App::bare(kind, |builder| builder.variant("dummy", variant)).await;
    let new = NewSubscription::new("dummy", "tea").owner("user-42").customer("mia@shop.example");
    let token = app.payments.subscribe(new).await.unwrap().subscription.token;
    (app, token)
}

/// An event with the invoice `number`, with or without the token.
fn event(number: i64, token: Option<&str>) -> DummySubscription {
    let event = DummySubscription::new(format!("de_{number}"), "ds_1", SubscriptionStatus::Active).price("tea");
    let event = event.invoice(DummyInvoice::paid(format!("di_{number}"), euro(1250), 1));
    token.into_iter().fold(event, |event, token| event.token(token))
}

/// An app with Stripe and a subscription that it started.
async fn started_at_stripe(kind: Kind, unmatched: Unmatched) -> (App, Listener, Token) {
    let (app, listener) = at_stripe(kind, unmatched).await;
    let token = begun(&app).await;
    (app, listener, token)
}

/// An app that starts subscriptions at Stripe.
pub async fn at_stripe(kind: Kind, unmatched: Unmatched) -> (App, Listener) {
    let session = json!({"id": "cs_1", "object": "checkout.session", "url": "https://checkout.stripe.com/c/1"});
    let listener = Listener::saying([Say::Answer(200, vec![], session.to_string())]);
    let stripe = Stripe::new(SECRET).api_key("sk_test_1").api_base(&listener.address);
    let variant = Variant::new(stripe).unmatched(unmatched);
    (App::bare(kind, |builder| builder.variant("stripe", variant)).await, listener)
}

/// A subscription that is started there: its token.
pub async fn begun(app: &App) -> Token {
    let new = NewSubscription::new("stripe", "price_tea").owner("user-42").return_url("https://shop.example/");
    app.payments.subscribe(new).await.unwrap().subscription.token
}

/// The intent that pays an invoice: like its charge, it states nothing of the subscription.
fn intent(invoice: &str) -> String {
    let mut event: Value = fixture("payment_intent.succeeded");
    event["id"] = json!(format!("evt_of_{invoice}"));
    let intent = &mut event["data"]["object"];
    intent["id"] = json!(format!("pi_{invoice}"));
    intent["latest_charge"] = json!(format!("ch_{invoice}"));
    intent["payment_details"] = json!({"order_reference": invoice});
    intent["metadata"] = json!({});
    event.to_string()
}

fn paid(app: &App) -> i64 {
    app.number("SELECT count(*) FROM pay_payments WHERE status = 'paid'")
}

on_both_databases! {
    async fn an_event_without_the_token_that_comes_first_makes_no_second_subscription(kind) {
        for (order, at_once) in orders(3).iter().flat_map(|order| [(order, false), (order, true)]) {
            let dummy = Dummy::new("secret").price("tea", euro(1250), "month");
            let (app, token) = started(kind, &dummy, Unmatched::Adopt).await;
            let events = [event(1, None), event(2, Some(&token)), event(3, None)];
            for place in order {
                let (event, then) = (&events[*place], at(*place as i64));
                app.payments.receive("dummy", dummy.subscription_delivery(event, then)).await.unwrap();
                if !at_once {
                    app.drain().await;
                }
            }
            app.drain().await;
            let all = app.texts("SELECT token || ' ' || gateway_ref || ' ' || version AS t FROM pay_subscriptions");
            assert_eq!(all.len(), 1, "{order:?}: {all:?}");
            let found = app.payments.subscription(&token).await.unwrap().unwrap();
            assert_eq!((found.gateway_ref.as_deref(), found.adopted), (Some("ds_1"), false), "{order:?}");
            assert_eq!((found.owner(), found.status()), (Some("user-42"), SubscriptionStatus::Active), "{order:?}");
            assert_eq!(found.state.customer.as_deref(), Some("mia@shop.example"));
            assert!(app.payments.active("user-42").await.unwrap());
            let of_it = "FROM pay_subscriptions s WHERE s.id = subscription_id";
            assert_eq!(app.number(&format!("SELECT count(*) FROM pay_events WHERE EXISTS (SELECT 1 {of_it})")), 3);
            let invoices = "SELECT count(*) FROM pay_subscription_invoices WHERE EXISTS";
            assert_eq!(app.number(&format!("{invoices} (SELECT 1 {of_it})")), 3);
            let orphans = "SELECT count(*) FROM pay_subscription_transitions WHERE NOT EXISTS";
            assert_eq!(app.number(&format!("{orphans} (SELECT 1 {of_it})")), 0);
            assert_eq!((paid(&app), app.events("completed")), (3, 3), "{order:?}");
        }
    }

    async fn a_token_of_another_subscription_takes_nothing_over(kind) {
        let dummy = Dummy::new("secret").price("tea", euro(1250), "month");
        let (app, token) = started(kind, &dummy, Unmatched::Adopt).await;
        let other = NewSubscription::new("dummy", "tea").owner("user-7");
        let other = app.payments.subscribe(other).await.unwrap().subscription.token;
        for (number, token) in [(1, &token), (2, &other)] {
            let event = event(number, Some(token));
            app.payments.receive("dummy", dummy.subscription_delivery(&event, at(number))).await.unwrap();
            app.drain().await;
        }
        assert_eq!(app.number("SELECT count(*) FROM pay_subscriptions"), 2);
        assert_eq!(app.payments.subscription(&other).await.unwrap().unwrap().gateway_ref, None);
        let found = app.payments.subscription_at("dummy", "ds_1").await.unwrap().unwrap();
        assert_eq!((found.token.as_str(), found.owner()), (token.as_str(), Some("user-42")));
    }

    async fn the_money_of_a_subscription_started_here_is_recorded_under_every_policy(kind) {
        for unmatched in [Unmatched::Adopt, Unmatched::Park, Unmatched::Ignore] {
            let dummy = Dummy::new("secret").price("tea", euro(1250), "month");
            let (app, token) = started(kind, &dummy, unmatched).await;
            // The first payment, a renewal, and one of a subscription that nobody here has asked for.
            let foreign = DummySubscription::new("de_9", "ds_9", SubscriptionStatus::Active);
            let foreign = foreign.invoice(DummyInvoice::paid("di_9", euro(990), 1));
            for (event, second) in [(event(1, Some(&token)), 1), (event(2, None), 2), (foreign, 3)] {
                app.payments.receive("dummy", dummy.subscription_delivery(&event, at(second))).await.unwrap();
                app.drain().await;
            }
            let of_others = i64::from(unmatched == Unmatched::Adopt);
            assert_eq!(paid(&app), 2 + of_others, "{unmatched:?}: {:?}", app.outcomes());
            assert_eq!(app.number("SELECT count(*) FROM pay_payments WHERE captured_amount = 1250"), 2);
            assert_eq!(app.events("ignored"), i64::from(unmatched == Unmatched::Ignore));
        }
    }

    async fn an_intent_of_an_invoice_of_ours_is_recorded_though_it_names_only_that(kind) {
        use Unmatched::{Ignore, Park};
        for (unmatched, is_first) in [(Ignore, false), (Ignore, true), (Park, false), (Park, true)] {
            let (app, _listener, token) = started_at_stripe(kind, unmatched).await;
            let mut story = Story::new(1001, "active");
            story.update(NOW, json!({"metadata": {"subscription_token": token}}));
            story.invoice("paid", NOW + 2, json!({"status": "paid"}));
            let known = story.events[..2].iter().map(String::as_str);
            let (invoice, intent) = (story.events[2].as_str(), intent("in_1001"));
            let told = if is_first { [intent.as_str(), invoice] } else { [invoice, intent.as_str()] };
            // The event without the token comes first, too.
            for event in known.chain(told) {
                app.deliver(&[event]).await;
            }
            assert_eq!(paid(&app), 1, "{unmatched:?} {is_first}: {:?}", app.outcomes());
            assert_eq!(app.events("parked"), 0);
            let page = app.get(&format!("/payments/admin/subscriptions/{token}")).await.body;
            assert!(page.contains("payments/pay_"), "its payment is linked: {page}");
            // One of a subscription that was not started here goes the way of all others.
            let (stranger, before) = (self::intent("in_9009"), app.events("ignored"));
            app.deliver(&[&stranger]).await;
            assert_eq!((paid(&app), app.events("parked")), (1, 1), "its invoice may still come");
            app.pass(120);
            app.drain().await;
            let (parked, ignored) = if unmatched == Ignore { (0, 1) } else { (1, 0) };
            let ended = (app.events("parked"), app.events("ignored") - before);
            assert_eq!((paid(&app), ended), (1, (parked, ignored)), "{unmatched:?}");
        }
    }

    async fn an_intent_that_was_ignored_is_recorded_once_its_invoice_is_told_of(kind) {
        let (app, _listener, token) = started_at_stripe(kind, Unmatched::Ignore).await;
        let mut story = Story::new(1001, "active");
        story.update(NOW, json!({"metadata": {"subscription_token": token}}));
        story.invoice("paid", NOW + 2, json!({"status": "paid"}));
        app.deliver(&[&story.events[1], &intent("in_1001")]).await;
        app.pass(3_600);
        app.drain().await;
        assert_eq!((paid(&app), app.events("ignored")), (0, 1), "its invoice's event was lost so far");
        app.deliver(&[&story.events[2]]).await;
        assert_eq!((paid(&app), app.events("ignored")), (1, 0), "{:?}", app.outcomes());
    }

    async fn an_intent_waits_until_its_invoices_subscription_turns_out_to_be_ours(kind) {
        let (app, _listener, token) = started_at_stripe(kind, Unmatched::Park).await;
        let mut story = Story::new(1001, "active");
        story.invoice("paid", NOW + 1, json!({"status": "paid"}));
        story.update(NOW + 2, json!({"metadata": {"subscription_token": token}}));
        let intent = intent("in_1001");
        for event in [&story.events[1], &intent] {
            app.deliver(&[event]).await;
        }
        assert_eq!((paid(&app), app.events("parked")), (0, 1));
        app.deliver(&[&story.events[2]]).await;
        assert_eq!((paid(&app), app.events("parked")), (1, 0), "{:?}", app.outcomes());
    }

    async fn an_intent_that_was_not_woken_is_looked_at_again_after_the_grace_time(kind) {
        let (app, _listener, token) = started_at_stripe(kind, Unmatched::Park).await;
        let mut story = Story::new(1001, "active");
        story.invoice("paid", NOW + 1, json!({"status": "paid"}));
        story.update(NOW + 2, json!({"metadata": {"subscription_token": token}}));
        app.deliver(&[&story.events[1], &intent("in_1001")]).await;
        // Another process recognized the subscription while this one parked the event, and neither saw the other.
        let parked = "SELECT coalesce(CAST(due_at AS TEXT), 'never') AS t FROM pay_events WHERE state = 'parked'";
        let due = app.texts(parked);
        app.run("UPDATE pay_events SET state = 'ignored', due_at = NULL WHERE state = 'parked'");
        app.deliver(&[&story.events[2]]).await;
        app.run(&format!("UPDATE pay_events SET state = 'parked', due_at = '{}' WHERE state = 'ignored'", due[0]));
        app.pass(120);
        app.drain().await;
        assert_eq!((paid(&app), app.events("parked")), (1, 0), "{:?}", app.outcomes());
    }
}
