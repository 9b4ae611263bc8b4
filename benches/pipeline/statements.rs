//! How many statements a batch of events asks of the database, counted where diesel hands them over.
//!
//! `BENCH_STATEMENTS=1` lists those of fifty events.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};

use crate::backlog;
use crate::databases::Server;
use crate::load::block_on;
use crate::shop::{self, Handlers, Seen};

static COUNTING: AtomicBool = AtomicBool::new(false);
static COUNTED: Mutex<Vec<String>> = Mutex::new(Vec::new());

const SIZES: [u64; 5] = [0, 1, 10, 50, 500];

pub(crate) fn run(server: &Server) {
    listen(true);
    println!("\n## {}: statements\n", server.name());
    println!("Without handlers; each event is of a payment of its own. One look that finds nothing is in each row.\n");
    println!("| events | statements | of these transactions begun | beyond those of no event | an event |");
    println!("|---|---|---|---|---|");
    let mut none = 0;
    for events in SIZES {
        let statements = drained(server, events);
        let all = statements.len();
        let begun = statements.iter().filter(|sql| sql.starts_with("BEGIN")).count();
        if events == 0 {
            none = all;
        }
        let beyond = all.saturating_sub(none);
        println!("| {events} | {all} | {begun} | {beyond} | {:.1} |", beyond as f64 / events.max(1) as f64);
        if events == 50 && std::env::var_os("BENCH_STATEMENTS").is_some() {
            list(&statements);
        }
    }
    listen(false);
}

/// The statements by which a worker processes so many events and sees that nothing is left.
fn drained(server: &Server, events: u64) -> Vec<String> {
    let filled = backlog::filled(server, events.max(1), events);
    let copy = server.copy(&filled);
    let shop = shop::build(&copy.url(), Handlers::None, &Seen::new());
    COUNTING.store(true, Relaxed);
    let claimed = block_on(shop.worker().drain()).expect("the worker");
    COUNTING.store(false, Relaxed);
    assert_eq!(claimed, events as usize);
    let mut statements = std::mem::take(&mut *COUNTED.lock().expect("a list"));
    // The settings of a new connection: how many are opened meanwhile is the pool's affair.
    statements.retain(|sql| !sql.starts_with("PRAGMA ") && !sql.starts_with("SET "));
    statements
}

/// Whether connections that are opened from now on are listened to.
fn listen(on: bool) {
    let set = if on { set_default_instrumentation(counting) } else { set_default_instrumentation(|| None) };
    set.expect("no connection is being opened");
}

fn counting() -> Option<Box<dyn Instrumentation>> {
    Some(Box::new(|event: InstrumentationEvent<'_>| match event {
        InstrumentationEvent::StartQuery { query, .. } if COUNTING.load(Relaxed) => {
            COUNTED.lock().expect("a list").push(query.to_string());
        }
        _ => {}
    }))
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
