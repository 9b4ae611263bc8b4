//! Is everything here after the app was down, without anybody doing anything?

use std::time::Duration;

use actix_payments::domain::payment::Status;
use actix_payments::{CaptureMethod, NewPayment, RunningWorker, Token};

use super::fake::{Fake, Fault};
use crate::app::{App, Kind, NOW, SECRET, on_both_databases};
use crate::scenes::money;

async fn app(kind: Kind) -> (App, Fake) {
    let fake = Fake::new(NOW);
    let gateway = fake.gateway(SECRET);
    (App::bare(kind, |builder| builder.variant("stripe", gateway)).await, fake)
}

async fn begun(app: &App, count: usize, capture: CaptureMethod) -> Vec<Token> {
    let mut tokens = Vec::new();
    for _ in 0..count {
        let new = NewPayment::new("stripe", money(5000, "EUR")).return_url("https://shop.example/").capture(capture);
        tokens.push(app.payments.create(new).await.unwrap().payment.token);
    }
    tokens
}

fn worker(app: &App) -> RunningWorker {
    app.payments.worker().poll(Duration::from_millis(20)).start().unwrap()
}

fn listings(fake: &Fake) -> usize {
    fake.listener.heard().iter().filter(|heard| heard.path.starts_with("/v1/events")).count()
}

on_both_databases! {
    async fn what_happened_meanwhile_is_there_after_the_start(kind) {
        let (app, fake) = app(kind).await;
        let tokens = begun(&app, 10, CaptureMethod::Immediate).await;
        // The app is down: nothing of this is delivered.
        let intents: Vec<String> = tokens.iter().map(|token| fake.pay(token)).collect();
        fake.refund(&intents[3], 2000);
        app.pass(7200);
        // Two processes start again.
        let workers = [worker(&app), worker(&app)];
        app.until("SELECT count(*) FROM pay_payments WHERE status = 'paid'", 9).await;
        app.until("SELECT count(*) FROM pay_events WHERE state NOT IN ('completed', 'ignored')", 0).await;
        let refunded = app.payment(&tokens[3]).await;
        assert_eq!((refunded.status, refunded.refunded.minor), (Status::PartiallyRefunded, 2000));
        assert_eq!(app.number("SELECT count(*) FROM pay_events WHERE source = 'listing'"), 32);
        app.until("SELECT count(*) FROM pay_chores WHERE note = '32 of 32 events were missing and were fetched'", 1).await;
        assert_eq!(listings(&fake), 1, "one process asks for both");
        app.until("SELECT count(*) FROM pay_events WHERE state NOT IN ('completed', 'ignored')", 0).await;
        for worker in workers {
            worker.stop().await;
        }
        for token in &tokens {
            app.same(token).await;
        }
        let page = app.get("/payments/admin/variants/stripe").await.text();
        assert!(page.contains("32 of 32 events were missing and were fetched"), "{page}");
    }

    async fn a_long_list_is_read_to_its_end_and_known_events_are_no_deliveries(kind) {
        let (app, fake) = app(kind).await;
        let tokens = begun(&app, 80, CaptureMethod::Immediate).await;
        tokens.iter().for_each(|token| drop(fake.pay(token)));
        let first = fake.state().events[0].to_string();
        app.deliver(&[&first]).await;
        let done = app.payments.reconcile("stripe").await.unwrap();
        assert_eq!((done.listed, done.found, listings(&fake)), (240, 239, 3));
        app.drain().await;
        assert_eq!(app.number("SELECT count(*) FROM pay_payments WHERE status = 'paid'"), 80);
        assert_eq!(app.number("SELECT max(deliveries) FROM pay_events"), 1);
        // Oldest first, and from then on only what is new, an hour more to be sure.
        let order = "SELECT gateway_event_id AS t FROM pay_events WHERE source = 'listing' ORDER BY id";
        let told: Vec<String> = fake.state().events.iter().skip(1).map(|e| e["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(app.texts(order), told);
        for _ in 0..2 {
            assert_eq!(app.payments.reconcile("stripe").await.unwrap().found, 0);
            app.pass(7200);
            fake.state().now += 7200;
        }
        fake.pay(&begun(&app, 1, CaptureMethod::Immediate).await[0]);
        let again = app.payments.reconcile("stripe").await.unwrap();
        assert_eq!((again.listed, again.found), (3, 3));
    }

    async fn a_list_that_fails_halfway_is_read_again_from_where_it_began(kind) {
        let (app, fake) = app(kind).await;
        app.payments.reconcile("stripe").await.unwrap();
        let tokens = begun(&app, 40, CaptureMethod::Immediate).await;
        tokens.iter().for_each(|token| drop(fake.pay(token)));
        app.pass(600);
        fake.state().now = app.now();
        fake.state().faults = [None, Some(Fault::Trouble)].into();
        let failed = app.payments.reconcile("stripe").await.unwrap_err();
        assert!(failed.to_string().contains("503"), "{failed}");
        assert_eq!(app.number("SELECT count(*) FROM pay_chores WHERE note LIKE '%503%'"), 1);
        // What came before it failed is kept, and was missed like all else.
        assert_eq!(app.number("SELECT count(*) FROM pay_events"), 100);
        app.counted("missed", 100);
        let again = app.payments.reconcile("stripe").await.unwrap();
        assert_eq!((again.listed, again.found), (120, 20));
        assert_eq!(app.number("SELECT count(*) FROM pay_events"), 120);
        app.counted("missed", 120);
    }

    async fn a_payment_that_nobody_tells_of_is_asked_about(kind) {
        let (app, fake) = app(kind).await;
        let token = begun(&app, 1, CaptureMethod::Immediate).await.remove(0);
        fake.pay(&token);
        // Not even the list tells of it.
        fake.state().events.clear();
        app.pass(3700);
        let worker = worker(&app);
        app.until("SELECT count(*) FROM pay_payments WHERE status = 'paid'", 1).await;
        worker.stop().await;
        assert_eq!(app.texts("SELECT actor || ' ' || verb AS t FROM pay_operations"), ["a worker refresh"]);
    }

    async fn a_gateway_that_cannot_be_asked_is_left_alone(kind) {
        let app = App::new(kind).await;
        let error = app.payments.reconcile("stripe").await.unwrap_err();
        assert!(error.to_string().contains("no API key"), "{error}");
        let token = app.order().await.token;
        let error = app.payments.refresh(&token).await.unwrap_err();
        assert!(error.to_string().contains("no API key"), "{error}");
        assert_eq!(app.number("SELECT count(*) FROM pay_operations"), 0);
        let worker = worker(&app);
        actix_web::rt::time::sleep(Duration::from_millis(100)).await;
        worker.stop().await;
        assert_eq!(app.number("SELECT count(*) FROM pay_chores WHERE ran_at IS NULL"), 0);
    }
}
