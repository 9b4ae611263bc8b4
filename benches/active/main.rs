//! What does it cost a request to ask whether its owner has an active subscription? The same handler without a guard,
//! behind one that remembers, and behind one that asks the database each time, in one process and one run, on ten
//! thousand subscriptions of as many owners.
//!
//! `cargo bench --bench active --all-features`; `BENCH_SUBSCRIPTIONS` (10000), `BENCH_REQUESTS` (5000) for each
//! measurement, `BENCH_ROUNDS` (5), `TEST_POSTGRES_URL` a Postgres to use beside SQLite (`scripts/postgres run`).

// Times are no money.
#![allow(clippy::float_arithmetic)]

use std::time::{Duration, Instant};

use actix_payments::domain::Timestamp;
use actix_payments::domain::subscription::SubscriptionStatus;
use actix_payments::gateways::dummy::{Dummy, DummySubscription};
use actix_payments::{ActiveSubscription, AnyConnection, Database, Payments, RequireActive};
use actix_web::{App, HttpRequest, test, web};
use diesel::prelude::*;

fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

#[actix_web::main]
async fn main() {
    let folder = tempfile::tempdir().expect("a folder for SQLite");
    let mut databases = vec![("SQLite", format!("sqlite://{}", folder.path().join("bench.db").display()))];
    match std::env::var("TEST_POSTGRES_URL") {
        Ok(server) => databases.push(("Postgres", fresh_postgres(&server))),
        Err(_) => println!("TEST_POSTGRES_URL is not set: only SQLite is measured"),
    }
    for (name, url) in databases {
        measure(name, &url).await;
    }
}

/// A database that nobody else uses.
fn fresh_postgres(server: &str) -> String {
    let name = format!("pay_active_{}", std::process::id());
    let mut conn = PgConnection::establish(server).expect("a Postgres");
    diesel::sql_query(format!("CREATE DATABASE {name}")).execute(&mut conn).expect("a database");
    let (base, _) = server.rsplit_once('/').expect("an address with a database");
    format!("{base}/{name}")
}

fn build(url: &str, remembers: Duration) -> Payments {
    let database: Database<AnyConnection> = Database::from_url(url).expect("a database");
    let dummy = Dummy::new("secret").in_production();
    Payments::builder(database).variant("dummy", dummy).active_cache(remembers).build().expect("payments")
}

/// As many active subscriptions, each of an owner of its own.
async fn fill(payments: &Payments, count: usize) {
    payments.migrate().await.expect("tables");
    let (dummy, now) = (Dummy::new("secret"), Timestamp::now_utc());
    for number in 0..count {
        let event = DummySubscription::new(format!("de_{number}"), format!("ds_{number}"), SubscriptionStatus::Active);
        let event = event.owner(format!("user-{number}")).price("tea").period(now, now + time::Duration::days(30));
        payments.receive("dummy", dummy.subscription_delivery(&event, now)).await.expect("a delivery");
    }
    payments.worker().drain().await.expect("processing");
}

async fn open() -> &'static str {
    "hello"
}

async fn guarded(active: ActiveSubscription) -> &'static str {
    if active.owner.is_empty() { "nobody" } else { "hello" }
}

fn owner(req: &HttpRequest) -> Option<String> {
    req.headers().get("x-user").and_then(|user| user.to_str().ok()).map(str::to_owned)
}

async fn measure(name: &str, url: &str) {
    let (count, requests) = (setting("BENCH_SUBSCRIPTIONS", 10_000).max(1), setting("BENCH_REQUESTS", 5_000).max(1));
    let (asking, remembering) = (build(url, Duration::ZERO), build(url, Duration::from_secs(60)));
    fill(&asking, count).await;
    let app = App::new()
        .route("/open", web::get().to(open))
        .service(
            web::scope("/remembers").wrap(RequireActive::new(remembering, owner)).route("", web::get().to(guarded)),
        )
        .service(web::scope("/asks").wrap(RequireActive::new(asking, owner)).route("", web::get().to(guarded)));
    let service = test::init_service(app).await;
    // Who comes: every owner, in an order that no cache of the database likes.
    let user = |at: usize| format!("user-{}", at.wrapping_mul(7_919) % count);
    println!("\n{name}: {count} subscriptions, {requests} requests one after the other, microseconds each\n");
    println!("| | median of the rounds | least | most | more than without |");
    println!("|---|---|---|---|---|");
    let mut without = 0.0;
    for path in ["/open", "/remembers", "/asks"] {
        let mut rounds = Vec::new();
        for _ in 0..setting("BENCH_ROUNDS", 5).max(1) {
            let begun = Instant::now();
            for at in 0..requests {
                let request = test::TestRequest::get().uri(path).insert_header(("x-user", user(at))).to_request();
                assert_eq!(test::call_service(&service, request).await.status(), 200);
            }
            rounds.push(begun.elapsed().as_secs_f64() * 1e6 / requests as f64);
        }
        rounds.sort_by(f64::total_cmp);
        let (median, least, most) = (rounds[rounds.len() / 2], rounds[0], rounds[rounds.len() - 1]);
        if path == "/open" {
            without = median;
        }
        println!("| {path} | {median:.1} | {least:.1} | {most:.1} | {:.1} |", median - without);
    }
}
