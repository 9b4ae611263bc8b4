//! After the commit: the async handlers of an event run under its lease, and what they did goes to the writer, many in
//! one commit. Each attempt is kept, so that a retry runs only the rest.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::failure::{Failure, report, storable_error};
use crate::domain::event::{AttemptOutcome, EventState};
use crate::domain::{Timestamp, later};
use crate::engine::guarded::guarded;
use crate::engine::handler::{Call, outcome_of};
use crate::engine::{Engine, EventNotice, HandlerError, SubscriptionNotice, TransitionNotice};
use crate::error::Error;
use crate::store::rows::{Claim, DoneHandler, NewAttempt, Verdict};
use crate::store::sets::Settled;
use crate::telemetry::{self, Span, Stopwatch};

/// An event that is applied and committed, with the handlers that are still to run.
pub(crate) struct Pending {
    pub(super) engine: Arc<Engine>,
    pub(super) claim: Claim,
    pub(super) attempts: i64,
    pub(super) requeued_at: Option<Timestamp>,
    pub(super) event: EventNotice,
    pub(super) transitions: Vec<TransitionNotice>,
    pub(super) subscriptions: Vec<SubscriptionNotice>,
    /// The handlers that are done already, with the reasons of those that gave up.
    pub(super) done: Vec<DoneHandler>,
    /// The handlers that this process lacks and that are not done, by name.
    pub(super) owed: Vec<String>,
    pub(super) verdict: Verdict,
    /// Whether handlers of the event itself are to run: not yet, where it waits for its payment.
    pub(super) is_told: bool,
    /// Until when the event is ours.
    pub(super) leased_until: Mutex<Timestamp>,
}

impl Pending {
    /// Runs the handlers one after the other and settles the event. One that fails does not keep the others from
    /// running. `ran` is called when the last of them has run, before that is written down.
    pub(crate) async fn run(self, ran: impl FnOnce()) -> Result<(), Error> {
        let span = Span::event(&self.event.variant, &self.event.id, &self.event.kind);
        span.around(self.run_all(ran)).await
    }

    async fn run_all(self, ran: impl FnOnce()) -> Result<(), Error> {
        let engine = self.engine.clone();
        // What gave up in an earlier attempt, here or elsewhere, is not made good by what succeeds in this one.
        let gave_up = |done: &DoneHandler| Some((done.handler.clone(), HandlerError::Discard(done.gave_up.clone()?)));
        let gave_up = self.done.iter().find_map(gave_up);
        let mut failure = gave_up.map(|(handler, error)| Failure::of(&handler, &error));
        let (mut last, mut failed): (Option<NewAttempt>, Vec<NewAttempt>) = (None, Vec::new());
        for call in engine.handlers.runs(&self.transitions, &self.subscriptions, &self.event) {
            if self.is_done(&call) || (call.transition.is_none() && !self.is_told) {
                continue;
            }
            // What one handler did is safe before the next begins.
            if let Some(attempt) = last.take() {
                record(&engine, attempt.into(), None).await?;
            }
            if !self.is_held(&engine).await? {
                log::warn!("payments: event={} was claimed by another worker meanwhile", self.event.id);
                return Ok(());
            }
            let (attempt, outcome) = self.attempt(&engine, &call).await;
            last = Some(attempt.clone());
            if let Err(error) = outcome {
                failed.push(attempt);
                let found = Failure::of(call.handler, &error);
                // The one that wants another attempt decides when; a discard only when no other wants one.
                if failure.as_ref().is_none_or(Failure::is_final) {
                    failure = Some(found);
                }
            }
        }
        ran();
        self.settle(&engine, failure, last, failed).await
    }

    fn is_done(&self, call: &Call<'_>) -> bool {
        self.done.iter().any(|done| (done.handler.as_str(), done.transition) == (call.handler, call.transition))
    }

    /// Whether the event is ours for as long as a handler may run. Mostly its lease says so already.
    async fn is_held(&self, engine: &Engine) -> Result<bool, Error> {
        let needed = later(engine.now(), engine.handler_timeout);
        if needed <= *self.lease() {
            return Ok(true);
        }
        self.renew(engine).await
    }

    async fn renew(&self, engine: &Engine) -> Result<bool, Error> {
        let until = later(engine.now(), engine.lease);
        let held = engine.writer.renew(self.claim, until).await?;
        if held {
            *self.lease() = until;
        }
        Ok(held)
    }

    fn lease(&self) -> std::sync::MutexGuard<'_, Timestamp> {
        self.leased_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the claim while the event waits for its turn; ends when it is lost.
    pub(crate) async fn hold(&self) {
        let engine = self.engine.clone();
        loop {
            tokio::time::sleep(engine.lease / 3).await;
            if !self.renew(&engine).await.unwrap_or(true) {
                return;
            }
        }
    }

    /// One run of one handler.
    async fn attempt(&self, engine: &Engine, call: &Call<'_>) -> (NewAttempt, Result<(), HandlerError>) {
        let started_at = engine.now();
        let timeout = engine.handler_timeout;
        let (watch, span) = (Stopwatch::start(), Span::handler(call.handler, &self.event.id));
        let run = span.within(|| guarded((call.begin)()));
        let outcome = match tokio::time::timeout(timeout, span.around(run)).await {
            Ok(ended) => ended.unwrap_or_else(|why| Err(HandlerError::panicked(&why))),
            Err(_) => Err(HandlerError::retry(format!("still running after {} s", timeout.as_secs()))),
        };
        let word = outcome_of(&outcome);
        telemetry::handled(call.handler, word.as_str(), watch);
        let attempt = NewAttempt {
            event_id: self.claim.event,
            transition: call.transition,
            handler: call.handler.to_owned(),
            attempt: self.attempts,
            outcome: word,
            error: outcome.as_ref().err().map(|error| storable_error(&error.sentence())),
            started_at,
            finished_at: engine.now(),
        };
        (attempt, outcome)
    }

    async fn settle(
        self,
        engine: &Engine,
        failure: Option<Failure>,
        last: Option<NewAttempt>,
        failed: Vec<NewAttempt>,
    ) -> Result<(), Error> {
        let now = engine.now();
        let verdict = match failure {
            Some(failure) => failure.verdict(engine, self.attempts, now),
            // Its payment may have come meanwhile, so it is looked for once more.
            None if self.verdict.state == EventState::Parked => Verdict { due_at: Some(now), ..self.verdict.clone() },
            None => Verdict { finished_at: Some(now), ..self.verdict.clone() },
        };
        report(&self.event.variant, &self.event.id, &verdict);
        if verdict.state == EventState::Discarded && !self.owed.is_empty() {
            // It comes back here while another process owes a run, so that these must be known to have given up.
            for attempt in failed.into_iter().filter(|attempt| attempt.outcome != AttemptOutcome::Discard) {
                record(engine, Some(NewAttempt { outcome: AttemptOutcome::Discard, ..attempt }), None).await?;
            }
        }
        let verdict = self.left_to_others(verdict, now);
        let state = verdict.state;
        let held = record(engine, last, Some(Settled { claim: self.claim, verdict })).await?;
        if held && !matches!(state, EventState::Available | EventState::Parked) {
            engine.count_event(&self.event.variant, state, self.requeued_at);
        }
        Ok(())
    }

    /// An event is not at its end while a handler is owed that another process has. This one leaves it alone the longer
    /// the oftener it came back, so that the other comes first.
    fn left_to_others(&self, verdict: Verdict, now: Timestamp) -> Verdict {
        if self.owed.is_empty() || verdict.state == EventState::Retryable {
            return verdict;
        }
        let times = u32::try_from(self.claim.number).unwrap_or(u32::MAX).min(LONGEST_LEFT);
        let due_at = Some(later(now, LEFT_FOR * 2_u32.pow(times)));
        let so_far = if verdict.state == EventState::Discarded { &verdict.outcome } else { &self.verdict.outcome };
        let outcome = format!("{so_far}; waits for a process that has the handler {}", self.owed.join(", "));
        Verdict { state: EventState::Available, due_at, outcome, finished_at: None, ..self.verdict.clone() }
    }

    /// Gives the event back unfinished, due at once, without counting this attempt against it, and says why.
    pub(crate) async fn release(self, why: &str) -> Result<(), Error> {
        let engine = self.engine.clone();
        let outcome = format!("{}; {why}", self.verdict.outcome);
        let due_at = Some(engine.now());
        let verdict = Verdict { state: EventState::Available, due_at, outcome, ..self.verdict };
        record(&engine, None, Some(Settled { claim: self.claim, verdict })).await.map(drop)
    }
}

/// How long an event is left to other processes after its first claim, and how often that is doubled at the most: from
/// a second to two minutes.
const LEFT_FOR: Duration = Duration::from_millis(500);
const LONGEST_LEFT: u32 = 8;

/// How often a write about a running event is tried, and the pause after the first try, doubled after each. With
/// the time that each try itself may wait (10 seconds for SQLite's lock) it stays below the default lease.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(200);

/// Writes about a running event, again when the database was busy: what isn't written down would keep the event
/// until its lease ends, and run its handlers twice. Answers whether the event was still held.
async fn record(engine: &Engine, attempt: Option<NewAttempt>, settled: Option<Settled>) -> Result<bool, Error> {
    let mut tries = 1;
    loop {
        match engine.writer.record(attempt.clone(), settled.clone()).await {
            Err(error) if error.is_retryable() && tries < TRIES => {
                log::warn!("payments: an event's progress is not written yet: {error}");
                tokio::time::sleep(PAUSE * 2_u32.pow(tries - 1)).await;
                tries += 1;
            }
            done => return done,
        }
    }
}
