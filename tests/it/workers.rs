//! Do several workers share the work without doing it twice, and does a worker end in order?

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_payments::domain::payment::Status;
use actix_payments::{AnyConnection, Builder, HandlerError, Token, Transition};
use actix_web::rt::time::sleep;
use tokio::sync::Notify;

use crate::app::{App, on_both_databases};
use crate::scenes::{Notes, completed, completed_as, of_story, until};

/// A handler that begins, waits at the gate, and ends.
fn gated(builder: Builder<AnyConnection>, notes: &Notes, gate: &Arc<Notify>) -> Builder<AnyConnection> {
    let (notes, gate) = (notes.clone(), gate.clone());
    builder.handler("ship", move |_: Transition| {
        let (notes, gate) = (notes.clone(), gate.clone());
        async move {
            notes.add("began");
            gate.notified().await;
            notes.add("ended");
            Ok(())
        }
    })
}

/// Another process on the same database.
async fn beside(app: &App, configure: impl FnOnce(Builder<AnyConnection>) -> Builder<AnyConnection>) -> App {
    let stripe = actix_payments::gateways::stripe::Stripe::new(crate::app::SECRET);
    App::at(app.url.clone(), None, |builder| configure(builder.variant("stripe", stripe))).await
}

on_both_databases! {
    async fn a_running_worker_hears_of_a_delivery_at_once(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        let worker = app.payments.worker().poll(Duration::from_secs(60)).start().unwrap();
        sleep(Duration::from_millis(50)).await;
        app.stripe(&completed(&token)).await;
        until(|| app.events("completed") == 1).await;
        worker.stop().await;
        assert_eq!(app.status(&token).await, Status::Paid);
    }

    async fn what_a_wrong_clock_put_off_is_done_all_the_same(kind) {
        let app = App::new(kind).await;
        let tokens = [app.order().await.token, app.order().await.token];
        for (number, token) in tokens.iter().enumerate() {
            app.stripe(&completed_as(number, token)).await;
        }
        // A process that was years ahead took them in, held one when it ended, and had done what is done from time to time.
        let ahead = "'2031-01-01 00:00:00+00:00'";
        app.run(&format!("UPDATE pay_events SET due_at = {ahead}"));
        app.run("UPDATE pay_events SET state = 'running' WHERE id = 1");
        app.run(&format!("INSERT INTO pay_chores (name, due_at, ran_at) VALUES ('clocks', {ahead}, {ahead})"));
        let worker = app.payments.worker().poll(Duration::from_millis(10)).start().unwrap();
        until(|| app.events("completed") == 2).await;
        worker.stop().await;
    }

    async fn a_lease_that_ran_out_is_claimed_again_and_the_late_worker_settles_nothing(kind) {
        let (notes, gate) = (Notes::default(), Arc::new(Notify::new()));
        let app = App::with(kind, |builder| gated(builder, &notes, &gate)).await;
        let second = beside(&app, |builder| builder.handler("ship", |_: Transition| async {
            Err(HandlerError::Discard("the second had the last word".into()))
        })).await;
        let token = app.order().await.token;
        app.stripe(&completed(&token)).await;
        let worker = app.payments.worker().start().unwrap();
        until(|| notes.count() == 1).await;
        assert_eq!(second.drain().await, 0, "the lease holds");
        second.pass(3600);
        assert_eq!(second.drain().await, 1);
        gate.notify_one();
        until(|| notes.count() == 2).await;
        worker.stop().await;
        let outcomes = app.outcomes();
        assert_eq!(outcomes, ["discarded: discarded: handler ship failed: the second had the last word"]);
        assert_eq!(app.number("SELECT attempts FROM pay_events"), 2);
    }

    async fn stopping_waits_for_what_runs_and_gives_back_what_was_not_begun(kind) {
        let (notes, gate) = (Notes::default(), Arc::new(Notify::new()));
        let app = App::with(kind, |builder| gated(builder, &notes, &gate)).await;
        for number in 0..3 {
            app.stripe(&completed_as(number, &app.order().await.token)).await;
        }
        let worker = app.payments.worker().concurrency(1).start().unwrap();
        until(|| notes.count() == 1).await;
        let stopping = actix_web::rt::spawn(worker.stop());
        sleep(Duration::from_millis(50)).await;
        assert!(!stopping.is_finished(), "one is running");
        gate.notify_one();
        stopping.await.unwrap();
        assert_eq!(notes.all(), ["began", "ended"]);
        assert_eq!((app.events("completed"), app.events("available"), app.events("running")), (1, 2, 0));
        let again = beside(&app, |builder| builder.retire_handler("ship")).await;
        assert_eq!(again.drain().await, 2, "at once, not after the lease");
        assert_eq!(app.events("completed"), 3);
    }

    async fn settling_waits_for_what_others_hold(kind) {
        let (notes, gate) = (Notes::default(), Arc::new(Notify::new()));
        let app = App::with(kind, |builder| gated(builder, &notes, &gate)).await;
        let other = beside(&app, |builder| builder.handler("ship", |_: Transition| async { Ok(()) })).await;
        app.stripe(&completed(&app.order().await.token)).await;
        let worker = app.payments.worker().start().unwrap();
        until(|| notes.count() == 1).await;
        assert_eq!(other.drain().await, 0, "it is held");
        let early = other.payments.worker().settle(Duration::from_millis(50)).await.unwrap_err();
        assert_eq!(early.kind(), actix_payments::ErrorKind::Unavailable);
        gate.notify_one();
        assert_eq!(other.payments.worker().settle(Duration::from_secs(5)).await.unwrap(), 0);
        assert_eq!(app.events("completed"), 1);
        worker.stop().await;
    }

    async fn an_impatient_stop_leaves_the_rest_to_the_lease(kind) {
        let (notes, gate) = (Notes::default(), Arc::new(Notify::new()));
        let app = App::with(kind, |builder| gated(builder, &notes, &gate)).await;
        app.stripe(&completed(&app.order().await.token)).await;
        let worker = app.payments.worker().patience(Duration::from_millis(20)).start().unwrap();
        until(|| notes.count() == 1).await;
        worker.stop().await;
        assert_eq!(app.events("running"), 1);
        let again = beside(&app, |builder| builder.retire_handler("ship")).await;
        again.pass(3600);
        again.drain().await;
        assert_eq!(app.events("completed"), 1);
    }

    async fn a_handler_that_takes_too_long_is_ended(kind) {
        let (notes, gate) = (Notes::default(), Arc::new(Notify::new()));
        let app = App::with(kind, |b| gated(b, &notes, &gate).handler_timeout(Duration::from_millis(30))).await;
        app.stripe(&completed(&app.order().await.token)).await;
        let worker = app.payments.worker().start().unwrap();
        until(|| app.events("retryable") == 1).await;
        gate.notify_one();
        sleep(Duration::from_millis(50)).await;
        worker.stop().await;
        assert_eq!(notes.all(), ["began"], "it does not run on beside its own retry");
    }

    async fn several_workers_process_each_event_once(kind) {
        let runs = Arc::new(AtomicUsize::new(0));
        let counting = |builder: Builder<AnyConnection>| {
            let runs = runs.clone();
            builder.handler("count", move |_: Transition| {
                runs.fetch_add(1, Ordering::SeqCst);
                async { Ok(()) }
            })
        };
        let app = App::with(kind, counting).await;
        let mut tokens = Vec::new();
        for _ in 0..20 {
            tokens.push(app.order().await.token);
        }
        for (number, event) in story(&tokens).into_iter().enumerate() {
            assert_eq!(app.stripe(&event).await.status, 200, "{number}");
        }
        let (two, three) = (beside(&app, counting).await, beside(&app, counting).await);
        let workers = [&app, &two, &three].map(|app| app.payments.worker().start().unwrap());
        let open = "SELECT count(*) FROM pay_events WHERE state <> 'completed'";
        for _ in 0..1000 {
            if app.number(open) == 0 {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
        for worker in workers {
            worker.stop().await;
        }
        assert_eq!((app.number(open), app.number("SELECT count(*) FROM pay_events")), (0, 200));
        for token in &tokens {
            assert_eq!(app.status(token).await, Status::PartiallyRefunded);
            app.same(token).await;
        }
        let transitions = app.number("SELECT count(*) FROM pay_transitions");
        assert_eq!(runs.load(Ordering::SeqCst) as i64, app.number("SELECT count(DISTINCT event_id) FROM pay_transitions"));
        let paid = "SELECT count(*) FROM pay_transitions WHERE to_status = 'paid' AND from_status <> 'paid'";
        assert!(app.number(paid) <= 20 && transitions >= 20, "{:?}", app.transitions());
        assert_eq!(app.number("SELECT count(*) FROM pay_attempts WHERE outcome <> 'ok'"), 0);
    }
}

/// Ten events of each payment, those of one payment far from each other and the linking one in their midst.
fn story(tokens: &[Token]) -> Vec<String> {
    let names = [
        "charge.succeeded",
        "payment_intent.created",
        "charge.refunded.partial",
        "payment_intent.succeeded",
        "charge.updated",
        "checkout.session.completed",
        "refund.created",
        "payment_intent.processing",
        "checkout.session.expired",
        "refund.updated",
    ];
    let of_all = |name| tokens.iter().enumerate().map(move |(number, token)| of_story(name, number, token));
    names.into_iter().flat_map(of_all).collect()
}
