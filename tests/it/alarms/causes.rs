//! Which causes become alarms, and do the overview and the host hear the same of them?

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_payments::gateways::stripe::sign_delivery;
use actix_payments::{AlarmThresholds, AnyRef, HandlerError, NewPayment, Transition};
use actix_web::http::Method;
use serde_json::{Value, json};

use super::stories::worker;
use super::{a_while, telling};
use crate::app::{App, NOW, SECRET, on_both_databases};
use crate::events::fixture;
use crate::scenes::{Notes, completed, money, until};
use crate::stripe::fake::Fake;

/// A fixture of real money.
fn live(name: &str) -> Value {
    let mut event = fixture(name);
    event["livemode"] = json!(true);
    event["data"]["object"]["livemode"] = json!(true);
    event
}

/// A dispute of the fixtures' charge.
fn dispute(id: &str, status: &str, minor: i64) -> String {
    let mut event = live("charge.dispute.created");
    event["id"] = json!(format!("evt_{id}_{status}"));
    event["data"]["object"]["id"] = json!(id);
    event["data"]["object"]["status"] = json!(status);
    event["data"]["object"]["amount"] = json!(minor);
    event["data"]["object"]["evidence_details"]["due_by"] = json!(NOW + 7 * 86_400);
    if status != "needs_response" {
        event["created"] = json!(event["created"].as_i64().unwrap() + 100);
        event["type"] = json!("charge.dispute.closed");
    }
    event.to_string()
}

on_both_databases! {
    async fn each_dispute_is_an_alarm_with_its_deadline_until_it_is_decided(kind) {
        let notes = Notes::default();
        let app = App::with(kind, |builder| telling(builder, &notes, &Arc::default())).await;
        let charge = live("charge.succeeded").to_string();
        app.deliver(&[&charge, &dispute("dp_1", "needs_response", 4999)]).await;
        app.pass(61);
        app.drain().await;
        let running = worker(&app);
        until(|| notes.count() == 1).await;
        until(|| app.number("SELECT count(*) FROM pay_alarms WHERE told") == 1).await;
        // The look that told it ends before the clock goes on.
        a_while().await;
        app.deliver(&[&dispute("dp_2", "needs_response", 700)]).await;
        app.pass_until(31, || notes.count() == 2).await;
        let token = app.texts("SELECT token AS t FROM pay_payments").remove(0);
        let by = "is open: answer it at the gateway by 2026-10-19 10:15 UTC, or it is lost.";
        let link = format!("/payments/admin/payments/{token}");
        let told = |id: &str, money: &str| format!("dispute:{id} begins: A dispute over {money} {by} {link}");
        assert_eq!(notes.all(), [told("dp_1", "49.99 EUR"), told("dp_2", "7.00 EUR")]);
        let page = app.get("/payments/admin/").await;
        let listed = page.text().matches(by).count();
        assert!(listed == 2 && page.body.contains(&format!("href=\"{link}\"")), "{}", page.body);
        app.deliver(&[&dispute("dp_1", "won", 4999)]).await;
        until(|| app.number("SELECT count(*) FROM pay_ledger WHERE register = 'dispute' AND state = 'open'") == 1).await;
        a_while().await;
        app.pass_until(331, || notes.count() == 3).await;
        assert!(notes.all()[2].starts_with("dispute:dp_1 over: "), "{:?}", notes.all());
        running.stop().await;
    }

    async fn events_that_the_list_has_and_nobody_delivered_are_an_alarm(kind) {
        let (notes, fake) = (Notes::default(), Fake::new(NOW));
        let gateway = fake.gateway(SECRET);
        let app = App::bare(kind, |builder| telling(builder.variant("stripe", gateway), &notes, &Arc::default())).await;
        // The first time there is nothing to be missed yet.
        assert_eq!(app.payments.reconcile("stripe").await.unwrap().found, 0);
        for late in [0, 600] {
            let new = NewPayment::new("stripe", money(5000, "EUR")).return_url("https://shop.example/");
            fake.pay(&app.payments.create(new).await.unwrap().payment.token);
            app.pass(late);
            fake.state().now = app.now();
            assert_eq!(app.payments.reconcile("stripe").await.unwrap().found, 3);
            app.drain().await;
        }
        // What had just happened was on its way.
        app.counted("missed", 3);
        let page = app.get("/payments/admin/").await.text();
        assert!(page.contains("stripe: 3 events had not been delivered and were fetched from the gateway's list"), "{page}");
        let running = worker(&app);
        until(|| notes.count() > 0).await;
        a_while().await;
        assert!(notes.all().len() == 1 && notes.all()[0].starts_with("missed:stripe begins: "), "{:?}", notes.all());
        running.stop().await;
    }

    async fn a_forgery_beside_good_ones_does_not_hide_that_all_are_refused(kind) {
        let notes = Notes::default();
        let app = App::with(kind, |builder| telling(builder, &notes, &Arc::default())).await;
        let forged = async |number: i64| {
            let body = r#"{"id":"evt_forged","type":"ping"}"#;
            let signature = sign_delivery("whsec_other", app.now(), body.as_bytes());
            let headers = [("stripe-signature", signature.as_str())];
            app.request(Method::POST, "/payments/stripe/", &headers, body.as_bytes()).await;
            app.counted("rejected:signature_mismatch", number);
        };
        forged(1).await;
        app.pass(1);
        app.deliver(&[r#"{"id":"evt_good","type":"ping"}"#]).await;
        let running = worker(&app);
        until(|| notes.count() == 1).await;
        assert!(notes.all()[0].contains("rejected beside good ones"), "{:?}", notes.all());
        a_while().await;
        app.pass(31);
        forged(2).await;
        app.pass_until(31, || notes.count() == 2).await;
        assert!(notes.all()[1].starts_with("refused:stripe begins: "), "{:?}", notes.all());
        assert!(notes.all()[1].contains("none accepted since"), "{:?}", notes.all());
        running.stop().await;
    }

    async fn an_operation_that_is_given_up_stays_an_alarm_until_a_refresh_tells(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        app.run(
            "INSERT INTO pay_operations \
             (payment_id, variant, verb, gateway_refs, idempotency_key, actor, state, created_at) \
             SELECT id, variant, 'refund', '[]', 'op_1', 'anna', 'unknown', created_at FROM pay_payments",
        );
        app.pass(1_900);
        let page = app.get("/payments/admin/").await;
        let told = "stripe: whether the gateway did a refund is not known since";
        assert!(page.text().contains(told) && page.body.contains(&format!("payments/{token}")), "{}", page.text());
        app.run(
            "INSERT INTO pay_operations \
             (payment_id, variant, verb, gateway_refs, idempotency_key, actor, state, created_at) \
             SELECT id, variant, 'refresh', '[]', 'op_2', 'anna', 'done', created_at FROM pay_payments",
        );
        let page = app.get("/payments/admin/").await.text();
        assert!(!page.contains(told), "{page}");
    }

    async fn every_open_dispute_is_told_the_first_deadline_first_and_those_without_last(kind) {
        let app = App::new(kind).await;
        let charge = live("charge.succeeded").to_string();
        app.deliver(&[&charge, &dispute("dp_0", "needs_response", 100)]).await;
        app.pass(61);
        app.drain().await;
        let more = (1..12).map(|number| dispute(&format!("dp_{number}"), "needs_response", 100 + number));
        let more: Vec<String> = more.collect();
        app.deliver(&more.iter().map(String::as_str).collect::<Vec<_>>()).await;
        app.run("UPDATE pay_ledger SET until = NULL WHERE gateway_ref = 'dp_0'");
        let page = app.get("/payments/admin/").await.text();
        let each = page.split("A dispute over ").skip(1);
        let told: Vec<&str> = each.map(|rest| rest.split(' ').next().unwrap()).collect();
        assert_eq!((told.len(), told.last()), (12, Some(&"1.00")), "{page}");
    }

    async fn many_of_one_cause_hide_no_other(kind) {
        let fakes = [Fake::new(NOW), Fake::new(NOW)];
        let app = App::bare(kind, |builder| {
            let builder = builder.variant("aside", fakes[0].gateway(SECRET));
            builder.variant("stripe", fakes[1].gateway(SECRET))
        })
        .await;
        // Of each cause 300 rows that are newer, or stand before, the one of another kind or variant.
        let discarded = |ids: &str, variant: &str, kind: &str, code: &str, day: u8| {
            app.run(&format!(
                "INSERT INTO pay_events (variant, gateway_event_id, source, kind, state, outcome, outcome_code, received_at, \
                 last_delivered_at, deliveries, finished_at) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
                 WHERE i < {ids}) SELECT '{variant}', '{kind}-' || i, 'delivery', '{kind}', 'discarded', 'done', '{code}', \
                 '2026-10-01 00:00:00+00:00', '2026-10-01 00:00:00+00:00', 1, '2026-10-{day:02} 00:00:00+00:00' FROM n"
            ));
        };
        discarded("300", "stripe", "loud.one", "failed", 9);
        discarded("300", "stripe", "on.purpose", "discarded", 9);
        discarded("300", "aside", "unshown.one", "not_shown", 9);
        discarded("1", "stripe", "quiet.one", "failed", 2);
        discarded("1", "stripe", "unshown.two", "not_shown", 2);
        for (variant, count) in [("aside", 200), ("stripe", 1)] {
            app.run(&format!(
                "INSERT INTO pay_differences (variant, subject, name, fields, found_at, seen_at) WITH RECURSIVE n(i) AS \
                 (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) SELECT '{variant}', 'object', 'in_' || i, '[]', \
                 '2026-10-01 00:00:00+00:00', '2026-10-01 00:00:00+00:00' FROM n"
            ));
        }
        let page = app.get("/payments/admin/").await.text();
        for told in [
            "of loud.one given up",
            "stripe: 1 event of quiet.one given up",
            "aside: the gateway did not show what",
            "stripe: the gateway did not show what 1 event names",
            "stripe: 1 object differs from the gateway",
        ] {
            assert!(page.contains(told), "{told} in {page}");
        }
        assert!(!page.contains("on.purpose"), "{page}");
        let body = app.get("/payments/admin/").await.body;
        let links: BTreeSet<&str> = body.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(links.len() > 10, "{links:?}");
        for link in links.into_iter().filter(|link| link.starts_with("/payments/admin/")) {
            assert_eq!(app.get(&link.replace("&#38;", "&")).await.status, 200, "{link}");
        }
    }

    async fn disputes_of_test_payments_are_no_urgent_alarm(kind) {
        let app = App::new(kind).await;
        let events = ["charge.succeeded", "charge.dispute.created"].map(|name| fixture(name).to_string());
        app.deliver(&events.each_ref().map(String::as_str)).await;
        app.pass(61);
        app.drain().await;
        let page = app.get("/payments/admin/").await;
        let line = page.body.split("<li class=\"").find(|line| line.contains("in test mode")).expect("a line");
        assert!(line.starts_with("warn") && line.contains("1 dispute is open in test mode: no money is at stake."), "{line}");
        assert!(line.contains("disputes?mode=test") && !page.text().contains("answer it at the gateway"), "{}", page.text());
    }

    async fn an_event_that_keeps_failing_is_an_alarm_until_it_is_processed(kind) {
        let refuses = Arc::new(AtomicBool::new(true));
        let told = refuses.clone();
        let mark_order = move |_: AnyRef<'_>, _: &Transition| match told.load(Ordering::SeqCst) {
            true => Err(HandlerError::retry("permission denied")),
            false => Ok(()),
        };
        let app = App::with(kind, |builder| builder.handler_in_transaction("mark-order", mark_order)).await;
        let token = app.order().await.token;
        app.deliver(&[&completed(&token)]).await;
        for _ in 2..5 {
            app.pass(3_600);
            app.drain().await;
        }
        assert!(app.overview().await.contains("All is well"), "a fault that passes is no alarm");
        app.pass(3_600);
        app.drain().await;
        let page = app.overview().await;
        assert!(page.contains("1 event kept failing and will be tried again"), "{page}");
        assert!(page.contains("handler mark-order failed: permission denied") && !page.contains("All is well"), "{page}");
        refuses.store(false, Ordering::SeqCst);
        app.pass(3_600);
        app.drain().await;
        assert!(app.overview().await.contains("All is well"), "it is processed");
    }

    async fn a_host_chooses_from_when_on_something_is_an_alarm(kind) {
        let thresholds = AlarmThresholds::new().overdue(Duration::from_secs(3_600)).silence(Duration::from_secs(60), 1);
        let app = App::with(kind, |builder| builder.alarm_after(thresholds)).await;
        app.order().await;
        app.stripe(&fixture("charge.succeeded").to_string()).await;
        app.pass(3_599);
        let page = app.get("/payments/admin/").await.text();
        assert!(!page.contains("waited for longer"), "{page}");
        app.order().await;
        app.pass(61);
        let page = app.get("/payments/admin/").await.text();
        assert!(page.contains("1 event waited for longer than 60 minutes"), "{page}");
        assert!(page.contains("stripe: payments were created, but no event came since"), "{page}");
    }
}
