//! Is whoever paid let in, and nobody else?

use std::time::Duration;

use actix_payments::gateways::stripe::Stripe;
use actix_payments::{ActiveSubscription, Mode, ModePolicy, RequireActive, Variant};
use actix_web::http::header::HeaderMap;
use actix_web::{App as ActixApp, HttpRequest, test, web};
use serde_json::json;

use super::story::{DAY, START, Story, items};
use crate::app::{App, NOW, SECRET, on_both_databases};

async fn lesson(active: ActiveSubscription) -> String {
    format!("hello {}", active.owner)
}

/// Asks for a page that only active subscribers see.
async fn visit(app: &App, who: Option<&str>) -> (u16, String) {
    let owner = |req: &HttpRequest| {
        let headers: &HeaderMap = req.headers();
        headers.get("x-user").and_then(|user| user.to_str().ok()).map(str::to_owned)
    };
    let guard = RequireActive::new(app.payments.clone(), owner);
    let scope = web::scope("/lessons").wrap(guard).route("", web::get().to(lesson));
    let service = test::init_service(ActixApp::new().service(scope)).await;
    let mut request = test::TestRequest::get().uri("/lessons");
    if let Some(who) = who {
        request = request.insert_header(("x-user", who));
    }
    let response = test::call_service(&service, request.to_request()).await;
    let status = response.status().as_u16();
    (status, String::from_utf8_lossy(&test::read_body(response).await).into_owned())
}

on_both_databases! {
    async fn only_active_subscribers_get_in_and_an_event_is_seen_at_once(kind) {
        let app = App::with(kind, |builder| builder.active_cache(Duration::from_secs(60))).await;
        let mut story = Story::new(1, "active");
        story.checkout(START, "user-42");
        assert_eq!(visit(&app, Some("user-42")).await.0, 402);
        assert_eq!(visit(&app, None).await.0, 402);
        app.hear(&story).await;
        assert_eq!(visit(&app, Some("user-42")).await, (200, "hello user-42".to_owned()));
        // Behind the cache's back nothing is seen until it is over.
        app.run("UPDATE pay_subscriptions SET owner = 'somebody'");
        assert_eq!(visit(&app, Some("user-42")).await.0, 200);
        app.pass(60);
        assert_eq!(visit(&app, Some("user-42")).await.0, 402);
        app.run("UPDATE pay_subscriptions SET owner = 'user-42'");
        app.pass(60);
        assert_eq!(visit(&app, Some("user-42")).await.0, 200);
        story.send("deleted", START + DAY, json!({"status": "canceled", "ended_at": START + DAY}));
        app.deliver(&[story.events.last().unwrap()]).await;
        assert_eq!(visit(&app, Some("user-42")).await.0, 402);
    }

    async fn who_came_past_no_guard_is_asked_to_pay(kind) {
        let app = App::new(kind).await;
        app.hear(Story::new(1, "active").checkout(START, "user-42")).await;
        let guard = RequireActive::new(app.payments.clone(), |_: &HttpRequest| Some("user-42".to_owned()));
        let guarded = web::scope("/lessons").wrap(guard).route("", web::get().to(lesson));
        let service = ActixApp::new().app_data(app.payments.clone()).service(guarded).route("/open", web::get().to(lesson));
        let service = test::init_service(service).await;
        for (path, status, says) in [("/lessons", 200, "hello user-42"), ("/open", 402, "an active subscription is needed")] {
            let response = test::call_service(&service, test::TestRequest::get().uri(path).to_request()).await;
            assert_eq!(response.status().as_u16(), status, "{path}");
            assert_eq!(test::read_body(response).await, says, "{path}");
        }
    }

    async fn what_is_past_due_is_active_for_the_grace(kind) {
        let app = App::with(kind, |builder| builder.grace(Duration::from_secs(86_400))).await;
        let mut story = Story::new(1, "active");
        story.checkout(START, "user-42");
        story.update(NOW, json!({"status": "past_due", "items": items("price_tea", 1, NOW), "latest_invoice": "in_2"}));
        story.invoice("payment_failed", NOW, json!({"created": NOW}));
        app.hear(&story).await;
        app.pass(86_399);
        assert!(app.payments.active("user-42").await.unwrap());
        app.pass(1);
        assert!(!app.payments.active("user-42").await.unwrap());
        // Another cycle that nobody pays does not begin it anew.
        let next = NOW + 86_400;
        story.update(next, json!({"status": "past_due", "items": items("price_tea", 1, next), "latest_invoice": "in_3"}));
        story.invoice("payment_failed", next, json!({"id": "in_3", "created": next}));
        app.hear(&story).await;
        assert!(!app.payments.active("user-42").await.unwrap());
        story.update(next + 60, json!({"status": "active"}));
        story.update(next + 120, json!({"status": "past_due"}));
        app.pass(120);
        app.hear(&story).await;
        assert!(app.payments.active("user-42").await.unwrap(), "it was paid in between");
    }

    async fn the_grace_begins_when_it_is_past_due_and_not_when_its_invoice_was_made(kind) {
        let app = App::with(kind, |builder| builder.grace(Duration::from_secs(86_400))).await;
        let mut story = Story::new(1, "active");
        story.checkout(START, "user-42");
        // To be paid by transfer within thirty days.
        story.invoice("finalized", START, json!({"status": "open", "due_date": START + 30 * DAY}));
        story.update(START + 30 * DAY, json!({"status": "past_due"}));
        app.hear(&story).await;
        app.pass(START + 31 * DAY - 1 - NOW);
        assert!(app.payments.active("user-42").await.unwrap());
        app.pass(1);
        assert!(!app.payments.active("user-42").await.unwrap());
        // More seats in the middle of a year, which nobody pays for, and nothing is known of their invoice yet.
        let (mut seats, then) = (Story::new(2, "active"), START + 50 * DAY);
        seats.checkout(START, "user-7").update(then - 1, json!({"items": items("price_tea", 9, START)}));
        seats.update(then, json!({"status": "past_due", "latest_invoice": "in_9"}));
        app.hear(&seats).await;
        app.pass(then + DAY - 2 - app.now());
        assert!(app.payments.active("user-7").await.unwrap());
        app.pass(2);
        assert!(!app.payments.active("user-7").await.unwrap());
    }

    async fn the_reference_of_a_payment_link_gives_no_subscription_to_anybody(kind) {
        let app = App::new(kind).await;
        let mut story = Story::new(1, "active");
        story.checkout(START, "user-42");
        let linked = story.events[1].replace(r#""payment_link":null"#, r#""payment_link":"plink_1""#);
        assert_ne!(linked, story.events[1]);
        app.deliver(&[&story.events[0], &linked]).await;
        assert_eq!(app.subscription("sub_1").await.owner(), None, "the customer's browser chose it");
        assert!(!app.payments.active("user-42").await.unwrap());
    }

    async fn what_recurs_is_not_told_where_an_event_shows_a_part_of_the_items(kind) {
        let app = App::new(kind).await;
        let mut story = Story::new(1, "active");
        app.hear(&story).await;
        assert!(app.subscription("sub_1").await.state.monthly().is_some());
        let mut part = items("price_tea", 1, START);
        part["has_more"] = json!(true);
        app.hear(story.update(START + 1, json!({"items": part}))).await;
        let shown = app.subscription("sub_1").await.state;
        assert_eq!((shown.items.len(), shown.monthly()), (1, None));
    }

    async fn any_subscription_of_an_owner_counts_until_its_end(kind) {
        let app = App::new(kind).await;
        let (mut ended, mut ending) = (Story::new(1, "active"), Story::new(2, "trialing"));
        ended.checkout(START, "user-42").send("deleted", START + 9, json!({"status": "canceled", "ended_at": START + 9}));
        ending.checkout(START, "user-42").update(START + 9, json!({"cancel_at": NOW + DAY, "cancel_at_period_end": true}));
        app.hear(&ending).await;
        app.hear(&ended).await;
        assert!(app.payments.active("user-42").await.unwrap());
        assert!(!app.payments.active("user-4").await.unwrap());
        app.pass(DAY);
        assert!(!app.payments.active("user-42").await.unwrap(), "the end has passed, though nothing was heard of it");
    }

    async fn a_test_subscription_gives_no_access_beside_real_money(kind) {
        let app = App::new(kind).await;
        let (mut test, mut real) = (Story::new(1, "active"), Story::new(2, "active"));
        test.checkout(START, "tester");
        app.hear(&test).await;
        assert!(app.payments.active("tester").await.unwrap(), "there are only tests");
        let page = format!("/payments/admin/subscriptions/{}", app.subscription("sub_1").await.token);
        assert!(!app.get(&page).await.text().contains("does not count as active"));
        for event in real.checkout(START, "user-42").events.iter_mut() {
            *event = event.replace(r#""livemode":false"#, r#""livemode":true"#);
        }
        app.hear(&real).await;
        assert!(app.payments.active("user-42").await.unwrap());
        assert!(!app.payments.active("tester").await.unwrap());
        let text = app.get(&page).await.text();
        assert!(text.contains("It is a test beside real money, so it does not count as active."), "{text}");
        let overview = app.get("/payments/admin/").await.body;
        let (_, monthly) = overview.split_once("Recurring in a month").unwrap();
        let rows = monthly.split("</section>").next().unwrap().split("<tr>").filter(|row| row.contains("<td>"));
        let are_tests: Vec<bool> = rows.map(|row| row.contains(">test<")).collect();
        assert_eq!(are_tests, [false, true], "each is added up apart: {monthly}");
    }

    async fn the_mode_that_is_said_decides_whom_a_test_lets_in(kind) {
        let policies = [
            (Mode::Live, ModePolicy::Flag, false),
            (Mode::Live, ModePolicy::Ignore, false),
            (Mode::Live, ModePolicy::Accept, true),
            (Mode::Test, ModePolicy::Flag, true),
        ];
        for (mode, policy, is_let_in) in policies {
            let variant = Variant::new(Stripe::new(SECRET)).mode(mode, policy);
            let app = App::bare(kind, |builder| builder.variant("stripe", variant)).await;
            let mut story = Story::new(1, "active");
            app.hear(story.checkout(START, "tester")).await;
            assert_eq!(app.payments.active("tester").await.unwrap(), is_let_in, "{mode:?} {policy:?}");
        }
    }

    async fn a_word_that_stripe_may_add_lets_nobody_in(kind) {
        let app = App::new(kind).await;
        let mut story = Story::new(1, "hibernating");
        story.checkout(START, "user-42");
        app.hear(&story).await;
        let found = app.subscription("sub_1").await;
        assert_eq!((found.status().as_str(), found.state.gateway_status.as_deref()), ("unknown", Some("hibernating")));
        assert!(!app.payments.active("user-42").await.unwrap());
        let overview = app.get("/payments/admin/").await.text();
        assert!(overview.contains("1 subscription is in a status that this release does not know"), "{overview}");
    }
}
