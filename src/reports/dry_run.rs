//! What would an event do now? The very code that processes it runs in a transaction that is always rolled back; no
//! handler is asked and nobody is waked.

use std::sync::Arc;

use crate::domain::Timestamp;
use crate::domain::event::EventState;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind};
use crate::pipeline::apply::{Change, Step};
use crate::pipeline::batch::{lock, note};
use crate::pipeline::matching;
use crate::pipeline::reading::interpret;
use crate::pipeline::settle::Trouble;
use crate::store::Tx;
use crate::store::rows::{Claimed, EventRow};

/// What an event would do if it were requeued and processed now.
pub(crate) struct Forecast {
    pub event: EventRow,
    /// What it says, in words, unless it can't be read.
    pub summary: Option<String>,
    /// The ids by which it names its payment, and the one that would find it.
    pub references: Vec<String>,
    pub matched_by: Option<String>,
    /// How it would end, and why, unless a handler fails.
    pub state: EventState,
    pub code: &'static str,
    pub outcome: String,
    pub due_at: Option<Timestamp>,
    /// The payment that it would be about, and what it would do to it.
    pub change: Option<Change>,
    /// The handlers that would run.
    pub handlers: Vec<Due>,
}

/// A handler that would run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Due {
    pub name: String,
    pub in_transaction: bool,
}

impl Engine {
    /// What the event would do now.
    ///
    /// # Errors
    /// `NotFound` for an unknown event, `Refused` when its body was pruned, and what the database says.
    pub(crate) async fn dry_run(self: &Arc<Self>, event: i64) -> Result<Forecast, Error> {
        let this = self.clone();
        self.blocking(move |engine| {
            // Reading a body needs no lock, so it is done before.
            let event = engine.store.ask(|tx| recorded(tx, event))?;
            let now = engine.now();
            engine.store.rehearse(|tx| forecast(&this, tx, event.clone(), now))
        })
        .await
    }
}

fn recorded(tx: &mut dyn Tx, event: i64) -> Result<Claimed, Error> {
    let row = crate::engine::find::event(tx, event)?;
    let pruned = || Error::new(ErrorKind::Refused, "The body of the event was pruned, so it can't be read again.");
    tx.recorded(row.id)?.ok_or_else(pruned)
}

fn forecast(engine: &Arc<Engine>, tx: &mut dyn Tx, event: Claimed, now: Timestamp) -> Result<Forecast, Error> {
    let mut read = [(interpret(engine, &event), event)];
    lock(tx, &read)?;
    let [(reading, event)] = &mut read;
    let said = match reading {
        Ok(said) => said,
        Err(trouble) => return Ok(troubled(event, trouble)),
    };
    let found = note(tx, event, said)?;
    let matched_by = found.as_ref().map(|found| found.matched_by.clone());
    let applied = match (Step { engine, tx, event, said, now }).run(found) {
        Err(error) if error.is_retryable() => return Err(error),
        Err(error) => return Ok(troubled(event, &Trouble::retry(error.to_string()))),
        Ok(applied) => applied,
    };
    let handlers = match applied.told {
        true => handlers(engine, tx, event, applied.change.as_ref())?,
        false => Vec::new(),
    };
    let verdict = applied.verdict;
    Ok(Forecast {
        event: event.row.clone(),
        summary: Some(said.interpretation.summary.clone()),
        references: matching::all(&said.interpretation.references),
        matched_by,
        state: verdict.state,
        code: verdict.code,
        outcome: verdict.outcome,
        due_at: verdict.due_at,
        change: applied.change,
        handlers,
    })
}

fn troubled(event: &Claimed, trouble: &Trouble) -> Forecast {
    let (state, code, outcome) = trouble.foretold();
    Forecast {
        event: event.row.clone(),
        summary: None,
        references: Vec::new(),
        matched_by: None,
        state,
        code,
        outcome,
        due_at: None,
        change: None,
        handlers: Vec::new(),
    }
}

/// Those in the transaction run when the state steps; the others unless they did their work before. One that gave
/// up tries again after a requeue.
fn handlers(
    engine: &Arc<Engine>,
    tx: &mut dyn Tx,
    event: &Claimed,
    change: Option<&Change>,
) -> Result<Vec<Due>, Error> {
    let handlers = &engine.handlers;
    let done = tx.done_handlers(event.row.id)?;
    let is_done = |name: &str, step: Option<i64>| {
        done.iter().any(|done| done.handler == name && done.transition_id == step && done.gave_up.is_none())
    };
    let stepped = change.is_some_and(|change| change.stepped);
    let inside = handlers.in_transaction.iter().filter(|_| stepped);
    let mut due: Vec<Due> = inside.map(|(name, _)| Due { name: name.clone(), in_transaction: true }).collect();
    let steps: Vec<i64> = change.iter().flat_map(|change| &change.transitions).map(|step| step.id).collect();
    for (name, step) in handlers.due(&steps, &event.row.kind) {
        let handler = Due { name: name.to_owned(), in_transaction: false };
        if !is_done(name, step) && !due.contains(&handler) {
            due.push(handler);
        }
    }
    Ok(due)
}
