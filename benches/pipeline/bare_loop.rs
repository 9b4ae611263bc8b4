//! The least that taking and processing events could mean: a loop on SQLite that inserts an event and updates a
//! payment, 64 of each in a durable transaction, in one thread and without a server.

use std::time::{Duration, Instant};

use actix_payments::AnyConnection;
use diesel::prelude::*;
use time::OffsetDateTime;

use crate::backlog;
use crate::databases::Server;
use crate::prepared::Value::{Bytes, Number, Text};
use crate::prepared::prepared;

const PAYMENTS: u64 = 20_000;
const BATCH: u64 = 64;

const TABLES: &str = "
    CREATE TABLE events (
        id TEXT PRIMARY KEY, kind TEXT NOT NULL, livemode BOOLEAN NOT NULL, received_at BIGINT NOT NULL,
        body BLOB NOT NULL
    );
    CREATE TABLE payments (
        id INTEGER PRIMARY KEY, token TEXT NOT NULL UNIQUE, variant TEXT NOT NULL, status TEXT NOT NULL,
        amount BIGINT NOT NULL, captured_amount BIGINT NOT NULL DEFAULT 0, currency TEXT NOT NULL, customer TEXT,
        gateway_ref TEXT, updated_at BIGINT NOT NULL
    );";

/// Runs it for this time; answers how many events a second it takes.
pub(crate) fn run(time: Duration) -> f64 {
    let server = Server::Sqlite(tempfile::tempdir().expect("a folder for SQLite"));
    let scratch = server.scratch();
    let AnyConnection::Sqlite(mut conn) = scratch.connection() else { unreachable!("it is SQLite") };
    let tokens: Vec<String> = (0..PAYMENTS).map(backlog::token).collect();
    fill(&mut conn, &tokens).expect("payments");
    let (body, _) = backlog::event(0);
    let (start, mut written) = (Instant::now(), 0_u64);
    while start.elapsed() < time {
        conn.immediate_transaction(|conn| {
            (written..written + BATCH).try_for_each(|number| {
                // In no order, as tokens come.
                let token = &tokens[(number.wrapping_mul(7_919) % PAYMENTS) as usize];
                take(conn, number, token, &body)
            })
        })
        .expect("a transaction");
        written += BATCH;
    }
    written as f64 / start.elapsed().as_secs_f64()
}

fn fill(conn: &mut SqliteConnection, tokens: &[String]) -> QueryResult<()> {
    use diesel::connection::SimpleConnection;
    conn.batch_execute("PRAGMA cache_size = -20000; PRAGMA mmap_size = 134217728;")?;
    conn.batch_execute(TABLES)?;
    conn.immediate_transaction(|conn| {
        tokens.iter().try_for_each(|token| {
            prepared::<0>(
                "INSERT INTO payments (token, variant, status, amount, currency, customer, updated_at) \
                 VALUES (?, 'stripe', 'pending', 4999, 'EUR', 'customer@example.org', 0)",
                &[Text(token)],
            )
            .execute(conn)
            .map(drop)
        })
    })?;
    conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")
}

fn take(conn: &mut SqliteConnection, number: u64, token: &str, body: &[u8]) -> QueryResult<()> {
    let [event, _, intent] = backlog::ids(number);
    let now = Number(OffsetDateTime::now_utc().unix_timestamp());
    prepared::<1>(
        "INSERT INTO events (id, kind, livemode, received_at, body) \
         VALUES (?, 'checkout.session.completed', FALSE, ?, ?) ON CONFLICT (id) DO NOTHING",
        &[Text(&event), now, Bytes(body)],
    )
    .execute(conn)?;
    let now = Number(OffsetDateTime::now_utc().unix_timestamp());
    prepared::<2>(
        "UPDATE payments SET status = 'paid', captured_amount = 4999, gateway_ref = ?, updated_at = ? WHERE token = ?",
        &[Text(&intent), now, Text(token)],
    )
    .execute(conn)?;
    Ok(())
}
