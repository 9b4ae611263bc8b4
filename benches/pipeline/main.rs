//! Benches of an event's way from the inbox to its handlers, each beside a rival in the same run.
//!
//! `cargo bench --all-features --bench pipeline -- [SECTION…]` runs the sections that are named, or all:
//!
//! - `statements`: what one batch asks of the database
//! - `processing`: a backlog, beside the same rows written by hand
//! - `async`: a backlog with an async handler, beside the same without
//! - `search`: a backlog with the notes of whose words are owed, beside the same without; and writing the words
//! - `end-to-end`: a shop that takes events in and processes them, beside a bare loop on SQLite
//! - `beside`: intake with a busy worker, beside intake alone
//! - `wake-up`: from the commit of a lone event to its handler, and what a worker costs that waits
//!
//! Environment, all optional: `TEST_POSTGRES_URL` is a Postgres to use beside SQLite (`scripts/postgres run` sets it);
//!
//! - `BENCH_EVENTS` (20000): the length of the backlog
//! - `BENCH_ROUNDS` (3): how often each is measured
//! - `BENCH_LIMIT` (60): after how many seconds a round ends unfinished
//! - `BENCH_BATCH` (200): how many events are written by hand in one transaction, and are timed together
//! - `BENCH_DELIVERIES` (8000): how many events go end to end
//! - `BENCH_SECONDS` (5): how long intake is measured
//! - `BENCH_WAKEUPS` (200): how many lone events there are
//! - `BENCH_IDLE_SECONDS` (10): how long idling is measured
//!
//! SQLite's files are in the folder for temporary files; on a file system in memory the figures mean nothing, because
//! a commit costs nothing there.

// Rates and times are no money.
#![allow(clippy::float_arithmetic)]

mod after_commit;
mod backlog;
mod bare_loop;
mod beside;
mod by_hand;
mod databases;
mod end_to_end;
mod figures;
#[path = "../intake/load.rs"]
mod load;
mod prepared;
mod processing;
mod rows;
mod search;
mod shop;
mod statements;
mod wake_up;

use std::time::Duration;

use databases::Server;

/// What a section is called, and what it measures on a server.
type Section = (&'static str, fn(&Server));

const SECTIONS: [Section; 7] = [
    ("statements", statements::run),
    ("processing", processing::run),
    ("async", after_commit::run),
    ("search", search::run),
    ("end-to-end", end_to_end::run),
    ("beside", beside::run),
    ("wake-up", wake_up::run),
];

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// How many events the backlog has.
fn events() -> u64 {
    setting("BENCH_EVENTS", 20_000)
}

fn rounds() -> u64 {
    setting("BENCH_ROUNDS", 3).max(1)
}

/// How long a round may take.
fn limit() -> Duration {
    Duration::from_secs(setting("BENCH_LIMIT", 60))
}

fn main() {
    // What goes wrong is to be seen; RUST_LOG asks for more.
    env_logger::init();
    // Cargo adds options of its own.
    let named: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let known = |name: &String| SECTIONS.iter().any(|(section, _)| section == name);
    if let Some(unknown) = named.iter().find(|name| !known(name)) {
        let all: Vec<&str> = SECTIONS.iter().map(|(section, _)| *section).collect();
        eprintln!("there is no section {unknown}; there are {}", all.join(", "));
        std::process::exit(2);
    }
    for server in Server::all() {
        for (section, run) in SECTIONS {
            if named.is_empty() || named.iter().any(|name| name == section) {
                run(&server);
            }
        }
    }
}
