//! Is what nobody told found out by itself: a lost renewal, a lost end, and a subscription that is not certain?

use std::time::Duration;

use actix_payments::domain::subscription::SubscriptionStatus;
use serde_json::json;

use super::billing::Billing;
use super::story::DAY;
use crate::app::{App, Kind, NOW, SECRET, on_both_databases};

/// An app that has heard of the fake's one subscription, which is active.
async fn app(kind: Kind) -> (App, Billing, String) {
    let billing = Billing::new(NOW);
    let id = billing.state().subscribe("user-42", false);
    let gateway = billing.gateway(SECRET);
    let app = App::bare(kind, |builder| builder.variant("stripe", gateway)).await;
    let told: Vec<String> = billing.state().events.iter().map(ToString::to_string).collect();
    app.deliver(&told.iter().map(String::as_str).collect::<Vec<_>>()).await;
    (app, billing, id)
}

fn pass(app: &App, billing: &Billing, seconds: i64) {
    app.pass(seconds);
    billing.state().now += seconds;
}

/// What a worker does from time to time, once for a span of the clock.
async fn chores(app: &App) {
    let open = "SELECT count(*) FROM pay_subscription_operations WHERE state = 'underway'";
    let worker = app.payments.worker().poll(Duration::from_millis(10)).start().unwrap();
    // Each chore of a gateway has a loop of its own: when it begins again, it has ended before.
    for name in ["reconcile:stripe", "subscriptions:stripe", "reconcile:stripe", "subscriptions:stripe"] {
        let done = format!("SELECT count(*) FROM pay_chores WHERE name = '{name}'");
        app.run(&format!("DELETE FROM pay_chores WHERE name = '{name}'"));
        app.until(&done, 1).await;
    }
    app.until(open, 0).await;
    worker.stop().await;
    app.drain().await;
}

on_both_databases! {
    async fn a_lost_end_is_asked_for_when_the_period_is_over(kind) {
        let (app, billing, id) = app(kind).await;
        billing.state().end(&id);
        // Stripe lists its events for thirty days; then nobody tells any more.
        billing.state().events.clear();
        pass(&app, &billing, DAY);
        chores(&app).await;
        assert_eq!(app.subscription(&id).await.status(), SubscriptionStatus::Active, "not before there is a reason");
        pass(&app, &billing, 31 * DAY);
        chores(&app).await;
        assert_eq!(app.subscription(&id).await.status(), SubscriptionStatus::Canceled);
        let asked = app.texts("SELECT verb || ' by ' || actor AS t FROM pay_subscription_operations");
        assert_eq!(asked, ["refresh by a worker"]);
        pass(&app, &billing, DAY);
        chores(&app).await;
        assert_eq!(app.number("SELECT count(*) FROM pay_subscription_operations"), 1, "what ended is left alone");
    }

    async fn what_was_lost_is_reconciled(kind) {
        let (app, billing, id) = app(kind).await;
        pass(&app, &billing, 60);
        billing.state().renew(&id);
        billing.state().fail(&id);
        pass(&app, &billing, 60);
        chores(&app).await;
        let found = app.subscription(&id).await;
        assert_eq!((found.status(), found.state.last_invoice.unwrap().attempts), (SubscriptionStatus::PastDue, 1));
        assert_eq!(app.number("SELECT count(*) FROM pay_subscription_invoices"), 2);
    }

    async fn what_is_not_certain_is_asked_for(kind) {
        let (app, billing, id) = app(kind).await;
        pass(&app, &billing, 60);
        // Forth and back within a second: no event says which was last.
        for quantity in [2, 3, 2] {
            let mut items = billing.state().subscriptions[&id]["items"].clone();
            items["data"][0]["quantity"] = json!(quantity);
            billing.state().change(&id, json!({"items": items}));
        }
        let told: Vec<String> = billing.state().events.iter().map(ToString::to_string).collect();
        app.deliver(&told.iter().map(String::as_str).collect::<Vec<_>>()).await;
        assert!(app.subscription(&id).await.state.doubt.is_some());
        pass(&app, &billing, 2);
        chores(&app).await;
        let found = app.subscription(&id).await;
        assert_eq!((found.state.doubt, found.state.items[0].quantity), (None, Some(2)));
    }

    async fn an_answer_that_may_be_older_than_an_event_is_asked_for_once_more(kind) {
        let (app, billing, id) = app(kind).await;
        let token = app.subscription(&id).await.token;
        pass(&app, &billing, 60);
        let mut items = billing.state().subscriptions[&id]["items"].clone();
        items["data"][0]["quantity"] = json!(3);
        billing.state().change(&id, json!({"items": items}));
        let told = billing.state().events.last().unwrap().to_string();
        app.deliver(&[&told]).await;
        // Within a second of that event, and the event of this change is lost.
        pass(&app, &billing, 1);
        app.payments.cancel_subscription_at_end(&token).await.unwrap();
        let found = app.subscription(&id).await.state;
        assert_eq!((found.items[0].quantity, found.cancel_at_period_end, found.doubt.is_some()), (Some(3), true, true));
        for _ in 0..3 {
            pass(&app, &billing, 4);
            app.drain().await;
        }
        let found = app.subscription(&id).await.state;
        assert_eq!((found.items[0].quantity, found.cancel_at_period_end, found.doubt), (Some(3), true, None));
        let asked = app.texts("SELECT verb || ' by ' || actor || ' ' || state AS t FROM pay_subscription_operations ORDER BY id");
        assert_eq!(asked, ["cancel_at_end by the app done", "refresh by a worker done"]);
    }

    async fn a_subscription_of_an_older_release_gets_its_monthly_sum(kind) {
        let (app, _billing, _id) = app(kind).await;
        let sums = || app.texts("SELECT monthly_amount || ' ' || monthly_currency AS t FROM pay_subscriptions");
        let before = sums();
        assert_eq!(before, ["2000 USD"]);
        // As a release before the one with sums left it.
        app.run("UPDATE pay_subscriptions SET monthly_amount = NULL, monthly_currency = NULL");
        let worker = app.payments.worker().poll(Duration::from_millis(10)).start().unwrap();
        app.until("SELECT count(*) FROM pay_subscriptions WHERE monthly_currency IS NOT NULL", 1).await;
        worker.stop().await;
        assert_eq!(sums(), before);
    }
}
