//! The shop end to end: from the first delivery at 64 connections until all are processed, beside a bare loop.

use std::time::{Duration, Instant};

use crate::databases::Server;
use crate::figures::{Rounds, Times};
use crate::load::{self, Requests};
use crate::shop::{self, Handlers, PATH, Seen, wait};
use crate::{backlog, bare_loop, limit, rounds, setting};

pub(crate) const CONNECTIONS: usize = 64;

/// How long the bare loop runs before and after each round.
const BARE: Duration = Duration::from_secs(2);

/// Signed requests with the events of the payments from `first` to before `end`.
pub(crate) fn requests(first: u64, end: u64) -> Requests {
    let request = |number| {
        let (body, signature) = backlog::event(number);
        load::request(PATH, &body, &signature)
    };
    Requests::Ready((first..end).map(request).collect())
}

pub(crate) fn run(server: &Server) {
    let deliveries = setting("BENCH_DELIVERIES", 8_000);
    println!("\n## {}: {deliveries} events end to end, {CONNECTIONS} connections\n", server.name());
    let filled = backlog::filled(server, deliveries, 0);
    let [mut processed, mut taken, mut bare, mut ratios] = [(); 4].map(|()| Rounds::default());
    let (mut answers, mut ways) = (Times::default(), Times::default());
    let mut unfinished = 0;
    for _ in 0..rounds() {
        let before = bare_loop::run(BARE);
        let copy = server.copy(&filled);
        let seen = Seen::new();
        let shop = shop::build(&copy.url(), Handlers::Both, &seen);
        let requests = requests(0, deliveries);
        let serving = shop::serve(&shop);
        let worker = shop.worker().start().expect("a worker");
        let mut conn = copy.connection();
        let start = Instant::now();
        let load = load::run(serving.port, requests, CONNECTIONS, limit());
        assert_eq!(load.refused, 0, "a gateway would send it again");
        let progress = wait(&mut conn, (Handlers::Both, &seen), deliveries, (start, limit()));
        load::block_on(worker.stop());
        serving.stop();
        drop(conn);
        let loops = (before + bare_loop::run(BARE)) / 2.0;

        processed.push(progress.rate());
        taken.push(load.rate());
        bare.push(loops);
        ratios.push(progress.rate() / loops);
        load.waited().for_each(|time| answers.push(time));
        let sent: std::collections::HashMap<u64, Instant> =
            load.answered.iter().map(|answered| (answered.request as u64, answered.sent)).collect();
        for (number, ran) in seen.after() {
            ways.push(ran.saturating_duration_since(sent[&number]));
        }
        unfinished += u64::from(progress.completed < deliveries as i64);
    }
    println!("| | events a second, median of {} (least to most) | p50, ms | p99 |", rounds());
    println!("|---|---|---|---|");
    println!("| answered | {} | {} |", taken.shown(), answers.cells());
    println!("| processed, from sent to its async handler | {} | {} |", processed.shown(), ways.cells());
    println!("| the bare loop on SQLite | {} | – | – |", bare.shown());
    println!("\nProcessed over the bare loop: **{:.3}**", ratios.median());
    if unfinished > 0 {
        println!("\n{unfinished} rounds ended after {} s, unfinished.", limit().as_secs());
    }
}
