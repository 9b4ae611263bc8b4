//! Is what nobody told found out by itself: a lost renewal, a lost end, and a subscription that is not certain?

use std::time::Duration;

use actix_payments::domain::subscription::SubscriptionStatus;
use actix_payments::gateways::stripe::Stripe;
use actix_payments::{Chores, Outcome};
use serde_json::{Value, json};

use super::billing::Billing;
use super::story::{DAY, Story};
use crate::app::{App, Kind, NOW, SECRET, on_both_databases};
use crate::stripe::listener::{Listener, Say};

/// An app that has heard of the fake's one subscription, which is active.
pub async fn app(kind: Kind) -> (App, Billing, String) {
    let billing = Billing::new(NOW);
    let id = billing.state().subscribe("user-42", false);
    let gateway = billing.gateway(SECRET);
    let app = App::bare(kind, |builder| builder.variant("stripe", gateway)).await;
    tell(&app, &billing).await;
    (app, billing, id)
}

/// Delivers all that the fake has to tell.
async fn tell(app: &App, billing: &Billing) {
    let told: Vec<String> = billing.state().events.iter().map(ToString::to_string).collect();
    app.deliver(&told.iter().map(String::as_str).collect::<Vec<_>>()).await;
}

/// Changes the quantity forth and back within a second: no event says which was last.
fn forth_and_back(billing: &Billing, id: &str) {
    for quantity in [2, 3, 2] {
        let mut items = billing.state().subscriptions[id]["items"].clone();
        items["data"][0]["quantity"] = json!(quantity);
        billing.state().change(id, json!({"items": items}));
    }
}

fn pass(app: &App, billing: &Billing, seconds: i64) {
    app.pass(seconds);
    billing.state().now += seconds;
}

/// What a worker does from time to time, once for a span of the clock.
async fn chores(app: &App) {
    chores_named(app, &["reconcile:stripe", "subscriptions:stripe"]).await;
}

async fn chores_named(app: &App, names: &[&str]) {
    let open = "SELECT count(*) FROM pay_subscription_operations WHERE state = 'underway'";
    let worker = app.payments.worker().poll(Duration::from_millis(10)).start().unwrap();
    // Each chore of a gateway has a loop of its own: when it begins again, it has ended before.
    app.run("DELETE FROM pay_chores WHERE name = 'doubts:stripe'");
    for name in names.iter().chain(names) {
        let done = format!("SELECT count(*) FROM pay_chores WHERE name = '{name}'");
        app.run(&format!("DELETE FROM pay_chores WHERE name = '{name}'"));
        app.until(&done, 1).await;
    }
    app.until(open, 0).await;
    worker.stop().await;
    app.drain().await;
}

/// Lets a worker write the monthly sums that are owed.
async fn summed(app: &App) {
    let worker = app.payments.worker().poll(Duration::from_millis(10)).start().unwrap();
    app.until("SELECT count(*) FROM pay_subscriptions WHERE summed_version IS NULL OR summed_version <> version", 0)
        .await;
    worker.stop().await;
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
        forth_and_back(&billing, &id);
        tell(&app, &billing).await;
        assert!(app.subscription(&id).await.state.doubt.is_some());
        pass(&app, &billing, 20);
        chores(&app).await;
        let found = app.subscription(&id).await;
        assert_eq!((found.state.doubt, found.state.items[0].quantity), (None, Some(2)));
    }

    async fn a_doubt_that_arises_after_an_answer_is_asked_about_within_minutes(kind) {
        for refresh_after in [Chores::default().refresh_after, None] {
            let billing = Billing::new(NOW);
            let id = billing.state().subscribe("user-42", false);
            let gateway = billing.gateway(SECRET);
            let chores_of_host = Chores::new().refresh_after(refresh_after);
            let app = App::bare(kind, |builder| builder.variant("stripe", gateway).chores(chores_of_host)).await;
            tell(&app, &billing).await;
            // It was asked about a moment ago, and then changes forth and back within a second.
            pass(&app, &billing, 60);
            app.payments.refresh_subscription(&app.subscription(&id).await.token).await.unwrap();
            pass(&app, &billing, 60);
            forth_and_back(&billing, &id);
            tell(&app, &billing).await;
            assert!(app.subscription(&id).await.state.doubt.is_some());
            pass(&app, &billing, 120);
            let looks: &[&str] =
                if refresh_after.is_some() { &["subscriptions:stripe"] } else { &["reconcile:stripe"] };
            chores_named(&app, looks).await;
            let found = app.subscription(&id).await;
            let by_worker = app.number("SELECT count(*) FROM pay_subscription_operations WHERE actor = 'a worker'");
            let expected = if refresh_after.is_some() { (true, 1) } else { (false, 0) };
            assert_eq!((found.state.doubt.is_none(), by_worker), expected, "{refresh_after:?}");
        }
    }

    async fn a_doubt_that_no_answer_ends_is_asked_about_twice_a_day_and_no_more(kind) {
        let (app, billing, id) = app(kind).await;
        pass(&app, &billing, 60);
        forth_and_back(&billing, &id);
        tell(&app, &billing).await;
        // Stripe does not know it any more, as after its test data were deleted.
        billing.state().subscriptions.clear();
        let mut asked = Vec::new();
        for _ in 0..9 {
            pass(&app, &billing, 4 * 3_600);
            chores(&app).await;
            asked.push(app.number("SELECT count(*) FROM pay_subscription_operations"));
        }
        assert_eq!(asked, [1, 1, 2, 2, 2, 2, 2, 3, 3]);
        assert!(app.subscription(&id).await.state.doubt.is_some(), "and it says so");
        // What is new is asked about anew.
        let mut told: Value = billing.state().events.last().unwrap().clone();
        told["created"] = json!(billing.state().now);
        for (number, quantity) in [7, 8, 7].into_iter().enumerate() {
            told["id"] = json!(format!("evt_new_{number}"));
            told["data"]["object"]["items"]["data"][0]["quantity"] = json!(quantity);
            told["data"]["previous_attributes"] = json!({});
            app.deliver(&[&told.to_string()]).await;
        }
        pass(&app, &billing, 120);
        chores(&app).await;
        assert_eq!(app.number("SELECT count(*) FROM pay_subscription_operations"), 4);
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

    async fn a_refresh_brings_what_became_of_the_invoices(kind) {
        let (app, billing, id) = app(kind).await;
        let token = app.subscription(&id).await.token;
        let invoices = || app.texts(
            "SELECT status || ' ' || CASE WHEN paid THEN 'paid' ELSE 'due' END AS t FROM pay_subscription_invoices ORDER BY gateway_ref",
        );
        // No list of events has any of them any more.
        let lose = || billing.state().events.clear();
        pass(&app, &billing, 31 * DAY);
        billing.state().renew(&id);
        billing.state().fail(&id);
        lose();
        pass(&app, &billing, 5);
        app.payments.refresh_subscription(&token).await.unwrap();
        let found = app.subscription(&id).await;
        let invoice = found.state.last_invoice.clone().unwrap();
        let next = invoice.next_attempt.map(|at| at.unix_timestamp());
        assert_eq!((found.status(), invoice.due.unwrap().to_string(), invoice.attempts), (SubscriptionStatus::PastDue, "20.00 USD".to_owned(), 1));
        assert_eq!((next, invoices()), (Some(billing.state().now - 5 + 3 * DAY), vec!["paid paid".to_owned(), "open due".to_owned()]));
        pass(&app, &billing, 60);
        billing.state().pay(&id);
        lose();
        pass(&app, &billing, 5);
        app.payments.refresh_subscription(&token).await.unwrap();
        let found = app.subscription(&id).await;
        assert_eq!((found.status(), found.state.doubt), (SubscriptionStatus::Active, None));
        assert_eq!((found.state.last_invoice.unwrap().attempts, invoices()), (2, vec!["paid paid".to_owned(); 2]));
    }

    async fn an_answer_does_not_move_when_an_invoice_was_paid(kind) {
        // Whether Stripe says when it was paid, and whether its event or an answer comes first, each twice, or only answers.
        for (says, order) in [(true, [0, 1]), (true, [1, 0]), (false, [0, 1]), (false, [1, 0]), (true, [1, 1])] {
            let (app, billing, id) = app(kind).await;
            let token = app.subscription(&id).await.token;
            pass(&app, &billing, 31 * DAY);
            billing.state().renew(&id);
            billing.state().fail(&id);
            pass(&app, &billing, 60);
            billing.state().pay(&id);
            let paid_at = billing.state().now;
            let newest = billing.state().subscriptions[&id]["latest_invoice"].as_str().unwrap().to_owned();
            if !says {
                billing.state().invoices.get_mut(&newest).unwrap()["status_transitions"] = json!(null);
                for event in &mut billing.state().events {
                    event["data"]["object"].as_object_mut().unwrap().remove("status_transitions");
                }
            }
            let told: Vec<String> = billing.state().events.iter().map(ToString::to_string).collect();
            for what in order.into_iter().chain(order) {
                pass(&app, &billing, 600);
                if what == 0 {
                    app.deliver(&told.iter().map(String::as_str).collect::<Vec<_>>()).await;
                } else {
                    app.payments.refresh_subscription(&token).await.unwrap();
                }
            }
            let state = app.subscription(&id).await.state;
            let invoice = state.last_invoice.unwrap();
            assert_eq!((invoice.gateway_ref.as_str(), state.status), (newest.as_str(), SubscriptionStatus::Active));
            assert_eq!(invoice.paid_at.map(|at| at.unix_timestamp()), Some(paid_at), "{says} {order:?}");
        }
    }

    async fn a_key_that_may_not_read_invoices_refreshes_the_subscription(kind) {
        let mut object = crate::events::fixture("customer.subscription.updated")["data"]["object"].take();
        object["id"] = json!("sub_1");
        object["status"] = json!("past_due");
        let listener = Listener::answering(move |heard| match heard.path.split('?').next() {
            Some("/v1/subscriptions/sub_1") => Say::Answer(200, vec![], object.to_string()),
            _ => Say::Answer(403, vec![], json!({"error": {"type": "invalid_request_error", "message": "The key may not read invoices"}}).to_string()),
        });
        let gateway = Stripe::new(SECRET).api_key("rk_test_1").api_base(&listener.address).api_retries(0);
        let app = App::bare(kind, |builder| builder.variant("stripe", gateway)).await;
        app.hear(&Story::new(1, "active")).await;
        let token = app.subscription("sub_1").await.token;
        assert_eq!(app.payments.refresh_subscription(&token).await.unwrap(), Outcome::Done);
        assert_eq!(app.subscription("sub_1").await.status(), SubscriptionStatus::PastDue);
    }

    async fn a_subscription_of_an_older_release_gets_its_monthly_sum(kind) {
        let (app, _billing, _id) = app(kind).await;
        let sums = || app.texts("SELECT monthly_amount || ' ' || monthly_currency AS t FROM pay_subscriptions");
        let before = sums();
        assert_eq!(before, ["2000 USD"]);
        // As a release before the one with sums left it.
        app.run("UPDATE pay_subscriptions SET monthly_amount = NULL, monthly_currency = NULL, summed_version = NULL");
        summed(&app).await;
        assert_eq!(sums(), before);
    }

    async fn what_an_older_release_writes_beside_this_one_gets_its_monthly_sum(kind) {
        let (app, billing, _id) = app(kind).await;
        billing.state().subscribe("user-43", false);
        tell(&app, &billing).await;
        // All was looked through once.
        app.run("UPDATE pay_subscriptions SET summed_version = NULL");
        summed(&app).await;
        let sums = || app.texts("SELECT CAST(monthly_amount AS VARCHAR(20)) AS t FROM pay_subscriptions ORDER BY id");
        assert_eq!(sums(), ["2000", "2000"]);
        // It changes the first row and leaves the columns alone that it does not know.
        let changed = r#"facts = replace(facts, '"quantity":1', '"quantity":3'), version = version + 1"#;
        app.run(&format!("UPDATE pay_subscriptions SET {changed} WHERE id = 1"));
        app.pass(3_600);
        summed(&app).await;
        assert_eq!(sums(), ["6000", "2000"]);
        assert_eq!(app.number("SELECT count(*) FROM pay_subscriptions WHERE version = summed_version"), 2);
    }

    async fn a_subscription_that_cannot_be_read_keeps_no_other_from_its_monthly_sum(kind) {
        let (app, billing, _id) = app(kind).await;
        for owner in ["user-43", "user-44"] {
            billing.state().subscribe(owner, false);
        }
        tell(&app, &billing).await;
        let empty = "monthly_amount = NULL, monthly_currency = NULL, summed_version = NULL";
        app.run(&format!("UPDATE pay_subscriptions SET {empty}"));
        // As a newer release writes them.
        app.run("UPDATE pay_subscriptions SET status = 'hibernating' WHERE id = 1");
        app.run("UPDATE pay_subscriptions SET facts = '[]' WHERE id = 2");
        let worker = app.payments.worker().poll(Duration::from_millis(10)).start().unwrap();
        app.until("SELECT count(*) FROM pay_subscriptions WHERE monthly_currency IS NOT NULL", 1).await;
        worker.stop().await;
        let failing = "SELECT count(*) FROM pay_chores WHERE failing_since IS NOT NULL AND name LIKE 'sums:%'";
        assert_eq!(app.number(failing), 0);
        let sums = "SELECT CAST(id AS VARCHAR(20)) || ' ' || coalesce(CAST(monthly_amount AS VARCHAR(20)), '-') AS t \
                    FROM pay_subscriptions ORDER BY id";
        assert_eq!(app.texts(sums), ["1 -", "2 -", "3 2000"]);
    }

    async fn monthly_sums_that_cannot_be_written_are_an_alarm(kind) {
        let (app, _billing, _id) = app(kind).await;
        app.run(
            "INSERT INTO pay_chores (name, due_at, ran_at, failing_since, failure) SELECT 'sums:subscriptions', \
             created_at, created_at, created_at, 'the disk is full' FROM pay_subscriptions",
        );
        app.pass(3_600);
        let overview = app.get("/payments/admin/").await.text();
        assert!(overview.contains("the disk is full"), "{overview}");
    }
}
