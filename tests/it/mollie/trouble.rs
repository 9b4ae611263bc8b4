//! Does every hint find its answer, though the gateway is down, the process dies in between, or several ask at once?

use std::sync::Arc;
use std::time::Duration;

use actix_payments::CaptureMethod;
use actix_payments::Refund;
use actix_payments::domain::payment::Status;

use super::fake::Fault;
use super::{app, app_with, begun, first_page, hint, is, told};
use crate::alarms::telling;
use crate::app::on_both_databases;
use crate::scenes::{Notes, money};

/// A moment that no test comes to, as both databases write it.
const LATER: &str = "'2030-01-01 00:00:00+00:00'";

on_both_databases! {
    async fn a_gateway_that_is_down_is_asked_again_until_it_answers(kind) {
        let (app, fake) = app(kind).await;
        let (token, id) = begun(&app, CaptureMethod::Immediate).await;
        fake.becomes(&id, "paid");
        fake.state().is_down = true;
        told(&app, &id).await;
        assert_eq!((app.events("parked"), fake.state().questions), (1, 1));
        let page = first_page(&app).await;
        assert!(page.contains("It waits for the gateway's answer. After one try: not known yet:"), "{page}");
        assert!(page.contains("nobody is at home") && page.contains("Tried next"), "{page}");
        // Nothing is asked before its time, however often a worker looks.
        for _ in 0..5 {
            app.drain().await;
        }
        assert_eq!(fake.state().questions, 1);
        for _ in 0..4 {
            app.pass(3600);
            app.drain().await;
        }
        assert_eq!(fake.state().questions, 5);
        is(&app, &token, Status::Pending).await;
        fake.state().faults = [Some(Fault::CutBefore), Some(Fault::Garbled), Some(Fault::CutAfter)].into();
        fake.state().is_down = false;
        for _ in 0..4 {
            app.pass(12 * 3600);
            app.drain().await;
        }
        is(&app, &token, Status::Paid).await;
        assert_eq!((app.events("parked"), fake.state().questions), (0, 9));
    }

    async fn a_gateway_that_never_answers_is_given_up_loudly_and_asked_anew_on_request(kind) {
        let (app, fake) = app(kind).await;
        let (token, id) = begun(&app, CaptureMethod::Immediate).await;
        fake.becomes(&id, "paid");
        fake.state().is_down = true;
        told(&app, &id).await;
        // Age alone is no reason: it may have waited for an API key.
        app.pass(4 * 86_400);
        app.drain().await;
        assert_eq!(app.events("parked"), 1);
        for _ in 0..10 {
            app.pass(86_400);
            app.drain().await;
        }
        assert_eq!(app.texts("SELECT state AS t FROM pay_fetches"), ["unknown"]);
        assert_eq!((app.events("parked"), app.events("discarded")), (0, 1));
        let page = first_page(&app).await;
        assert!(page.contains("given up after 12 tries"), "{page}");
        fake.state().is_down = false;
        app.pass(60);
        let event = app.number("SELECT min(id) FROM pay_events");
        assert_eq!(app.post(&format!("/payments/admin/events/{event}/requeue"), "").await.status, 303);
        app.drain().await;
        is(&app, &token, Status::Paid).await;
        assert_eq!(app.codes().first().map(String::as_str), Some("fetched"));
    }

    async fn a_payment_of_ours_that_the_gateway_does_not_know_is_told_loudly(kind) {
        let (app, fake) = app(kind).await;
        let (token, id) = begun(&app, CaptureMethod::Immediate).await;
        // As if the key were of another profile.
        fake.state().payments.clear();
        told(&app, &id).await;
        assert_eq!((app.events("discarded"), app.status(&token).await), (1, Status::Pending));
        assert!(first_page(&app).await.contains("404"));
    }

    async fn an_answer_that_is_given_up_ends_what_waited_for_it(kind) {
        let (app, fake) = app(kind).await;
        let (_, id) = begun(&app, CaptureMethod::Immediate).await;
        fake.becomes(&id, "paid");
        told(&app, &id).await;
        app.run("UPDATE pay_events SET state = 'parked', finished_at = NULL WHERE source = 'delivery'");
        app.run(&format!("UPDATE pay_events SET state = 'available', due_at = {LATER} WHERE source = 'answer'"));
        let answer = app.number("SELECT max(id) FROM pay_events");
        assert_eq!(app.post(&format!("/payments/admin/events/{answer}/discard"), "").await.status, 303);
        app.drain().await;
        assert_eq!((app.events("parked"), app.events("discarded")), (0, 2));
        assert!(first_page(&app).await.contains("can't be used"));
    }

    async fn a_process_that_dies_before_it_wrote_the_answer_down_leaves_the_question_to_others(kind) {
        let (app, fake) = app(kind).await;
        let (token, id) = begun(&app, CaptureMethod::Immediate).await;
        fake.becomes(&id, "paid");
        told(&app, &id).await;
        // As if the first process had asked, and died with the answer in its hands.
        app.run("DELETE FROM pay_event_facts");
        for table in ["pay_event_references", "pay_event_bodies"] {
            let answers = "SELECT id FROM pay_events WHERE source = 'answer'";
            app.run(&format!("DELETE FROM {table} WHERE event_id IN ({answers})"));
        }
        app.run("DELETE FROM pay_transitions");
        app.run("DELETE FROM pay_ledger");
        app.run("DELETE FROM pay_events WHERE source = 'answer'");
        app.run("UPDATE pay_payments SET status = 'pending', captured_amount = 0");
        app.run("UPDATE pay_events SET state = 'parked', finished_at = NULL");
        app.run("UPDATE pay_fetches SET state = 'underway', finished_at = NULL, answers = '[]', due_at = created_at");
        app.drain().await;
        is(&app, &token, Status::Paid).await;
        assert_eq!((fake.state().questions, app.events("parked")), (2, 0));
    }

    async fn a_process_that_dies_after_it_wrote_the_answer_down_has_it_processed_by_others(kind) {
        let (app, fake) = app(kind).await;
        let (token, id) = begun(&app, CaptureMethod::Immediate).await;
        fake.becomes(&id, "paid");
        told(&app, &id).await;
        app.run("DELETE FROM pay_transitions");
        app.run("DELETE FROM pay_ledger");
        app.run("UPDATE pay_payments SET status = 'pending', captured_amount = 0");
        app.run("UPDATE pay_events SET state = 'parked', finished_at = NULL WHERE source = 'delivery'");
        // Somebody looks at the event that asked before the answer is processed.
        let page = first_page(&app).await;
        assert!(page.contains("The gateway has answered. It waits until that is in the ledger."), "{page}");
        // Even if that is looked at anew, it is not called done before the answer is in the ledger.
        app.run("UPDATE pay_events SET state = 'available', attempts = 0, due_at = received_at, finished_at = NULL");
        app.run(&format!("UPDATE pay_events SET due_at = {LATER} WHERE source = 'answer'"));
        app.drain().await;
        assert_eq!((app.events("parked"), app.events("available")), (1, 1));
        app.run("UPDATE pay_events SET due_at = received_at WHERE source = 'answer'");
        app.drain().await;
        is(&app, &token, Status::Paid).await;
        assert_eq!((fake.state().questions, app.events("parked"), app.events("completed")), (1, 0, 2));
    }

    async fn what_happens_after_the_gateway_has_looked_is_asked_for_once_more(kind) {
        let (app, fake) = app(kind).await;
        let (token, id) = begun(&app, CaptureMethod::Immediate).await;
        fake.state().slow = Some(Duration::from_secs(2));
        assert_eq!(hint(&app, &id).await.status, 200);
        let worker = app.payments.worker().poll(Duration::from_millis(10)).start().unwrap();
        // Mollie has looked, and its answer is on its way, when the payment is paid and hinted at again.
        app.until("SELECT count(*) FROM pay_fetches WHERE attempts = 1", 1).await;
        while fake.state().questions == 0 {
            actix_web::rt::time::sleep(Duration::from_millis(5)).await;
        }
        fake.becomes(&id, "paid");
        assert_eq!(hint(&app, &id).await.status, 200);
        app.until("SELECT count(*) FROM pay_fetches", 2).await;
        assert_eq!(app.status(&token).await, Status::Pending);
        app.pass(2);
        app.until("SELECT count(*) FROM pay_events WHERE state NOT IN ('completed', 'ignored')", 0).await;
        worker.stop().await;
        is(&app, &token, Status::Paid).await;
        assert_eq!((fake.state().questions, app.events("completed")), (2, 4));
    }

    async fn several_processes_put_one_question(kind) {
        let (app, fake) = app(kind).await;
        let (token, id) = begun(&app, CaptureMethod::Immediate).await;
        fake.becomes(&id, "paid");
        for _ in 0..20 {
            assert_eq!(hint(&app, &id).await.status, 200);
        }
        let start = || app.payments.worker().poll(Duration::from_millis(10)).start().unwrap();
        let workers = [start(), start(), start()];
        app.until("SELECT count(*) FROM pay_payments WHERE status = 'paid'", 1).await;
        app.until("SELECT count(*) FROM pay_events WHERE state NOT IN ('completed', 'ignored')", 0).await;
        for worker in workers {
            worker.stop().await;
        }
        let questions = fake.state().questions;
        assert!((1..=2).contains(&questions), "{questions}");
        is(&app, &token, Status::Paid).await;
        assert_eq!(app.transitions(), ["pending → paid"]);
    }

    async fn a_refund_that_may_be_among_those_not_listed_is_not_made_again(kind) {
        let (app, fake) = app(kind).await;
        let (token, id) = begun(&app, CaptureMethod::Immediate).await;
        fake.becomes(&id, "paid");
        told(&app, &id).await;
        fake.state().faults = [Some(Fault::CutAfter)].into();
        app.payments.refund(&token.as_str().into(), Refund::part(money(2000, "EUR"))).await.unwrap();
        fake.forget();
        fake.state().most_shown = Some(0);
        app.pass(2 * 3600);
        app.drain().await;
        let refunds = || fake.state().effects.iter().filter(|effect| effect.starts_with("refund")).count();
        assert_eq!((refunds(), app.texts("SELECT state AS t FROM pay_operations")), (1, vec!["underway".to_owned()]));
        fake.state().most_shown = None;
        app.pass(2 * 3600);
        app.drain().await;
        assert_eq!((refunds(), app.texts("SELECT state AS t FROM pay_operations")), (1, vec!["done".to_owned()]));
    }

    async fn a_question_that_was_refused_for_good_is_an_alarm_and_asked_again_on_request(kind) {
        let notes = Notes::default();
        let (app, fake) = app_with(kind, |builder| telling(builder, &notes, &Arc::default())).await;
        let (token, id) = begun(&app, CaptureMethod::Immediate).await;
        fake.becomes(&id, "paid");
        // As if the key were of another profile.
        let payments = std::mem::take(&mut fake.state().payments);
        told(&app, &id).await;
        let event = app.number("SELECT min(id) FROM pay_events");
        let words = "mollie: the gateway did not show what 1 event names, and is not asked again";
        let page = app.get("/payments/admin/").await;
        assert!(page.text().contains(words), "{}", page.text());
        assert!(page.body.contains(&format!("href=\"/payments/admin/events/{event}\">The last event")), "{}", page.body);
        assert!(!page.text().contains("given up, the last"), "one cause, one line: {}", page.text());
        let worker = app.payments.worker().poll(Duration::from_millis(10)).start().unwrap();
        app.until("SELECT count(*) FROM pay_alarms WHERE told", 1).await;
        worker.stop().await;
        let told = notes.all();
        assert!(told.len() == 1 && told[0].starts_with("not-shown:mollie begins: mollie: the gateway"), "{told:?}");
        assert!(told[0].ends_with(&format!("/payments/admin/events/{event}")), "{told:?}");
        // Whoever has set the right key asks again.
        fake.state().payments = payments;
        app.pass(60);
        assert_eq!(app.post(&format!("/payments/admin/events/{event}/requeue"), "").await.status, 303);
        app.drain().await;
        is(&app, &token, Status::Paid).await;
        let page = app.get("/payments/admin/").await.text();
        assert!(!page.contains("did not show"), "{page}");
    }

    async fn a_refund_is_made_once_though_its_answer_was_lost_and_mollie_forgot_its_key(kind) {
        let (app, fake) = app(kind).await;
        let (token, id) = begun(&app, CaptureMethod::Immediate).await;
        fake.becomes(&id, "paid");
        told(&app, &id).await;
        fake.state().faults = [Some(Fault::CutAfter)].into();
        app.payments.refund(&token.as_str().into(), Refund::part(money(2000, "EUR"))).await.unwrap();
        fake.forget();
        app.pass(2 * 3600);
        app.drain().await;
        let refunds = fake.state().effects.iter().filter(|effect| effect.starts_with("refund")).count();
        assert_eq!(refunds, 1);
        assert_eq!(app.texts("SELECT state AS t FROM pay_operations"), ["done"]);
        assert_eq!(app.number("SELECT count(*) FROM pay_ledger WHERE register = 'refund'"), 1);
        // A capture too.
        let (token, id) = begun(&app, CaptureMethod::Manual).await;
        fake.becomes(&id, "authorized");
        told(&app, &id).await;
        fake.state().faults = [Some(Fault::CutAfter)].into();
        app.payments.capture(&token.as_str().into(), None).await.unwrap();
        fake.forget();
        app.pass(2 * 3600);
        app.drain().await;
        is(&app, &token, Status::Paid).await;
        assert_eq!(fake.state().effects.iter().filter(|effect| effect.starts_with("capture")).count(), 1);
    }
}
