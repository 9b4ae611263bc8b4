//! Is the host told once of what begins to be an alarm, and once that it is over, however many processes there are?

mod causes;
mod parts;
mod stories;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_payments::gateways::stripe::Stripe;
use actix_payments::{Alarm, AnyConnection, Builder, HandlerError};
use actix_web::rt::time::sleep;

use crate::app::{App, SECRET, on_both_databases};
use crate::events::changed;
use crate::scenes::{Notes, passing_until, until};

/// Notes what the host is told, and lets it fail as long as `fails` says so.
pub(crate) fn telling(
    builder: Builder<AnyConnection>,
    notes: &Notes,
    fails: &Arc<AtomicBool>,
) -> Builder<AnyConnection> {
    let (notes, fails) = (notes.clone(), fails.clone());
    builder.on_alarm(move |alarm: Alarm| {
        let what = if alarm.is_over() { "over" } else { "begins" };
        notes.add(format!("{} {what}: {} {}", alarm.key, alarm.sentence, alarm.link));
        let fails = fails.load(Ordering::SeqCst);
        async move { if fails { Err(HandlerError::retry("no connection")) } else { Ok(()) } }
    })
}

/// As long as several looks of a worker take.
pub(crate) async fn a_while() {
    sleep(Duration::from_millis(400)).await;
}

impl App {
    /// Gives an event up, which is an alarm until somebody does something about it.
    async fn give_up(&self) {
        self.give_up_as("evt_1").await;
        assert_eq!(self.events("discarded"), 1);
    }

    async fn give_up_as(&self, id: &str) {
        let changes = [("/id", id.into()), ("/data/object/amount", "?".into())];
        self.deliver(&[&changed("charge.succeeded", &changes)]).await;
    }
}

on_both_databases! {
    async fn an_alarm_is_told_once_by_many_and_once_more_when_it_is_over(kind) {
        let (notes, fails) = (Notes::default(), Arc::default());
        let app = App::with(kind, |builder| telling(builder, &notes, &fails)).await;
        let other = App::at(app.url.clone(), None, |builder| {
            telling(builder.variant("stripe", Stripe::new(SECRET)), &notes, &fails)
        }).await;
        app.give_up().await;
        let start = |app: &App| app.payments.worker().poll(Duration::from_millis(10)).start().unwrap();
        let pass = |seconds| [&app, &other].map(|app| app.pass(seconds));
        let workers = [start(&app), start(&other)];
        until(|| notes.count() == 1).await;
        pass(31);
        a_while().await;
        for worker in workers {
            worker.stop().await;
        }
        let told = notes.all();
        assert_eq!(told.len(), 1, "{told:?}");
        let begins = "discarded:stripe:charge.succeeded begins: stripe: 1 event of charge.succeeded given up";
        assert!(told[0].starts_with(begins), "{told:?}");
        assert!(told[0].ends_with(" /payments/admin/events?state=discarded&variant=stripe"), "{told:?}");
        // Started anew, they know what was told.
        let workers = [start(&app), start(&other)];
        pass(31);
        a_while().await;
        assert_eq!(notes.count(), 1);
        pass(25 * 3_600);
        a_while().await;
        assert_eq!(notes.count(), 1, "it still lies there");
        app.post("/payments/admin/events/1/discard", "").await;
        pass(31);
        a_while().await;
        passing_until(|| _ = pass(331), || notes.count() == 2).await;
        assert!(notes.all()[1].starts_with("discarded:stripe:charge.succeeded over: "), "{:?}", notes.all());
        until(|| app.number("SELECT count(*) FROM pay_alarms") == 0).await;
        pass(31);
        a_while().await;
        assert_eq!(notes.count(), 2);
        for worker in workers {
            worker.stop().await;
        }
    }

    async fn a_second_fault_is_told_while_the_first_lies_there(kind) {
        let (notes, fails) = (Notes::default(), Arc::default());
        let app = App::with(kind, |builder| telling(builder, &notes, &fails)).await;
        app.give_up().await;
        let worker = app.payments.worker().poll(Duration::from_millis(10)).start().unwrap();
        until(|| notes.count() == 1).await;
        // More of the same fault is the same alarm, another kind is another.
        app.pass(60);
        app.give_up_as("evt_2").await;
        app.deliver(&[&changed("charge.refunded.full", &[("/data/object/amount", "?".into())])]).await;
        app.pass_until(31, || notes.count() == 2).await;
        app.pass(31);
        a_while().await;
        assert!(notes.all()[1].starts_with("discarded:stripe:charge.refunded begins: "), "{:?}", notes.all());
        assert_eq!(notes.count(), 2, "{:?}", notes.all());
        app.pass(3_600);
        app.give_up_as("evt_3").await;
        app.pass_until(31, || notes.count() == 3).await;
        let told = notes.all().remove(2);
        assert!(told.starts_with("discarded:stripe:charge.succeeded begins: stripe: 3 events of charge.succeeded"), "{told}");
        app.pass(31);
        a_while().await;
        assert_eq!(notes.count(), 3, "{:?}", notes.all());
        worker.stop().await;
    }

    async fn a_host_that_could_not_be_told_is_told_again(kind) {
        let (notes, fails) = (Notes::default(), Arc::new(AtomicBool::new(true)));
        let app = App::with(kind, |builder| telling(builder, &notes, &fails)).await;
        app.give_up().await;
        let worker = app.payments.worker().poll(Duration::from_millis(10)).start().unwrap();
        until(|| notes.count() == 1).await;
        a_while().await;
        assert_eq!(notes.count(), 1, "not before its time");
        fails.store(false, Ordering::SeqCst);
        app.pass_until(31, || notes.count() == 2).await;
        app.pass(31);
        a_while().await;
        assert_eq!(notes.count(), 2);
        assert_eq!(app.number("SELECT count(*) FROM pay_alarms WHERE told AND due_at IS NULL AND attempts = 0"), 1);
        worker.stop().await;
    }

    async fn a_hook_that_panics_is_called_again_and_stops_nothing(kind) {
        let notes = Notes::default();
        let noted = notes.clone();
        let app = App::with(kind, |builder| builder.on_alarm(move |alarm: Alarm| {
            noted.add(alarm.key);
            let first = noted.count() == 1;
            async move { if first { panic!("no mail server") } else { Ok(()) } }
        })).await;
        app.give_up().await;
        let worker = app.payments.worker().poll(Duration::from_millis(10)).start().unwrap();
        // A panic is printed before it is caught, which takes a while.
        until(|| app.number("SELECT count(*) FROM pay_alarms WHERE attempts = 1") == 1).await;
        a_while().await;
        app.pass_until(31, || app.number("SELECT count(*) FROM pay_alarms WHERE told") == 1).await;
        assert_eq!(notes.all(), ["discarded:stripe:charge.succeeded"; 2]);
        worker.stop().await;
    }
}
