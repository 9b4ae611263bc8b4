//! No handler is lost while processes with other handlers come and go.

use std::collections::BTreeSet;
use std::time::Duration;

use actix_payments::domain::payment::Status;
use actix_payments::gateways::stripe::Stripe;
use actix_payments::{AnyConnection, AnyRef, Builder, Event, HandlerError, NewPayment, Transition};
use actix_web::rt::time::sleep;

use crate::app::{App, NOW, SECRET, on_both_databases};
use crate::faults::log;
use crate::scenes::{Notes, completed, completed_as, money, until};
use crate::stripe::fake::Fake;

type Configured = Builder<AnyConnection>;

/// Another process on the same database.
async fn beside(app: &App, configure: impl FnOnce(Configured) -> Configured) -> App {
    let other =
        App::at(app.url.clone(), None, |builder| configure(builder.variant("stripe", Stripe::new(SECRET)))).await;
    other.pass(app.now() - other.now());
    other
}

/// A handler after the commit.
fn receipt(builder: Configured, name: &'static str, notes: &Notes) -> Configured {
    let notes = notes.clone();
    builder.handler(name, move |step: Transition| {
        notes.add(format!("{name} {}", step.payment.token));
        async { Ok(()) }
    })
}

/// A handler in the transaction.
fn marks(builder: Configured, name: &'static str, notes: &Notes) -> Configured {
    let notes = notes.clone();
    builder.handler_in_transaction(name, move |_: AnyRef<'_>, step| {
        notes.add(format!("{name} {}", step.payment.token));
        Ok(())
    })
}

/// A handler of events.
fn sync(builder: Configured, name: &'static str, notes: &Notes) -> Configured {
    let notes = notes.clone();
    builder.on_event("checkout.*", name, move |event: Event| {
        notes.add(format!("{name} {}", event.payment.map(|payment| payment.token.to_string()).unwrap_or_default()));
        async { Ok(()) }
    })
}

on_both_databases! {
    async fn a_process_without_the_handler_leaves_its_run_to_one_that_has_it(kind) {
        let (notes, app) = (Notes::default(), App::new(kind).await);
        let worker = beside(&app, |builder| receipt(builder, "send-receipt", &notes)).await;
        worker.drain().await;
        let token = app.order().await.token;
        app.deliver(&[&completed(&token)]).await;
        assert_eq!(app.status(&token).await, Status::Paid);
        assert_eq!(notes.all(), [""; 0]);
        let [outcome] = &app.outcomes()[..] else { panic!("{:?}", app.outcomes()) };
        assert!(outcome.ends_with("waits for a process that has the handler send-receipt"), "{outcome}");
        worker.pass(300);
        worker.drain().await;
        assert_eq!(notes.all(), [format!("send-receipt {token}")]);
        assert_eq!((app.events("completed"), app.number("SELECT attempts FROM pay_events")), (1, 1));
        app.pass(3_600);
        assert_eq!(app.drain().await + worker.drain().await, 0);
    }

    async fn a_handler_of_events_is_owed_as_well(kind) {
        let (notes, app) = (Notes::default(), App::new(kind).await);
        let worker = beside(&app, |builder| sync(builder, "sync", &notes)).await;
        worker.drain().await;
        app.deliver(&[&crate::events::fixture("invoice.paid").to_string()]).await;
        assert_eq!(app.events("available"), 0, "no pattern of its matches");
        let token = app.order().await.token;
        app.deliver(&[&completed(&token)]).await;
        assert_eq!(notes.count(), 0);
        worker.pass(300);
        worker.drain().await;
        assert_eq!(notes.all(), [format!("sync {token}")]);
    }

    async fn an_event_that_is_about_no_payment_is_owed_as_well(kind) {
        let (notes, app) = (Notes::default(), App::new(kind).await);
        let crm = |notes: &Notes| {
            let notes = notes.clone();
            move |event: Event| {
                notes.add(event.kind);
                async { Ok(()) }
            }
        };
        let worker = beside(&app, |builder| builder.on_event("customer.created", "crm", crm(&notes))).await;
        worker.drain().await;
        app.deliver(&[r#"{"id":"evt_c","object":"event","type":"customer.created","created":1791800000,"data":{"object":{}}}"#]).await;
        worker.pass(300);
        worker.drain().await;
        assert_eq!((notes.all(), app.events("completed")), (vec!["customer.created".to_owned()], 1));
    }

    async fn a_handler_for_more_kinds_than_an_older_build_has_is_owed_those(kind) {
        let notes = Notes::default();
        let app = App::with(kind, |builder| builder.on_event("charge.succeeded", "sync", |_: Event| async { Ok(()) })).await;
        app.drain().await;
        let newer = beside(&app, |builder| sync(builder, "sync", &notes)).await;
        newer.drain().await;
        let token = app.order().await.token;
        app.deliver(&[&completed(&token)]).await;
        assert_eq!(notes.count(), 0);
        newer.pass(300);
        newer.drain().await;
        assert_eq!(notes.all(), [format!("sync {token}")]);
    }

    async fn what_gave_up_here_is_still_given_up_when_another_process_has_run_the_rest(kind) {
        let app = App::with(kind, |builder| {
            let backoff = actix_payments::domain::retry::Backoff::new().attempts(1);
            builder.backoff(backoff).handler("fails", |_: Transition| async { Err(HandlerError::retry("no mail server")) })
        }).await;
        let notes = Notes::default();
        let other = beside(&app, |builder| receipt(builder, "send-receipt", &notes)).await;
        other.drain().await;
        let token = app.order().await.token;
        app.deliver(&[&completed(&token)]).await;
        let outcome = &app.outcomes()[0];
        assert!(outcome.contains("handler fails failed: no mail server; waits for a process"), "{outcome}");
        let tries = "SELECT count(*) FROM pay_attempts WHERE handler = 'fails' AND outcome = 'error'";
        app.pass(300);
        app.drain().await;
        assert_eq!(app.number(tries), 1, "it has no attempt left");
        other.pass(3_600);
        other.drain().await;
        assert_eq!((notes.count(), app.events("discarded")), (1, 1), "{:?}", app.outcomes());
    }

    async fn a_process_without_the_handler_in_the_transaction_processes_nothing(kind) {
        let (notes, app) = (Notes::default(), App::new(kind).await);
        let worker = beside(&app, |builder| marks(builder, "mark-order", &notes)).await;
        worker.drain().await;
        let token = app.order().await.token;
        app.deliver(&[&completed(&token)]).await;
        assert_eq!((app.status(&token).await, app.events("available")), (Status::Pending, 1));
        worker.drain().await;
        assert_eq!((app.status(&token).await, notes.all()), (Status::Paid, vec![format!("mark-order {token}")]));
    }

    async fn a_process_without_the_handler_in_the_transaction_leaves_what_it_asked_for_to_one_that_has_it(kind) {
        let (notes, fake) = (Notes::default(), Fake::new(NOW));
        let gateway = fake.gateway(SECRET);
        let app = App::bare(kind, |builder| builder.variant("stripe", gateway)).await;
        let worker = beside(&app, |builder| marks(builder, "mark-order", &notes)).await;
        worker.drain().await;
        let new = NewPayment::new("stripe", money(4999, "EUR")).return_url("https://shop.example/");
        let token = app.payments.create(new).await.unwrap().payment.token;
        fake.pay(&token);
        // Elsewhere what a gateway answers is processed at once.
        app.payments.refresh(&token).await.unwrap();
        assert_eq!((app.status(&token).await, notes.count()), (Status::Pending, 0));
        worker.drain().await;
        assert_eq!((app.status(&token).await, notes.all()), (Status::Paid, vec![format!("mark-order {token}")]));
    }

    async fn a_handler_is_owed_nothing_once_it_is_retired(kind) {
        let (notes, app) = (Notes::default(), App::new(kind).await);
        let older = beside(&app, |builder| receipt(marks(builder, "mark-order", &notes), "send-receipt", &notes)).await;
        older.drain().await;
        let newer = beside(&app, |builder| builder.retire_handler("mark-order").retire_handler("send-receipt")).await;
        let token = newer.order().await.token;
        newer.deliver(&[&completed(&token)]).await;
        assert_eq!((newer.status(&token).await, newer.events("completed")), (Status::Paid, 1));
        assert_eq!(notes.count(), 0);
        // Back again, it is owed what comes from now on.
        let back = beside(&app, |builder| receipt(builder, "send-receipt", &notes)).await;
        back.drain().await;
        let token = app.order().await.token;
        app.deliver(&[&completed_as(2, &token)]).await;
        assert!(app.outcomes()[1].ends_with("waits for a process that has the handler send-receipt"));
    }

    async fn a_process_that_only_receives_registers_what_it_has(kind) {
        let (notes, app) = (Notes::default(), App::with(kind, |builder| builder).await);
        let receiver = beside(&app, |builder| receipt(builder, "send-receipt", &notes)).await;
        let token = app.order().await.token;
        assert_eq!(receiver.stripe(&completed(&token)).await.status, 200);
        app.drain().await;
        assert!(app.outcomes()[0].ends_with("waits for a process that has the handler send-receipt"));
    }

    async fn the_overview_names_what_no_worker_has(kind) {
        let (notes, app) = (Notes::default(), App::new(kind).await);
        beside(&app, |builder| receipt(builder, "send-receipt", &notes)).await.drain().await;
        app.stripe(&completed("order-1")).await;
        app.run("UPDATE pay_events SET variant = 'stripe-old'");
        let text = app.get("/payments/admin/").await.text();
        assert!(!text.contains("No worker has"), "none is known: {text}");
        let worker = app.payments.worker().start().unwrap();
        let mut text = String::new();
        for _ in 0..100 {
            sleep(Duration::from_millis(20)).await;
            text = app.get("/payments/admin/").await.text();
            if text.contains("No worker has") {
                break;
            }
        }
        worker.stop().await;
        assert!(text.contains("No worker has these handlers, and they are owed their runs: send-receipt."), "{text}");
        assert!(text.contains("Events wait for variants that no worker has: stripe-old."), "{text}");
        assert_eq!(app.number("SELECT count(*) FROM pay_workers"), 0, "it said that it ended");
    }

    async fn what_a_process_lacks_is_said_in_its_log(kind) {
        log::listen();
        let (notes, app) = (Notes::default(), App::new(kind).await);
        let said = |words: &str| log::lines(words).iter().filter(|line| line.starts_with("WARN")).count();
        beside(&app, |builder| receipt(builder, "thank-them", &notes)).await.drain().await;
        app.deliver(&[r#"{"id":"evt_1","type":"ping"}"#]).await;
        assert_eq!(said("this process lacks the handler thank-them, which another process has registered"), 1);
        beside(&app, |builder| marks(builder, "book-it", &notes)).await.drain().await;
        app.make_available();
        app.drain().await;
        app.drain().await;
        let none = "this process processes no events: it lacks the handler in the transaction book-it";
        assert_eq!(said(none), 1, "{:?}", log::lines(""));
    }

    async fn a_worker_says_at_its_start_for_which_variants_events_wait_that_it_lacks(kind) {
        log::listen();
        let app = App::new(kind).await;
        assert_eq!(app.stripe(&completed("order-1")).await.status, 200);
        app.run("UPDATE pay_events SET variant = 'stripe-of-before'");
        let worker = app.payments.worker().start().unwrap();
        let said = "events wait for variants that are not configured here: stripe-of-before";
        until(|| !log::lines(said).is_empty()).await;
        worker.stop().await;
    }

    async fn two_builds_that_wait_for_each_other_are_told_at_once_and_a_person_ends_it(kind) {
        let (notes, app) = (Notes::default(), App::new(kind).await);
        // A handler in the transaction was renamed, and the newer build does not retire its old name.
        let older = beside(&app, |builder| marks(builder, "mark-order", &notes)).await;
        let newer = beside(&app, |builder| marks(builder, "mark-the-order", &notes)).await;
        let workers = [&older, &newer].map(|app| app.payments.worker().poll(Duration::from_millis(50)).start().unwrap());
        let ready = || async {
            let parts = app.payments.ready(&actix_payments::ReadyChecks::new().needs_worker()).await.parts;
            parts.into_iter().find(|part| part.name == "handlers").and_then(|part| part.problem)
        };
        let mut problem = None;
        for _ in 0..100 {
            problem = ready().await;
            // Of one that starts a moment later the other is known already.
            if problem.as_ref().is_some_and(|problem| problem.contains(',')) {
                break;
            }
            sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(problem.as_deref(), Some("each worker lacks a handler in the transaction: mark-order, mark-the-order"));
        // Only now: an event that comes before the older build has registered its handler owes it nothing.
        let token = newer.order().await.token;
        assert_eq!(newer.stripe(&completed(&token)).await.status, 200);
        let overview = app.get("/payments/admin/").await;
        let said = "No event is processed: each worker lacks a handler in the transaction (mark-order, mark-the-order).";
        assert!(overview.text().contains(said) && overview.body.contains("/payments/admin/handlers\""), "{}", overview.text());
        assert!(app.get("/payments/admin/handlers").await.text().contains("mark-order for each transition, in its transaction 1 worker has it"));
        let page = app.get("/payments/admin/handlers/retire?name=mark-order").await;
        assert!(page.text().contains("From now on nothing is owed to it"), "{}", page.text());
        assert_eq!((notes.count(), app.events("available")), (0, 1), "asking changes nothing");
        assert_eq!(app.post("/payments/admin/handlers/retire", &crate::acts::form(&page.body)).await.status, 303);
        for _ in 0..100 {
            if notes.count() > 0 {
                break;
            }
            sleep(Duration::from_millis(50)).await;
        }
        for worker in workers {
            worker.stop().await;
        }
        assert_eq!((notes.all(), ready().await), (vec![format!("mark-the-order {token}")], None));
        let acts = app.texts("SELECT act || ' ' || actor || ' ' || detail AS t FROM pay_audit");
        assert_eq!(acts, ["retire_handler admin mark-order"]);
        assert_eq!(app.post("/payments/admin/handlers/retire", "name=mark-order").await.status, 404, "once");
    }

    async fn a_pending_payment_of_a_variant_that_is_gone_is_an_error_that_names_it(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        let other = App::at(app.url.clone(), None, |builder| builder.variant("stripe-new", Stripe::new(SECRET))).await;
        let error = other.payments.catch_up(&token).await.unwrap_err();
        assert_eq!(error.kind(), actix_payments::ErrorKind::Configuration);
        let expected = "the payment is of the variant \"stripe\", which is not configured here: expected one of \
             the variants stripe-new";
        assert_eq!(error.to_string(), expected);
        app.deliver(&[&completed(&token)]).await;
        assert_eq!(other.payments.catch_up(&token).await.unwrap().status, Status::Paid, "what is done needs nobody");
    }

    async fn whatever_is_deployed_every_transition_runs_each_handler_that_was_registered(kind) {
        for seed in 1..=(if kind == crate::app::Kind::Sqlite { 24 } else { 6 }) {
            deploys(kind, seed).await;
        }
    }
}

/// Which handlers a build has, by the bits of a number.
fn build(builder: Configured, bits: u64, notes: &Notes) -> Configured {
    let builder = if bits & 1 > 0 { receipt(builder, "send-receipt", notes) } else { builder };
    let builder = if bits & 2 > 0 { marks(builder, "mark-order", notes) } else { builder };
    let builder = if bits & 4 > 0 { sync(builder, "sync", notes) } else { builder };
    if bits & 8 > 0 { receipt(builder, "count", notes) } else { builder }
}

const NAMES: [&str; 4] = ["send-receipt", "mark-order", "sync", "count"];

/// A story of processes that come, take events in, process them, and go.
async fn deploys(kind: crate::app::Kind, seed: u64) {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut next = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let (notes, app) = (Notes::default(), App::new(kind).await);
    let (mut processes, mut owed, mut known) = (Vec::new(), BTreeSet::new(), 0);
    for number in 0..24 {
        match next(4) {
            0 => {
                let bits = next(16);
                processes.push((beside(&app, |builder| build(builder, bits, &notes)).await, bits));
            }
            1 if !processes.is_empty() => drop(processes.swap_remove(next(processes.len() as u64) as usize)),
            2 if !processes.is_empty() => {
                let (process, bits) = &processes[next(processes.len() as u64) as usize];
                known |= bits;
                let token = process.order().await.token;
                assert_eq!(process.stripe(&completed_as(number, &token)).await.status, 200);
                let due = NAMES.iter().enumerate().filter(|(bit, _)| known & (1 << bit) > 0);
                owed.extend(due.map(|(_, name)| format!("{name} {token}")));
            }
            _ if !processes.is_empty() => {
                let (process, bits) = &processes[next(processes.len() as u64) as usize];
                known |= bits;
                process.pass(next(400) as i64);
                process.drain().await;
            }
            _ => {}
        }
    }
    let last = beside(&app, |builder| build(builder, 15, &notes)).await;
    last.pass(20_000);
    last.drain().await;
    let (mut ran, all) = (notes.all(), notes.count());
    ran.sort();
    ran.dedup();
    assert_eq!(ran.len(), all, "seed {seed}: a handler ran twice");
    let missing: Vec<_> = owed.iter().filter(|run| !ran.contains(run)).collect();
    assert!(missing.is_empty(), "seed {seed}: lost {missing:?}");
    assert_eq!(app.number("SELECT count(*) FROM pay_events WHERE state <> 'completed'"), 0, "seed {seed}");
}
