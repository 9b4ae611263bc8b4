//! What an async handler costs: a backlog with one that returns at once, beside the same backlog without it.

use crate::databases::Server;
use crate::figures::{Rounds, Times};
use crate::shop::{Handlers, work_off};
use crate::{backlog, events, limit, rounds, setting};

pub(crate) fn run(server: &Server) {
    let (events, batch) = (events(), setting("BENCH_BATCH", 200).max(1) as usize);
    println!("\n## {}: a backlog of {events} events with an async handler\n", server.name());
    let filled = backlog::filled(server, events, events);
    let (mut without, mut with) = (Rounds::default(), Rounds::default());
    let (mut times_without, mut times_with) = (Times::default(), Times::default());
    let mut unfinished = 0;
    for _ in 0..rounds() {
        let copy = server.copy(&filled);
        let (progress, start, seen) = work_off(&copy, events, Handlers::InTransaction, limit());
        without.push(progress.rate());
        times_without.push_runs(start, seen.in_transaction(), batch);

        let copy = server.copy(&filled);
        let (progress, start, seen) = work_off(&copy, events, Handlers::Both, limit());
        with.push(progress.rate());
        let ran = seen.after().into_iter().map(|(_, at)| at).collect();
        times_with.push_runs(start, ran, batch);
        unfinished += u64::from(progress.completed < events as i64);
    }
    println!("| | events a second, median of {} (least to most) | p50 of {batch} events, ms | p99 |", rounds());
    println!("|---|---|---|---|");
    println!("| without | {} | {} |", without.shown(), times_without.cells());
    println!("| with one async handler | {} | {} |", with.shown(), times_with.cells());
    println!("\nWith an async handler over without: **{:.2}**", with.median() / without.median());
    if unfinished > 0 {
        println!("\n{unfinished} rounds with it ended after {} s, unfinished.", limit().as_secs());
    }
}
