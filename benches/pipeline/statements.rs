//! How many statements a batch of events asks of the database, counted where diesel hands them over.
//!
//! `BENCH_STATEMENTS=1` lists those of fifty events.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use actix_payments::gateways::stripe::Stripe;
use actix_payments::{Database, HostConnection, Payments};
use diesel::connection::InstrumentationEvent;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Error as PoolError, Pool, R2D2Connection};
use diesel::{PgConnection, SqliteConnection};

use crate::backlog::{self, SECRET};
use crate::databases::{Scratch, Server};
use crate::load::block_on;

static COUNTING: AtomicBool = AtomicBool::new(false);
static COUNTED: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// How many statements each transaction had that processed events, from its beginning to its commit.
static BATCHES: Mutex<Vec<usize>> = Mutex::new(Vec::new());

const SIZES: [u64; 5] = [0, 1, 10, 50, 500];

pub(crate) fn run(server: &Server) {
    println!("\n## {}: statements\n", server.name());
    println!("Without handlers; each event is of a payment of its own. One look that finds nothing is in each row.\n");
    println!(
        "| events | statements | of these transactions begun | beyond those of no event | an event | in each batch |"
    );
    println!("|---|---|---|---|---|---|");
    let mut none = 0;
    for events in SIZES {
        let statements = drained(server, events);
        let all = statements.len();
        let begun = statements.iter().filter(|sql| sql.starts_with("BEGIN")).count();
        if events == 0 {
            none = all;
        }
        let beyond = all.saturating_sub(none);
        let of_one = beyond as f64 / events.max(1) as f64;
        let batches = std::mem::take(&mut *BATCHES.lock().expect("a list"));
        println!("| {events} | {all} | {begun} | {beyond} | {of_one:.1} | {batches:?} |");
        if events == 50 && std::env::var_os("BENCH_STATEMENTS").is_some() {
            list(&statements);
        }
    }
}

/// The statements by which a worker processes so many events and sees that nothing is left.
fn drained(server: &Server, events: u64) -> Vec<String> {
    let filled = backlog::filled(server, events.max(1), events);
    let copy = server.copy(&filled);
    let shop = listened_to(&copy);
    COUNTING.store(true, Relaxed);
    let claimed = block_on(shop.worker().drain()).expect("the worker");
    COUNTING.store(false, Relaxed);
    assert_eq!(claimed, events as usize);
    let mut statements = std::mem::take(&mut *COUNTED.lock().expect("a list"));
    // The settings of a new connection: how many are opened meanwhile is the pool's affair.
    statements.retain(|sql| !sql.starts_with("PRAGMA ") && !sql.starts_with("SET "));
    statements
}

/// A shop whose connections are listened to. The pool is the shop's own, since the crate listens to those that it opens.
fn listened_to(scratch: &Scratch) -> Payments {
    let url = scratch.url();
    match scratch {
        Scratch::Sqlite(_) => {
            payments(Database::from_pool(pool::<SqliteConnection>(url.trim_start_matches("sqlite://"))))
        }
        Scratch::Postgres { .. } => payments(Database::from_pool(pool::<PgConnection>(&url))),
    }
}

fn payments<C: HostConnection>(database: Database<C>) -> Payments {
    Payments::builder(database).variant("stripe", Stripe::new(SECRET)).build().expect("payments")
}

fn pool<C: R2D2Connection + 'static>(url: &str) -> Pool<ConnectionManager<C>> {
    let pool = Pool::builder().max_size(4).connection_customizer(Box::new(Listening));
    pool.build(ConnectionManager::new(url)).expect("connections")
}

#[derive(Debug)]
struct Listening;

impl<C: R2D2Connection + 'static> CustomizeConnection<C, PoolError> for Listening {
    fn on_acquire(&self, conn: &mut C) -> Result<(), PoolError> {
        let mut transaction: Vec<String> = Vec::new();
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            let InstrumentationEvent::StartQuery { query, .. } = event else { return };
            if !COUNTING.load(Relaxed) {
                return;
            }
            let query = query.to_string();
            if query.starts_with("BEGIN") {
                transaction.clear();
            }
            transaction.push(query.clone());
            let processed = |sql: &String| sql.contains("SET state = ") && sql.contains("outcome_code = ");
            if query == "COMMIT" && transaction.iter().any(processed) {
                BATCHES.lock().expect("a list").push(transaction.len());
            }
            COUNTED.lock().expect("a list").push(query);
        });
        Ok(())
    }
}

/// Prints each text once with how often it was used, the most frequent first.
fn list(statements: &[String]) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for sql in statements {
        // The values follow after this mark.
        *counts.entry(sql.split(" -- binds").next().unwrap_or(sql)).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (sql, count) in counts {
        eprintln!("{count:6} {sql}");
    }
}
