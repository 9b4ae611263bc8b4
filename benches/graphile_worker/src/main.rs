//! A rival that keeps no ledger: no-op jobs of `graphile_worker` on Postgres, jobs a second.
//!
//! `scripts/postgres run cargo run --release --manifest-path benches/graphile_worker/Cargo.toml`; the environment is
//! that of the bench `pipeline`: `TEST_POSTGRES_URL`, `BENCH_EVENTS` (20000) jobs, `BENCH_ROUNDS` (3), `BENCH_LIMIT`
//! (60).

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use graphile_worker::{
    IntoTaskHandlerResult, JobSpec, LocalQueueConfig, RawJobSpec, TaskHandler, WorkerContext, WorkerOptions,
};
use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgPool, PgPoolOptions};

/// Any error: this is a program that a person watches.
type Failure = Box<dyn std::error::Error>;

/// How many jobs are timed together, as the events of one batch are.
const RUN: usize = 50;

/// What a payment's event would ask for.
#[derive(Deserialize, Serialize)]
struct SendReceipt {
    order: String,
}

/// When jobs ran.
#[derive(Clone, Debug, Default)]
struct Seen(Arc<Mutex<Vec<Instant>>>);

impl TaskHandler for SendReceipt {
    const IDENTIFIER: &'static str = "send_receipt";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        std::hint::black_box(&self.order);
        if let Some(seen) = context.get_ext::<Seen>() {
            seen.0.lock().map_err(|_| "a job panicked".to_owned())?.push(Instant::now());
        }
        Ok::<(), String>(())
    }
}

/// How the worker gets its jobs.
#[derive(Clone, Copy)]
enum Way {
    /// Each by a statement of its own, and completed by another, until none is left.
    OneByOne,
    /// Many by one statement, and many completed by one.
    LocalQueue,
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let jobs = usize::try_from(setting("BENCH_EVENTS", 20_000))?;
    let rounds = setting("BENCH_ROUNDS", 3).max(1);
    let pool = PgPoolOptions::new().max_connections(10).connect(&std::env::var("TEST_POSTGRES_URL")?).await?;
    println!("graphile_worker on Postgres: {jobs} no-op jobs, no ledger\n");
    println!("| | jobs a second, median of {rounds} (least to most) | p50 of {RUN} jobs, ms | p99 |");
    println!("|---|---|---|---|");
    for (name, way) in [("one by one", Way::OneByOne), ("local queue, batched completion", Way::LocalQueue)] {
        let (mut rates, mut times) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let (start, end, mut seen) = work_off(&pool, jobs, way).await?;
            rates.push(jobs as f64 / (end - start).as_secs_f64());
            seen.sort();
            let mut before = start;
            for run in seen.chunks_exact(RUN) {
                times.push(run[RUN - 1].saturating_duration_since(before).as_secs_f64() * 1_000.0);
                before = run[RUN - 1];
            }
        }
        rates.sort_by(f64::total_cmp);
        times.sort_by(f64::total_cmp);
        let (least, median, most) = (rates[0], rates[rates.len() / 2], rates[rates.len() - 1]);
        let (p50, p99) = (times[times.len() / 2], times[times.len() * 99 / 100]);
        println!("| {name} | {median:.0} ({least:.0} to {most:.0}) | {p50:.1} | {p99:.1} |");
    }
    Ok(())
}

/// Adds so many jobs, lets a worker run them all, and waits until the database holds none; answers when the worker
/// began, when all was done, and when each job ran.
async fn work_off(pool: &PgPool, jobs: usize, way: Way) -> Result<(Instant, Instant, Vec<Instant>), Failure> {
    sqlx::query("DROP SCHEMA IF EXISTS graphile_worker CASCADE").execute(pool).await?;
    let seen = Seen::default();
    let options = WorkerOptions::default()
        .schema("graphile_worker")
        .pg_pool(pool.clone())
        .concurrency(8)
        .listen_os_shutdown_signals(false)
        .add_extension(seen.clone())
        .define_job::<SendReceipt>();
    let options = match way {
        Way::OneByOne => options,
        Way::LocalQueue => options
            .local_queue(LocalQueueConfig::default().with_size(1_000))
            .complete_job_batch_delay(Duration::from_millis(5)),
    };
    let worker = Arc::new(options.init().await?);
    let all: Vec<RawJobSpec> = (0..jobs)
        .map(|number| {
            let payload = serde_json::to_value(SendReceipt { order: format!("W-{number}") })?;
            Ok(RawJobSpec { identifier: SendReceipt::IDENTIFIER.to_owned(), payload, spec: JobSpec::default() })
        })
        .collect::<Result<_, serde_json::Error>>()?;
    for some in all.chunks(5_000) {
        worker.create_utils().add_raw_jobs(some).await?;
    }
    sqlx::query("VACUUM ANALYZE graphile_worker._private_jobs").execute(pool).await?;

    let start = Instant::now();
    let running = tokio::spawn({
        let worker = worker.clone();
        // Without a local queue, `run` takes one job a slot at each wake-up call; a backlog is what `run_once` is for.
        async move {
            match way {
                Way::OneByOne => worker.run_once().await,
                Way::LocalQueue => worker.run().await,
            }
        }
    });
    let limit = Duration::from_secs(setting("BENCH_LIMIT", 60));
    while seen.0.lock().map_err(|_| "a job panicked")?.len() < jobs {
        if start.elapsed() > limit {
            return Err(format!("not done after {} s; set BENCH_LIMIT", limit.as_secs()).into());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // A completed job is deleted.
    let count = "SELECT count(*) FROM graphile_worker._private_jobs";
    while sqlx::query_scalar::<_, i64>(count).fetch_one(pool).await? > 0 && start.elapsed() <= limit {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let end = Instant::now();
    worker.request_shutdown();
    running.await??;
    let seen = seen.0.lock().map_err(|_| "a job panicked")?.clone();
    Ok((start, end, seen))
}
