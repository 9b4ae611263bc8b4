//! How is an operation tried until its end is known? Every try is the same call under the same idempotency key, for as
//! long as the gateway remembers that; whatever the gateway says is an event.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::event::{Envelope, Source};
use crate::domain::fact::Aspect;
use crate::domain::id::PaymentId;
use crate::domain::money::Money;
use crate::domain::operation::OperationState;
use crate::domain::retry::Backoff;
use crate::domain::{Timestamp, later};
use crate::engine::Engine;
use crate::engine::due::{Held, LOOKED_AT, names};
use crate::engine::payment::Payment;
use crate::engine::request::begin_refresh;
use crate::error::{Error, ErrorKind};
use crate::gateways::{Call, GatewayError, Verb};
use crate::operations::observed::observed_for;
use crate::operations::overtaken::{asked, end_if_overtaken, is_untried, not_done, not_known, tries, unless_taken_up};
use crate::operations::side_by_side::{Claimed, side_by_side};
use crate::pipeline::row;
use crate::store::Tx;
use crate::store::calls::{OperationEnd, OperationRow};
use crate::store::rows::{NewEvent, PaymentRow};
use crate::telemetry::MadeFor;

/// How long a try may take before another process may take the operation up: longer than a gateway's client waits
/// with all its tries.
pub(crate) const TRY: Duration = Duration::from_secs(900);
/// For how long after it was asked for an operation is tried again. Gateways forget an idempotency key (Stripe after 24
/// hours), and a later try could be a second effect. PayPal's orders forget theirs after 6, and are looked at before.
pub(super) const KEY_LIFE: Duration = Duration::from_secs(20 * 3600);
/// How often a worker looks for what is due while it waits for a gateway.
pub(super) const LOOK: Duration = Duration::from_secs(1);
/// The shortest wait between two tries, whatever the host's backoff says.
pub(super) const SOON: Duration = Duration::from_secs(1);

/// The outcome of a call to a gateway.
///
/// See [`Payments::capture`](crate::Payments::capture) for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The gateway did it. Its answer is an event like any other, which has been processed by now, unless a worker is
    /// just processing it. Async handlers run as soon as a worker takes the event.
    Done,
    /// Not known yet: the gateway did not answer. A worker repeats the call with the same idempotency key until the
    /// outcome is known. Don't repeat the call yourself: it would be a second operation.
    Underway,
}

/// Who waits for what comes of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// Who asked for it, and can ask again.
    Somebody,
    /// Nobody: what did not get through is tried again.
    Nobody,
}

impl Engine {
    /// Tries operations again whose end nobody knows; answers how many. Each begins its lease when it begins.
    /// Configurations of variants that are to be loaded first are waited for this long.
    pub(crate) async fn resume_operations(self: &Arc<Self>, patience: Duration) -> Result<usize, Error> {
        let claim = async |full: Vec<String>| {
            let look = |tx: &mut dyn Tx, now, except: &[String]| tx.operating_variants(now, LOOKED_AT, except);
            let held = self.due_variants(patience, &full, look, |_| true).await?;
            let Some(operation) = self.claim_operation(None, &held).await? else { return Ok(None) };
            let (engine, variant) = (self.clone(), operation.variant.clone());
            let call: Claimed = Box::pin(async move { engine.take_up(operation).await });
            Ok(Some((variant, call)))
        };
        side_by_side(LOOK, claim).await
    }

    /// Tries an operation of this payment that is due; answers whether there was one.
    pub(crate) async fn resume_operation(self: &Arc<Self>, payment: PaymentId) -> Result<bool, Error> {
        let Some(row) = self.read(move |tx| tx.payment(payment)).await? else { return Ok(false) };
        let Some(variant) = self.load(&row.variant).await? else { return Ok(false) };
        let held = vec![(row.variant, variant)];
        let Some(operation) = self.claim_operation(Some(payment), &held).await? else { return Ok(false) };
        self.take_up(operation).await;
        Ok(true)
    }

    async fn take_up(self: &Arc<Self>, operation: OperationRow) {
        let (id, verb) = (operation.id, operation.verb.as_str());
        if let Err(error) = self.attempt_unless_overtaken(operation).await {
            error.report(format_args!("operation {id} ({verb})"));
        }
    }

    /// Until a call has gone out the payment may go past it. From then on its idempotency key decides.
    async fn attempt_unless_overtaken(self: &Arc<Self>, operation: OperationRow) -> Result<Outcome, Error> {
        // A release that notes nothing begins a completion before it can be tried.
        let outcome = operation.outcome.as_deref();
        let is_begun = operation.awaited().is_some() && outcome.is_none() && operation.attempts == 1;
        if operation.verb != Verb::Refresh && (is_untried(outcome) || is_begun) {
            let untried = operation.clone();
            let end = move |engine: &Engine, tx: &mut dyn Tx| end_if_overtaken(engine, tx, &untried);
            if self
                .write({
                    let engine = self.clone();
                    move |tx| end(&engine, tx)
                })
                .await?
            {
                return Ok(Outcome::Done);
            }
        }
        self.attempt(operation, Waiting::Nobody).await
    }

    /// Takes up an operation of these variants that is due.
    async fn claim_operation(
        self: &Arc<Self>,
        payment: Option<PaymentId>,
        held: &Held,
    ) -> Result<Option<OperationRow>, Error> {
        if held.is_empty() {
            return Ok(None);
        }
        let (now, variants) = (self.now(), names(held));
        let claim = move |tx: &mut dyn Tx| tx.claim_operation(now, later(now, TRY), &variants, payment);
        self.write(claim).await
    }

    /// Asks the gateway, and writes down what it says.
    pub(crate) async fn attempt(self: &Arc<Self>, operation: OperationRow, waiting: Waiting) -> Result<Outcome, Error> {
        let variant = match self.known_variant(&operation.variant).await {
            Ok(variant) => variant,
            Err(error) => return Ok(self.give_back(operation, &error).await),
        };
        if operation.attempts > 1 && later(operation.created_at, KEY_LIFE) < self.now() {
            return self.give_up(operation).await;
        }
        let call = match self.begin_call(&operation).await {
            Ok(call) => call,
            Err(error) if error.is_retryable() => return Ok(left_to_workers(operation.id, &error)),
            Err(error) => return Err(error),
        };
        let made_for = MadeFor::Operation(operation.id);
        let called =
            observed_for(self, made_for, &operation.variant, operation.verb.as_str(), variant.gateway.call(&call));
        let answer = called.await;
        self.conclude(operation, answer, waiting).await
    }

    /// The call, once it is noted that it may go out; a question changes nothing, so that nobody has to know.
    async fn begin_call(self: &Arc<Self>, operation: &OperationRow) -> Result<Call, Error> {
        let operation = operation.clone();
        if operation.verb == Verb::Refresh || !is_untried(operation.outcome.as_deref()) {
            return self.read(move |tx| call(tx, &operation)).await;
        }
        let begin = move |tx: &mut dyn Tx| {
            let call = call(tx, &operation)?;
            unless_taken_up(tx.settle_operation(&operation, &asked(operation.due_at))?)?;
            Ok(call)
        };
        self.write(begin).await
    }

    /// Ends an operation that is too old to be tried again, and has a worker ask how the payment stands instead. Until
    /// that is told, what it may have moved counts as moved.
    async fn give_up(self: &Arc<Self>, operation: OperationRow) -> Result<Outcome, Error> {
        let end = OperationEnd {
            state: OperationState::Unknown,
            outcome: "the outcome is unknown, and it is too long ago to be tried again safely: refresh the payment, \
                      and look at the gateway"
                .to_owned(),
            due_at: None,
            finished_at: Some(self.now()),
        };
        log::error!("payments: operation {} ({}): {}", operation.id, operation.verb.as_str(), end.outcome);
        let write = move |engine: &Engine, tx: &mut dyn Tx| {
            tx.settle_operation(&operation, &end)?;
            let is_refresh = operation.verb == Verb::Refresh;
            if is_refresh { Ok(()) } else { begin_refresh(engine, tx, operation.payment_id) }
        };
        let engine = self.clone();
        self.write(move |tx| write(&engine, tx)).await?;
        Ok(Outcome::Underway)
    }

    async fn conclude(
        self: &Arc<Self>,
        operation: OperationRow,
        answer: Result<Vec<Envelope>, GatewayError>,
        waiting: Waiting,
    ) -> Result<Outcome, Error> {
        let now = self.now();
        let is_refresh = operation.verb == Verb::Refresh;
        let (end, events, result) = judged(self, &operation, answer, waiting, now);
        let variant = operation.variant.clone();
        let (end, rows) = storable(end, is_refresh, events, |event| row(&variant, event, Source::Answer, now).ok());
        let is_lost = is_refresh && end.state == OperationState::Declined && result.is_ok();
        let result = if is_lost { Err(Error::new(ErrorKind::Gateway, end.outcome.clone())) } else { result };
        let named: Vec<String> = rows.iter().map(|row| row.gateway_event_id.clone()).collect();
        let write = move |engine: &Engine, tx: &mut dyn Tx| {
            tx.settle_operation(&operation, &end)?;
            if operation.verb == Verb::Complete && end.state == OperationState::Declined {
                // Meanwhile the customer may have approved anew, and what told so began nothing beside this.
                begin_refresh(engine, tx, operation.payment_id)?;
            }
            // What the gateway said is true, whichever try came first.
            if rows.is_empty() { Ok(()) } else { engine.append_reduced(tx, &rows) }
        };
        let engine = self.clone();
        if let Err(error) = self.write(move |tx| write(&engine, tx)).await {
            error.report("what a gateway answered is not written down, so it is asked again");
            return Ok(Outcome::Underway);
        }
        self.process_now(variant, named).await;
        result
    }
}

/// An operation is stored, so it will be carried out, whatever keeps it from being tried now.
pub(super) fn left_to_workers(operation: impl Display, error: &Error) -> Outcome {
    error.report(format_args!("operation {operation} is left to a worker"));
    Outcome::Underway
}

/// What an answer means for its operation, for the inbox, and for who waits.
fn judged(
    engine: &Arc<Engine>,
    operation: &OperationRow,
    answer: Result<Vec<Envelope>, GatewayError>,
    waiting: Waiting,
    now: Timestamp,
) -> (OperationEnd, Vec<Envelope>, Result<Outcome, Error>) {
    let verb = operation.verb;
    let end = |state, outcome: String| OperationEnd { state, outcome, due_at: None, finished_at: Some(now) };
    let unattended = waiting == Waiting::Nobody;
    match answer {
        Ok(events) => {
            let variant = &operation.variant;
            let done = if verb == Verb::Refresh { engine.refreshed_by(variant) } else { engine.done_by(variant) };
            (end(OperationState::Done, done), events, Ok(Outcome::Done))
        }
        // It was done, and what came of it will be told by the gateway's events.
        Err(GatewayError::Malformed(why)) if verb != Verb::Refresh => {
            let outcome = format!("done, but the answer is not understood: {why}");
            (end(OperationState::Done, outcome), Vec::new(), Ok(Outcome::Done))
        }
        // A question changes nothing, so it may be put again.
        Err(GatewayError::Malformed(why)) if unattended => again(engine, operation, now, not_known(&why)),
        // A first try that did not get through has done nothing; a later one says nothing of the first.
        Err(GatewayError::Unavailable(why)) if unattended || operation.attempts > 1 => {
            again(engine, operation, now, not_done(operation.outcome.as_deref(), &why))
        }
        Err(GatewayError::OutcomeUnknown(why)) => again(engine, operation, now, not_known(&why)),
        Err(error) => {
            let message = format!("the gateway did not {} the payment", verb.as_str());
            let end = end(OperationState::Declined, error.to_string());
            (end, Vec::new(), Err(Error::new(ErrorKind::Gateway, message).with_source(error)))
        }
    }
}

/// The rows of an answer's events. What was done stays done where one of them can't be stored, and the operation says
/// so; what came of it will be told by the gateway's own events. A refresh that is not kept whole is none.
fn storable(
    end: OperationEnd,
    is_refresh: bool,
    events: Vec<Envelope>,
    row: impl Fn(Envelope) -> Option<NewEvent>,
) -> (OperationEnd, Vec<NewEvent>) {
    let all = events.len();
    let rows: Vec<NewEvent> = events.into_iter().filter_map(row).collect();
    let end = match all - rows.len() {
        0 => end,
        lost => {
            let lost = format!("{lost} of {all} parts of its answer can't be stored");
            let (state, outcome) = if is_refresh {
                (OperationState::Declined, lost)
            } else {
                (end.state, format!("{}; {lost}, refresh the payment later", end.outcome))
            };
            OperationEnd { state, outcome, ..end }
        }
    };
    (end, rows)
}

/// Nobody knows: another try is due, for as long as that is safe.
fn again(
    engine: &Arc<Engine>,
    operation: &OperationRow,
    now: Timestamp,
    outcome: String,
) -> (OperationEnd, Vec<Envelope>, Result<Outcome, Error>) {
    let attempt = u32::try_from(operation.attempts).unwrap_or(u32::MAX - 1);
    let backoff = Backoff { attempts: u32::MAX, ..engine.backoff };
    let end = OperationEnd {
        state: OperationState::Underway,
        outcome,
        due_at: backoff.after(attempt, 0).map(|wait| later(now, wait.max(SOON))),
        finished_at: None,
    };
    (end, Vec::new(), Ok(Outcome::Underway))
}

/// The call that an operation stands for.
pub(super) fn call(tx: &mut dyn Tx, operation: &OperationRow) -> Result<Call, Error> {
    let row: Option<PaymentRow> = tx.payment(operation.payment_id)?;
    let row = row.ok_or_else(|| Error::new(ErrorKind::NotFound, "the operation's payment is gone"))?;
    let payment = Payment::of(&row);
    let mut aspects = BTreeMap::new();
    for fact in tx.facts_of(row.id)? {
        // A running total, and the attempt that a capture was, are of objects that are something else by themselves.
        let rank = |aspect: Aspect| (aspect != Aspect::Checkout, aspect != Aspect::Capture, aspect);
        let aspect = aspects.entry(fact.gateway_ref).or_insert(fact.aspect);
        *aspect = std::cmp::min_by_key(fact.aspect, *aspect, |aspect| rank(*aspect));
    }
    Ok(Call {
        verb: operation.verb,
        token: row.token.clone().into(),
        account: payment.account,
        awaited: operation.awaited(),
        gateway_refs: operation.refs(),
        aspects,
        amount: operation.amount.map(|minor| Money::new(minor, payment.amount.currency)),
        is_whole: operation.is_whole(),
        total: payment.amount,
        reason: operation.reason.clone(),
        // A completion waits for the gateway to know what it told of, and so is asked for some times.
        tries: match operation.awaited() {
            Some(_) => u32::try_from(operation.attempts).unwrap_or(u32::MAX),
            None => tries(operation.attempts, operation.outcome.as_deref()),
        },
        requested_at: operation.created_at,
        idempotency_key: operation.idempotency_key.clone(),
    })
}
