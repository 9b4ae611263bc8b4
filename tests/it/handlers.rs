//! Does the host's code run once for each step, again when it failed, and never silently not at all?

use std::time::Duration;

use actix_payments::domain::payment::Status;
use actix_payments::domain::retry::Backoff;
use actix_payments::{AnyConnection, Builder, Event, HandlerError, Token, Transition};

use crate::app::{App, on_both_databases};
use crate::events::fixture;
use crate::scenes::{Notes, completed};

const TWO_ATTEMPTS: Backoff = Backoff::new().attempts(2).first(Duration::from_secs(5)).longest(Duration::from_secs(60));

/// A handler that notes its name and each step, and answers what `answer` says of its how manieth run this is.
fn noting(
    notes: &Notes,
    name: &'static str,
    answer: fn(usize) -> Result<(), HandlerError>,
) -> impl Fn(Transition) -> std::future::Ready<Result<(), HandlerError>> + Send + Sync + 'static {
    let notes = notes.clone();
    move |step: Transition| {
        let earlier = notes.all().iter().filter(|note| note.starts_with(name)).count();
        notes.add(format!("{name} {} → {}", step.from, step.to));
        std::future::ready(answer(earlier + 1))
    }
}

fn ok(_: usize) -> Result<(), HandlerError> {
    Ok(())
}

/// An app whose payment was just paid, with what `configure` adds.
async fn paid(
    kind: crate::app::Kind,
    configure: impl FnOnce(Builder<AnyConnection>) -> Builder<AnyConnection>,
) -> (App, Token) {
    let app = App::with(kind, configure).await;
    let token = app.order().await.token;
    app.deliver(&[&completed(&token)]).await;
    (app, token)
}

on_both_databases! {
    async fn a_handler_runs_once_for_each_transition(kind) {
        let notes = Notes::default();
        let handler = noting(&notes, "ship", ok);
        let (app, token) = paid(kind, |builder| builder.handler("ship", handler)).await;
        let rest = ["payment_intent.succeeded", "charge.succeeded", "charge.refunded.full"];
        let rest = rest.map(|name| fixture(name).to_string());
        app.deliver(&rest.each_ref().map(String::as_str)).await;
        assert_eq!(notes.all(), ["ship pending → paid", "ship paid → refunded"]);
        assert_eq!(app.number("SELECT count(*) FROM pay_attempts WHERE handler = 'ship' AND outcome = 'ok'"), 2);
        assert_eq!(app.status(&token).await, Status::Refunded);
    }

    async fn a_duplicate_delivery_runs_no_handler_twice(kind) {
        let notes = Notes::default();
        let handler = noting(&notes, "ship", ok);
        let (app, token) = paid(kind, |builder| builder.handler("ship", handler)).await;
        let again = completed(&token);
        app.deliver(&[&again, &again]).await;
        assert_eq!(app.drain().await, 0);
        assert_eq!(notes.count(), 1);
    }

    async fn a_failed_handler_is_tried_again_later_and_only_it(kind) {
        let notes = Notes::default();
        let first_fails = |run| if run == 1 { Err(HandlerError::retry("no paper")) } else { Ok(()) };
        let handlers = (noting(&notes, "print", first_fails), noting(&notes, "mail", ok));
        let (app, token) = paid(kind, |b| b.handler("print", handlers.0).handler("mail", handlers.1)).await;
        assert_eq!(notes.count(), 2);
        assert_eq!(app.status(&token).await, Status::Paid, "the payment does not wait for handlers");
        assert_eq!(app.events("retryable"), 1);
        assert!(app.outcomes()[0].contains("handler print failed: no paper; attempt 1 of 12"), "{:?}", app.outcomes());
        app.pass(2);
        assert_eq!(app.drain().await, 0, "not due yet: jitter cuts at most half of five seconds");
        app.pass(3);
        assert_eq!(app.drain().await, 1);
        assert_eq!(notes.all()[2..], ["print pending → paid"]);
        assert_eq!(app.codes(), ["applied"]);
        assert_eq!(app.events("completed"), 1);
    }

    async fn a_handler_says_itself_when_to_try_again(kind) {
        let notes = Notes::default();
        let busy = |run| match run {
            1 => Err(HandlerError::RetryAfter(Duration::from_secs(600), "closed till ten".into())),
            _ => Ok(()),
        };
        let handler = noting(&notes, "print", busy);
        let (app, _) = paid(kind, |b| b.handler("print", handler)).await;
        app.pass(599);
        assert_eq!(app.drain().await, 0);
        app.pass(1);
        assert_eq!(app.drain().await, 1);
        assert_eq!((notes.count(), app.events("completed")), (2, 1));
    }

    async fn a_handler_may_give_up_at_once(kind) {
        let notes = Notes::default();
        let handler = noting(&notes, "print", |_| Err(HandlerError::Discard("nothing to print on".into())));
        let (app, token) = paid(kind, |b| b.handler("print", handler)).await;
        app.pass(100_000);
        assert_eq!((app.drain().await, notes.count()), (0, 1));
        assert_eq!(app.outcomes(), ["discarded: discarded: handler print failed: nothing to print on"]);
        assert_eq!(app.status(&token).await, Status::Paid);
    }

    async fn a_handler_that_gave_up_is_not_forgotten_when_another_succeeds_later(kind) {
        let notes = Notes::default();
        let gives_up = noting(&notes, "print", |_| Err(HandlerError::Discard("nothing to print on".into())));
        let recovers = noting(&notes, "mail", |run| if run == 1 { Err(HandlerError::retry("full")) } else { Ok(()) });
        let (app, _) = paid(kind, |b| b.handler("print", gives_up).handler("mail", recovers)).await;
        assert_eq!(app.events("retryable"), 1);
        app.pass(5);
        app.drain().await;
        assert_eq!(notes.all(), ["print pending → paid", "mail pending → paid", "mail pending → paid"]);
        assert_eq!(app.outcomes(), ["discarded: discarded: handler print failed: nothing to print on"]);
    }

    async fn after_the_last_attempt_an_event_is_discarded_loudly(kind) {
        let notes = Notes::default();
        let handler = noting(&notes, "print", |_| Err(HandlerError::retry("no paper")));
        let (app, _) = paid(kind, |b| b.backoff(TWO_ATTEMPTS).handler("print", handler)).await;
        app.pass(5);
        app.drain().await;
        app.pass(100_000);
        assert_eq!((app.drain().await, notes.count()), (0, 2));
        assert_eq!(app.outcomes(), ["discarded: discarded after 2 attempts: handler print failed: no paper"]);
        assert_eq!(app.codes(), ["handler_failed"]);
        assert_eq!(app.number("SELECT count(*) FROM pay_attempts WHERE outcome = 'error' AND error = 'no paper'"), 2);
    }

    async fn a_panic_in_a_handler_is_a_failure_like_any_other(kind) {
        let notes = Notes::default();
        let handler = noting(&notes, "print", |run| if run == 1 { panic!("paper jam") } else { Ok(()) });
        let (app, _) = paid(kind, |b| b.handler("print", handler)).await;
        assert!(app.outcomes()[0].contains("handler print failed: the handler panicked"), "{:?}", app.outcomes());
        app.pass(5);
        app.drain().await;
        assert_eq!(app.events("completed"), 1);
    }

    async fn a_handler_that_takes_too_long_is_ended_and_tried_again(kind) {
        let notes = Notes::default();
        let noted = notes.clone();
        let slow = move |_: Transition| {
            let notes = noted.clone();
            async move {
                notes.add("began");
                if notes.count() == 1 {
                    actix_web::rt::time::sleep(Duration::from_millis(120)).await;
                    notes.add("went on after its time");
                }
                Ok(())
            }
        };
        let timeout = Duration::from_millis(40);
        let (app, _) = paid(kind, |b| b.handler_timeout(timeout).handler("slow", slow)).await;
        assert!(app.outcomes()[0].contains("handler slow failed: still running after"), "{:?}", app.outcomes());
        app.pass(5);
        app.drain().await;
        actix_web::rt::time::sleep(Duration::from_millis(150)).await;
        app.drain().await;
        assert_eq!(notes.all(), ["began", "began"]);
        assert_eq!(app.events("completed"), 1);
    }

    async fn an_event_handler_gets_every_event_of_its_kinds_with_or_without_a_payment(kind) {
        let notes = Notes::default();
        let noted = notes.clone();
        let handler = move |event: Event| {
            noted.add(format!("{} {}", event.kind, event.payment.as_ref().map_or("nobody's", |_| "ours")));
            std::future::ready(Ok(()))
        };
        let (app, token) = paid(kind, |b| b.on_event("payout.*", "payouts", handler.clone())
            .on_event("checkout.session.completed", "sessions", handler)).await;
        let others = ["payout.paid", "setup_intent.succeeded"].map(|name| fixture(name).to_string());
        app.deliver(&[&others[0], &others[1], &completed(&token)]).await;
        assert_eq!(notes.all(), ["checkout.session.completed ours", "payout.paid nobody's"]);
        assert_eq!(app.codes(), ["applied", "handled", "nothing_to_do"]);
    }

    async fn a_requeued_event_runs_no_finished_handler_again(kind) {
        let notes = Notes::default();
        let fails = |run| if run <= 2 { Err(HandlerError::retry("no paper")) } else { Ok(()) };
        let handlers = (noting(&notes, "print", fails), noting(&notes, "mail", ok));
        let (app, token) = paid(kind, |b| {
            b.backoff(TWO_ATTEMPTS).handler("print", handlers.0).handler("mail", handlers.1)
        }).await;
        app.pass(5);
        app.drain().await;
        assert_eq!(app.events("discarded"), 1);
        app.make_available();
        app.drain().await;
        assert_eq!(app.events("completed"), 1);
        app.make_available();
        app.drain().await;
        let runs = |name: &str| notes.all().iter().filter(|note| note.starts_with(name)).count();
        assert_eq!((runs("print"), runs("mail")), (3, 1));
        assert_eq!(app.transitions(), ["pending → paid"]);
        app.same(&token).await;
    }
    async fn a_requeue_runs_again_what_gave_up_before_whatever_becomes_of_the_audit(kind) {
        let notes = Notes::default();
        let gives_up = |run| if run == 1 { Err(HandlerError::Discard("no paper".into())) } else { Ok(()) };
        let handlers = (noting(&notes, "print", gives_up), noting(&notes, "mail", ok));
        let (app, _) = paid(kind, |b| b.handler("print", handlers.0).handler("mail", handlers.1)).await;
        assert_eq!(app.events("discarded"), 1);
        app.pass(60);
        assert_eq!(app.post("/payments/admin/events/1/requeue", "").await.status, 303);
        app.run("DELETE FROM pay_audit");
        app.drain().await;
        assert_eq!(notes.all(), ["print pending → paid", "mail pending → paid", "print pending → paid"]);
        assert_eq!(app.events("completed"), 1);
    }

    async fn a_requeue_by_the_release_before_counts_after_the_migration(kind) {
        let notes = Notes::default();
        let gives_up = |run| if run == 1 { Err(HandlerError::Discard("no paper".into())) } else { Ok(()) };
        let handler = noting(&notes, "print", gives_up);
        let (app, _) = paid(kind, |b| b.handler("print", handler)).await;
        for _ in 0..2 {
            app.pass(60);
            app.post("/payments/admin/events/1/requeue", "").await;
        }
        let requeued = || app.texts("SELECT cast(requeued_at AS text) AS t FROM pay_events");
        let before = requeued();
        // As that release left it: without the column.
        app.run(match kind {
            crate::app::Kind::Sqlite => include_str!("../../migrations/sqlite/0009_requeued/down.sql"),
            crate::app::Kind::Postgres => include_str!("../../migrations/postgres/0009_requeued/down.sql"),
        });
        app.run("DELETE FROM pay_migrations WHERE name = '0009_requeued'");
        app.payments.migrate().await.unwrap();
        assert_eq!(requeued(), before);
        app.drain().await;
        assert_eq!((notes.count(), app.events("completed")), (2, 1));
    }
}
