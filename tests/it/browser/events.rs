//! Does an event's page say what became of it and why, and can it be run again by those who may, and by no others?

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_payments::{HandlerError, Token};

use super::{admin, assert_quiet, open, order, settled, shop, shop_with, without_script};
use crate::app::{App, Kind, on_both_databases};
use crate::events::{checkout, fixture};
use crate::tools::{Browser, View};

/// A shop whose receipts fail for good until the flag is set, with one event that was discarded for it.
async fn shop_with_a_discarded_event(kind: Kind) -> (App, Arc<AtomicBool>, Token) {
    let works = Arc::new(AtomicBool::new(false));
    let asked = works.clone();
    let send = move |_| {
        let works = asked.load(Ordering::SeqCst);
        async move { if works { Ok(()) } else { Err(HandlerError::Discard("no mail server".to_owned())) } }
    };
    let app = shop_with(kind, |builder| builder.handler("send-receipt", send)).await;
    let token = order(&app, "10042").await;
    app.deliver(&[&checkout("checkout.session.completed", &token)]).await;
    (app, works, token)
}

on_both_databases! {
    async fn an_operator_runs_a_discarded_event_again(kind) {
        let (app, works, token) = shop_with_a_discarded_event(kind).await;
        let site = app.serve();
        let mut browser = Browser::start();
        open(&mut browser, &site, "/payments/admin/events", &without_script());
        assert_eq!(browser.text(".tabs a.urgent"), "Discarded 1");
        browser.click(".tabs a.urgent");
        browser.click(".row-link");
        assert_eq!(browser.text(".title .badges"), "discarded test");
        let attempts = browser.text(".attempts");
        assert!(attempts.contains("send-receipt") && attempts.contains("no mail server"), "{attempts}");

        works.store(true, Ordering::SeqCst);
        assert!(browser.click_text("Requeue").starts_with(&site.at("/payments/admin/events/1")));
        assert!(browser.text("[role=status]").starts_with("Requeued"));
        settled(&app);
        open(&mut browser, &site, "/payments/admin/events/1", &without_script());
        assert_eq!(browser.text(".title .badges"), "completed test");
        open(&mut browser, &site, &format!("/payments/admin/payments/{token}"), &without_script());
        let story = browser.text(".timeline");
        assert!(story.contains("by admin from 127.0.0.1"), "{story}");
        assert_eq!(app.number("SELECT count(*) FROM pay_transitions"), 1);
    }

    async fn an_event_explains_itself(kind) {
        let app = shop(kind).await;
        let token = order(&app, "10042").await;
        let completed = checkout("checkout.session.completed", &token);
        app.deliver(&[&completed, &completed, &fixture("payout.paid").to_string()]).await;
        let site = app.serve();
        let mut browser = Browser::start();
        open(&mut browser, &site, "/payments/admin/events/1", &admin());
        assert_eq!(browser.text("h1"), "Event checkout.session.completed");
        let why = browser.text(".explain");
        let parts = [
            "Outcome", "Matched the secret", "signed within a second of its arrival", &token, "matched", "capture",
            "succeeded", "49.99 EUR", "new to the ledger", "pending", "paid",
        ];
        for part in parts {
            assert!(why.contains(part), "{part:?} in {why:?}");
        }
        assert!(browser.text(".details").contains("Deliveries 2"), "{}", browser.text(".details"));
        browser.click_text("Body as text");
        assert!(browser.text(".raw pre").contains("\"amount_total\": 4999"));

        // An event that changes nothing says why.
        open(&mut browser, &site, "/payments/admin/events?kind=payout.*", &admin());
        browser.click(".row-link");
        assert_eq!(browser.text(".title .badges"), "ignored test");
        let why = browser.text(".explain");
        assert!(why.contains("Facts None") && why.contains("It changed no status"), "{why}");
        assert_quiet(&mut browser);
    }
}

#[actix_web::test]
async fn who_may_only_look_sees_everything_and_changes_nothing() {
    let (app, works, token) = shop_with_a_discarded_event(Kind::Sqlite).await;
    works.store(true, Ordering::SeqCst);
    let site = app.serve();
    let mut browser = Browser::start();
    let anybody = View::default();
    for path in ["payments", "events", "events/1", &format!("payments/{token}")] {
        open(&mut browser, &site, &format!("/watch/admin/{path}"), &anybody);
        assert_eq!(browser.count("form[method=post]"), 0, "{path}");
        assert!(browser.text("header").contains("read-only"));
    }
    assert_quiet(&mut browser);
    open(&mut browser, &site, "/form?to=/watch/admin/events/1/requeue", &anybody);
    browser.click_text("Yes");
    assert_eq!(browser.text("h1"), "Not allowed");
    assert_eq!(app.number("SELECT count(*) FROM pay_audit"), 0);
    assert_eq!(app.number("SELECT count(*) FROM pay_events WHERE state = 'discarded'"), 1);
}

#[actix_web::test]
async fn another_sites_page_cannot_act_for_an_operator() {
    let (app, ..) = shop_with_a_discarded_event(Kind::Sqlite).await;
    let site = app.serve();
    let mut browser = Browser::start();
    // The operator is known here; the form comes from elsewhere.
    open(&mut browser, &site, "/payments/admin/events/1", &admin());
    let form = site.elsewhere(&format!("/form?to={}", site.at("/payments/admin/events/1/requeue")));
    assert_eq!(browser.open(&form, &admin()), 200);
    browser.click_text("Yes");
    assert_eq!(browser.text("h1"), "Refused");
    assert!(browser.text("main").contains("a page of another site"));
    assert_eq!(app.number("SELECT count(*) FROM pay_audit"), 0);

    // The same form on this very host is one of its own pages.
    open(&mut browser, &site, "/form?to=/payments/admin/events/1/requeue", &admin());
    browser.click_text("Yes");
    assert!(browser.text("[role=status]").starts_with("Requeued"));
    assert_eq!(app.number("SELECT count(*) FROM pay_audit"), 1);
}

#[actix_web::test]
async fn older_browsers_are_believed_by_their_origin() {
    let (app, ..) = shop_with_a_discarded_event(Kind::Sqlite).await;
    let post = async |headers: &[(&str, &str)]| {
        let headers: Vec<_> = headers.iter().copied().chain([crate::app::ADMIN]).collect();
        let path = "/payments/admin/events/1/requeue";
        app.request(actix_web::http::Method::POST, path, &headers, b"").await.status
    };
    let host = ("host", "shop.example");
    let refused: [&[(&str, &str)]; 6] = [
        &[host, ("origin", "https://evil.example")],
        &[host, ("origin", "null")],
        &[host, ("origin", "https://shop.example.evil.example")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site"), host, ("origin", "https://shop.example")],
        &[("sec-fetch-site", "none")],
    ];
    for headers in refused {
        assert_eq!(post(headers).await, 403, "{headers:?}");
    }
    assert_eq!(app.number("SELECT count(*) FROM pay_audit"), 0);
    assert_eq!(post(&[host, ("origin", "https://shop.example")]).await, 303);
    assert_eq!(app.number("SELECT count(*) FROM pay_audit"), 1);
    // A proxy rewrote the host and kept what the browser sent.
    let behind = [("host", "10.0.0.7:8080"), ("x-forwarded-host", "shop.example")];
    assert_eq!(post(&[behind[0], behind[1], ("origin", "https://evil.example")]).await, 403);
    assert_ne!(post(&[behind[0], behind[1], ("origin", "https://shop.example")]).await, 403);
}

#[actix_web::test]
async fn the_admin_pages_are_closed_until_opened() {
    let app = shop(Kind::Sqlite).await;
    let site = app.serve();
    let mut browser = Browser::start();
    let wrong = View { auth: Some(("admin", "guess")), ..View::default() };
    for view in [View::default(), wrong] {
        for path in ["", "payments", "payments/x", "events", "events/1"] {
            assert_eq!(browser.open(&site.at(&format!("/payments/admin/{path}")), &view), 401, "{path}");
            assert_eq!(browser.open(&site.at(&format!("/closed/admin/{path}")), &view), 404, "{path}");
        }
    }
    let post = actix_web::http::Method::POST;
    assert_eq!(app.request(post, "/payments/admin/events/1/requeue", &[], b"").await.status, 401);
    assert_eq!(app.get("/payments/admin/events/1/requeue").await.status, 405, "an address of an act is no page");
}
