//! What can a customer or a gateway write that breaks a page? Whatever it is, it is shown as text, in its place.

use actix_payments::gateways::stripe::sign_delivery;
use actix_payments::{HandlerError, NewPayment, Token};
use serde_json::{Value, json};

use super::{admin, assert_quiet, eur, open, settled, shop_with};
use crate::app::{App, SECRET, on_both_databases};
use crate::events::fixture;
use crate::export::{column, parsed};
use crate::search::encoded;
use crate::subscriptions::story::{START, Story, items};
use crate::tools::{Browser, View};

/// Ends whatever it is put in, and then runs a script if it may.
const EVIL: &str =
    "</title></code></script>\"'><script>document.title='pwned'</script><img src=x onerror=alert(1)>\u{202e}{{7*7}}";

/// Events whose every text is hostile, and the payment that they are about.
async fn poisoned(kind: crate::app::Kind) -> (App, Token) {
    let wide = format!("{EVIL}{}", "W".repeat(10_000));
    let app = shop_with(kind, |builder| {
        builder.on_event("evil*", "evil-handler", move |_| {
            let error = wide.clone();
            async move { Err(HandlerError::Discard(error)) }
        })
    })
    .await;
    let reference: String = format!("{EVIL}{}", "W".repeat(255)).chars().take(255).collect();
    let new = NewPayment::new("stripe", eur(4999)).reference(&reference).customer(format!("{EVIL}@example.org"));
    let token = app.payments.create(new).await.unwrap().payment.token;
    let completed = json!({
        "id": format!("evt_{EVIL}"), "type": "checkout.session.completed", "created": app.now(), "livemode": false,
        "account": EVIL, "api_version": EVIL,
        "data": {"object": {
            "id": format!("cs_{EVIL}"), "object": "checkout.session", "mode": "payment", "status": "complete",
            "payment_status": "paid", "amount_total": 4999, "currency": "eur", "client_reference_id": token,
            "payment_intent": format!("pi_{EVIL}"), "customer_details": {"email": format!("{EVIL}@example.org")},
            "description": format!("{EVIL}{}", "W".repeat(10_000)),
        }},
    });
    app.deliver(&[&completed.to_string()]).await;
    // JSON of the odd sort: exact numbers, an escaped NUL, a lone surrogate, and deeper than it is wide.
    let deep = format!("{}{}", "[".repeat(90), "]".repeat(90));
    let kind = serde_json::to_string(&format!("evil.{EVIL}")).unwrap();
    let odd = format!(
        r#"{{"id":"evt_odd","type":{kind},"created":{},"livemode":null,"data":{{"object":{{"big":9007199254740993,
        "bigger":123456789012345678901234567890,"small":1.10,"nul":"a\u0000b","half":"\ud800","deep":{deep}}}}}}}"#,
        app.now()
    );
    app.deliver(&[&odd]).await;
    app.deliver(&[&paid(&token), &disputed().to_string()]).await;
    app.hear(&subscribed()).await;
    (app, token)
}

/// A hostile text as long as an id may be, without a place to break a line.
fn long(start: &str) -> String {
    format!("{start}{EVIL}{}", "W".repeat(255)).chars().take(255).collect()
}

/// The intent that pays the payment: the events of an account that nobody has named change nothing.
fn paid(token: &str) -> String {
    let mut event = fixture("payment_intent.succeeded");
    event["id"] = json!(long("evt_pi_"));
    let intent = &mut event["data"]["object"];
    intent["id"] = json!(format!("pi_{EVIL}"));
    intent["latest_charge"] = json!(long("ch_"));
    intent["metadata"] = json!({"payment_token": token});
    event.to_string()
}

/// A dispute of the payment, with a hostile reason.
fn disputed() -> Value {
    let mut event = fixture("charge.dispute.created");
    event["id"] = json!(long("evt_du_"));
    let dispute = &mut event["data"]["object"];
    dispute["id"] = json!(long("du_"));
    dispute["charge"] = json!(long("ch_"));
    dispute["payment_intent"] = json!(format!("pi_{EVIL}"));
    dispute["reason"] = json!(long(""));
    event
}

/// A subscription whose every text is hostile and whose numbers are as large as they can be, with an open invoice.
fn subscribed() -> Story {
    // Its events' ids are longer than its own.
    let mut story = Story::new(&long("")[..200], &long(""));
    story.checkout(START, &long(""));
    let mut items = items(&long("price_"), i64::MAX, START);
    let item = &mut items["data"][0];
    item["price"]["product"] = json!(long("prod_"));
    item["price"]["unit_amount"] = json!(i64::MAX);
    item["price"]["recurring"] = json!({"interval": long(""), "interval_count": i64::MAX});
    items["data"]
        .as_array_mut()
        .unwrap()
        .push(fixture("customer.subscription.updated")["data"]["object"]["items"]["data"][0].take());
    let invoice = long("in_");
    story.update(
        START + 1,
        json!({"items": items, "customer": long("cus_"), "latest_invoice": invoice, "schedule": long("sub_sched_"),
            "pause_collection": {"behavior": long(""), "resumes_at": null}}),
    );
    let email = format!("{}@example.org", long(""));
    story.invoice(
        "payment_failed",
        START + 2,
        json!({"status": long(""), "amount_due": i64::MAX, "attempt_count": i64::MAX, "customer_email": email}),
    );
    story
}

on_both_databases! {
    async fn hostile_texts_stay_texts(kind) {
        let (app, token) = poisoned(kind).await;
        let site = app.serve();
        settled(&app);
        let mut browser = Browser::start();
        let payment = format!("payments/{token}");
        let tokens = app.texts("SELECT token AS t FROM pay_subscriptions");
        let [subscription] = tokens.iter().map(|token| format!("subscriptions/{token}")).collect::<Vec<_>>().try_into().unwrap();
        let owned = app.post(&format!("/payments/admin/{subscription}/owner"), &format!("owner={}", encoded(&long("")))).await;
        assert_eq!(owned.status, 303, "{}", owned.text());
        let disputed = app.texts("SELECT CAST(id AS VARCHAR(20)) AS t FROM pay_events WHERE kind = 'charge.dispute.created'").remove(0);
        let paths: Vec<String> = [
            "payments", "events", "events?kind=evil*", "events/1", "events/2", "events/1/dry-run", "events/2/dry-run",
            "subscriptions", "disputes", "audit",
        ]
        .into_iter()
        .map(str::to_owned)
        .chain(["", "/rebuild", "/customer"].map(|page| format!("{payment}{page}")))
        .chain(["", "/customer"].map(|page| format!("{subscription}{page}")))
        .chain([format!("events/{disputed}")])
        .collect();
        for width in [1280, 360] {
            let view = View { width, ..admin() };
            for path in &paths {
                open(&mut browser, &site, &format!("/payments/admin/{path}"), &view);
                let html = browser.html("html");
                assert!(html.contains("&lt;script&gt;") && !html.contains("<script>document"), "{path}: {html}");
                assert_eq!(browser.count("main img, main script"), 0, "{path}");
                assert!(!browser.text("body").contains("49}}"), "{path}");
                assert_eq!(browser.overflow(), None, "{path} at {width} px");
                // The checks look at all of a long text, so once is enough.
                let faults = if width == 360 { browser.accessibility() } else { Vec::new() };
                assert!(faults.is_empty(), "{path}: {faults:?}");
            }
        }
        open(&mut browser, &site, "/payments/admin/events/2", &admin());
        let html = browser.html("head title");
        assert!(html.starts_with("<title>evil."), "{html}");
        let body = browser.html(".raw pre");
        for exact in ["9007199254740993", "123456789012345678901234567890", "1.10", "a\\u0000b", "\\ud800"] {
            assert!(body.contains(exact), "{exact} in {body}");
        }
        assert_eq!(browser.text(".title .badges"), "discarded");
        // A search for it, and a filter by it, are no way in either.
        let view = admin();
        open(&mut browser, &site, "/payments/admin/events", &view);
        for field in ["q", "kind"] {
            browser.fill(&format!("input[name={field}]"), EVIL);
            browser.submit("form.filter");
            assert!(browser.html(&format!("input[name={field}]")).contains("pwned"), "what was asked for is shown");
            assert_eq!(browser.count("main img, main script"), 0);
        }
        assert_quiet(&mut browser);
    }
}

on_both_databases! {
    async fn formulas_of_subscriptions_stay_texts_in_a_sheet(kind) {
        let app = App::new(kind).await;
        let texts = ["=1+1", "+1+1", "-1+1", "@SUM(1)", "\"=1\",=1", "a;=1", "\u{202e}a\",b"];
        for (number, text) in texts.iter().enumerate() {
            let mut story = Story::new(number, "active");
            story.checkout(START, text);
            let owner = json!({"owner": text});
            story.update(START + 1, json!({"items": items(text, 1, START), "customer": text, "metadata": owner}));
            app.hear(&story).await;
        }
        let rows = parsed(&app.get("/payments/admin/subscriptions.csv").await);
        let expected = ["\u{202e}a\",b", "a;'=1", "'\"=1\",=1", "'@SUM(1)", "'-1+1", "'+1+1", "'=1+1"];
        for name in ["owner", "customer_ref", "items"] {
            assert_eq!(column(&rows, name), expected, "{name}");
        }
    }
}

#[actix_web::test]
async fn a_checkout_shows_a_hostile_reference_as_text() {
    let (app, _) = poisoned(crate::app::Kind::Sqlite).await;
    let site = app.serve();
    let mut browser = Browser::start();
    let new = NewPayment::new("dummy", eur(4999)).reference(EVIL).return_url("javascript:alert(1)");
    let created = app.payments.create(new).await.unwrap();
    let actix_payments::Next::Redirect(address) = created.next else { panic!("no redirect") };
    let view = View { width: 360, ..View::default() };
    open(&mut browser, &site, &address, &view);
    assert!(browser.text(".order").contains("<script>"));
    assert_eq!((browser.count("main img, main script"), browser.overflow()), (0, None));
    browser.click_text("Pay 49.99 EUR");
    assert_eq!(browser.text("h1"), "Thank you");
    assert_quiet(&mut browser);
}

#[actix_web::test]
async fn a_body_of_a_hundred_thousand_levels_is_text_and_bytes_that_are_no_text_are_shown_as_such() {
    let (app, _) = poisoned(crate::app::Kind::Sqlite).await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    app.run(&format!("UPDATE pay_event_bodies SET body = CAST('{deep}' AS BLOB) WHERE event_id = 1"));
    app.run("UPDATE pay_event_bodies SET body = x'7b2278223a22fffe00223e227d' WHERE event_id = 2");
    for path in ["events/1", "events/2", "events/1/dry-run", "events/2/dry-run"] {
        let answer = app.get(&format!("/payments/admin/{path}")).await;
        assert!(answer.status == 200 && answer.body.len() < 1024 * 1024, "{path}: {}", answer.status);
        assert!(!answer.body.contains("class=\"json\""), "{path}");
    }
    assert!(app.get("/payments/admin/events/2").await.body.contains('\u{FFFD}'));
}

#[actix_web::test]
async fn bytes_that_are_no_text_are_not_stored() {
    let app = App::new(crate::app::Kind::Sqlite).await;
    let body = b"{\"id\":\"evt_1\",\"type\":\"payout.paid\",\"created\":1,\"x\":\"\xff\xfe\"}";
    let signature = sign_delivery(SECRET, app.now(), body);
    let post = actix_web::http::Method::POST;
    let answer = app.request(post, "/payments/stripe/", &[("stripe-signature", &signature)], body).await;
    let stored = app.number("SELECT count(*) FROM pay_events");
    assert_eq!(stored, i64::from(answer.status == 200), "{answer:?}");
    if stored == 1 {
        assert!(app.get("/payments/admin/events/1").await.body.contains('\u{FFFD}'));
    }
}
