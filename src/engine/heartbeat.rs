//! A worker says that it runs, and with which handlers and variants, so that the overview can name what none has.

use std::sync::Arc;
use std::time::Duration;

use super::{Engine, random_word};
use crate::domain::Timestamp;
use crate::error::Error;
use crate::store::registry::WorkerRow;

/// How often.
pub(crate) const EVERY: Duration = Duration::from_secs(15);
/// How long ago a worker that runs may have been seen: it missed three beats then.
pub(crate) const SEEN: time::Duration = time::Duration::minutes(1);
/// After which time a worker that ended without a word is forgotten.
const FORGET: time::Duration = time::Duration::DAY;

/// How many of the events that wait are looked at for their variants.
pub(crate) const LOOKED_AT: i64 = 1_000;

/// A worker's row.
pub(crate) struct Heartbeat {
    engine: Arc<Engine>,
    name: String,
    started_at: Timestamp,
}

impl Heartbeat {
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let machine: String = machine.trim().chars().filter(|c| !c.is_control()).take(64).collect();
        // The number of a process is used again, in containers above all.
        let name = format!("{machine}:{}:{}", std::process::id(), random_word(6).unwrap_or_default());
        Self { started_at: engine.now(), engine, name }
    }

    /// Says that the worker runs; registers its handlers before, if that is still to do.
    pub(crate) async fn beat(&self) -> Result<(), Error> {
        let engine = &self.engine;
        engine.register().await?;
        let (row, retired, now, this) = (self.row(), engine.retired.clone(), engine.now(), engine.clone());
        engine
            .write(move |tx| {
                this.register_changed(tx)?;
                // An older build that started later may have registered again what this one retires.
                tx.retire(&retired, now)?;
                tx.worker_seen(&row, now - FORGET)
            })
            .await
    }

    /// Warns of events that wait for variants which this worker does not have.
    pub(crate) async fn warn_of_variants(&self) -> Result<(), Error> {
        let engine = &self.engine;
        let now = engine.now();
        let mut waiting = engine.read(move |tx| tx.waiting_variants(now, LOOKED_AT, &[])).await?;
        // What the host's function does not give is in the log, as soon as it is asked for.
        waiting.retain(|name| !engine.has_source() && !engine.is_fixed(name));
        if !waiting.is_empty() {
            log::warn!("payments: events wait for variants that are not configured here: {}", waiting.join(", "));
        }
        Ok(())
    }

    /// Says that the worker has ended.
    pub(crate) async fn end(&self) -> Result<(), Error> {
        let name = self.name.clone();
        self.engine.write(move |tx| tx.worker_ended(&name)).await
    }

    fn row(&self) -> WorkerRow {
        let engine = &self.engine;
        let handlers: Vec<&String> = engine.handlers.names().collect();
        WorkerRow {
            name: self.name.clone(),
            handlers: serde_json::json!(handlers).to_string(),
            variants: serde_json::json!(engine.served_names()).to_string(),
            started_at: self.started_at,
            seen_at: engine.now(),
        }
    }
}
