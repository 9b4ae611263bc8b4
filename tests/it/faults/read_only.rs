//! Connections that can only read: made while the database was read-only, or to a server that is no longer the primary.

use std::time::Duration;

use diesel::{Connection, PgConnection, RunQueryDsl};

use super::RECOVERY;
use crate::app::{App, Kind, on_both_databases};
use crate::scenes::{completed, execute};

impl App {
    /// Makes all connections such that can only read.
    pub(crate) fn can_only_read(&self) {
        let sql = if self.url.starts_with("sqlite") {
            "PRAGMA query_only = 1"
        } else {
            "SET default_transaction_read_only = on"
        };
        let mut all: Vec<_> = (0..10).map(|_| self.database.connection().unwrap()).collect();
        for conn in &mut all {
            execute(conn.lent(), sql).unwrap();
        }
    }
}

on_both_databases! {
    async fn connections_that_can_only_read_are_replaced(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        app.can_only_read();
        app.taken_again_within(0, RECOVERY).await;
        assert_eq!(app.stripe(&completed(&token)).await.status, 200);
        app.drain().await;
        assert_eq!(app.status(&token).await.as_str(), "paid");
    }

    async fn the_worker_gets_over_connections_that_can_only_read(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        assert_eq!(app.stripe(&completed(&token)).await.status, 200);
        app.can_only_read();
        let worker = app.payments.worker().start().unwrap();
        let begun = std::time::Instant::now();
        while app.status(&token).await.as_str() != "paid" {
            assert!(begun.elapsed() < RECOVERY, "{:?}", app.outcomes());
            actix_web::rt::time::sleep(Duration::from_millis(100)).await;
        }
        worker.stop().await;
    }
}

/// As on a server that is switched to read-only, or demoted, with its connections ended.
#[actix_web::test]
async fn a_database_that_was_read_only_for_a_while_is_written_to_again() {
    let app = App::new(Kind::Postgres).await;
    let (base, name) = app.url.rsplit_once('/').unwrap();
    let mut server = PgConnection::establish(&format!("{base}/postgres")).unwrap();
    let mut switch = |to: &str| {
        for sql in [
            format!("ALTER DATABASE {name} SET default_transaction_read_only = {to}"),
            format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"),
        ] {
            diesel::sql_query(sql).execute(&mut server).unwrap();
        }
    };
    switch("on");
    for number in 0..15 {
        let answer = app.stripe(&super::ping(number)).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")), "{answer:?}");
    }
    // Without ending the connections: those that were made meanwhile stay read-only for their lives.
    diesel::sql_query(format!("ALTER DATABASE {name} SET default_transaction_read_only = off"))
        .execute(&mut server)
        .unwrap();
    app.taken_again_within(15, RECOVERY).await;
}
