//! How long does it take to prune half of the bodies, and what do intake and pages lose meanwhile? Both are measured
//! before, and again for as long as pruning takes.
//!
//! `cargo bench --bench prune --all-features`; `BENCH_EVENTS` (20000) is how many events there are, `BENCH_CONNECTIONS`
//! (64) how many deliver at a time, `BENCH_RATE` (0: as fast as they are answered) how many deliveries a second they all make,
//! `TEST_POSTGRES_URL` a Postgres to use beside SQLite (`scripts/postgres run`).

// Times are no money.
#![allow(clippy::float_arithmetic)]

#[path = "../pages/desk.rs"]
mod desk;
#[path = "../pages/fill.rs"]
mod fill;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use actix_payments::domain::delivery::{Delivery, Rejection};
use actix_payments::gateways::stripe::{Stripe, sign_delivery};
use actix_payments::{Access, AnyConnection, AnyRef, Database, Payments, Retention};
use actix_web::rt::{System, spawn, time::sleep};
use actix_web::{App, HttpRequest, test};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

const SECRET: &str = "whsec_bench";
/// How far apart the events of a filled database are.
const APART: i64 = 12;
/// How long intake and pages are measured with nothing beside them.
const BEFORE: Duration = Duration::from_secs(5);
/// A page is opened so often.
const PAGE: Duration = Duration::from_millis(50);
/// Bodies of the length that Stripe's have.
const BODIES: [&str; 2] = [
    "INSERT INTO pay_event_bodies (event_id, headers, body) SELECT id, '{}', randomblob(2500) FROM pay_events",
    "INSERT INTO pay_event_bodies (event_id, headers, body) \
     SELECT id, '{}', convert_to(repeat(md5(id::text), 80), 'UTF8') FROM pay_events",
];

fn setting(name: &str, default: i64) -> i64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder for SQLite");
    println!(
        "| database | | deliveries/s | 99 % within | 503 | page, median | page, 99 % within |\n\
         |---|---|---|---|---|---|---|"
    );
    System::new().block_on(measure("SQLite", &format!("sqlite://{}", folder.path().join("prune.db").display())));
    match std::env::var("TEST_POSTGRES_URL") {
        Ok(server) => System::new().block_on(measure("Postgres", &fresh_postgres(&server))),
        Err(_) => println!("TEST_POSTGRES_URL is not set: only SQLite was measured"),
    }
}

/// A database of its own on the server.
fn fresh_postgres(server: &str) -> String {
    let name = format!("pay_prune_{}", std::process::id());
    let mut conn = PgConnection::establish(server).expect("Postgres answers");
    diesel::sql_query(format!("CREATE DATABASE {name}")).execute(&mut conn).expect("a database");
    let (base, _) = server.rsplit_once('/').expect("an address with a database");
    format!("{base}/{name}")
}

async fn measure(name: &str, url: &str) {
    let events = setting("BENCH_EVENTS", 20_000);
    let database: Database<AnyConnection> = Database::from_url(url).expect("a database");
    let half = Duration::from_secs((events * APART / 2).unsigned_abs());
    let payments = Payments::builder(database.clone())
        .variant("stripe", Stripe::new(SECRET))
        .retention(Retention::after(half))
        .build()
        .expect("payments");
    payments.migrate().await.expect("tables");
    let now = time::OffsetDateTime::now_utc().unix_timestamp();
    match database.connection().expect("a connection").lent() {
        AnyRef::Sqlite(conn) => {
            fill::fill(conn, true, events, now);
            conn.batch_execute(BODIES[0]).expect("bodies");
        }
        AnyRef::Postgres(conn) => {
            fill::fill(conn, false, events, now);
            conn.batch_execute(BODIES[1]).expect("bodies");
        }
        _ => unreachable!("there are two databases"),
    }
    let load = Rc::new(Load::default());
    let open = async |_: HttpRequest| Ok(Access::Full("bench".to_owned()));
    let app = test::init_service(App::new().service(payments.mount("/payments").admin(open))).await;
    let pages = async {
        while !load.ended.get() {
            let request = test::TestRequest::get().uri("/payments/admin/events").to_request();
            let begun = Instant::now();
            let answer = test::call_service(&app, request).await;
            assert_eq!(answer.status(), 200);
            load.pages.borrow_mut().push(begun.elapsed());
            sleep(PAGE).await;
        }
    };
    let course = async {
        for connection in 0..setting("BENCH_CONNECTIONS", 64) {
            spawn(deliver(payments.clone(), load.clone(), connection));
        }
        sleep(BEFORE).await;
        load.tell(name, "alone", BEFORE);
        let begun = Instant::now();
        let pruned = payments.prune().await.expect("pruning");
        load.tell(
            name,
            &format!("while {pruned} of {events} are pruned in {:.1} s", begun.elapsed().as_secs_f64()),
            begun.elapsed(),
        );
        load.ended.set(true);
    };
    tokio::join!(pages, course);
}

/// What was seen since it was last told.
#[derive(Default)]
struct Load {
    answered: RefCell<Vec<Duration>>,
    pages: RefCell<Vec<Duration>>,
    refused: Cell<u64>,
    ended: Cell<bool>,
}

impl Load {
    fn tell(&self, name: &str, when: &str, within: Duration) {
        let (mut answered, mut pages) = (self.answered.take(), self.pages.take());
        answered.sort();
        pages.sort();
        let at = |times: &[Duration], part: usize| {
            let place = (times.len() * part / 100).min(times.len().saturating_sub(1));
            times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1_000.0)
        };
        println!(
            "| {name} | {when} | {:.0} | {:.1} ms | {} | {:.1} ms | {:.1} ms |",
            answered.len() as f64 / within.as_secs_f64(),
            at(&answered, 99),
            self.refused.take(),
            at(&pages, 50),
            at(&pages, 99),
        );
    }
}

/// How far apart the deliveries of one connection are due; `None`: each follows the answer to the one before.
fn apart() -> Option<Duration> {
    let connections = setting("BENCH_CONNECTIONS", 64).unsigned_abs();
    let rate = u32::try_from(setting("BENCH_RATE", 0)).expect("BENCH_RATE to be from 0 to 4294967295");
    Duration::from_secs(connections).checked_div(rate)
}

/// One connection's deliveries, one after the other, until it has ended. Each is due at a moment of its own, and one
/// that is late follows at once, since a pause can't be shorter than a millisecond.
async fn deliver(payments: Payments, load: Rc<Load>, connection: i64) {
    let (mut number, apart, begun) = (0_u32, apart(), Instant::now());
    while !load.ended.get() {
        number += 1;
        if let Some(apart) = apart {
            sleep((begun + apart * number).saturating_duration_since(Instant::now())).await;
        }
        let body = format!(
            r#"{{"id":"evt_new_{connection}_{number}","object":"event","type":"payout.paid","livemode":false}}"#
        );
        let now = time::OffsetDateTime::now_utc().unix_timestamp();
        let signature = sign_delivery(SECRET, now, body.as_bytes()).into_bytes();
        let headers = vec![("stripe-signature".to_owned(), signature)];
        let begun = Instant::now();
        match payments.receive("stripe", Delivery::new(body).with_headers(headers)).await {
            Ok(_) => load.answered.borrow_mut().push(begun.elapsed()),
            Err(Rejection::Unavailable) => load.refused.set(load.refused.get() + 1),
            Err(refused) => panic!("a delivery was refused: {refused}"),
        }
    }
}
