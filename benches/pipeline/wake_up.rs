//! How long a lone event waits for its handler while the worker is idle, and what an idle worker costs.

use std::time::{Duration, Instant};

use actix_payments::Payments;
use diesel::prelude::*;
use diesel::sql_types::Integer;

use crate::backlog;
use crate::databases::{Scratch, Server, on};
use crate::figures::Times;
use crate::load::block_on;
use crate::setting;
use crate::shop::{self, Handlers, Seen};

/// Events before those that count.
const WARM_UP: u64 = 5;
/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn run(server: &Server) {
    let lone = setting("BENCH_WAKEUPS", 200);
    println!("\n## {}: {lone} lone events, from the commit to the handler\n", server.name());
    println!("| the worker is in | p50, ms | p99 |");
    println!("|---|---|---|");
    let filled = backlog::filled(server, lone + WARM_UP, 0);
    for same in [true, false] {
        let copy = server.copy(&filled);
        let seen = Seen::new();
        let working = shop::build(&copy.url(), Handlers::Both, &seen);
        // Another handle knows of no wake-up call, as another process would.
        let taking = if same { working.clone() } else { shop::build(&copy.url(), Handlers::Both, &seen) };
        let worker = working.worker().start().expect("a worker");
        let mut times = block_on(lone_events(&taking, &seen, lone));
        block_on(worker.stop());
        println!("| {} | {} |", if same { "the same process" } else { "another process" }, times.cells());
    }
    idle(server);
}

async fn lone_events(taking: &Payments, seen: &Seen, lone: u64) -> Times {
    let mut times = Times::default();
    for number in 0..lone + WARM_UP {
        // Until the last one is settled; at no beat with what a worker does by the clock.
        tokio::time::sleep(Duration::from_millis(30 + number * 37 % 250)).await;
        backlog::receive(taking, number).await;
        let committed = Instant::now();
        let began = loop {
            let ran = seen.after().into_iter().find(|(ran, _)| *ran == number);
            if let Some((_, began)) = ran {
                break began;
            }
            assert!(committed.elapsed() < PATIENCE, "the handler of event {number} did not begin");
            tokio::time::sleep(Duration::from_millis(1)).await;
        };
        if number >= WARM_UP {
            // It may have begun before this thread heard of the commit.
            times.push(began.saturating_duration_since(committed));
        }
    }
    times
}

/// What share of a core is used while nothing is to do, without a worker and with one.
fn idle(server: &Server) {
    let time = Duration::from_secs(setting("BENCH_IDLE_SECONDS", 10).max(1));
    let scratch = backlog::filled(server, 1, 1);
    let seen = Seen::new();
    let shop = shop::build(&scratch.url(), Handlers::Both, &seen);
    block_on(shop.worker().drain()).expect("the event is processed");
    let without = share(&scratch, time);
    let worker = shop.worker().start().expect("a worker");
    // What it does at its start is not idle.
    std::thread::sleep(Duration::from_secs(2));
    let with = share(&scratch, time);
    block_on(worker.stop());
    match (without, with) {
        (Some(without), Some(with)) => {
            println!(
                "\n| {} s with nothing to do | this process, % of a core | the server's processes for it |",
                time.as_secs()
            );
            println!("|---|---|---|");
            println!("| without a worker | {:.2} | {:.2} |", without[0], without[1]);
            println!("| with an idle worker | {:.2} | {:.2} |", with[0], with[1]);
        }
        _ => println!("\nThis system does not say what a process uses."),
    }
}

#[derive(QueryableByName)]
struct Process {
    #[diesel(sql_type = Integer)]
    pid: i32,
}

/// What share of a core this process uses, and the server's processes that work for this database; in percent.
fn share(scratch: &Scratch, time: Duration) -> Option<[f64; 2]> {
    let serving: Vec<i32> = match scratch {
        Scratch::Sqlite(_) => Vec::new(),
        Scratch::Postgres { .. } => {
            let others =
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
            let found: Vec<Process> =
                on!(&mut scratch.connection(), conn => diesel::sql_query(others).load(conn)).expect("processes");
            found.into_iter().map(|process| process.pid).collect()
        }
    };
    let used = || {
        let server: Option<f64> = serving.iter().map(|pid| seconds(&pid.to_string())).sum();
        Some([seconds("self")?, server?])
    };
    let before = used()?;
    std::thread::sleep(time);
    let after = used()?;
    Some([0, 1].map(|at| (after[at] - before[at]) / time.as_secs_f64() * 100.0))
}

/// The processor time that a process has used, as Linux tells it.
fn seconds(process: &str) -> Option<f64> {
    const TICKS_A_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // After the name, which may hold anything: the state, ten fields, and then the times of the program and of the
    // system for it.
    let (_, fields) = stat.rsplit_once(')')?;
    let times: Vec<f64> = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
    (times.len() == 2).then(|| times.iter().sum::<f64>() / TICKS_A_SECOND)
}
