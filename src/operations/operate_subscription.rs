//! How is a gateway made to change a subscription exactly once? As with payments: what is to be done is a row
//! with its idempotency key before the gateway hears of it, every try is the same call, and the answer is an event.

use std::sync::Arc;
use std::time::Duration;

use super::observed::observed_for;
use super::operate::perhaps_begun;
use super::overtaken::{asked, end_if_subscription_went_on, is_untried, not_done, not_known, tries, unless_taken_up};
use super::side_by_side::{Claimed, side_by_side};
use super::tries::{KEY_LIFE, LOOK, Outcome, SOON, TRY, Waiting, left_to_workers};
use crate::domain::event::{Envelope, Source, storable};
use crate::domain::identifier::searchable;
use crate::domain::operation::{OperationState, SubscriptionVerb};
use crate::domain::retry::Backoff;
use crate::domain::subscription::PlanChange;
use crate::domain::{Timestamp, later};
use crate::engine::due::{LOOKED_AT, names};
use crate::engine::request::{Requester, idempotency_key};
use crate::engine::subscription::json;
use crate::engine::subscription_allowed::may;
use crate::engine::{Engine, Subscription, Variant, act};
use crate::error::{Error, ErrorKind, loggable};
use crate::gateways::GatewayError;
use crate::gateways::subscriptions::SubscriptionCall;
use crate::pipeline::row;
use crate::store::Tx;
use crate::store::audit::NewAct;
use crate::store::calls::OperationEnd;
use crate::store::subscription_calls::{NewSubscriptionOperation, SubscriptionOperationRow};
use crate::store::subscriptions::SubscriptionRow;
use crate::telemetry::MadeFor;

/// How the idempotency key of a question ends that is put once more, and how long after the answer that it is to outdate.
const ONCE_MORE: &str = "_again";
const BETWEEN: Duration = Duration::from_secs(3);

/// What is asked for of a subscription.
pub(crate) struct SubscriptionOrder {
    pub verb: SubscriptionVerb,
    /// What is to change, for that verb.
    pub change: Option<PlanChange>,
    pub requester: Requester,
    /// The idempotency key, where a page has given one out already.
    pub key: Option<String>,
}

impl SubscriptionOrder {
    /// What the host's own code asks for.
    pub(crate) fn by_host(verb: SubscriptionVerb) -> Self {
        Self { verb, change: None, requester: Requester::Host, key: None }
    }
}

impl Engine {
    /// Does it, if the subscription allows it.
    pub(crate) async fn operate_subscription(
        self: &Arc<Self>,
        token: &str,
        order: SubscriptionOrder,
    ) -> Result<Outcome, Error> {
        let (token, key) = (token.to_owned(), order.key.clone().map_or_else(idempotency_key, Ok)?);
        let name = key.clone();
        let engine = self.clone();
        match self.write(move |tx| begin(&engine, tx, &token, &order, &key)).await {
            Ok(operation) => self.attempt_on_subscription(operation, Waiting::Somebody).await,
            Err(error) if error.kind() == ErrorKind::Unavailable => {
                match self.read(move |tx| tx.subscription_operation_under(&name)).await {
                    Ok(Some(operation)) if operation.state == OperationState::Underway => Ok(Outcome::Underway),
                    _ => Err(perhaps_begun(error)),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Tries operations on subscriptions again whose end nobody knows; answers how many.
    /// Configurations of variants that are to be loaded first are waited for this long.
    pub(crate) async fn resume_subscription_operations(self: &Arc<Self>, patience: Duration) -> Result<usize, Error> {
        // Nobody can have asked those for anything that can't be asked how a subscription stands.
        let can = |variant: &Variant| {
            variant.gateway.subscriptions().is_some_and(|gateway| gateway.supports(SubscriptionVerb::Refresh).is_ok())
        };
        let claim = async |full: Vec<String>| {
            let look =
                |tx: &mut dyn Tx, now, except: &[String]| tx.subscription_operating_variants(now, LOOKED_AT, except);
            let held = self.due_variants(patience, &full, look, can).await?;
            if held.is_empty() {
                return Ok(None);
            }
            let (now, free) = (self.now(), names(&held));
            let claim = move |tx: &mut dyn Tx| tx.claim_subscription_operation(now, later(now, TRY), &free);
            let Some(operation) = self.write(claim).await? else { return Ok(None) };
            let (engine, variant) = (self.clone(), operation.variant.clone());
            let call: Claimed = Box::pin(async move { engine.take_up_on_subscription(operation).await });
            Ok(Some((variant, call)))
        };
        side_by_side(LOOK, claim).await
    }

    async fn take_up_on_subscription(self: &Arc<Self>, operation: SubscriptionOperationRow) {
        let (id, verb) = (operation.id, operation.verb.words());
        if let Err(error) = self.attempt_unless_gone_on(operation).await {
            let why = loggable(&error.to_string());
            log::error!("payments: operation {id} on a subscription ({verb}): {why}");
        }
    }

    /// Until a call has gone out the subscription may go past it. From then on its idempotency key decides.
    async fn attempt_unless_gone_on(self: &Arc<Self>, operation: SubscriptionOperationRow) -> Result<Outcome, Error> {
        if operation.verb != SubscriptionVerb::Refresh && is_untried(operation.outcome.as_deref()) {
            let (engine, untried) = (self.clone(), operation.clone());
            if self.write(move |tx| end_if_subscription_went_on(&engine, tx, &untried)).await? {
                return Ok(Outcome::Done);
            }
        }
        self.attempt_on_subscription(operation, Waiting::Nobody).await
    }

    /// Asks the gateway, and writes down what it says.
    async fn attempt_on_subscription(
        self: &Arc<Self>,
        operation: SubscriptionOperationRow,
        waiting: Waiting,
    ) -> Result<Outcome, Error> {
        let variant = match self.known_variant(&operation.variant).await {
            Ok(variant) => variant,
            Err(error) => return Ok(self.give_back_on_subscription(operation, &error).await),
        };
        let Some(gateway) = variant.gateway.subscriptions() else {
            let message = format!("no variant {:?} with subscriptions is configured here", operation.variant);
            return Err(Error::new(ErrorKind::NotFound, message));
        };
        let answer = if operation.attempts > 1 && later(operation.created_at, KEY_LIFE) < self.now() {
            None
        } else {
            let call = match self.begin_subscription_call(&operation).await {
                Ok(call) => call,
                Err(error) if error.is_retryable() => return Ok(left_to_workers(operation.id, &error)),
                Err(error) => return Err(error),
            };
            let (made_for, verb) = (MadeFor::SubscriptionOperation(operation.id), operation.verb.as_str());
            Some(observed_for(self, made_for, &operation.variant, verb, gateway.call(&call)).await)
        };
        let now = self.now();
        let (end, events, result) = judged(self, &operation, answer, waiting, now);
        let variant = operation.variant.clone();
        let rows: Vec<_> =
            events.into_iter().filter_map(|event| row(&variant, event, Source::Answer, now).ok()).collect();
        let named: Vec<String> = rows.iter().map(|row| row.gateway_event_id.clone()).collect();
        let (engine, settled) = (self.clone(), operation.clone());
        let write = move |tx: &mut dyn Tx| {
            tx.settle_subscription_operation(&settled, &end)?;
            if rows.is_empty() { Ok(()) } else { engine.append_reduced(tx, &rows) }
        };
        if let Err(error) = self.write(write).await {
            log::error!("payments: what a gateway answered is not written down, so it is asked again: {error}");
            return Ok(Outcome::Underway);
        }
        self.process_now(variant, named.clone()).await;
        if !named.is_empty()
            && let Err(error) = self.ask_once_more(operation, named).await
        {
            log::error!("payments: it is not asked once more how a subscription stands: {error}");
        }
        result
    }

    /// Where an answer and an event of nearly the same time differ, or the event counts though the answer may be the
    /// later one, a second answer decides: nothing is as old as it.
    async fn ask_once_more(
        self: &Arc<Self>,
        operation: SubscriptionOperationRow,
        answered: Vec<String>,
    ) -> Result<(), Error> {
        let (engine, now) = (self.clone(), self.now());
        let ask = move |tx: &mut dyn Tx| {
            let is_second = operation.idempotency_key.ends_with(ONCE_MORE);
            let row = if is_second { None } else { tx.subscription(operation.subscription_id)? };
            let is_the_last = |row: &SubscriptionRow| row.as_of_event.as_ref().is_none_or(|id| answered.contains(id));
            let is_settled = |row: &SubscriptionRow| row.certain && (row.ended_at.is_some() || is_the_last(row));
            let may_ask = |row: &SubscriptionRow| may(&engine, row, SubscriptionVerb::Refresh).is_ok();
            let Some(row) = row.filter(|row| !is_settled(row) && may_ask(row)) else { return Ok(()) };
            let ask = NewSubscriptionOperation {
                subscription_id: row.id,
                variant: operation.variant.clone(),
                verb: SubscriptionVerb::Refresh,
                gateway_ref: operation.gateway_ref.clone(),
                params: None,
                idempotency_key: format!("{}{ONCE_MORE}", operation.idempotency_key),
                actor: Requester::Worker.name().to_owned(),
                due_at: later(now, BETWEEN),
                created_at: now,
            };
            tx.add_subscription_operation(&ask).map(drop)
        };
        self.write(ask).await
    }

    /// The call, once it is noted that it may go out.
    async fn begin_subscription_call(
        self: &Arc<Self>,
        operation: &SubscriptionOperationRow,
    ) -> Result<SubscriptionCall, Error> {
        let operation = operation.clone();
        if operation.verb == SubscriptionVerb::Refresh || !is_untried(operation.outcome.as_deref()) {
            return self.read(move |tx| call(tx, &operation)).await;
        }
        let begin = move |tx: &mut dyn Tx| {
            let call = call(tx, &operation)?;
            unless_taken_up(tx.settle_subscription_operation(&operation, &asked(operation.due_at))?)?;
            Ok(call)
        };
        self.write(begin).await
    }
}

/// The call that an operation stands for.
fn call(tx: &mut dyn Tx, operation: &SubscriptionOperationRow) -> Result<SubscriptionCall, Error> {
    let gone = || Error::new(ErrorKind::NotFound, "the operation's subscription is gone");
    let row = tx.subscription(operation.subscription_id)?.ok_or_else(gone)?;
    let unreadable = |error| {
        let why = format!("the parameters of operation {} on a subscription can't be read", operation.id);
        Error::new(ErrorKind::Storage, why).with_source(error)
    };
    Ok(SubscriptionCall {
        verb: operation.verb,
        gateway_ref: (&operation.gateway_ref).into(),
        account: tx.account_of_subscription(&row.token)?,
        change: operation.params.as_deref().map(serde_json::from_str).transpose().map_err(unreadable)?,
        state: Subscription::of(&row)?.state,
        idempotency_key: operation.idempotency_key.clone(),
        tries: tries(operation.attempts, operation.outcome.as_deref()),
        requested_at: operation.created_at,
    })
}

/// Writes down what is to be done, if it may be.
fn begin(
    engine: &Engine,
    tx: &mut dyn Tx,
    token: &str,
    order: &SubscriptionOrder,
    key: &str,
) -> Result<SubscriptionOperationRow, Error> {
    let SubscriptionOrder { verb, change, requester, .. } = order;
    let verb = *verb;
    let not_found = || Error::new(ErrorKind::NotFound, "there is no such subscription");
    if !searchable(token) {
        return Err(not_found());
    }
    let row = tx.hold_subscriptions(&[], &[token.to_owned()])?.pop().ok_or_else(not_found)?;
    let refused = |why: String| Error::new(ErrorKind::Refused, why);
    if tx.subscription_operation_under(key)?.is_some() {
        return Err(refused("This was asked for already; the timeline says what came of it.".to_owned()));
    }
    let open = tx.operations_of_subscription(row.id)?;
    let is_open = open.iter().any(|one| one.state == OperationState::Underway && one.verb != SubscriptionVerb::Refresh);
    if is_open && verb != SubscriptionVerb::Refresh {
        return Err(refused("Something was asked for of which nobody knows yet what came of it.".to_owned()));
    }
    may(engine, &row, verb).map_err(refused)?;
    if let Some(change) = change {
        checked(change).map_err(refused)?;
    }
    let gateway_ref = row.gateway_ref.clone().unwrap_or_default();
    let now = engine.now();
    if let Requester::Operator(actor) = requester {
        let act = act(verb.as_str(), actor, None, None, now);
        let detail = change.as_ref().map(PlanChange::words);
        tx.add_act(&NewAct { subscription_id: Some(row.id), detail, ..act })?;
    }
    tx.add_subscription_operation(&NewSubscriptionOperation {
        subscription_id: row.id,
        variant: row.variant.clone(),
        verb,
        gateway_ref,
        params: change.as_ref().map(json),
        idempotency_key: key.to_owned(),
        actor: requester.name().to_owned(),
        due_at: later(now, TRY),
        created_at: now,
    })
}

/// A change that says something, in texts that can be stored.
fn checked(change: &PlanChange) -> Result<(), String> {
    if change.price.is_none() && change.quantity.is_none() {
        return Err("Expected a price or a quantity to change to, got neither.".to_owned());
    }
    if change.quantity == Some(0) {
        return Err("Expected a quantity of at least 1, got 0.".to_owned());
    }
    if [&change.price, &change.of].into_iter().flatten().any(|text| !storable(text)) {
        return Err("Expected prices of 1 to 255 characters without control characters.".to_owned());
    }
    Ok(())
}

/// What an answer means for its operation, for the inbox, and for who waits; no answer: it is too late to ask again.
fn judged(
    engine: &Engine,
    operation: &SubscriptionOperationRow,
    answer: Option<Result<Vec<Envelope>, GatewayError>>,
    waiting: Waiting,
    now: Timestamp,
) -> (OperationEnd, Vec<Envelope>, Result<Outcome, Error>) {
    let end = |state, outcome: String| OperationEnd { state, outcome, due_at: None, finished_at: Some(now) };
    let is_again = waiting == Waiting::Nobody || operation.attempts > 1;
    match answer {
        None => {
            let why = "the outcome is unknown, and it is too long ago to be tried again safely";
            (end(OperationState::Unknown, why.to_owned()), Vec::new(), Ok(Outcome::Underway))
        }
        Some(Ok(events)) => (end(OperationState::Done, engine.done_by(&operation.variant)), events, Ok(Outcome::Done)),
        // It was done, and what came of it will be told by the gateway's events.
        Some(Err(GatewayError::Malformed(why))) if operation.verb != SubscriptionVerb::Refresh => {
            let outcome = format!("done, but the answer is not understood: {why}");
            (end(OperationState::Done, outcome), Vec::new(), Ok(Outcome::Done))
        }
        Some(Err(GatewayError::Unavailable(why))) if is_again => {
            again(engine, operation, now, not_done(operation.outcome.as_deref(), &why))
        }
        Some(Err(GatewayError::OutcomeUnknown(why))) => again(engine, operation, now, not_known(&why)),
        Some(Err(error)) => {
            let message = format!("the gateway did not {} the subscription", operation.verb.words());
            let end = end(OperationState::Declined, error.to_string());
            (end, Vec::new(), Err(Error::new(ErrorKind::Gateway, message).with_source(error)))
        }
    }
}

/// Nobody knows: another try is due, for as long as that is safe.
fn again(
    engine: &Engine,
    operation: &SubscriptionOperationRow,
    now: Timestamp,
    outcome: String,
) -> (OperationEnd, Vec<Envelope>, Result<Outcome, Error>) {
    let attempt = u32::try_from(operation.attempts).unwrap_or(u32::MAX - 1);
    let backoff = Backoff { attempts: u32::MAX, ..engine.backoff };
    let due_at = backoff.after(attempt, 0).map(|wait| later(now, wait.max(SOON)));
    let end = OperationEnd { state: OperationState::Underway, outcome, due_at, finished_at: None };
    (end, Vec::new(), Ok(Outcome::Underway))
}
