//! How is a gateway asked for an object that events name without showing it? The question is a row before the gateway
//! hears of it, it is put until there is an answer, and the answer goes into the inbox as an event. Many events about
//! one object are one question.

use std::sync::Arc;
use std::time::Duration;

use super::observed::observed_for;
use super::side_by_side::{Claimed, side_by_side};
use super::tries::SOON;
use crate::domain::event::{Envelope, Source};
use crate::domain::named::NamedObject;
use crate::domain::operation::OperationState;
use crate::domain::retry::Backoff;
use crate::domain::{Timestamp, later};
use crate::engine::due::{LOOKED_AT, names};
use crate::engine::request::new_fetch_key;
use crate::engine::{Engine, Variant};
use crate::error::{Error, loggable};
use crate::gateways::{Fetch, GatewayError};
use crate::pipeline::row;
use crate::store::Tx;
use crate::store::fetches::{FetchEnd, FetchRow};
use crate::store::rows::NewEvent;
use crate::telemetry::MadeFor;

/// How long a try may take before another process may put the question.
const TRY: Duration = Duration::from_secs(300);
/// For how long a question is put again, as long as gateways send their own events, and how often at the least: it may
/// have waited for an API key before.
const PATIENCE: Duration = Duration::from_secs(3 * 86_400);
const AT_LEAST: i64 = 12;
/// The shortest time that each of the four questions takes that are put to one variant at the same time: so that a
/// process asks a gateway at most 20 times a second, which all of them allow.
const PACE: Duration = Duration::from_millis(200);
/// How often a worker looks for what is due while it waits for a gateway.
const LOOK: Duration = Duration::from_millis(250);
/// How long after an answer the same is asked again, where events came meanwhile.
const AGAIN: Duration = Duration::from_secs(1);

impl Engine {
    /// Puts the questions that are due; answers how many. Configurations of variants that are to be loaded first are waited
    /// for this long.
    pub(crate) async fn put_questions(self: &Arc<Self>, patience: Duration) -> Result<usize, Error> {
        let claim = async |full: Vec<String>| {
            let look = |tx: &mut dyn Tx, now, except: &[String]| tx.fetching_variants(now, LOOKED_AT, except);
            let can = |variant: &Variant| variant.gateway.supports_fetch().is_ok();
            let held = self.due_variants(patience, &full, look, can).await?;
            let (now, able) = (self.now(), names(&held));
            let free = able.clone();
            let claim = move |tx: &mut dyn Tx| tx.claim_fetch(now, later(now, TRY), &free);
            let Some(fetch) = self.claim_if_due(claim, now, able).await? else { return Ok(None) };
            let (engine, variant) = (self.clone(), fetch.variant.clone());
            let put: Claimed = Box::pin(async move {
                tokio::join!(engine.put(fetch), tokio::time::sleep(PACE));
            });
            Ok(Some((variant, put)))
        };
        side_by_side(LOOK, claim).await
    }

    /// Most looks end without a write.
    async fn claim_if_due(
        self: &Arc<Self>,
        claim: impl FnMut(&mut dyn Tx) -> Result<Option<FetchRow>, Error> + Send + 'static,
        now: Timestamp,
        variants: Vec<String>,
    ) -> Result<Option<FetchRow>, Error> {
        if variants.is_empty() || !self.read(move |tx| tx.is_fetch_due(now, &variants)).await? {
            return Ok(None);
        }
        self.write(claim).await
    }

    async fn put(self: &Arc<Self>, fetch: FetchRow) {
        let id = fetch.id;
        if let Err(error) = self.try_fetch(fetch).await {
            error.report(format_args!("question {id}"));
        }
    }

    /// Asks the gateway, and writes down what it says.
    async fn try_fetch(self: &Arc<Self>, fetch: FetchRow) -> Result<(), Error> {
        let variant = self.known_variant(&fetch.variant).await;
        let account = Some(fetch.account.clone()).filter(|account| !account.is_empty());
        let question = Fetch {
            object: NamedObject::new(fetch.object_type.as_str(), fetch.gateway_ref.as_str()).of_account(account),
            idempotency_key: fetch.idempotency_key.clone(),
            tries: u32::try_from(fetch.attempts).unwrap_or(u32::MAX),
        };
        let made_for = MadeFor::Question(fetch.id);
        let answer = match &variant {
            Ok(variant) => {
                observed_for(self, made_for, &fetch.variant, "fetch", variant.gateway.fetch(&question)).await
            }
            Err(error) => Err(GatewayError::Unavailable(error.to_string())),
        };
        let (now, next) = (self.now(), new_fetch_key()?);
        let (end, rows) = self.judged(&fetch, answer, next, now);
        let (name, answers) = (fetch.variant.clone(), end.answers.clone());
        let engine = self.clone();
        let write = move |tx: &mut dyn Tx| {
            // A try that another has overtaken may show what was true before.
            if tx.settle_fetch(&fetch, &end)? && !rows.is_empty() { engine.append_reduced(tx, &rows) } else { Ok(()) }
        };
        self.write(write).await?;
        if answers.is_empty() {
            // What waited for it is due now.
            self.notify();
            return Ok(());
        }
        self.process_now(name, answers).await;
        Ok(())
    }

    /// What an answer means for its question and for the inbox.
    fn judged(
        &self,
        fetch: &FetchRow,
        answer: Result<Vec<Envelope>, GatewayError>,
        key: String,
        now: Timestamp,
    ) -> (FetchEnd, Vec<NewEvent>) {
        let end = |state, outcome: String| FetchEnd {
            state,
            outcome,
            due_at: None,
            finished_at: Some(now),
            answers: Vec::new(),
            next: (key.clone(), later(now, AGAIN)),
        };
        match answer {
            Ok(events) => {
                let all = events.len();
                let rows = events.into_iter().filter_map(|event| row(&fetch.variant, event, Source::Answer, now).ok());
                let rows: Vec<NewEvent> = rows.collect();
                if rows.len() < all {
                    let lost = format!("{} of {all} parts of the answer can't be stored", all - rows.len());
                    return (end(OperationState::Declined, lost), Vec::new());
                }
                let answers = rows.iter().map(|row| row.gateway_event_id.clone()).collect();
                (FetchEnd { answers, ..end(OperationState::Done, self.done_by(&fetch.variant)) }, rows)
            }
            Err(error @ (GatewayError::Declined(_) | GatewayError::Unsupported(_))) => {
                (end(OperationState::Declined, error.to_string()), Vec::new())
            }
            Err(error) if fetch.attempts >= AT_LEAST && later(fetch.created_at, PATIENCE) < now => {
                let outcome = format!("given up after {} tries: {error}", fetch.attempts);
                let (question, why) = (fetch.id, loggable(&outcome));
                log::error!("payments: question {question} about {}: {why}", fetch.gateway_ref);
                (end(OperationState::Unknown, outcome), Vec::new())
            }
            // A question changes nothing, so it may be put again, whatever became of the last try.
            Err(error) => {
                let attempt = u32::try_from(fetch.attempts).unwrap_or(u32::MAX - 1);
                let backoff = Backoff { attempts: u32::MAX, ..self.backoff };
                let due_at = backoff.after(attempt, 0).map(|wait| later(now, wait.max(SOON)));
                let again = end(OperationState::Underway, format!("not known yet: {error}"));
                (FetchEnd { due_at, finished_at: None, ..again }, Vec::new())
            }
        }
    }
}
