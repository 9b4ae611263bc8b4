//! Do the events end in what is true that no recorded one shows: kinds that differ in a word only, and states between the
//! first and the last?

use actix_payments::domain::payment::Status;
use actix_payments::domain::subscription::SubscriptionStatus;
use actix_payments::{NewPayment, Payment};
use actix_web::http::Method;
use serde_json::{Value, json};

use super::adyen::{Manual, delivered, notification};
use super::faults::{changed, one};
use super::{Company, adyen, ends, events, lemon_squeezy, paddle, razorpay, square, story, subscribed, tell, variant};
use crate::app::{App, Kind, on_both_databases};
use crate::scenes::money;

/// A fixture under another kind, with other values in the object at `path`.
fn as_kind<C: Company>(name: &str, field: &str, kind: &str, path: &str, values: Value) -> (String, String) {
    let mut event: Value = serde_json::from_str(&changed::<C>(name, path, values)).unwrap();
    event[field] = json!(kind);
    (kind.to_owned(), event.to_string())
}

fn of_razorpay(name: &str, kind: &str, entity: &str, values: Value) -> (String, String) {
    as_kind::<razorpay::Of>(name, "event", kind, &format!("/payload/{entity}/entity"), values)
}

fn of_paddle(name: &str, kind: &str, values: Value) -> (String, String) {
    let (_, body) = as_kind::<paddle::Of>(name, "event_type", kind, "/data", values);
    (kind.to_owned(), body.replace("\"event_id\":\"evt_", "\"event_id\":\"evt_other_"))
}

/// A payment of one event that names it by a token in the place of `TOKEN`, and its page.
async fn stands<C: Company>(kind: Kind, due: i64, currency: &str, body: &str) -> (Payment, String) {
    let app = App::bare(kind, |builder| builder.variant(variant::<C>(0), C::gateway())).await;
    let order = NewPayment::new(variant::<C>(0), money(due, currency));
    let token = app.payments.create(order).await.unwrap().payment.token;
    tell::<C>(&app, "event", &C::of(&body.replace("TOKEN", &token), &token)).await;
    let page = app.get(&format!("/payments/admin/payments/{token}")).await.text();
    (app.payments.payment(&token).await.unwrap().unwrap(), page)
}

/// The events of Razorpay's that no fixture shows.
pub fn razorpays() -> Vec<(String, String)> {
    let mut all = Vec::new();
    for word in ["under_review", "action_required", "won", "lost", "closed"] {
        let values = json!({"status": if word == "action_required" { "open" } else { word }});
        let kind = format!("payment.dispute.{word}");
        all.push(of_razorpay("payment.dispute.created", &kind, "dispute", values));
    }
    all.push(of_razorpay("refund.processed", "refund.speed_changed", "refund", json!({})));
    for (word, status) in [
        ("authenticated", "authenticated"),
        ("activated", "active"),
        ("updated", "active"),
        ("pending", "pending"),
        ("halted", "halted"),
        ("paused", "paused"),
        ("resumed", "active"),
        ("cancelled", "cancelled"),
        ("completed", "completed"),
    ] {
        let kind = format!("subscription.{word}");
        all.push(of_razorpay("subscription.charged", &kind, "subscription", json!({"status": status})));
    }
    for status in ["paid", "partially_paid", "expired", "cancelled"] {
        all.push(razorpay::link(&format!("payment_link.{status}"), status, if status == "paid" { 4999 } else { 0 }));
    }
    all
}

/// The events of Paddle's that no fixture shows.
pub fn paddles() -> Vec<(String, String)> {
    vec![
        of_paddle("transaction.ready", "transaction.updated", json!({})),
        of_paddle("subscription.created", "subscription.imported", json!({})),
    ]
}

on_both_databases! {
    async fn what_happens_between_the_first_and_the_last_word_of_a_razorpay_dispute_leaves_it_open(kind) {
        let inr = money(4999, "INR");
        for (word, status) in [("under_review", "under_review"), ("action_required", "open")] {
            let mut all = story::<razorpay::Of>(&["payment.captured", "payment.dispute.created"]);
            let values = json!({"status": status});
            all.push(of_razorpay("payment.dispute.created", &format!("payment.dispute.{word}"), "dispute", values));
            ends::<razorpay::Of>(kind, inr, all, (Status::Paid, 4999, 0, true)).await;
        }
        let mut all = story::<razorpay::Of>(&["payment.captured", "refund.created"]);
        all.push(of_razorpay("refund.processed", "refund.speed_changed", "refund", json!({})));
        ends::<razorpay::Of>(kind, inr, all, (Status::PartiallyRefunded, 4999, 1999, false)).await;
        let (_, body) = razorpay::link("payment_link.partially_paid", "partially_paid", 2000);
        let (payment, page) = stands::<razorpay::Of>(kind, 4999, "INR", &body).await;
        assert_eq!((payment.status, payment.captured.minor), (Status::Pending, 0));
        assert!(page.contains("payment link paid in part"), "{page}");
    }

    async fn a_razorpay_subscription_is_paused_and_goes_on(kind) {
        let step = |word: &str, status: &str, at: i64| {
            let (name, body) = of_razorpay("subscription.charged", &format!("subscription.{word}"), "subscription", json!({"status": status}));
            let mut event: Value = serde_json::from_str(&body).unwrap();
            event["created_at"] = json!(at);
            event["payload"].as_object_mut().unwrap().remove("payment");
            (name, event.to_string())
        };
        let mut all = vec![step("activated", "active", 1_791_800_000), step("paused", "paused", 1_791_900_000)];
        let is_in = async |all: &[(String, String)], status: SubscriptionStatus| {
            let found = subscribed::<razorpay::Of>(kind, "sub_DEX6xcJ1HSW4CR", all).await;
            assert!(found.iter().all(|one| one.status() == status), "{found:?}");
        };
        is_in(&all, SubscriptionStatus::Paused).await;
        all.push(step("resumed", "active", 1_792_000_000));
        is_in(&all, SubscriptionStatus::Active).await;
        all.push(step("updated", "active", 1_792_100_000));
        is_in(&all, SubscriptionStatus::Active).await;
    }

    async fn a_warning_a_credit_and_a_refund_that_came_back_take_no_money_at_paddle(kind) {
        let eur = money(4999, "EUR");
        let sold = || story::<paddle::Of>(&["transaction.completed"]);
        let paid = (Status::Paid, 4999, 0, false);
        let warned = one("adj_1", "chargeback_warning", "1999", "2026-10-20T08:00:00Z");
        let withdrawn = one("adj_2", "chargeback_warning_reverse", "1999", "2026-10-21T08:00:00Z");
        for others in [vec![warned.clone()], vec![warned, withdrawn], vec![one("adj_3", "credit", "1999", "2026-10-20T08:00:00Z")]] {
            let all = sold().into_iter().chain(others).collect();
            ends::<paddle::Of>(kind, eur, all, paid).await;
        }
        let mut all = story::<paddle::Of>(&["transaction.completed", "adjustment.updated"]);
        let values = json!({"status": "reversed", "updated_at": "2026-10-15T08:00:00Z"});
        let (name, body) = of_paddle("adjustment.updated", "adjustment.updated", values);
        all.push((name, body.replace("\"occurred_at\":\"2026-10-12", "\"occurred_at\":\"2026-10-15")));
        ends::<paddle::Of>(kind, eur, all, paid).await;
    }

    async fn a_paddle_subscription_is_on_trial_active_and_paused_until_it_resumes(kind) {
        let step = |name: &str, at: &str| {
            let body = events::<paddle::Of>()[name].replace("2026-10-12T08:53:19.621022Z", at);
            (name.to_owned(), body.replace("\"tenant\"", "\"owner\""))
        };
        let mut all = vec![step("subscription.trialing", "2026-10-12T09:00:00Z")];
        let found = async |all: &[(String, String)]| subscribed::<paddle::Of>(kind, "sub_01hv8x29kz0t586xy6zn1a62ny", all).await;
        assert!(found(&all).await.iter().all(|one| one.status() == SubscriptionStatus::Trialing));
        all.push(step("subscription.activated", "2026-10-20T09:00:00Z"));
        assert!(found(&all).await.iter().all(|one| one.status() == SubscriptionStatus::Active));
        let (name, body) = step("subscription.paused", "2026-10-25T09:00:00Z");
        let mut event: Value = serde_json::from_str(&body).unwrap();
        event["data"]["scheduled_change"] = json!({"action": "resume", "effective_at": "2026-12-01T00:00:00Z", "resume_at": null});
        all.push((name, event.to_string()));
        for one in found(&all).await {
            assert_eq!(one.status(), SubscriptionStatus::Paused);
            let resumes_at = one.state.pause.as_ref().unwrap().resumes_at;
            assert_eq!(resumes_at, Some(time::macros::datetime!(2026-12-01 00:00 UTC)));
        }
        // A pause that is to come changes nothing yet.
        let (name, body) = step("subscription.activated", "2026-11-01T09:00:00Z");
        let mut event: Value = serde_json::from_str(&body).unwrap();
        event["data"]["scheduled_change"] = json!({"action": "pause", "effective_at": "2026-12-12T00:00:00Z", "resume_at": null});
        let event = event.to_string().replace("\"event_id\":\"evt_", "\"event_id\":\"evt_next_");
        all.push((format!("{name} again"), event));
        assert!(found(&all).await.iter().all(|one| one.status() == SubscriptionStatus::Active && one.state.cancel_at.is_none()));
    }

    async fn a_lemon_squeezy_subscription_is_paused_and_goes_on_and_an_order_waits_before_it_is_paid(kind) {
        let step = |name: &str, values: Value| {
            let body = changed::<lemon_squeezy::Of>(name, "/data/attributes", values);
            (name.to_owned(), body)
        };
        let mut all = vec![
            step("subscription_created", json!({"updated_at": "2026-10-12T08:53:19.000000Z", "status": "on_trial"})),
            step("subscription_paused", json!({"updated_at": "2026-10-20T08:53:19.000000Z"})),
        ];
        let is_in = async |all: &[(String, String)], status: SubscriptionStatus| {
            let found = subscribed::<lemon_squeezy::Of>(kind, "1", all).await;
            assert!(found.iter().all(|one| one.status() == status), "{found:?}");
        };
        is_in(&all[..1], SubscriptionStatus::Trialing).await;
        is_in(&all, SubscriptionStatus::Paused).await;
        all.push(step("subscription_unpaused", json!({"updated_at": "2026-10-21T08:53:19.000000Z"})));
        is_in(&all, SubscriptionStatus::Active).await;
        all.push(step("subscription_updated", json!({"updated_at": "2026-11-21T08:53:19.000000Z", "status": "unpaid"})));
        is_in(&all, SubscriptionStatus::Unpaid).await;
        let waits = step("order_created", json!({"status": "pending"}));
        let paid = step("order_created", json!({"updated_at": "2026-10-12T09:53:19.000000Z"}));
        let all = vec![("waits".to_owned(), waits.1), ("paid".to_owned(), paid.1)];
        ends::<lemon_squeezy::Of>(kind, money(4999, "EUR"), all, (Status::Paid, 4999, 0, false)).await;
    }

    async fn every_state_of_a_square_dispute_is_read_under_its_older_kind_too(kind) {
        for (state, disputed) in [
            ("PROCESSING", true), ("ACCEPTED", true), ("INQUIRY_PROCESSING", false), ("INQUIRY_CLOSED", false), ("WON", false),
        ] {
            for of in ["dispute.state.updated", "dispute.state.changed"] {
                let values = json!({"state": state, "updated_at": "2026-11-22T08:53:21.27Z", "version": 2});
                let (name, body) = as_kind::<square::Of>("dispute.created", "type", of, "/data/object/dispute", values);
                let body = body.replace("\"event_id\":\"", "\"event_id\":\"later-");
                let mut all = story::<square::Of>(&["payment.updated", "dispute.created"]);
                all.push((name, body));
                ends::<square::Of>(kind, money(4999, "EUR"), all, (Status::Paid, 4999, 0, disputed)).await;
            }
        }
    }

    async fn what_adyen_reports_beside_the_money_leaves_it_as_it_is(kind) {
        let eur = money(4999, "EUR");
        ends::<adyen::Of>(kind, eur, story::<adyen::Of>(&["AUTHORISATION.zero"]), (Status::Pending, 0, 0, false)).await;
        let refused = story::<adyen::Of>(&["AUTHORISATION", "CAPTURE.refused"]);
        ends::<Manual>(kind, eur, refused, (Status::Authorized, 0, 0, false)).await;
        let part = story::<adyen::Of>(&["AUTHORISATION", "REFUND_WITH_DATA"]);
        ends::<adyen::Of>(kind, eur, part, (Status::PartiallyRefunded, 4999, 500, false)).await;
        for name in ["NOTIFICATION_OF_FRAUD", "DISPUTE_DEFENSE_PERIOD_ENDED"] {
            let all = story::<adyen::Of>(&["AUTHORISATION", name]);
            ends::<adyen::Of>(kind, eur, all, (Status::Paid, 4999, 0, false)).await;
        }
        let app = App::bare(kind, |builder| builder.variant("adyen", adyen::Of::gateway())).await;
        tell::<adyen::Of>(&app, "report", &events::<adyen::Of>()["REPORT_AVAILABLE"]).await;
        app.pass(3600);
        app.drain().await;
        assert_eq!(app.texts("SELECT state AS t FROM pay_events"), ["ignored"]);
        let page = app.get("/payments/admin/events/1").await.text();
        assert!(page.contains("a report is available: nothing about a payment"), "{page}");
    }

    async fn the_notifications_of_one_delivery_are_events_each_or_none_of_them_is(kind) {
        let app = App::bare(kind, |builder| builder.variant("adyen", adyen::Of::gateway())).await;
        let token = app.payments.create(NewPayment::new("adyen", money(4999, "EUR"))).await.unwrap().payment.token;
        let item = |name: &str| notification(&adyen::Of::of(&events::<adyen::Of>()[name], &token));
        let post = async |items: &[Value]| {
            let answer = app.request(Method::POST, "/payments/adyen/", &[], delivered(items).as_bytes()).await;
            (answer.status == 200, app.number("SELECT count(*) FROM pay_events"))
        };
        let mut forged = item("REFUND");
        forged["NotificationRequestItem"]["amount"]["value"] = json!(4999);
        assert_eq!(post(&[item("AUTHORISATION"), forged]).await, (false, 0));
        assert_eq!(post(&[item("AUTHORISATION"), item("REFUND")]).await, (true, 2));
        assert_eq!(post(&[item("AUTHORISATION"), item("REFUND")]).await, (true, 2));
        app.drain().await;
        let payment = app.payments.payment(&token).await.unwrap().unwrap();
        assert_eq!((payment.status, payment.refunded.minor), (Status::PartiallyRefunded, 1999));
        assert_eq!(app.number("SELECT CAST(sum(deliveries) AS BIGINT) FROM pay_events"), 4);
    }
}
