//! What follows from what an event did? The handlers in the transaction run, and the event is settled, or handed
//! over to its async handlers, which run after the commit.

use std::sync::Arc;

use crate::domain::event::EventState;
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::payment::Status;
use crate::domain::{Timestamp, later};
use crate::engine::Engine;
use crate::engine::handler::{HandlerError, Inside, Transition};
use crate::engine::payment::Payment;
use crate::error::{Error, ErrorKind};
use crate::operations::complete::{begin_completion, look_again};
use crate::pipeline::apply::{Applied, Change};
use crate::pipeline::reading::Said;
use crate::pipeline::settle::{self, Ended, Trouble};
use crate::store::Tx;
use crate::store::rows::{Claimed, TransitionRow, Verdict};

/// Why an event's changes are undone.
pub(crate) enum Refusal {
    /// It can't be read, or a handler in the transaction refused.
    Event(Trouble),
    /// The database refused.
    Store(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

/// Tells everybody who is to be told of what the event did.
pub(crate) fn conclude(
    engine: &Arc<Engine>,
    tx: &mut dyn Tx,
    event: &Claimed,
    said: &Said,
    applied: Applied,
    now: Timestamp,
) -> Result<Ended, Refusal> {
    let Applied { verdict, change, told } = applied;
    let transitions = match &change {
        Some(change) => transitions(engine, event, change)?,
        None => Vec::new(),
    };
    if let Some(change) = &change {
        report(event, change);
        if change.stepped {
            in_transaction(engine, tx, transitions.last())?;
        }
        if let Some(awaited) = &said.interpretation.awaits_completion {
            begin_completion(engine, tx, &change.payment, awaited, &event.row)?;
        } else if failed(change) {
            look_again(engine, tx, &change.payment, &event.row)?;
        }
    }
    let handlers = &engine.handlers;
    let wanted = told && (!transitions.is_empty() && handlers.wants_transitions() || handlers.wants(&event.row.kind));
    if !wanted {
        tx.settle(event.claim(), &verdict)?;
        return Ok(Ended::Settled(verdict.state));
    }
    let lease = later(now, engine.lease);
    let held = Verdict { state: EventState::Running, due_at: Some(lease), finished_at: None, ..verdict.clone() };
    tx.settle(event.claim(), &held)?;
    let payment = change.map(|change| Payment::of(&change.payment)).transpose()?;
    let done = Verdict { finished_at: None, ..verdict };
    let pending = settle::pending(engine, tx, event, payment, transitions, done)?;
    Ok(Ended::Pending(Box::new(pending)))
}

/// Whether money that was on its way did not come, and the payment has none yet.
fn failed(change: &Change) -> bool {
    let taking = |fact: &Fact| matches!(fact.aspect, Aspect::Authorization | Aspect::Capture);
    let over = |fact: &Fact| matches!(fact.state, State::Failed | State::Canceled | State::Expired);
    matches!(change.after.status, Status::Pending | Status::Failed)
        && change.effects.iter().any(|(fact, effect)| effect.changed() && taking(fact) && over(fact))
}

fn report(event: &Claimed, change: &Change) {
    let token = &change.payment.token;
    for absorbed in &change.absorbed {
        log::info!("payments: payment={absorbed} turned out to be payment={token}");
    }
    if change.stepped {
        let (from, to) = (change.before.status, change.after.status);
        log::info!("payments: payment={token} {from} → {to} event={}", event.row.gateway_event_id);
    }
}

/// The transitions in the form that handlers get.
fn transitions(engine: &Arc<Engine>, event: &Claimed, change: &Change) -> Result<Vec<Transition>, Error> {
    let payment = Payment::of(&change.payment)?;
    let known = |word: &str| {
        Status::parse(word).ok_or_else(|| Error::new(ErrorKind::Storage, format!("unknown status {word:?}")))
    };
    let transition = |stored: &TransitionRow| {
        Ok(Transition {
            payment: payment.clone(),
            from: known(&stored.from_status)?,
            to: known(&stored.to_status)?,
            needs_review: stored.needs_review,
            disputed: stored.disputed,
            cause: stored.cause.clone(),
            event_id: event.row.gateway_event_id.clone(),
            kind: event.row.kind.clone(),
            id: stored.id,
            engine: engine.clone(),
        })
    };
    change.transitions.iter().map(transition).collect()
}

/// Runs the handlers in the transaction.
fn in_transaction(engine: &Arc<Engine>, tx: &mut dyn Tx, transition: Option<&Transition>) -> Result<(), Refusal> {
    let Some(transition) = transition else { return Ok(()) };
    for (name, run) in &engine.handlers.in_transaction {
        let mut ran = Ok(());
        let lent = tx.lend(&mut |conn| {
            let _inside = Inside::enter();
            ran = run(conn, transition);
        });
        let lent = lent.map_err(|why| HandlerError::retry(format!("the handler panicked: {why}")));
        lent.and(ran).map_err(|error| Refusal::Event(Trouble::of(name, &error)))?;
    }
    Ok(())
}
