//! Whether this process lives, and whether it is ready for requests.

use std::sync::Arc;
use std::time::Duration;

use super::Engine;
use super::heartbeat::SEEN;
use super::served::Served;
use crate::domain::Timestamp;
use crate::error::Error;
use crate::store::Tx;

/// What is checked for readiness; given to [`Payments::ready`](crate::Payments::ready) and
/// [`HealthRoutes::checks`](crate::HealthRoutes::checks). The database, the migrations and the inbox's writer thread
/// are always checked.
///
/// See [`Payments::ready`](crate::Payments::ready) for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct ReadyChecks {
    patience: Duration,
    needs_worker: bool,
    oldest_due: Option<Duration>,
}

impl Default for ReadyChecks {
    fn default() -> Self {
        Self { patience: Duration::from_secs(2), needs_worker: false, oldest_due: None }
    }
}

impl ReadyChecks {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// How long the database may take to answer, and the inbox's writer thread to finish a write. Default 2 seconds.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Whether a worker must have been seen, in any process, within the last minute, and have all handlers in the
    /// transaction. Default no: a process can receive deliveries without a worker, so a load balancer should still send
    /// them.
    pub fn needs_worker(mut self) -> Self {
        self.needs_worker = true;
        self
    }

    /// For how long an event may be due before a worker takes it. Default `None`, not checked, which is right if a load
    /// balancer reads the answer: a backlog is no reason to take receivers out.
    pub fn oldest_due(mut self, bound: Option<Duration>) -> Self {
        self.oldest_due = bound;
        self
    }
}

/// Which parts are ready. It holds nothing secret: names and sentences of this crate's own.
///
/// See [`Payments::ready`](crate::Payments::ready) for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Readiness {
    /// The parts that were checked. If the database does not answer, parts that depend on it are missing.
    pub parts: Vec<ReadyPart>,
}

impl Readiness {
    /// Whether every part is ready.
    pub fn is_ready(&self) -> bool {
        self.parts.iter().all(|part| part.problem.is_none())
    }
}

/// A part that must be ready.
///
/// See [`Payments::ready`](crate::Payments::ready) for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadyPart {
    /// `writer`, `database`, `migrations`, `worker`, `handlers` or `events`.
    pub name: &'static str,
    /// Why it is not ready, one sentence; `None` when it is.
    pub problem: Option<String>,
}

impl ReadyPart {
    fn new(name: &'static str, problem: Option<String>) -> Self {
        Self { name, problem }
    }
}

impl Engine {
    /// Whether this process can do its work without being started anew. Asks no database.
    pub(crate) fn is_live(&self) -> bool {
        self.writer.is_alive()
    }

    /// Which parts are ready.
    pub(crate) async fn ready(self: &Arc<Self>, checks: &ReadyChecks) -> Readiness {
        let writer = ReadyPart::new("writer", self.writer_fails(checks.patience));
        let stored = match tokio::time::timeout(checks.patience, self.ready_stores(checks.clone())).await {
            Ok(Ok(parts)) => parts,
            Ok(Err(error)) => {
                error.report("not ready, the database does not answer");
                vec![ReadyPart::new("database", Some("it does not answer, or is not in its place".to_owned()))]
            }
            Err(_) => {
                let late = format!("it has not answered within {} ms", checks.patience.as_millis());
                vec![ReadyPart::new("database", Some(late))]
            }
        };
        Readiness { parts: std::iter::once(writer).chain(stored).collect() }
    }

    /// Why deliveries are not written down, if they are not.
    fn writer_fails(&self, patience: Duration) -> Option<String> {
        if !self.is_live() {
            return Some("its thread has ended; only a restart of the process brings it back".to_owned());
        }
        let is_late = self.writer.at_work_for().is_some_and(|time| time > patience);
        is_late.then(|| format!("it has not finished a write within {} ms", patience.as_millis()))
    }

    /// The parts that the database tells of. One look at a time: a database that hangs keeps one thread, not one more
    /// for each request.
    async fn ready_stores(self: &Arc<Self>, checks: ReadyChecks) -> Result<Vec<ReadyPart>, Error> {
        let (turn, now) = (self.looking.clone().lock_owned().await, self.now());
        self.blocking(move |engine| {
            let _held = turn;
            parts(engine, &checks, now)
        })
        .await
    }
}

fn parts(engine: &Engine, checks: &ReadyChecks, now: Timestamp) -> Result<Vec<ReadyPart>, Error> {
    engine.store.in_place()?;
    engine.store.ask(|tx| tx.check())?;
    let steps = engine.store.migrations()?;
    let missing: Vec<&str> = steps.iter().filter(|step| step.is_pending).map(|step| step.name).collect();
    let missing = match missing.len() {
        0 => None,
        all if all == steps.len() => Some("none has been run".to_owned()),
        _ => Some(format!("not run yet: {}", missing.join(", "))),
    };
    let is_migrated = missing.is_none();
    let mut parts = vec![ReadyPart::new("database", None), ReadyPart::new("migrations", missing)];
    // Before that, the tables may not be there.
    if is_migrated {
        parts.extend(engine.store.ask(|tx| work(tx, checks, now))?);
    }
    Ok(parts)
}

/// Whether what came in is taken up.
fn work(tx: &mut dyn Tx, checks: &ReadyChecks, now: Timestamp) -> Result<Vec<ReadyPart>, Error> {
    let mut parts = Vec::new();
    if checks.needs_worker {
        let unseen = tx.workers(now - SEEN)?.is_empty();
        parts.push(ReadyPart::new("worker", unseen.then(|| "none was seen within a minute".to_owned())));
    }
    if checks.needs_worker || checks.oldest_due.is_some() {
        let deadlocked = Served::read(tx, now)?.map(|served| served.deadlocked()).unwrap_or_default();
        let why = || format!("each worker lacks a handler in the transaction: {}", deadlocked.join(", "));
        parts.push(ReadyPart::new("handlers", (!deadlocked.is_empty()).then(why)));
    }
    if let Some(bound) = checks.oldest_due.and_then(|bound| time::Duration::try_from(bound).ok()) {
        let since = now.checked_sub(bound).map_or(Ok(Vec::new()), |at| tx.overdue(at, 1))?;
        let late =
            |since: &Timestamp| format!("the oldest has been due for {} minutes", (now - *since).whole_minutes());
        parts.push(ReadyPart::new("events", since.first().map(late)));
    }
    Ok(parts)
}
