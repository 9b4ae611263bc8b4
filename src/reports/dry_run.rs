//! What an event would do if it were processed now: the very step that processes it, in memory. Nothing is written, no
//! handler is asked and nobody is woken.

use std::sync::Arc;

use crate::domain::Timestamp;
use crate::domain::event::EventState;
use crate::domain::fact::Fact;
use crate::domain::id::{EventId, SubscriptionTransitionId, TransitionId};
use crate::domain::ledger::Effect;
use crate::domain::payment::PaymentState;
use crate::engine::{Engine, find};
use crate::error::{Error, ErrorKind};
use crate::pipeline::{
    Change, Dues, Failure, FetchSet, Stepped, SubscriptionChange, SubscriptionSet, WorkingSet, all, interpret, remade,
    step_of,
};
use crate::store::Tx;
use crate::store::rows::{Claimed, EventRow, PaymentRow, Step};

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
    pub change: Option<Predicted>,
    /// The handlers that would run.
    pub handlers: Vec<Due>,
}

/// What an event would do to its payment.
pub(crate) struct Predicted {
    pub payment: PaymentRow,
    pub before: PaymentState,
    pub after: PaymentState,
    /// Its facts, and what the ledger would make of each.
    pub effects: Vec<(Fact, Effect)>,
    /// The tokens of adopted payments that would turn out to be this one.
    pub absorbed: Vec<String>,
    /// Whether it would be a step of the payment's status, of a flag or of a concern.
    pub is_step: bool,
    /// Why an earlier attempt of the event took its step, if one did.
    pub earlier: Option<String>,
    /// How many events that wait would be woken.
    pub woken: i64,
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
    pub(crate) async fn dry_run(self: &Arc<Self>, event: EventId) -> Result<Forecast, Error> {
        let engine = self.clone();
        self.look(move |tx| forecast(&engine, tx, event)).await
    }
}

fn forecast(engine: &Engine, tx: &mut dyn Tx, event: EventId) -> Result<Forecast, Error> {
    let row = find::event(tx, event)?;
    let pruned = || Error::new(ErrorKind::Refused, "The body of the event was pruned, so it can't be read again.");
    let event = tx.recorded(row.id)?.ok_or_else(pruned)?;
    let now = engine.now();
    let read = match interpret(engine, &event) {
        Ok(read) => read,
        Err(failure) => return Ok(failed(&event, &failure)),
    };
    let named = [(event.row.variant.as_str(), &read.interpretation.references)];
    let mut set = WorkingSet::read(tx, &named)?;
    set.dues = Dues::read(engine, tx, &named)?;
    let stated = read.interpretation.subscription.as_ref();
    let wanted: Vec<_> = stated.map(|stated| (event.row.variant.as_str(), stated)).into_iter().collect();
    set.subscriptions = SubscriptionSet::read(tx, &wanted)?;
    let object = read.interpretation.object_to_fetch.as_ref();
    let objects: Vec<_> = object.map(|object| (&event.row, object)).into_iter().collect();
    set.fetches = FetchSet::read(tx, &objects)?;
    set.take_earlier(tx, &[event.row.id])?;
    let remade = remade(engine, tx, &set, &event, &read)?;
    let stepped = match step_of(engine, &engine.lacking(tx)?, &event, &read, remade.as_ref(), now).run(&mut set) {
        Err(error) if error.is_retryable() => return Err(error),
        Err(error) => return Ok(failed(&event, &Failure::retry(error.to_string()))),
        Ok(stepped) => stepped,
    };
    let Stepped { verdict, matched, change, subscription, is_told, .. } = stepped;
    let about = (change.as_ref(), subscription.as_ref());
    let handlers = if is_told { handlers(engine, &set, &event, about) } else { Vec::new() };
    let woken = tx.count_waiting(&set.new_links())?;
    Ok(Forecast {
        summary: Some(read.interpretation.summary.clone()),
        references: all(&read.interpretation.references),
        matched_by: matched.map(|(_, matched_by)| matched_by),
        state: verdict.state,
        code: verdict.code,
        outcome: verdict.outcome,
        due_at: verdict.due_at,
        change: change.map(|change| predicted(change, woken)),
        handlers,
        event: event.row,
    })
}

fn predicted(change: Change, woken: i64) -> Predicted {
    let Change { payment, before, after, effects, absorbed, step, mut earlier } = change;
    let earlier = earlier.pop().map(|step| step.cause);
    Predicted { payment, before, after, effects, absorbed, is_step: step.is_some(), earlier, woken }
}

fn failed(event: &Claimed, failure: &Failure) -> Forecast {
    let (state, code, outcome) = failure.predicted();
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
    engine: &Engine,
    set: &WorkingSet,
    event: &Claimed,
    (payment, subscription): (Option<&Change>, Option<&SubscriptionChange>),
) -> Vec<Due> {
    let done = set.done_before(event.row.id);
    let is_done = |name: &str, step: Option<Step>| {
        done.iter().any(|done| done.handler == name && done.transition == step && done.gave_up.is_none())
    };
    // A step that is not taken yet has no id, and no handler has run for it.
    const NOT_YET: [Step; 2] = [Step::Payment(TransitionId(-1)), Step::Subscription(SubscriptionTransitionId(-1))];
    let [payment_now, subscription_now] = NOT_YET;
    let steps_now = payment.is_some_and(|change| change.step.is_some());
    let subscription_steps_now = subscription.is_some_and(|change| change.step.is_some());
    let inside = engine.handlers.in_transaction().filter(|_| steps_now);
    let inside = inside.chain(engine.handlers.in_transaction_of_subscription().filter(|_| subscription_steps_now));
    let mut due: Vec<Due> = inside.map(|name| Due { name: name.clone(), in_transaction: true }).collect();
    let mut steps: Vec<Step> = Vec::new();
    steps.extend(payment.iter().flat_map(|change| &change.earlier).map(|step| Step::Payment(step.id)));
    steps.extend(steps_now.then_some(payment_now));
    steps.extend(subscription.iter().flat_map(|change| &change.earlier).map(|step| Step::Subscription(step.id)));
    steps.extend(subscription_steps_now.then_some(subscription_now));
    for (name, step) in engine.handlers.due(&steps, &event.row.kind) {
        let handler = Due { name: name.to_owned(), in_transaction: false };
        if !is_done(name, step) && !due.contains(&handler) {
            due.push(handler);
        }
    }
    due
}
