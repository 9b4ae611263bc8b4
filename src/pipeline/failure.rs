//! Why an event did not get on, and what becomes of it then: another attempt later, or none.

use std::time::Duration;

use crate::domain::event::{AttemptOutcome, EventState, References};
use crate::domain::id::EventId;
use crate::domain::{Timestamp, later};
use crate::engine::handler::PROCESS;
use crate::engine::{Engine, HandlerError};
use crate::error::loggable;
use crate::store::rows::{NewAttempt, Verdict};

/// Why an event did not get on.
#[derive(Clone)]
pub(crate) struct Failure {
    /// What failed: a handler's name, or the reading of the event itself.
    who: String,
    outcome: AttemptOutcome,
    code: &'static str,
    why: String,
    wait: Wait,
    /// The ids by which the event names its payment, where it can't be read.
    pub(super) references: Box<References>,
}

/// The code of an event that could not be read.
const UNREADABLE: &str = "malformed";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wait {
    Backoff,
    For(Duration),
    Never,
}

impl Failure {
    /// Of the event's processing; worth another attempt.
    pub(crate) fn retry(why: String) -> Self {
        let references = Box::default();
        Self {
            who: PROCESS.into(),
            outcome: AttemptOutcome::Error,
            code: "failed",
            why,
            wait: Wait::Backoff,
            references,
        }
    }

    /// Of the event's reading: another attempt would not help.
    pub(crate) fn unreadable(why: String, references: References) -> Self {
        let (outcome, wait) = (AttemptOutcome::Discard, Wait::Never);
        Self { who: PROCESS.into(), outcome, code: UNREADABLE, why, wait, references: Box::new(references) }
    }

    /// Of a handler.
    pub(crate) fn of(handler: &str, error: &HandlerError) -> Self {
        let (code, wait) = match error {
            HandlerError::Retry(_) => ("handler_failed", Wait::Backoff),
            HandlerError::RetryAfter(wait, _) => ("handler_failed", Wait::For(*wait)),
            HandlerError::Discard(_) => ("handler_discarded", Wait::Never),
        };
        let (who, outcome, why) = (handler.to_owned(), error.outcome(), error.sentence());
        Self { who, outcome, code, why, wait, references: Box::default() }
    }

    /// Whether no other attempt is wanted.
    pub(super) fn is_final(&self) -> bool {
        self.wait == Wait::Never
    }

    /// The same in a few words: the state, its code and why.
    pub(crate) fn predicted(&self) -> (EventState, &'static str, String) {
        let state = if self.is_final() { EventState::Discarded } else { EventState::Retryable };
        (state, self.code, storable_error(&self.why))
    }

    /// What becomes of the event after this, at its attempt of this number.
    pub(super) fn verdict(&self, engine: &Engine, attempt: i64, now: Timestamp) -> Verdict {
        let attempt = u32::try_from(attempt).unwrap_or(u32::MAX);
        let backoff = engine.backoff.after(attempt, jitter());
        let (who, why) = (&self.who, storable_error(&self.why));
        let what = match self.code {
            UNREADABLE => format!("could not be read: {why}"),
            _ if who == PROCESS => format!("failed: {why}"),
            _ => format!("handler {who} failed: {why}"),
        };
        let wait = match self.wait {
            Wait::Never => None,
            Wait::For(wait) => backoff.map(|_| wait),
            Wait::Backoff => backoff,
        };
        if let Some(wait) = wait {
            let outcome = format!("{what}; attempt {attempt} of {}", engine.backoff.attempts);
            let due_at = Some(later(now, wait));
            return Verdict { state: EventState::Retryable, code: self.code, outcome, due_at, finished_at: None };
        }
        let tried = if self.is_final() { String::new() } else { format!(" after {attempt} attempts") };
        let outcome = format!("discarded{tried}: {what}");
        Verdict { state: EventState::Discarded, code: self.code, outcome, due_at: None, finished_at: Some(now) }
    }

    /// The attempt that ended so.
    pub(super) fn attempt(&self, event: EventId, number: i64, now: Timestamp) -> NewAttempt {
        NewAttempt {
            event_id: event,
            transition: None,
            handler: self.who.clone(),
            attempt: number,
            outcome: self.outcome,
            error: Some(storable_error(&self.why)),
            started_at: now,
            finished_at: now,
        }
    }
}

/// Logs how an event ended, where that is worth a line.
pub(super) fn report(variant: &str, event: &str, verdict: &Verdict) {
    let outcome = loggable(&verdict.outcome);
    match verdict.state {
        EventState::Discarded => log::error!("payments: variant={variant} event={event} {outcome}"),
        EventState::Retryable => log::warn!("payments: variant={variant} event={event} {outcome}"),
        _ => {}
    }
}

/// An error's words as they can be stored: a database may refuse NUL, and nobody reads a megabyte.
pub(super) fn storable_error(why: &str) -> String {
    const LONGEST: usize = 4_000;
    let cut: String = why.chars().take(LONGEST).collect();
    cut.replace('\0', "\u{FFFD}")
}

/// Random enough to keep retries apart; nothing depends on it.
fn jitter() -> u8 {
    let mut byte = [0];
    let _ = getrandom::fill(&mut byte);
    byte[0]
}
