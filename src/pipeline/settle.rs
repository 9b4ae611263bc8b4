//! How does an event end: when its handlers are done, and when something failed? The async handlers run here,
//! after the commit, under the event's lease; each one's attempt is kept, so that a retry runs only the rest.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::domain::event::EventState;
use crate::domain::{Timestamp, later};
use crate::engine::Engine;
use crate::engine::handler::{Call, Event, HandlerError, PROCESS, Run, Transition};
use crate::engine::payment::Payment;
use crate::error::Error;
use crate::store::Tx;
use crate::store::rows::{Claim, Claimed, DoneHandler, NewAttempt, Verdict};

/// Why an event did not get on.
#[derive(Clone)]
pub(crate) struct Trouble {
    /// What failed: a handler's name, or the reading of the event itself.
    who: String,
    outcome: &'static str,
    code: &'static str,
    why: String,
    wait: Wait,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wait {
    Backoff,
    For(Duration),
    Never,
}

impl Trouble {
    /// Of the event's processing; worth another try.
    pub(crate) fn retry(why: String) -> Self {
        Self { who: PROCESS.into(), outcome: "error", code: "failed", why, wait: Wait::Backoff }
    }

    /// Of the event's processing; trying again would not help.
    pub(crate) fn discard(code: &'static str, why: String) -> Self {
        Self { who: PROCESS.into(), outcome: "discard", code, why, wait: Wait::Never }
    }

    /// Of a handler.
    pub(crate) fn of(handler: &str, error: &HandlerError) -> Self {
        let (code, wait) = match error {
            HandlerError::Retry(_) => ("handler_failed", Wait::Backoff),
            HandlerError::RetryAfter(wait, _) => ("handler_failed", Wait::For(*wait)),
            HandlerError::Discard(_) => ("handler_discarded", Wait::Never),
        };
        Self { who: handler.to_owned(), outcome: error.outcome(), code, why: error.sentence(), wait }
    }

    /// The same in a few words: the state, its code and why.
    pub(crate) fn foretold(&self) -> (EventState, &'static str, String) {
        let state = if self.wait == Wait::Never { EventState::Discarded } else { EventState::Retryable };
        (state, self.code, shown(&self.why))
    }

    /// What becomes of the event after this, at its attempt of this number.
    fn verdict(&self, engine: &Engine, attempt: i64, now: Timestamp) -> Verdict {
        let attempt = u32::try_from(attempt).unwrap_or(u32::MAX);
        let backoff = engine.backoff.after(attempt, jitter());
        let (who, why) = (&self.who, shown(&self.why));
        let what = if who == PROCESS { format!("failed: {why}") } else { format!("handler {who} failed: {why}") };
        let wait = match self.wait {
            Wait::Never => None,
            Wait::For(wait) => backoff.map(|_| wait),
            Wait::Backoff => backoff,
        };
        match wait {
            Some(wait) => {
                let due = later(now, wait);
                let outcome =
                    format!("{what}; attempt {attempt} of {}, the next is due later", engine.backoff.attempts);
                let state = EventState::Retryable;
                Verdict { state, code: self.code, outcome, due_at: Some(due), finished_at: None }
            }
            None => {
                let tried = if self.wait == Wait::Never { String::new() } else { format!(" after {attempt} attempts") };
                let outcome = format!("discarded{tried}: {what}");
                let state = EventState::Discarded;
                Verdict { state, code: self.code, outcome, due_at: None, finished_at: Some(now) }
            }
        }
    }
}

/// Random enough to keep retries apart; nothing depends on it.
fn jitter() -> u8 {
    let mut byte = [0];
    let _ = getrandom::fill(&mut byte);
    byte[0]
}

/// How far an event got in its transaction.
pub(crate) enum Ended {
    /// To its end, or to the end of this attempt.
    Settled(EventState),
    /// To its async handlers.
    Pending(Box<Pending>),
}

/// Writes down that an event failed.
pub(crate) fn failed(
    engine: &Engine,
    tx: &mut dyn Tx,
    event: &Claimed,
    trouble: &Trouble,
    now: Timestamp,
) -> Result<Ended, Error> {
    tx.add_attempt(&NewAttempt {
        event_id: event.row.id,
        transition_id: None,
        handler: trouble.who.clone(),
        attempt: event.row.attempts,
        outcome: trouble.outcome,
        error: Some(shown(&trouble.why)),
        started_at: now,
        finished_at: now,
    })?;
    let verdict = trouble.verdict(engine, event.row.attempts, now);
    report(&event.row.variant, &event.row.gateway_event_id, &verdict);
    tx.settle(event.claim(), &verdict)?;
    Ok(Ended::Settled(verdict.state))
}

fn report(variant: &str, event: &str, verdict: &Verdict) {
    match verdict.state {
        EventState::Discarded => log::error!("payments: variant={variant} event={event} {}", verdict.outcome),
        EventState::Retryable => log::warn!("payments: variant={variant} event={event} {}", verdict.outcome),
        _ => {}
    }
}

/// An event that is applied and committed, with the handlers that are still to run.
pub(crate) struct Pending {
    claim: Claim,
    attempts: i64,
    event: Event,
    transitions: Vec<Transition>,
    /// The handlers that are done already, with the reasons of those that gave up.
    done: Vec<DoneHandler>,
    verdict: Verdict,
}

/// Collects what the handlers of an event need.
pub(crate) fn pending(
    engine: &Arc<Engine>,
    tx: &mut dyn Tx,
    claimed: &Claimed,
    payment: Option<Payment>,
    transitions: Vec<Transition>,
    verdict: Verdict,
) -> Result<Pending, Error> {
    let row = &claimed.row;
    let event = Event {
        variant: row.variant.clone(),
        id: row.gateway_event_id.clone(),
        kind: row.kind.clone(),
        occurred_at: row.occurred_at,
        body: claimed.body.clone(),
        payment,
        engine: engine.clone(),
    };
    Ok(Pending {
        claim: claimed.claim(),
        attempts: row.attempts,
        event,
        transitions,
        done: tx.done_handlers(row.id)?,
        verdict,
    })
}

impl Pending {
    /// Runs the handlers one after the other and settles the event. One that fails does not keep the others from
    /// running.
    pub(crate) async fn run(self) -> Result<(), Error> {
        let engine = self.event.engine.clone();
        let mut trouble: Option<Trouble> = None;
        for call in engine.handlers.runs(&self.transitions, &self.event) {
            let is_it =
                |done: &&DoneHandler| (done.handler.as_str(), done.transition_id) == (call.handler, call.transition);
            if let Some(done) = self.done.iter().find(is_it) {
                // What gave up in an earlier attempt is not made good by what succeeds in this one.
                let gave_up = done.gave_up.clone().map(HandlerError::Discard);
                trouble = trouble.or(gave_up.map(|error| Trouble::of(call.handler, &error)));
                continue;
            }
            if !self.renew(&engine).await? {
                log::warn!("payments: event={} was claimed by another worker meanwhile", self.event.id);
                return Ok(());
            }
            if let Err(error) = self.attempt(&engine, &call).await? {
                let found = Trouble::of(call.handler, &error);
                // The one that wants another try decides when; a discard only when no other wants one.
                if trouble.as_ref().is_none_or(|known| known.wait == Wait::Never) {
                    trouble = Some(found);
                }
            }
        }
        self.settle(&engine, trouble).await
    }

    /// Keeps the claim while the event waits for its turn; ends when it is lost.
    pub(crate) async fn hold(&self) {
        let engine = self.event.engine.clone();
        let often = engine.lease / 3;
        loop {
            tokio::time::sleep(often).await;
            if !self.renew(&engine).await.unwrap_or(true) {
                return;
            }
        }
    }

    async fn renew(&self, engine: &Arc<Engine>) -> Result<bool, Error> {
        let (claim, until) = (self.claim, later(engine.now(), engine.lease));
        write(engine, move |tx| tx.renew(claim, until)).await
    }

    /// One run of one handler, written down.
    async fn attempt(&self, engine: &Arc<Engine>, call: &Call<'_>) -> Result<Result<(), HandlerError>, Error> {
        let started_at = engine.now();
        let timeout = engine.handler_timeout;
        let ran = match tokio::time::timeout(timeout, guarded((call.begin)())).await {
            Ok(ran) => ran,
            Err(_) => Err(HandlerError::retry(format!("still running after {} s", timeout.as_secs()))),
        };
        let attempt = NewAttempt {
            event_id: self.claim.event,
            transition_id: call.transition,
            handler: call.handler.to_owned(),
            attempt: self.attempts,
            outcome: ran.as_ref().map_or_else(HandlerError::outcome, |()| "ok"),
            error: ran.as_ref().err().map(|error| shown(&error.sentence())),
            started_at,
            finished_at: engine.now(),
        };
        write(engine, move |tx| tx.add_attempt(&attempt)).await?;
        Ok(ran)
    }

    async fn settle(self, engine: &Arc<Engine>, trouble: Option<Trouble>) -> Result<(), Error> {
        let now = engine.now();
        let verdict = match trouble {
            Some(trouble) => trouble.verdict(engine, self.attempts, now),
            None => Verdict { finished_at: Some(now), ..self.verdict },
        };
        report(&self.event.variant, &self.event.id, &verdict);
        let (claim, state) = (self.claim, verdict.state);
        if write(engine, move |tx| tx.settle(claim, &verdict)).await? {
            engine.count(&self.event.variant, state.as_str(), 1);
        }
        Ok(())
    }

    /// Gives the event back unfinished, due at once, without counting this attempt against it, and says why.
    pub(crate) async fn release(self, why: &str) -> Result<(), Error> {
        let engine = self.event.engine.clone();
        let (claim, now) = (self.claim, engine.now());
        let outcome = format!("{}; {why}", self.verdict.outcome);
        let verdict = Verdict { state: EventState::Available, due_at: Some(now), outcome, ..self.verdict };
        write(&engine, move |tx| tx.settle(claim, &verdict)).await.map(drop)
    }
}

/// How often a write about a running event is tried, and the pause after the first try, doubled after each. With
/// the time that each try itself may wait (10 seconds for SQLite's lock) it stays below the default lease.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(200);

/// Writes about a running event, again when the database was busy: what isn't written down would keep the event
/// until its lease ends, and run its handlers twice.
async fn write<T: Send + 'static>(
    engine: &Arc<Engine>,
    work: impl Fn(&mut dyn Tx) -> Result<T, Error> + Send + Sync + 'static,
) -> Result<T, Error> {
    let work = Arc::new(work);
    let mut tries = 1;
    loop {
        let work = work.clone();
        match engine.blocking(move |engine| engine.store.transaction(|tx| work(tx))).await {
            Err(error) if error.is_retryable() && tries < TRIES => {
                log::warn!("payments: an event's progress is not written yet: {error}");
                tokio::time::sleep(PAUSE * 2_u32.pow(tries - 1)).await;
                tries += 1;
            }
            done => return done,
        }
    }
}

/// Runs a future; a panic in it is an error like any other. Dropped, it ends what runs.
async fn guarded(run: Run) -> Result<(), HandlerError> {
    let mut task = JoinSet::new();
    task.spawn_local(run);
    match task.join_next().await {
        None => Ok(()),
        Some(Ok(ran)) => ran,
        Some(Err(ended)) => Err(HandlerError::retry(format!("the handler panicked: {ended}"))),
    }
}

/// An error's words as they can be stored: a database may refuse NUL, and nobody reads a megabyte.
fn shown(why: &str) -> String {
    const LONGEST: usize = 4_000;
    let cut: String = why.chars().take(LONGEST).collect();
    cut.replace('\0', "\u{FFFD}")
}
