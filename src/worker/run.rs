//! What a worker does from its start to its end: process a batch, run the handlers of what it changed, look again;
//! sleep only when nothing is due.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::pace::Pace;
use crate::engine::due::SOON;
use crate::engine::guarded::guarded;
use crate::engine::heartbeat::{EVERY, Heartbeat};
use crate::error::Error;
use crate::payments::Payments;
use crate::pipeline::Pending;

/// How many events may wait for their handlers before no more are claimed.
const WAITING: usize = 1_000;

/// How much more seldom than events chores and operations are looked for.
const SELDOM: u32 = 4;

/// How much longer than for its handlers a worker waits for the database when it ends.
const GRACE: Duration = Duration::from_secs(5);

/// How many variants that are configured at run time are looked after at the same time, and the pause between two rounds
/// over all of them.
const LOOKED_AFTER: usize = 16;
const BETWEEN_ROUNDS: Duration = Duration::from_secs(15);

/// The longest pause after failures: so soon after the database is back everything goes on.
const LONGEST: Duration = Duration::from_secs(5);

/// Why handlers were not begun.
const STOPPED: &str = "its handlers were not begun before the worker stopped";

/// How a worker was configured.
pub(super) struct Settings {
    pub(super) payments: Payments,
    pub(super) poll: Duration,
    pub(super) concurrency: usize,
    pub(super) patience: Duration,
}

pub(super) async fn run(worker: Settings, stopping: watch::Receiver<bool>) {
    let room = Arc::new(Semaphore::new(worker.concurrency));
    let worker = Rc::new(worker);
    let mut running = JoinSet::new();
    let heartbeat = Rc::new(Heartbeat::new(worker.payments.engine().clone()));
    log::info!("payments: a worker has started: variants={}", worker.payments.engine().fixed_names().join(","));
    running.spawn_local(tell(heartbeat.clone(), stopping.clone()));
    running.spawn_local(look_after(worker.payments.clone(), worker.poll * SELDOM, stopping.clone()));
    running.spawn_local(prune(worker.payments.clone(), worker.poll * SELDOM, stopping.clone()));
    running.spawn_local(index(worker.payments.clone(), worker.poll * SELDOM, stopping.clone()));
    running.spawn_local(ask(worker.payments.clone(), worker.poll, stopping.clone()));
    running.spawn_local(alarm(worker.payments.clone(), worker.poll * SELDOM, stopping.clone()));
    #[cfg(feature = "metrics")]
    running.spawn_local(measure(worker.payments.clone(), stopping.clone()));
    running.spawn_local(resume(worker.payments.clone(), worker.poll * SELDOM, stopping.clone()));
    running.spawn_local(resume_on_subscriptions(worker.payments.clone(), worker.poll * SELDOM, stopping.clone()));
    for _ in 0..worker.payments.engine().store.lanes() {
        running.spawn_local(lane(worker.clone(), room.clone(), stopping.clone()));
    }
    let mut word = stopping;
    stopped(&mut word).await;
    // The lanes wait for their handlers as long as they may; what looks after gateways ends at once.
    let finish = async { while running.join_next().await.is_some() {} };
    if tokio::time::timeout(worker.patience + GRACE, finish).await.is_err() {
        log::warn!("payments: the worker ends although the database has not answered");
    }
    match tokio::time::timeout(GRACE, heartbeat.end()).await {
        Ok(Ok(())) => log::info!("payments: the worker has ended"),
        _ => log::info!("payments: the worker has ended; the database does not know it"),
    }
}

/// Processes batch after batch until the word to stop comes, and runs the handlers of what they changed.
async fn lane(worker: Rc<Settings>, room: Arc<Semaphore>, mut stopping: watch::Receiver<bool>) {
    let engine = worker.payments.engine();
    let mut running = JoinSet::new();
    let mut is_busy = false;
    let mut failures = 0;
    while !*stopping.borrow() {
        let pace = Pace::begin(engine);
        let batch = match engine.process(is_busy, SOON).await {
            Ok(batch) => batch,
            Err(error) => {
                error.report("the worker could not process events");
                is_busy = false;
                failures += 1;
                rest(after(failures, worker.poll), &mut stopping).await;
                continue;
            }
        };
        failures = 0;
        // A full batch is followed by another, as far as anybody can tell.
        is_busy = batch.is_full();
        if is_busy {
            engine.notify();
        }
        for pending in batch.pending {
            running.spawn_local(in_turn(pending, room.clone(), stopping.clone()));
        }
        while running.try_join_next().is_some() {}
        while running.len() > WAITING && !*stopping.borrow() {
            running.join_next().await;
        }
        if batch.claimed == 0 {
            pause(&worker, worker.poll, &mut stopping).await;
        } else {
            pace.pause(engine).await;
        }
    }
    let finish = async { while running.join_next().await.is_some() {} };
    if tokio::time::timeout(worker.patience, finish).await.is_err() {
        log::warn!("payments: handlers are still running at the end; their events are taken up after their lease");
    }
}

/// What is to be done from time to time. What asks a gateway waits for nothing else: each may take its time.
async fn look_after(payments: Payments, poll: Duration, mut stopping: watch::Receiver<bool>) {
    if let Err(error) = payments.engine().chores_at_start().await {
        error.report("the worker could not look for what was missed");
    }
    let mut gateways = JoinSet::new();
    for (variant, chore) in payments.engine().gateway_chores() {
        let (payments, mut stopping) = (payments.clone(), stopping.clone());
        gateways.spawn_local(async move {
            let done = async || {
                let done = payments.engine().look_after_gateway(&variant, chore).await;
                done.inspect_err(|error| error.report(format_args!("{variant} could not be looked after")))
            };
            repeat(done, poll, &mut stopping).await;
        });
    }
    if payments.engine().has_source() {
        let (payments, mut stopping) = (payments.clone(), stopping.clone());
        gateways.spawn_local(async move {
            let running = tokio::sync::Mutex::new(JoinSet::new());
            let looked = async || {
                let looked = look_after_variants(&payments, poll, &mut *running.lock().await).await;
                looked.inspect_err(|error| error.report("variants could not be looked after"))
            };
            repeat(looked, BETWEEN_ROUNDS.max(poll), &mut stopping).await;
        });
    }
    let chores = async || {
        payments.engine().chores().await.inspect_err(|error| error.report("what is put off could not be looked after"))
    };
    repeat(chores, poll, &mut stopping).await;
}

/// One round over the variants that are configured at run time, a few at a time.
async fn look_after_variants(payments: &Payments, poll: Duration, running: &mut JoinSet<()>) -> Result<(), Error> {
    let mut from = String::new();
    loop {
        let (due, next) = payments.engine().variants_to_look_after(from).await?;
        for name in due {
            while running.len() >= LOOKED_AFTER {
                running.join_next().await;
            }
            let payments = payments.clone();
            running.spawn_local(async move {
                if let Err(error) = payments.engine().look_after_variant(&name).await {
                    error.report(format_args!("{name} could not be looked after"));
                }
            });
        }
        while running.try_join_next().is_some() {}
        let Some(next) = next else { return Ok(()) };
        from = next;
        tokio::time::sleep(poll).await;
    }
}

/// Bodies that are old enough go, and the books of older payments are filled; that takes turns with the other processes
/// and waits for nothing else.
async fn prune(payments: Payments, poll: Duration, mut stopping: watch::Receiver<bool>) {
    let pruned = async || {
        let pruned = payments.engine().prune_a_while().await;
        pruned.inspect_err(|error| error.report("old bodies could not be pruned"))?;
        let swept = payments.engine().sweep_a_while().await;
        swept.inspect_err(|error| error.report("bodies could not be looked through for persons who were erased"))?;
        let measured = payments.engine().measure_tables().await;
        measured.inspect_err(|error| error.report("the tables could not be measured"))?;
        let filled = payments.engine().fill_books_a_while().await;
        filled.inspect_err(|error| error.report("the books could not be filled"))
    };
    repeat(pruned, poll, &mut stopping).await;
}

/// What older releases wrote becomes searchable; that waits for nothing else either.
async fn index(payments: Payments, poll: Duration, mut stopping: watch::Receiver<bool>) {
    let indexed = async || {
        let indexed = payments.engine().index_a_while().await;
        indexed.inspect_err(|error| error.report("words to search by could not be written"))
    };
    repeat(indexed, poll, &mut stopping).await;
}

/// Tells the host what begins to be an alarm and what is over.
async fn alarm(payments: Payments, poll: Duration, mut stopping: watch::Receiver<bool>) {
    let told = async || {
        let told = payments.engine().tell_alarms().await;
        told.inspect_err(|error| error.report("alarms could not be looked for"))
    };
    repeat(told, poll, &mut stopping).await;
}

/// Sets the gauges from time to time.
#[cfg(feature = "metrics")]
async fn measure(payments: Payments, mut stopping: watch::Receiver<bool>) {
    let measured = async || {
        let measured = payments.engine().measure().await;
        measured.inspect_err(|error| error.report("the gauges could not be set"))
    };
    repeat(measured, EVERY, &mut stopping).await;
}

/// Says from time to time that the worker runs.
async fn tell(heartbeat: Rc<Heartbeat>, mut stopping: watch::Receiver<bool>) {
    if let Err(error) = heartbeat.warn_of_variants().await {
        error.report("the worker could not look which variants wait");
    }
    let beat =
        async || heartbeat.beat().await.inspect_err(|error| error.report("the worker could not say that it runs"));
    repeat(beat, EVERY, &mut stopping).await;
}

/// Operations whose end nobody knows; they wait for nothing else.
async fn resume(payments: Payments, poll: Duration, mut stopping: watch::Receiver<bool>) {
    let resumed = async || {
        let engine = payments.engine();
        let resumed = engine.resume_operations(SOON).await;
        resumed.map(drop).inspect_err(|error| error.report("operations could not be taken up"))
    };
    repeat(resumed, poll, &mut stopping).await;
}

/// The same of operations on subscriptions.
async fn resume_on_subscriptions(payments: Payments, poll: Duration, mut stopping: watch::Receiver<bool>) {
    let resumed = async || {
        let resumed = payments.engine().resume_subscription_operations(SOON).await;
        resumed.map(drop).inspect_err(|error| error.report("operations on subscriptions could not be taken up"))
    };
    repeat(resumed, poll, &mut stopping).await;
}

/// Objects that events name without showing them are asked for.
async fn ask(payments: Payments, poll: Duration, mut stopping: watch::Receiver<bool>) {
    let asked = async || {
        let asked = payments.engine().put_questions(SOON).await;
        asked.map(drop).inspect_err(|error| error.report("gateways could not be asked for what events name"))
    };
    repeat(asked, poll, &mut stopping).await;
}

/// Does it, with a pause after each time, until the word to stop comes, even in the midst of it. A panic is a failure like
/// any other: what is looked after is looked after again.
async fn repeat(work: impl AsyncFn() -> Result<(), Error>, poll: Duration, stopping: &mut watch::Receiver<bool>) {
    let for_good = async {
        let mut failures = 0;
        loop {
            failures = if unless_panicked(work()).await { 0 } else { failures + 1 };
            tokio::time::sleep(after(failures, poll)).await;
        }
    };
    tokio::select! {
        () = for_good => {}
        () = stopped(stopping) => {}
    }
}

/// Whether it came to a good end.
async fn unless_panicked(work: impl Future<Output = Result<(), Error>>) -> bool {
    guarded(work).await.map_or_else(
        |_| {
            log::error!("payments: what a worker does from time to time panicked; it is done again");
            false
        },
        |done| done.is_ok(),
    )
}

/// Runs the handlers of an event as soon as there is room, or gives the event back when the worker is stopping. The
/// loop goes on meanwhile: slow handlers must not keep payments from changing status.
async fn in_turn(pending: Pending, room: Arc<Semaphore>, mut stopping: watch::Receiver<bool>) {
    let permit = tokio::select! {
        biased;
        () = stopped(&mut stopping) => None,
        permit = room.acquire_owned() => permit.ok(),
        () = pending.hold() => return log::warn!("payments: an event's lease was lost while it waited"),
    };
    match permit {
        Some(permit) => report(pending.run(move || drop(permit)).await),
        None => report(pending.release(STOPPED).await),
    }
}

/// An event whose end could not be written is claimed again when its lease runs out.
fn report(done: Result<(), Error>) {
    if let Err(error) = done {
        log::error!("payments: an event could not be settled: {error}");
    }
}

/// How long to wait after so many failures in a row: the poll, doubled with each.
fn after(failures: u32, poll: Duration) -> Duration {
    poll.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1))).min(LONGEST.max(poll))
}

/// Sleeps, whatever becomes due meanwhile.
async fn rest(time: Duration, stopping: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        () = stopped(stopping) => {}
    }
}

/// Sleeps until something may be due.
async fn pause(worker: &Settings, poll: Duration, stopping: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = worker.payments.engine().notified() => {}
        () = tokio::time::sleep(poll) => {}
        () = stopped(stopping) => {}
    }
}

/// Waits for the word to stop. When nobody is left who could say it, the worker goes on, and this never ends.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    if stopping.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pauses_after_failures_grow_up_to_a_few_seconds() {
        let pauses = [0, 1, 2, 3, 5, 6, 99].map(|failures| after(failures, Duration::from_millis(250)).as_millis());
        assert_eq!(pauses, [250, 250, 500, 1_000, 4_000, 5_000, 5_000]);
        assert_eq!(after(9, Duration::from_secs(60)), Duration::from_secs(60), "no sooner than the host wants");
    }
}
