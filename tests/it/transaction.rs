//! Do the host's own rows change with the payment, exactly once or not at all?

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_payments::domain::payment::Status;
use actix_payments::{AnyConnection, AnyRef, Builder, HandlerError, Transition};

use crate::app::{App, Kind, on_both_databases};
use crate::events::fixture;
use crate::scenes::{Notes, completed, completed_as, execute};

/// Notes every step in a table of the host's.
fn book(conn: AnyRef<'_>, step: &Transition) -> Result<(), HandlerError> {
    let (token, to) = (&step.payment.token, step.to);
    execute(conn, &format!("INSERT INTO book (token, word) VALUES ('{token}', '{to}')"))?;
    Ok(())
}

async fn shop(kind: Kind, configure: impl FnOnce(Builder<AnyConnection>) -> Builder<AnyConnection>) -> App {
    let app = App::with(kind, configure).await;
    app.run("CREATE TABLE book (token TEXT NOT NULL, word TEXT NOT NULL)");
    app
}

fn booked(app: &App) -> Vec<String> {
    app.texts("SELECT word AS t FROM book")
}

on_both_databases! {
    async fn the_hosts_row_is_written_once_with_each_transition(kind) {
        let app = shop(kind, |b| b.handler_in_transaction("book", book)).await;
        let token = app.order().await.token;
        let rest = fixture("charge.refunded.full").to_string();
        app.deliver(&[&completed(&token), &completed(&token), &rest]).await;
        app.make_available();
        app.drain().await;
        assert_eq!(booked(&app), ["paid", "refunded"]);
    }

    async fn a_refusal_leaves_payment_and_host_as_they_were_until_it_is_tried_again(kind) {
        let (tries, notes) = (Arc::new(AtomicUsize::new(0)), Notes::default());
        let (counted, noted) = (tries.clone(), notes.clone());
        let refuses_first = move |conn: AnyRef<'_>, step: &Transition| {
            book(conn, step)?;
            match counted.fetch_add(1, Ordering::SeqCst) {
                0 => Err(HandlerError::retry("out of stock")),
                _ => Ok(()),
            }
        };
        let ship = move |_: Transition| { noted.add("shipped"); std::future::ready(Ok(())) };
        let app = shop(kind, |b| b.handler_in_transaction("book", refuses_first).handler("ship", ship)).await;
        let token = app.order().await.token;
        app.deliver(&[&completed(&token)]).await;
        assert_eq!(app.status(&token).await, Status::Pending);
        assert_eq!((booked(&app).len(), app.transitions().len(), notes.count()), (0, 0, 0));
        assert_eq!(app.number("SELECT count(*) FROM pay_ledger"), 0);
        assert!(app.outcomes()[0].contains("handler book failed: out of stock"), "{:?}", app.outcomes());
        app.pass(5);
        app.drain().await;
        assert_eq!(app.status(&token).await, Status::Paid);
        assert_eq!((booked(&app).len(), app.transitions().len(), notes.count()), (1, 1, 1));
        app.same(&token).await;
    }

    async fn an_event_that_failed_is_found_by_its_ids_and_on_its_payment(kind) {
        let refuses = |_: AnyRef<'_>, _: &Transition| Err(HandlerError::Discard("no such order".into()));
        let app = shop(kind, |b| b.handler_in_transaction("book", refuses)).await;
        let token = app.order().await.token;
        app.deliver(&[&completed(&token)]).await;
        assert_eq!(app.status(&token).await, Status::Pending);
        assert_eq!(app.number("SELECT count(*) FROM pay_events WHERE state = 'discarded' AND payment_id IS NOT NULL"), 1);
        assert_eq!(app.number("SELECT count(*) FROM pay_event_references"), 3);
        let page = app.get(&format!("/payments/admin/payments/{token}")).await.text();
        let why = "What the gateway says could not be applied checkout.session.completed : discarded: handler book failed: no such order";
        assert!(page.contains(why), "{page}");
    }

    async fn a_statement_that_fails_spares_the_other_events_of_the_batch(kind) {
        let fails_for_one = |conn: AnyRef<'_>, step: &Transition| {
            let table = if step.event_id == "evt_2" { "no_such_table" } else { "book" };
            execute(conn, &format!("INSERT INTO {table} (token, word) VALUES ('', '{}')", step.event_id))?;
            Ok(())
        };
        let app = shop(kind, |b| b.handler_in_transaction("book", fails_for_one)).await;
        let mut events = Vec::new();
        for number in 1..=3 {
            events.push(completed_as(number, &app.order().await.token));
        }
        app.deliver(&events.iter().map(String::as_str).collect::<Vec<_>>()).await;
        assert_eq!(booked(&app), ["evt_1", "evt_3"]);
        assert_eq!((app.events("completed"), app.events("retryable")), (2, 1));
    }

    async fn a_panic_is_a_refusal_of_its_own_event_only(kind) {
        let panics_for_one = |mut conn: AnyRef<'_>, step: &Transition| {
            let nested = |conn: AnyRef<'_>| {
                book(conn, step)?;
                if step.event_id == "evt_2" {
                    panic!("nobody thought of this");
                }
                Ok::<_, HandlerError>(())
            };
            match &mut conn {
                AnyRef::Sqlite(conn) => in_savepoint(*conn, |conn| nested(AnyRef::Sqlite(conn))),
                AnyRef::Postgres(conn) => in_savepoint(*conn, |conn| nested(AnyRef::Postgres(conn))),
                _ => unreachable!(),
            }
        };
        let app = shop(kind, |b| b.handler_in_transaction("book", panics_for_one)).await;
        let mut tokens = Vec::new();
        let mut events = Vec::new();
        for number in 1..=3 {
            tokens.push(app.order().await.token);
            events.push(completed_as(number, tokens.last().unwrap()));
        }
        app.deliver(&events.iter().map(String::as_str).collect::<Vec<_>>()).await;
        assert_eq!((booked(&app).len(), app.events("completed"), app.events("retryable")), (2, 2, 1));
        assert_eq!(app.status(&tokens[1]).await, Status::Pending);
        assert!(app.outcomes()[1].contains("handler book failed: the handler panicked"), "{:?}", app.outcomes());
    }
}

/// A transaction of the host's within ours.
fn in_savepoint<C: diesel::Connection>(
    conn: &mut C,
    work: impl FnOnce(&mut C) -> Result<(), HandlerError>,
) -> Result<(), HandlerError> {
    conn.transaction(|conn| work(conn))
}

/// On Postgres alone: it ends the transaction of a handler that keeps it waiting. This one ends its own connection, which is
/// the same and takes no time.
#[actix_web::test]
async fn a_handler_whose_transaction_is_ended_each_time_spares_the_other_events_of_the_batch() {
    let ends_for_one = |conn: AnyRef<'_>, step: &Transition| {
        if step.event_id == "evt_2" {
            // The connection is gone, so this fails as well; a handler that only waited would say nothing.
            let _ = execute(conn, "SELECT pg_terminate_backend(pg_backend_pid())");
            return Ok(());
        }
        book(conn, step)
    };
    let app = shop(Kind::Postgres, |b| b.handler_in_transaction("book", ends_for_one)).await;
    let mut events = Vec::new();
    for number in 1..=3 {
        events.push(completed_as(number, &app.order().await.token));
    }
    for event in &events {
        assert_eq!(app.stripe(event).await.status, 200);
    }
    let mut told = Vec::new();
    for _ in 0..10 {
        told.extend(app.payments.worker().drain().await.err().map(|error| error.to_string()));
    }
    assert_eq!((booked(&app).len(), app.events("completed"), app.events("retryable")), (2, 2, 1), "{:?}", told);
}

/// On Postgres alone: SQLite holds nobody to foreign keys unless the host asks for it.
#[actix_web::test]
async fn what_only_fails_at_the_commit_spares_the_other_events_of_the_batch() {
    let promises = |conn: AnyRef<'_>, step: &Transition| {
        let of = if step.event_id == "evt_2" { 99 } else { 1 };
        execute(conn, &format!("INSERT INTO child (parent) VALUES ({of})"))?;
        Ok(())
    };
    let app = shop(Kind::Postgres, |b| b.handler_in_transaction("promise", promises)).await;
    app.run("CREATE TABLE parent (id INTEGER PRIMARY KEY)");
    app.run("INSERT INTO parent (id) VALUES (1)");
    app.run("CREATE TABLE child (parent INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)");
    let tokens = [app.order().await.token, app.order().await.token, app.order().await.token];
    let events: Vec<_> = tokens.iter().enumerate().map(|(at, token)| completed_as(at + 1, token)).collect();
    app.deliver(&[&events[0], &events[1], &events[2]]).await;
    assert_eq!(app.status(&tokens[0]).await, Status::Paid);
    assert_eq!(app.status(&tokens[1]).await, Status::Pending);
    assert_eq!(app.status(&tokens[2]).await, Status::Paid);
    assert_eq!(app.number("SELECT count(*) FROM pay_events WHERE state = 'retryable'"), 1);
}
