//! Processing what is due: batch after batch for a worker, or an answer's events at once for who asked the gateway.

use std::sync::Arc;
use std::time::Duration;

use super::batch::{BATCH, Batch, Due, take};
use super::isolate::again;
use crate::domain::Timestamp;
use crate::domain::event::EventState;
use crate::engine::Engine;
use crate::engine::due::{AT_LEISURE, names};
use crate::error::Error;
use crate::store::Tx;
use crate::store::filters::EventStream;
use crate::telemetry;

impl Engine {
    /// Processes one batch of due events. Who does not know whether any is due asks for that first, so that no writer
    /// is kept waiting for the answer.
    ///
    /// Configurations of variants that are to be loaded first are waited for this long: what is slower is taken later.
    pub(crate) async fn process(self: &Arc<Self>, is_known_due: bool, patience: Duration) -> Result<Batch, Error> {
        self.register().await?;
        let held = self.due_variants(patience, &[], waiting, |_| true).await?;
        if held.is_empty() {
            return Ok(Batch::default());
        }
        let taken = self.blocking(move |engine| {
            let now = engine.now();
            let variants = names(&held);
            let is_due = |tx: &mut dyn Tx| {
                Ok(tx.is_due(now, &variants)? && engine.lacking(tx)?.in_transaction().next().is_none())
            };
            if !is_known_due && !engine.store.ask(is_due)? {
                return Ok(Batch::default());
            }
            take(engine, &Due::First(&variants)).or_else(|undone| again(engine, undone))
        });
        let batch = taken.await?;
        self.count_settled(&batch);
        Ok(batch)
    }

    /// Processes these events of a variant at once, so that who asked the gateway for them sees what they did. Those
    /// that a worker has taken up meanwhile are its own; async handlers are a worker's in any case, and so is what
    /// fails.
    pub(crate) async fn process_now(self: &Arc<Self>, variant: String, named: Vec<String>) {
        if let Err(error) = self.register().await {
            return log::warn!("payments: an answer is left to a worker: {error}");
        }
        let held = match self.load(&variant).await {
            Ok(held) => held,
            Err(error) => return log::warn!("payments: an answer is left to a worker: {error}"),
        };
        let taken = self.blocking(move |engine| {
            let _held = held;
            take(engine, &Due::Named(&variant, &named)).or_else(|undone| again(engine, undone))
        });
        match taken.await {
            Ok(batch) => {
                self.count_settled(&batch);
                for pending in batch.pending {
                    if let Err(error) = pending.release(LEFT).await {
                        log::warn!("payments: an event is taken up after its lease: {error}");
                    }
                }
            }
            Err(error) => log::warn!("payments: an answer is left to a worker: {error}"),
        }
        self.notify();
    }

    /// Whether no event is due and none is held for its handlers, here or elsewhere.
    pub(crate) async fn is_settled(self: &Arc<Self>) -> Result<bool, Error> {
        let now = self.now();
        let held = self.due_variants(AT_LEISURE, &[], waiting, |_| true).await?;
        let variants = names(&held);
        self.read(move |tx| Ok(!tx.is_due(now, &variants)? && tx.count_events(&[RUNNING], 1)?.iter().sum::<i64>() == 0))
            .await
    }

    fn count_settled(&self, batch: &Batch) {
        let now = self.now();
        telemetry::batch(batch.claimed);
        batch
            .first
            .iter()
            .for_each(|(variant, received_at)| telemetry::processed(self.label(variant), *received_at, now));
        for (variant, state, requeued_at) in &batch.settled {
            self.count_event(variant, *state, *requeued_at);
        }
        // Only now are they to be seen by others.
        if batch.woken > 0 {
            self.notify();
        }
    }
}

/// The variants of the events that are due first.
fn waiting(tx: &mut dyn Tx, now: Timestamp, except: &[String]) -> Result<Vec<String>, Error> {
    tx.waiting_variants(now, BATCH, except)
}

/// The events whose handlers run.
const RUNNING: EventStream = EventStream::State(EventState::Running);
/// Why handlers were not begun where the event was processed.
const LEFT: &str = "its handlers wait for a worker";
