//! Intake beside a busy worker: deliveries at 64 connections for a fixed time, with a worker on a backlog and without.

use std::time::{Duration, Instant};

use crate::databases::{Server, number};
use crate::end_to_end::{CONNECTIONS, requests};
use crate::figures::{Rounds, Times};
use crate::load;
use crate::shop::{self, COMPLETED, Handlers, Seen};
use crate::{backlog, events, limit, rounds, setting};

/// More than is taken in within a second.
const MOST_A_SECOND: u64 = 10_000;

/// What a load came to.
#[derive(Default)]
struct Intake {
    rates: Rounds,
    answers: Times,
    processed: Rounds,
    refused: usize,
}

pub(crate) fn run(server: &Server) {
    let seconds = setting("BENCH_SECONDS", 5).max(1);
    let (backlog, end) = (events(), events() + seconds * MOST_A_SECOND);
    println!("\n## {}: intake beside a worker, {CONNECTIONS} connections, {seconds} s\n", server.name());
    let filled = backlog::filled(server, end, backlog);
    let (mut alone, mut beside) = (Intake::default(), Intake::default());
    for _ in 0..rounds() {
        for (busy, intake) in [(false, &mut alone), (true, &mut beside)] {
            let copy = server.copy(&filled);
            let seen = Seen::new();
            let shop = shop::build(&copy.url(), Handlers::Both, &seen);
            let requests = requests(backlog, end);
            let serving = shop::serve(&shop);
            let mut conn = copy.connection();
            let worker = busy.then(|| {
                let worker = shop.worker().patience(Duration::from_secs(5)).start().expect("a worker");
                let started = Instant::now();
                while seen.in_transaction().is_empty() {
                    assert!(started.elapsed() < limit(), "the worker did not begin");
                    std::thread::sleep(Duration::from_millis(1));
                }
                worker
            });
            let before = number(&mut conn, COMPLETED);
            let start = Instant::now();
            let load = load::run(serving.port, requests, CONNECTIONS, Duration::from_secs(seconds));
            let completed = number(&mut conn, COMPLETED) - before;
            intake.processed.push(completed as f64 / start.elapsed().as_secs_f64());
            intake.rates.push(load.rate());
            load.waited().for_each(|time| intake.answers.push(time));
            intake.refused += load.refused;
            if let Some(worker) = worker {
                let open = number(&mut conn, "(SELECT count(*) FROM pay_events WHERE state <> 'completed')");
                if open == 0 {
                    println!("The worker ran out of work: raise BENCH_EVENTS.\n");
                }
                load::block_on(worker.stop());
            }
            serving.stop();
        }
    }
    println!("| | taken in a second, median of {} (least to most) | p50, ms | p99 | processed a second |", rounds());
    println!("|---|---|---|---|---|");
    println!("| no worker | {} | {} | – |", alone.rates.shown(), alone.answers.cells());
    let processed = beside.processed.shown();
    println!("| a busy worker beside | {} | {} | {processed} |", beside.rates.shown(), beside.answers.cells());
    let refused = alone.refused + beside.refused;
    if refused > 0 {
        println!("\n{refused} deliveries were answered 503.");
    }
    println!("\nBeside a busy worker over without: **{:.2}**", beside.rates.median() / alone.rates.median());
}
