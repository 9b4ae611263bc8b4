//! Is everything that was acknowledged there, each once, however many come at the same time?

use std::rc::Rc;
use std::time::Duration;

use actix_payments::domain::payment::Status;
use actix_web::rt::{spawn, time::sleep};
use proptest::prelude::*;
use proptest::strategy::ValueTree;

use crate::app::{Answer, App, Kind, on_both_databases};
use crate::scenes::{completed, execute, of_story};

/// Sends all at once and waits for the answers.
async fn at_once(app: &Rc<App>, bodies: Vec<String>) -> Vec<Answer> {
    let send = |body: String| {
        let app = app.clone();
        spawn(async move { app.stripe(&body).await })
    };
    let sent: Vec<_> = bodies.into_iter().map(send).collect();
    let mut answers = Vec::new();
    for sent in sent {
        answers.push(sent.await.unwrap());
    }
    answers
}

fn ping(number: usize) -> String {
    format!(r#"{{"id":"evt_{number}","type":"ping"}}"#)
}

on_both_databases! {
    async fn deliveries_that_come_together_are_each_stored(kind) {
        let app = Rc::new(App::new(kind).await);
        let answers = at_once(&app, (0..200).map(ping).collect()).await;
        assert!(answers.iter().all(|answer| answer.status == 200));
        assert_eq!(app.number("SELECT count(*) FROM pay_events"), 200);
        assert_eq!(app.number("SELECT count(*) FROM pay_event_bodies"), 200);
        assert_eq!(app.drain().await, 200);
        assert_eq!(app.counters(), ["stripe ignored 200", "stripe received 200"]);
    }

    async fn copies_that_come_together_are_one_event(kind) {
        let app = Rc::new(App::new(kind).await);
        let token = app.order().await.token;
        let bodies = (0..50).flat_map(|number| [completed(&token), ping(number % 3)]).collect();
        let answers = at_once(&app, bodies).await;
        assert!(answers.iter().all(|answer| (answer.status, answer.body.as_str()) == (200, "ok")));
        app.drain().await;
        let counts = "SELECT cast(deliveries AS text) AS t FROM pay_events ORDER BY deliveries DESC, id";
        assert_eq!(app.texts(counts), ["50", "17", "17", "16"]);
        assert_eq!(app.number("SELECT count(*) FROM pay_event_bodies"), 4);
        assert_eq!(app.counters(), ["stripe completed 1", "stripe duplicate 96", "stripe ignored 3", "stripe received 100"]);
        assert_eq!((app.status(&token).await, app.transitions().len()), (Status::Paid, 1));
    }

    async fn a_full_queue_says_come_again_and_what_it_took_is_stored(kind) {
        let app = Rc::new(App::with(kind, |builder| builder.queue(1)).await);
        let mut holder = app.database.connection().unwrap();
        match kind {
            Kind::Sqlite => { execute(holder.lent(), "BEGIN IMMEDIATE").unwrap(); }
            Kind::Postgres => {
                execute(holder.lent(), "BEGIN").unwrap();
                execute(holder.lent(), "LOCK TABLE pay_events").unwrap();
            }
        }
        let sending = spawn({
            let app = app.clone();
            async move { at_once(&app, (0..10).map(ping).collect()).await }
        });
        sleep(Duration::from_millis(200)).await;
        assert!(!sending.is_finished(), "nothing is acknowledged that is not stored");
        execute(holder.lent(), "ROLLBACK").unwrap();
        let (taken, refused): (Vec<_>, Vec<_>) = sending.await.unwrap().into_iter().partition(|a| a.status == 200);
        assert!(!taken.is_empty() && refused.len() >= 7, "{} {}", taken.len(), refused.len());
        for answer in &refused {
            assert_eq!((answer.status, answer.body.as_str()), (503, "unavailable"));
            assert_eq!(answer.header("retry-after"), Some("5"));
        }
        assert_eq!(app.number("SELECT count(*) FROM pay_events"), taken.len() as i64);
    }

    async fn what_was_taken_in_outlives_the_process_that_took_it(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        app.stripe(&completed(&token)).await;
        let url = app.url.clone();
        let stripe = actix_payments::gateways::stripe::Stripe::new(crate::app::SECRET);
        let next = App::at(url, None, |builder| builder.variant("stripe", stripe)).await;
        assert_eq!(next.drain().await, 1);
        assert_eq!(next.status(&token).await, Status::Paid);
    }
}

const NAMES: [&str; 10] = [
    "checkout.session.completed",
    "checkout.session.completed.unpaid",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "payment_intent.payment_failed",
    "payment_intent.succeeded",
    "charge.succeeded",
    "charge.refunded.partial",
    "refund.failed",
    "charge.dispute.created",
];

/// Sends the events of the story with this number, some of them processed before the next come.
async fn tell(app: &App, number: usize, token: &str, events: &[(usize, bool)]) {
    for (name, process) in events {
        assert_eq!(app.stripe(&of_story(NAMES[*name], number, token)).await.status, 200);
        if *process {
            app.drain().await;
        }
    }
    app.drain().await;
}

#[test]
fn whatever_comes_in_whatever_order_the_payment_is_what_its_events_make() {
    actix_web::rt::System::new().block_on(async {
        let app = App::new(Kind::Sqlite).await;
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        let sequences = prop::collection::vec((0..NAMES.len(), any::<bool>()), 1..14);
        for number in 0..12 {
            let events = sequences.new_tree(&mut runner).unwrap().current();
            let (forth, back) = (app.order().await.token, app.order().await.token);
            tell(&app, number * 2, &forth, &events).await;
            let reverse: Vec<_> = events.iter().rev().copied().collect();
            tell(&app, number * 2 + 1, &back, &reverse).await;
            app.same(&forth).await;
            app.same(&back).await;
            let (forth, back) = (app.payment(&forth).await, app.payment(&back).await);
            let end = |p: &actix_payments::Payment| (p.status, p.captured, p.refunded, p.disputed, p.concerns.clone());
            let linked = events.iter().any(|(name, _)| *name < 3);
            assert!(!linked || end(&forth) == end(&back), "{events:?}: {forth:?} {back:?}");
        }
    });
}
