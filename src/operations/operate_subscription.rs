//! How is a gateway made to end or resume a subscription exactly once? As with payments: what is to be done is a row
//! with its idempotency key before the gateway hears of it, every try is the same call, and the answer is an event.

use std::sync::Arc;

use super::tries::{KEY_LIFE, Outcome, SOON, TRY, Waiting};
use crate::domain::event::{Envelope, Source};
use crate::domain::operation::{OperationState, SubscriptionVerb};
use crate::domain::retry::Backoff;
use crate::domain::{Timestamp, later};
use crate::engine::request::{Requester, idempotency_key};
use crate::engine::subscription_allowed::may;
use crate::engine::{Engine, Variant, act};
use crate::error::{Error, ErrorKind};
use crate::gateways::GatewayError;
use crate::gateways::subscriptions::SubscriptionCall;
use crate::pipeline::row;
use crate::store::Tx;
use crate::store::audit::NewAct;
use crate::store::calls::OperationEnd;
use crate::store::subscription_calls::{NewSubscriptionOperation, SubscriptionOperationRow};

impl Engine {
    /// Does it, if the subscription allows it. `key`: the idempotency key, where a page has given one out already.
    pub(crate) async fn operate_subscription(
        self: &Arc<Self>,
        token: &str,
        verb: SubscriptionVerb,
        requester: Requester,
        key: Option<String>,
    ) -> Result<Outcome, Error> {
        let (token, key) = (token.to_owned(), key.map_or_else(idempotency_key, Ok)?);
        let begin = move |engine: &Engine, tx: &mut dyn Tx| begin(engine, tx, &token, verb, &requester, &key);
        let operation = self.blocking(move |engine| engine.store.transaction(|tx| begin(engine, tx))).await?;
        self.attempt_on_subscription(operation, Waiting::Somebody).await
    }

    /// Tries operations on subscriptions again whose end nobody knows; answers how many.
    pub(crate) async fn resume_subscription_operations(self: &Arc<Self>) -> Result<usize, Error> {
        // Nobody can have asked those for anything that can't be asked how a subscription stands.
        let can = |variant: &Variant| {
            variant.gateway.subscriptions().is_some_and(|gateway| gateway.supports(SubscriptionVerb::Refresh).is_ok())
        };
        let able = self.variants.iter().filter(|(_, variant)| can(variant)).map(|(name, _)| name.clone());
        let able: Vec<String> = able.collect();
        let mut count = 0;
        while !able.is_empty() {
            let (now, variants) = (self.now(), able.clone());
            let claim = move |tx: &mut dyn Tx| tx.claim_subscription_operation(now, later(now, TRY), &variants);
            let Some(operation) = self.write(claim).await? else { return Ok(count) };
            count += 1;
            let (id, verb) = (operation.id, operation.verb.words());
            if let Err(error) = self.attempt_on_subscription(operation, Waiting::Nobody).await {
                log::error!("payments: operation {id} on a subscription ({verb}): {error}");
            }
        }
        Ok(count)
    }

    /// Asks the gateway, and writes down what it says.
    async fn attempt_on_subscription(
        self: &Arc<Self>,
        operation: SubscriptionOperationRow,
        waiting: Waiting,
    ) -> Result<Outcome, Error> {
        let gateway = self.variant(&operation.variant).and_then(|variant| variant.gateway.subscriptions());
        let Some(gateway) = gateway else {
            let message = format!("no variant {:?} with subscriptions is configured here", operation.variant);
            return Err(Error::new(ErrorKind::NotFound, message));
        };
        let answer = if operation.attempts > 1 && later(operation.created_at, KEY_LIFE) < self.now() {
            None
        } else {
            let call = SubscriptionCall {
                verb: operation.verb,
                gateway_ref: operation.gateway_ref.clone(),
                idempotency_key: operation.idempotency_key.clone(),
                tries: u32::try_from(operation.attempts).unwrap_or(u32::MAX),
                requested_at: operation.created_at,
            };
            Some(gateway.call(&call).await)
        };
        let now = self.now();
        let (end, events, result) = judged(self, &operation, answer, waiting, now);
        let variant = operation.variant.clone();
        let rows: Vec<_> =
            events.into_iter().filter_map(|event| row(&variant, event, Source::Answer, now).ok()).collect();
        let named: Vec<String> = rows.iter().map(|row| row.gateway_event_id.clone()).collect();
        let write = move |tx: &mut dyn Tx| {
            tx.settle_subscription_operation(&operation, &end)?;
            if rows.is_empty() { Ok(()) } else { tx.append(&rows).map(drop) }
        };
        if let Err(error) = self.write(write).await {
            log::error!("payments: what a gateway answered is not written down, so it is asked again: {error}");
            return Ok(Outcome::Underway);
        }
        self.process_now(variant, named).await;
        result
    }
}

/// Writes down what is to be done, if it may be.
fn begin(
    engine: &Engine,
    tx: &mut dyn Tx,
    token: &str,
    verb: SubscriptionVerb,
    requester: &Requester,
    key: &str,
) -> Result<SubscriptionOperationRow, Error> {
    let not_found = || Error::new(ErrorKind::NotFound, "there is no such subscription");
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
    let gateway_ref = row.gateway_ref.clone().unwrap_or_default();
    let now = engine.now();
    if let Requester::Operator(actor) = requester {
        let act = act(verb.as_str(), actor, None, None, now);
        tx.add_act(&NewAct { subscription_id: Some(row.id), ..act })?;
    }
    tx.add_subscription_operation(&NewSubscriptionOperation {
        subscription_id: row.id,
        variant: row.variant.clone(),
        verb,
        gateway_ref,
        idempotency_key: key.to_owned(),
        actor: requester.name().to_owned(),
        due_at: later(now, TRY),
        created_at: now,
    })
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
        Some(Err(GatewayError::Unavailable(why))) if is_again => again(engine, operation, now, &why),
        Some(Err(GatewayError::OutcomeUnknown(why))) => again(engine, operation, now, &why),
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
    why: &str,
) -> (OperationEnd, Vec<Envelope>, Result<Outcome, Error>) {
    let attempt = u32::try_from(operation.attempts).unwrap_or(u32::MAX - 1);
    let backoff = Backoff { attempts: u32::MAX, ..engine.backoff };
    let due_at = backoff.after(attempt, 0).map(|wait| later(now, wait.max(SOON)));
    let outcome = format!("not known yet: {why}");
    let end = OperationEnd { state: OperationState::Underway, outcome, due_at, finished_at: None };
    (end, Vec::new(), Ok(Outcome::Underway))
}
