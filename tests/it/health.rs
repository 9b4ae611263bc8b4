//! Do the health routes tell a process that lives from one that is ready, and which part is not?

mod writer;

use std::time::{Duration, Instant};

use actix_payments::gateways::stripe::Stripe;
use actix_payments::{Database, Payments, ReadyChecks};
use actix_web::{App as ActixApp, test};
use diesel::prelude::*;
use serde_json::{Value, json};

use crate::app::{App, Kind, SECRET, fresh_database, on_both_databases};
use crate::scenes::completed;

/// What the route answers below `/health`.
async fn asked(payments: &Payments, checks: ReadyChecks, path: &str) -> (u16, Value) {
    let app = test::init_service(ActixApp::new().service(payments.health("/health/").checks(checks))).await;
    let response = test::call_service(&app, test::TestRequest::get().uri(path).to_request()).await;
    let status = response.status().as_u16();
    assert_eq!(response.headers().get("cache-control").unwrap(), "no-store");
    (status, serde_json::from_slice(&test::read_body(response).await).unwrap())
}

impl App {
    async fn ready(&self, checks: ReadyChecks) -> (u16, Value) {
        asked(&self.payments, checks, "/health/ready").await
    }

    async fn live(&self) -> u16 {
        asked(&self.payments, ReadyChecks::new(), "/health/live").await.0
    }
}

on_both_databases! {
    async fn all_is_ready_and_said_part_by_part(kind) {
        let app = App::new(kind).await;
        let (status, body) = app.ready(ReadyChecks::new()).await;
        let parts = json!({ "writer": "ok", "database": "ok", "migrations": "ok" });
        assert_eq!((status, &body), (200, &json!({ "status": "ready", "parts": parts })));
        let (status, body) = app.ready(ReadyChecks::new().oldest_due(Some(Duration::from_secs(3_600)))).await;
        let parts = json!({ "writer": "ok", "database": "ok", "migrations": "ok", "handlers": "ok", "events": "ok" });
        assert_eq!((status, &body), (200, &json!({ "status": "ready", "parts": parts })));
        assert!(app.payments.ready(&ReadyChecks::new()).await.is_ready() && app.payments.live());
        assert_eq!(app.live().await, 200);
    }

    async fn a_database_that_gives_no_connection_is_not_ready_and_the_process_lives(kind) {
        let app = App::new(kind).await;
        let held: Vec<_> = (0..10).map(|_| app.database.connection().unwrap()).collect();
        let begun = Instant::now();
        let checks = ReadyChecks::new().patience(Duration::from_millis(200));
        let (status, body) = app.ready(checks.clone()).await;
        assert_eq!((status, &body["parts"]["database"]), (503, &json!("it has not answered within 200 ms")));
        assert_eq!((app.live().await, app.payments.live()), (200, true));
        // Whoever asks meanwhile is told as soon.
        assert_eq!(app.ready(checks.clone()).await.0, 503);
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        drop(held);
        let until = Instant::now() + Duration::from_secs(10);
        while app.ready(checks.clone()).await.0 != 200 {
            assert!(Instant::now() < until, "it is ready again when the database is");
        }
    }

    async fn migrations_that_are_missing_are_named(kind) {
        let (url, _folder) = fresh_database(kind);
        let database = Database::from_url(&url).unwrap();
        let payments = Payments::builder(database).variant("stripe", Stripe::new(SECRET)).build().unwrap();
        let (status, body) = asked(&payments, ReadyChecks::new(), "/health/ready").await;
        assert_eq!((status, &body["parts"]["migrations"]), (503, &json!("none has been run")));
        payments.migrate().await.unwrap();
        assert_eq!(asked(&payments, ReadyChecks::new(), "/health/ready").await.0, 200);
        let app = App::at(url, None, |builder| builder.variant("stripe", Stripe::new(SECRET))).await;
        app.run("DELETE FROM pay_migrations WHERE name = '0013_handlers'");
        let (status, body) = app.ready(ReadyChecks::new().needs_worker()).await;
        assert_eq!((status, &body["parts"]["migrations"]), (503, &json!("not run yet: 0013_handlers")));
    }

    async fn a_worker_is_needed_only_where_the_host_says_so(kind) {
        let app = App::new(kind).await;
        let checks = ReadyChecks::new().needs_worker();
        let (status, body) = app.ready(checks.clone()).await;
        assert_eq!((status, &body["parts"]["worker"]), (503, &json!("none was seen within a minute")));
        assert_eq!(app.ready(ReadyChecks::new()).await.0, 200);
        let worker = app.payments.worker().start().unwrap();
        let until = Instant::now() + Duration::from_secs(10);
        while app.ready(checks.clone()).await.0 != 200 {
            assert!(Instant::now() < until, "the worker is seen");
        }
        app.pass(61);
        assert_eq!(app.ready(checks.clone()).await.0, 503, "not since a minute");
        worker.stop().await;
    }

    async fn an_event_that_nobody_takes_up_is_not_ready_after_the_bound(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        assert_eq!(app.stripe(&completed(&token)).await.status, 200);
        let checks = ReadyChecks::new().oldest_due(Some(Duration::from_secs(600)));
        app.pass(600);
        assert_eq!(app.ready(checks.clone()).await.0, 200);
        app.pass(60);
        let (status, body) = app.ready(checks.clone()).await;
        assert_eq!((status, &body["parts"]["events"]), (503, &json!("the oldest has been due for 11 minutes")));
        assert_eq!((app.ready(ReadyChecks::new()).await.0, app.ready(checks.clone().oldest_due(None)).await.0), (200, 200));
        app.pass(86_400);
        assert_eq!(app.ready(ReadyChecks::new()).await.0, 200, "a receiver is ready whatever workers do");
        app.drain().await;
        assert_eq!(app.ready(checks).await.0, 200);
    }
}

/// A real outage: the server takes no connections to the database and has closed those that there were.
#[actix_web::test]
async fn an_outage_of_postgres_is_not_ready_and_live_and_over_when_it_is_over() {
    let app = App::new(Kind::Postgres).await;
    let name = app.url.rsplit('/').next().unwrap().to_owned();
    let mut server = PgConnection::establish(&std::env::var("TEST_POSTGRES_URL").unwrap()).unwrap();
    let mut on_server = |sql: String| diesel::sql_query(sql).execute(&mut server).unwrap();
    on_server(format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
    on_server(format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"));
    for _ in 0..3 {
        let (status, body) = app.ready(ReadyChecks::new()).await;
        assert_eq!((status, &body["status"]), (503, &json!("not ready")));
        assert_eq!((&body["parts"]["writer"], app.live().await), (&json!("ok"), 200));
        let text = body.to_string();
        assert!(!text.contains(&name) && !text.contains("127.0.0.1"), "{text}");
    }
    assert_eq!(app.stripe(&completed("none")).await.status, 503, "nothing is taken in that can't be kept");
    on_server(format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"));
    let until = Instant::now() + Duration::from_secs(30);
    while app.ready(ReadyChecks::new()).await.0 != 200 {
        assert!(Instant::now() < until, "it is ready again");
    }
    assert_eq!(app.live().await, 200);
}
