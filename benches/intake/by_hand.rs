//! The most that an intake could reach on this disk: the rows that it writes, in one thread and without a server.

use std::time::{Duration, Instant};

use actix_payments::{AnyConnection, AnyRef, Database};
use diesel::prelude::*;

use crate::prepared::Value::{Bytes, Text, Texts};
use crate::prepared::prepared;

/// As many as 64 connections can have under way.
pub(crate) const BATCH: usize = 64;

/// Writes events for so long, as many a durable transaction; answers how many a second.
pub(crate) fn run(url: &str, time: Duration, event: impl Fn() -> (String, String)) -> f64 {
    let database: Database<AnyConnection> = Database::from_url(url).expect("a database");
    let mut held = database.connection().expect("a connection");
    let (start, mut written) = (Instant::now(), 0_usize);
    while start.elapsed() < time {
        let (ids, bodies): (Vec<String>, Vec<String>) = (0..BATCH).map(|_| event()).unzip();
        match held.lent() {
            AnyRef::Sqlite(conn) => conn.immediate_transaction(|conn| row_by_row(conn, &ids, &bodies)),
            AnyRef::Postgres(conn) => conn.transaction(|conn| as_sets(conn, &ids, &bodies)),
            _ => unreachable!("there are two databases"),
        }
        .expect("the rows are written");
        written += BATCH;
    }
    written as f64 / start.elapsed().as_secs_f64()
}

fn row_by_row(conn: &mut SqliteConnection, ids: &[String], bodies: &[String]) -> QueryResult<()> {
    for (id, body) in ids.iter().zip(bodies) {
        prepared::<0>(
            "INSERT INTO pay_events (variant, gateway_event_id, source, kind, livemode, api_version, secret, skew_seconds, \
             occurred_at, received_at, last_delivered_at, due_at, state, deliveries, attempts) \
             VALUES ('stripe', ?, 'delivery', 'payment_intent.succeeded', FALSE, '2026-10-28.endive', 'primary', 0, \
             datetime('now'), datetime('now'), datetime('now'), datetime('now'), 'available', 1, 0)",
            &[Text(id)],
        )
        .execute(conn)?;
        prepared::<1>(
            "INSERT INTO pay_event_bodies (event_id, headers, body) VALUES (last_insert_rowid(), '{}', ?)",
            &[Bytes(body.as_bytes())],
        )
        .execute(conn)?;
    }
    Ok(())
}

fn as_sets(conn: &mut PgConnection, ids: &[String], bodies: &[String]) -> QueryResult<()> {
    prepared::<2>(
        "WITH event AS (SELECT * FROM unnest(?, ?) AS event (name, body)), made AS ( \
         INSERT INTO pay_events (variant, gateway_event_id, source, kind, livemode, api_version, secret, skew_seconds, \
         occurred_at, received_at, last_delivered_at, due_at, state, deliveries, attempts) \
         SELECT 'stripe', name, 'delivery', 'payment_intent.succeeded', FALSE, '2026-10-28.endive', 'primary', 0, \
         now(), now(), now(), now(), 'available', 1, 0 FROM event ORDER BY name \
         ON CONFLICT (variant, gateway_event_id) DO UPDATE SET deliveries = pay_events.deliveries + 1 \
         RETURNING id, gateway_event_id) \
         INSERT INTO pay_event_bodies (event_id, headers, body) \
         SELECT id, '{}', convert_to(body, 'UTF8') FROM made JOIN event ON name = gateway_event_id",
        &[Texts(ids), Texts(bodies)],
    )
    .execute(conn)
    .map(drop)
}
