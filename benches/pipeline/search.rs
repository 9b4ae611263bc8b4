//! What the search costs: a backlog whose batches note whose words are owed, beside the same backlog without these notes;
//! and how fast a worker writes the words afterwards.

use std::time::{Duration, Instant};

use crate::databases::{Scratch, Server, execute, number};
use crate::figures::{Rounds, Times};
use crate::load::block_on;
use crate::shop::{self, Handlers, Seen, work_off};
use crate::{backlog, events, limit, rounds, setting};

/// What is owed, in rows.
const OWED: &str = "(SELECT count(*) FROM pay_words_owed)";

pub(crate) fn run(server: &Server) {
    let (events, batch) = (events(), setting("BENCH_BATCH", 200).max(1) as usize);
    println!("\n## {}: a backlog of {events} events with the notes for the search\n", server.name());
    let filled = backlog::filled(server, events, events);
    let [mut without, mut with, mut written] = [(); 3].map(|()| Rounds::default());
    let (mut times_without, mut times_with) = (Times::default(), Times::default());
    for _ in 0..rounds() {
        let copy = server.copy(&filled);
        drop_notes(server, &copy);
        let (progress, start, seen) = work_off(&copy, events, Handlers::InTransaction, limit());
        without.push(progress.rate());
        times_without.push_runs(start, seen.in_transaction(), batch);

        let copy = server.copy(&filled);
        let (progress, start, seen) = work_off(&copy, events, Handlers::InTransaction, limit());
        with.push(progress.rate());
        times_with.push_runs(start, seen.in_transaction(), batch);
        written.push(write_words(&copy));
    }
    println!("| | a second, median of {} (least to most) | p50 of {batch} events, ms | p99 |", rounds());
    println!("|---|---|---|---|");
    println!("| events without the notes | {} | {} |", without.shown(), times_without.cells());
    println!("| events with them | {} | {} |", with.shown(), times_with.cells());
    println!("| payments whose words a worker writes, with nothing else to do | {} | – | – |", written.shown());
    println!("\nWith the notes over without: **{:.2}**", with.median() / without.median());
}

/// From here on no note is kept: the statement of a batch is asked all the same, and writes nothing.
fn drop_notes(server: &Server, scratch: &Scratch) {
    let sql = match server {
        Server::Postgres(_) => "CREATE RULE no_notes AS ON INSERT TO pay_words_owed DO INSTEAD NOTHING",
        _ => "CREATE TRIGGER no_notes BEFORE INSERT ON pay_words_owed BEGIN SELECT RAISE(IGNORE); END",
    };
    execute(&mut scratch.connection(), sql);
}

/// Lets a worker write the words that are owed; answers how many rows a second it settled.
fn write_words(scratch: &Scratch) -> f64 {
    let shop = shop::build(&scratch.url(), Handlers::None, &Seen::new());
    let mut conn = scratch.connection();
    let (begun, owed) = (Instant::now(), number(&mut conn, OWED));
    let worker = shop.worker().start().expect("a worker");
    let mut left = owed;
    while left > 0 && begun.elapsed() < limit() {
        std::thread::sleep(Duration::from_millis(50));
        left = number(&mut conn, OWED);
    }
    let took = begun.elapsed();
    block_on(worker.stop());
    (owed - left) as f64 / took.as_secs_f64()
}
