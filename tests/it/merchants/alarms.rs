//! Alarms, the overview and the doctor know the merchants of a marketplace one by one.

use std::sync::Arc;
use std::time::Duration;

use actix_payments::gateways::stripe::Stripe;
use actix_payments::{AlarmThresholds, NewPayment, Variant};

use super::directory::{Directory, market, secret_of};
use super::event;
use crate::alarms::{a_while, telling};
use crate::app::{App, on_both_databases};
use crate::scenes::{Notes, money, until};

on_both_databases! {
    async fn what_befalls_a_merchant_is_an_alarm_of_its_own_and_stands_on_the_overview(kind) {
        let (directory, notes) = (Directory::of(["anna", "bert", "carl"].map(str::to_owned)), Notes::default());
        let silence = AlarmThresholds::new().silence(Duration::from_secs(60), 2);
        let app = App::bare(kind, |builder| {
            telling(directory.source(builder), &notes, &Arc::default()).alarm_after(silence)
        })
        .await;
        for name in ["anna", "bert", "carl"] {
            assert_eq!(app.signed_with(&secret_of(name), name, &event("evt_1")).await, 200);
        }
        app.drain().await;
        // Anna's configuration can't be had, Bert's secret is wrong, and Carl's gateway has fallen silent.
        directory.fail(&["anna"]);
        app.pass(120);
        for _ in 0..2 {
            app.payments.create(NewPayment::new("carl", money(4999, "EUR"))).await.unwrap();
        }
        assert_eq!(app.signed_with(&secret_of("anna"), "anna", &event("evt_2")).await, 503);
        assert_eq!(app.signed_with("another", "bert", &event("evt_2")).await, 400);
        assert_eq!(app.signed_with("any", "nobody", &event("evt_2")).await, 404);
        app.pass(61);
        app.counted("rejected:signature_mismatch", 1);
        app.counted("rejected:unavailable", 1);
        let page = app.get("/payments/admin/").await.text();
        let told = [
            ("sent-away:anna", "anna: 1 delivery answered 503, to be sent again"),
            ("refused:bert", "bert: "),
            ("silence:carl", "carl: payments were created, but no event came since"),
        ];
        for (_, sentence) in told {
            assert!(page.contains(sentence), "{sentence}: {page}");
        }
        let worker = app.payments.worker().poll(Duration::from_millis(10)).start().unwrap();
        until(|| notes.count() >= 3).await;
        a_while().await;
        worker.stop().await;
        let mut begun: Vec<String> = notes.all();
        begun.sort();
        let keys: Vec<&str> = begun.iter().map(|note| note.split_once(" begins").unwrap().0).collect();
        assert_eq!(keys, ["refused:bert", "sent-away:anna", "silence:carl"], "{begun:?}");
    }

    async fn the_doctor_looks_at_the_busiest_merchants(kind) {
        let directory = Directory::of(["anna", "bert"].map(str::to_owned));
        let app = App::bare(kind, |builder| {
            let directory = directory.clone();
            // Carl's has no key to ask with.
            builder.variants_from(move |name| {
                let directory = directory.clone();
                async move {
                    if name == "carl" {
                        return Ok(Some(Variant::new(Stripe::new(crate::app::SECRET))));
                    }
                    directory.given(name.to_string()).await
                }
            })
        })
        .await;
        for name in ["anna", "bert"] {
            assert_eq!(app.signed_with(&secret_of(name), name, &event("evt_1")).await, 200);
        }
        let body = crate::events::fixture("charge.succeeded").to_string();
        let signature = actix_payments::gateways::stripe::sign_delivery(crate::app::SECRET, app.now(), body.as_bytes());
        let path = ("/payments/carl/", [("stripe-signature", signature.as_str())]);
        let taken = app.request(actix_web::http::Method::POST, path.0, &path.1, body.as_bytes()).await;
        assert_eq!(taken.status, 200);
        app.drain().await;
        app.counted("received", 3);
        directory.fail(&["bert"]);
        app.pass(61);
        app.run("UPDATE pay_events SET skew_seconds = 600 WHERE variant = 'anna'");
        let found = app.json("doctor").await;
        let named = |name: &str, state: &str| {
            let checks = found["checks"].as_array().unwrap();
            checks.iter().any(|check| check["name"] == name && check["state"] == state)
        };
        assert!(named("delivery:anna", "ok") && named("clock:anna", "fault"), "{found}");
        assert!(named("variant:bert", "fault") && named("api-key:carl", "warning"), "{found}");
    }

    async fn of_many_merchants_with_open_questions_those_who_wait_the_longest_are_named(kind) {
        let (app, _) = market(kind, &["anna"]).await;
        assert_eq!(app.signed_with(&secret_of("anna"), "anna", &event("evt_1")).await, 200);
        let asked = |number: &str, variant: &str, from: &str| {
            format!(
                "INSERT INTO pay_fetches (variant, object_type, gateway_ref, account, idempotency_key, state, attempts, \
                 due_at, created_at) SELECT {variant}, 'charge', 'ch_1', '', 'key-' || {number}, 'underway', 1, \
                 e.received_at, e.received_at FROM pay_events AS e{from}"
            )
        };
        app.run(&asked("0", "'zulu'", ""));
        let count = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) SELECT i FROM n";
        app.run(&asked("n.i", "'merchant-' || (1000 + n.i)", &format!(", ({count}) AS n")));
        app.pass(3600);
        let page = app.get("/payments/admin/").await.text();
        assert!(page.contains("zulu") && page.contains("merchant-1199"), "{page}");
        assert!(!page.contains("merchant-1200"), "{page}");
    }

    async fn a_merchant_that_is_loaded_again_and_again_raises_no_concern_in_between(kind) {
        let (app, _) = market(kind, &["anna"]).await;
        assert_eq!(app.signed_with(&secret_of("anna"), "anna", &event("evt_1")).await, 200);
        let worker = app.payments.worker().poll(Duration::from_millis(10)).start().unwrap();
        let served = || app.texts("SELECT variants AS t FROM pay_workers").concat();
        for _ in 0..4 {
            app.pass(61);
            assert_eq!(app.signed_with(&secret_of("anna"), "anna", &event("evt_1")).await, 200);
            app.run("UPDATE pay_workers SET variants = ''");
            until(|| !served().is_empty()).await;
            assert_eq!(served(), "[\"*\"]");
            let page = app.get("/payments/admin/").await.text();
            assert!(!page.contains("no worker has"), "{page}");
        }
        worker.stop().await;
    }
}
