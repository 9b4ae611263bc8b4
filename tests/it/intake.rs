//! What does the endpoint answer, and what does it keep? A status, a reason code and nothing else; and every byte of
//! what it acknowledged.

use actix_payments::gateways::stripe::{Stripe, sign_delivery};
use actix_payments::{Mode, ModePolicy, Variant};
use actix_web::http::Method;

use crate::app::{Answer, App, Kind, SECRET, on_both_databases};
use crate::events::{changed, fixture};
use crate::scenes::completed;

impl App {
    /// Posts a body with the headers that its sender would add.
    async fn signed(&self, body: &[u8], headers: &[(&str, &str)]) -> Answer {
        let signature = sign_delivery(SECRET, self.now(), body);
        let headers = [&[("stripe-signature", signature.as_str())], headers].concat();
        self.request(Method::POST, "/payments/stripe/", &headers, body).await
    }

    async fn rejects(&self, body: &[u8], status: u16, code: &str) {
        let answer = self.signed(body, &[]).await;
        let shown = String::from_utf8_lossy(body);
        assert_eq!((answer.status, answer.body.as_str()), (status, code), "{shown:.200}");
    }

    async fn column(&self, column: &str) -> Vec<String> {
        self.texts(&format!("SELECT coalesce(cast({column} AS text), '') AS t FROM pay_events ORDER BY id"))
    }
}

fn padded(length: usize) -> Vec<u8> {
    let start = br#"{"id":"evt_long","type":"ping","pad":""#;
    let mut body = start.to_vec();
    body.resize(length - 2, b'x');
    body.extend(br#""}"#);
    body
}

on_both_databases! {
    async fn each_refusal_has_its_status_and_says_its_reason_only(kind) {
        let app = App::new(kind).await;
        let body = completed("x");
        let old = sign_delivery(SECRET, app.now() - 301, body.as_bytes());
        let other = sign_delivery("whsec_other", app.now(), body.as_bytes());
        let cases = [("", "signature_missing"), ("rubbish", "signature_malformed"), (&other, "signature_mismatch"), (&old, "signature_stale")];
        for (signature, code) in cases {
            let headers = [("stripe-signature", signature)];
            let answer = app.request(Method::POST, "/payments/stripe/", &headers, body.as_bytes()).await;
            assert_eq!((answer.status, answer.body.as_str()), (400, code));
            assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
        for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE, Method::OPTIONS] {
            let answer = app.request(method.clone(), "/payments/stripe/", &[], b"").await;
            assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{method}");
        }
        app.drain().await;
        let counters = app.counters();
        for (_, code) in cases {
            assert!(counters.contains(&format!("stripe rejected:{code} 1")), "{counters:?}");
        }
        let opened = "stripe rejected:method_not_allowed 3";
        assert!(counters.contains(&opened.to_owned()), "who opens it in a browser delivers nothing: {counters:?}");
        assert_eq!(app.number("SELECT count(*) FROM pay_events"), 0);
    }

    async fn a_body_without_a_readable_id_and_kind_is_malformed(kind) {
        let app = App::new(kind).await;
        let long = "x".repeat(256);
        let bodies = [
            "", "null", "[]", "not json", r#"{"id":"evt_1"}"#, r#"{"type":"ping"}"#, r#"{"id":1,"type":"ping"}"#,
            r#"{"id":"","type":"ping"}"#, r#"{"id":"evt\u0000","type":"ping"}"#, r#"{"id":"evt\n","type":"ping"}"#,
            r#"{"id":"evt_1","type":"pi\u0000ng"}"#, r#"{"id":"evt_1","type":"pi\u007fng"}"#,
            &format!(r#"{{"id":"{long}","type":"ping"}}"#), &format!(r#"{{"id":"evt_1","type":"{long}"}}"#),
        ];
        for body in bodies {
            app.rejects(body.as_bytes(), 400, "body_malformed").await;
        }
        app.rejects(b"{\"id\":\"evt_1\",\"type\":\"pi\xffng\"}", 400, "body_malformed").await;
        assert_eq!(app.number("SELECT count(*) FROM pay_events"), 0);
    }

    async fn where_only_the_rest_is_odd_the_event_is_stored(kind) {
        let app = App::new(kind).await;
        let deep = "[".repeat(5_000) + &"]".repeat(5_000);
        let bodies = [
            r#"{"id":"evt_1","type":"ping"}"#.to_owned(),
            r#"{"id":"evt_2","type":"checkout.session.completed","created":"yesterday","data":null}"#.to_owned(),
            r#"{"id":"evt_3","type":"charge.refunded","data":{"object":{"id":"\ud800","amount":1e400}}}"#.to_owned(),
            format!(r#"{{"id":"evt_4","type":"checkout.session.completed","data":{deep}}}"#),
            changed("checkout.session.completed", &[
                ("/id", "evt_5".into()),
                ("/data/object/id", "cs_\0".into()),
                ("/data/object/payment_intent", "pi_\0".into()),
                ("/data/object/client_reference_id", "a\0b".into()),
                ("/data/object/customer_details/email", "a\0@b".into()),
            ]),
            changed("charge.succeeded", &[("/id", "evt_6".into()), ("/data/object/amount", (-5).into())]),
        ];
        for body in &bodies {
            assert_eq!(app.stripe(body).await.status, 200, "{body:.100}");
        }
        app.drain().await;
        app.pass(61);
        app.drain().await;
        let open = "SELECT count(*) FROM pay_events WHERE state NOT IN ('completed', 'ignored', 'discarded')";
        assert_eq!((app.number("SELECT count(*) FROM pay_events"), app.number(open)), (6, 0), "{:?}", app.outcomes());
        assert!(app.outcomes().iter().all(|outcome| outcome.len() > 20), "{:?}", app.outcomes());
        assert_eq!(app.number("SELECT count(*) FROM pay_payments WHERE captured_amount < 0"), 0);
    }

    async fn a_body_longer_than_the_limit_is_too_large(kind) {
        let app = App::new(kind).await;
        app.rejects(&padded(1024 * 1024 + 1), 413, "too_large").await;
        let longest = padded(1024 * 1024);
        assert_eq!(app.signed(&longest, &[]).await.status, 200);
        assert_eq!(app.number("SELECT cast(length(body) AS bigint) FROM pay_event_bodies"), 1024 * 1024);
    }

    async fn a_compressed_body_is_taken_as_it_is(kind) {
        let app = App::new(kind).await;
        let body = completed("x");
        let answer = app.signed(body.as_bytes(), &[("content-encoding", "gzip")]).await;
        assert_eq!((answer.status, app.number("SELECT cast(length(body) AS bigint) FROM pay_event_bodies")), (200, body.len() as i64));
        let gzip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\xab\x56\x2a\xcd";
        let answer = app.signed(gzip, &[("content-encoding", "gzip")]).await;
        assert_eq!((answer.status, answer.body.as_str()), (400, "body_malformed"));
    }

    async fn what_the_database_does_not_take_is_never_acknowledged(kind) {
        let app = App::new(kind).await;
        let body = completed(&app.order().await.token);
        app.run("ALTER TABLE pay_events RENAME TO hidden");
        let answer = app.stripe(&body).await;
        assert_eq!((answer.status, answer.body.as_str(), answer.header("retry-after")), (503, "unavailable", Some("5")));
        app.run("ALTER TABLE hidden RENAME TO pay_events");
        app.deliver(&[&body]).await;
        assert_eq!(app.codes(), ["applied"]);
        assert!(app.counters().contains(&"stripe rejected:unavailable 1".to_owned()), "{:?}", app.counters());
    }

    async fn counters_stay_few_however_many_come(kind) {
        let app = App::new(kind).await;
        for number in 0..100 {
            let path = format!("/payments/guess-{number}/");
            assert_eq!(app.request(Method::POST, &path, &[], b"{}").await.status, 404);
            app.request(Method::POST, "/payments/stripe/", &[], b"{}").await;
        }
        let ping = |number: i32| format!(r#"{{"id":"evt_{number}","type":"ping"}}"#);
        app.deliver(&[&ping(1), &ping(2), &ping(1)]).await;
        let expected = [
            " rejected:unknown_variant 100", "stripe duplicate 1", "stripe ignored 2", "stripe received 3",
            "stripe rejected:signature_missing 100",
        ];
        assert_eq!(app.counters(), expected);
        assert!(app.number("SELECT count(*) FROM pay_hours") == 5, "one hour, by the test's clock");
    }

    async fn events_of_other_formats_and_accounts_are_kept(kind) {
        let app = App::new(kind).await;
        let [thin, connect] = ["_thin.v1.customer.updated", "checkout.session.completed.connect"].map(|name| fixture(name).to_string());
        app.deliver(&[&thin, &connect]).await;
        assert_eq!(app.column("kind").await, ["v1.customer.updated", "checkout.session.completed"]);
        assert_eq!(app.column("account").await, ["", "acct_1PgafTB7WZ01zgkW"]);
        assert!(app.column("occurred_at").await[0].contains("2026-10-12"), "{:?}", app.column("occurred_at").await);
        assert_eq!(app.codes(), ["nothing_to_do", "nothing_to_do"], "no account is named here");
    }

    async fn secrets_in_headers_are_not_stored(kind) {
        let app = App::new(kind).await;
        let private = [("authorization", "Bearer hidden"), ("cookie", "session=hidden"), ("proxy-authorization", "hidden")];
        let shown = [("user-agent", "Stripe/1.0"), ("x-long", &"y".repeat(40_000))];
        app.signed(completed("x").as_bytes(), &[private.as_slice(), &shown].concat()).await;
        let headers = app.texts("SELECT headers AS t FROM pay_event_bodies").remove(0);
        assert!(headers.contains("Stripe/1.0") && !headers.contains("hidden"), "{headers}");
        assert!(headers.len() < 20_000, "{}", headers.len());
    }

    async fn the_secret_that_matched_is_recorded_with_the_skew(kind) {
        let app = App::bare(kind, |b| b.variant("stripe", Stripe::new(SECRET).secret("old", "whsec_old"))).await;
        let body = completed("x");
        let signature = sign_delivery("whsec_old", app.now() - 7, body.as_bytes());
        app.request(Method::POST, "/payments/stripe", &[("stripe-signature", &signature)], body.as_bytes()).await;
        app.stripe(r#"{"id":"evt_1","type":"ping"}"#).await;
        assert_eq!(app.column("secret").await, ["old", "primary"]);
        assert_eq!(app.column("skew_seconds").await, ["7", "0"]);
    }

    async fn events_of_the_other_mode_do_what_the_policy_says(kind) {
        for (policy, status, review, code) in [
            (ModePolicy::Accept, "paid", false, "applied"),
            (ModePolicy::Flag, "paid", true, "applied"),
            (ModePolicy::Ignore, "pending", false, "other_mode"),
        ] {
            let app = live(kind, policy).await;
            let token = app.order().await.token;
            app.deliver(&[&completed(&token)]).await;
            let payment = app.payment(&token).await;
            assert_eq!((payment.status.as_str(), payment.needs_review()), (status, review), "{policy:?} {payment:?}");
            assert_eq!(app.codes(), [code]);
            app.same(&token).await;
        }
    }

    async fn another_body_under_a_known_id_is_noted_and_the_first_is_kept(kind) {
        let app = App::new(kind).await;
        let first = changed("payout.paid", &[("/pending_webhooks", 2.into())]);
        // What Stripe changes from one delivery to the next, and white space, are no difference.
        for pending in [2, 1, 0] {
            let again = changed("payout.paid", &[("/pending_webhooks", pending.into())]);
            assert_eq!(app.stripe(&again).await.status, 200);
        }
        let value: serde_json::Value = serde_json::from_str(&first).unwrap();
        assert_eq!(app.stripe(&serde_json::to_string_pretty(&value).unwrap()).await.status, 200);
        assert_eq!((app.number("SELECT deliveries FROM pay_events"), app.number("SELECT count(*) FROM pay_differing")), (4, 0));
        assert!(!app.get("/payments/admin/events/1").await.text().contains("another body"));
        for amount in [1, 2] {
            let other = changed("payout.paid", &[("/data/object/amount", amount.into())]);
            assert_eq!(app.stripe(&other).await.status, 200, "it is a duplicate all the same");
        }
        assert_eq!(app.number("SELECT count FROM pay_differing"), 2);
        let kept = app.texts("SELECT CAST(length(body) AS TEXT) AS t FROM pay_event_bodies");
        assert_eq!(kept, [first.len().to_string()]);
        let page = app.get("/payments/admin/events/1").await.text();
        assert!(page.contains("2 deliveries bore this id and another body; the first body is kept"), "{page}");
        let told = "stripe: 1 event was delivered again with another body";
        let overview = app.get("/payments/admin/").await;
        assert!(overview.text().contains(told) && overview.body.contains("/payments/admin/events/1\""), "{}", overview.text());
        app.pass(24 * 3600 + 1);
        assert!(!app.get("/payments/admin/").await.text().contains(told), "it is told for a day");
    }

    async fn events_of_its_own_mode_are_never_flagged(kind) {
        let app = live(kind, ModePolicy::Flag).await;
        let token = app.order().await.token;
        let own = changed("checkout.session.completed", &[
            ("/livemode", true.into()),
            ("/data/object/client_reference_id", token.as_str().into()),
        ]);
        app.deliver(&[&own]).await;
        assert!(!app.payment(&token).await.needs_review());
    }
}

async fn live(kind: Kind, policy: ModePolicy) -> App {
    App::bare(kind, |b| b.variant("stripe", Variant::new(Stripe::new(SECRET)).mode(Mode::Live, policy))).await
}
