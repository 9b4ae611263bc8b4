//! What does it cost to look for what is to be done from time to time?

use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_payments::domain::Timestamp;
use actix_payments::gateways::stripe::Stripe;
use actix_payments::{Builder, Database, Payments};
use actix_web::rt::time::sleep;
use diesel::PgConnection;
use diesel::connection::{Connection, InstrumentationEvent};
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Error as PoolError, Pool};
use diesel::sqlite::SqliteConnection;

use crate::app::{App, Kind, NOW, SECRET, on_both_databases};
use crate::scenes::until;

/// Keeps what the connections of a pool say.
#[derive(Debug, Clone, Default)]
struct Listening(Arc<Mutex<Vec<String>>>);

impl<C: Connection> CustomizeConnection<C, PoolError> for Listening {
    fn on_acquire(&self, conn: &mut C) -> Result<(), PoolError> {
        let kept = self.0.clone();
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                kept.lock().unwrap().push(query.to_string());
            }
        });
        Ok(())
    }
}

impl Listening {
    fn count(&self, what: &str) -> usize {
        self.0.lock().unwrap().iter().filter(|said| said.contains(what)).count()
    }
}

/// Another process on the database of this one, whose statements are heard.
fn beside(kind: Kind, url: &str, said: &Listening) -> Payments {
    fn built<C: actix_payments::HostConnection>(builder: Builder<C>) -> Payments {
        let now = move || Timestamp::from_unix_timestamp(NOW).unwrap();
        builder.variant("stripe", Stripe::new(SECRET)).clock(now).build().unwrap()
    }
    let listening = Box::new(said.clone());
    match kind {
        Kind::Sqlite => {
            let path = url.strip_prefix("sqlite://").unwrap();
            let pool = Pool::builder().max_size(4).connection_customizer(listening);
            let pool = pool.build(ConnectionManager::<SqliteConnection>::new(path)).unwrap();
            built(Payments::builder(Database::from_pool(pool)))
        }
        Kind::Postgres => {
            let pool = Pool::builder().max_size(4).connection_customizer(listening);
            let pool = pool.build(ConnectionManager::<PgConnection>::new(url)).unwrap();
            built(Payments::builder(Database::from_pool(pool)))
        }
    }
}

on_both_databases! {
    async fn a_process_whose_clock_is_behind_looks_for_chores_without_writing(kind) {
        let app = App::new(kind).await;
        let worker = app.payments.worker().poll(Duration::from_millis(10)).start().unwrap();
        until(|| app.number("SELECT count(*) FROM pay_chores WHERE ran_at IS NOT NULL") >= 4).await;
        worker.stop().await;
        // Half an hour ahead of the process that looks then.
        let (ran, due) = (later(1_800), later(3_000));
        app.run(&format!("UPDATE pay_chores SET ran_at = '{ran}', due_at = '{due}'"));
        let known = app.number("SELECT count(*) FROM pay_chores");
        let said = Listening::default();
        let behind = beside(kind, &app.url, &said);
        let worker = behind.worker().poll(Duration::from_millis(10)).start().unwrap();
        sleep(Duration::from_millis(500)).await;
        worker.stop().await;
        let added = app.number("SELECT count(*) FROM pay_chores") - known;
        let written = said.count("INSERT INTO \"pay_chores\"") + said.count("INSERT INTO `pay_chores`");
        assert!(said.count("pay_chores") > written, "it looks");
        assert_eq!(written as i64, added, "only for those that nobody has looked for before");
    }

    async fn the_clock_of_the_database_is_asked_for_only_where_a_chore_ran_in_the_future(kind) {
        let app = App::new(kind).await;
        let said = Listening::default();
        let other = beside(kind, &app.url, &said);
        let worker = other.worker().poll(Duration::from_millis(10)).start().unwrap();
        until(|| app.number("SELECT count(*) FROM pay_chores WHERE ran_at IS NOT NULL") >= 4).await;
        worker.stop().await;
        // At the start, and where all that was put off is looked for.
        assert!(said.count("clock_timestamp()") <= 2, "{}", said.count("clock_timestamp()"));
    }
}

/// So many seconds after the tests' clock, as both databases write it.
fn later(seconds: i64) -> String {
    let at = Timestamp::from_unix_timestamp(NOW + seconds).unwrap();
    format!("{} {}+00:00", at.date(), at.time().to_string().split('.').next().unwrap())
}
