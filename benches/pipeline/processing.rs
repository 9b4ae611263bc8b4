//! Processing alone: a backlog with a handler in the transaction, beside a program that writes the same rows by hand;
//! and what such a program could make of the section `end-to-end`.

use std::time::Duration;

use crate::databases::Server;
use crate::figures::{Rounds, Times};
use crate::shop::{Handlers, Progress, work_off};
use crate::{backlog, bare_loop, by_hand, events, limit, rounds, rows, setting};

/// How long the bare loop runs in each round.
const BARE: Duration = Duration::from_secs(2);

pub(crate) fn run(server: &Server) {
    let (events, batch) = (events(), setting("BENCH_BATCH", 200).max(1) as usize);
    println!("\n## {}: processing a backlog of {events} events\n", server.name());
    let filled = backlog::filled(server, events, events);
    let [mut ours, mut theirs, mut bare] = [(); 3].map(|()| Rounds::default());
    let (mut our_times, mut their_times) = (Times::default(), Times::default());
    let mut differences = Vec::new();
    for round in 0..rounds() {
        let processed = server.copy(&filled);
        let (progress, start, seen) = work_off(&processed, events, Handlers::InTransaction, limit());
        ours.push(progress.rate());
        our_times.push_runs(start, seen.in_transaction(), batch);

        let written = server.copy(&filled);
        let mut conn = written.connection();
        let words = by_hand::words(&mut processed.connection());
        let known = by_hand::known(&mut conn, &words);
        let (took, each) = by_hand::write(&mut conn, &known, &words, batch);
        theirs.push(Progress { completed: events as i64, took }.rate());
        each.into_iter().for_each(|time| their_times.push(time));
        bare.push(bare_loop::run(BARE));
        if round == 0 && progress.completed == events as i64 {
            differences = rows::differences(&processed, &written);
        }
    }
    println!("| | events a second, median of {} (least to most) | p50 of {batch} events, ms | p99 |", rounds());
    println!("|---|---|---|---|");
    println!("| the pipeline | {} | {} |", ours.shown(), our_times.cells());
    println!("| the same rows by hand | {} | {} |", theirs.shown(), their_times.cells());
    println!("| the bare loop on SQLite | {} | – | – |", bare.shown());
    println!("\nThe pipeline over the same rows by hand: **{:.2}**", ours.median() / theirs.median());
    // One connection that takes each event in as the bare loop does and then writes its rows, and nothing beside it.
    let whole = 1.0 / (1.0 / bare.median() + 1.0 / theirs.median());
    println!("\nTaken in at the loop's pace, then written by hand, over the loop: **{:.2}**", whole / bare.median());
    for difference in differences {
        println!("\nNot the same rows: {difference}");
    }
}
