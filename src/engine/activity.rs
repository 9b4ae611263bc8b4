//! Which owners have an active subscription, remembered for a few seconds, so that a guard before every request costs
//! the database next to nothing. What an event of this process changes is forgotten at once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::domain::{Timestamp, later};

/// How many answers are remembered at the most.
const MOST: usize = 100_000;

/// The remembered answers.
#[derive(Default)]
pub(crate) struct Activity(Mutex<Answers>);

#[derive(Default)]
struct Answers {
    /// Until when each counts.
    of: HashMap<String, (bool, Timestamp)>,
    /// How often something was forgotten.
    forgotten: u64,
}

/// What was known of the answers before the database was asked.
pub(crate) struct Before(u64);

impl Activity {
    /// The answer for this owner, if one is remembered; else what [`Activity::remember`] needs.
    pub(crate) fn recall(&self, owner: &str, now: Timestamp) -> Result<bool, Before> {
        let answers = self.lock();
        match answers.of.get(owner) {
            Some((active, until)) if now < *until => Ok(*active),
            _ => Err(Before(answers.forgotten)),
        }
    }

    /// Remembers an answer, unless something was forgotten since the database was asked: it may be of before.
    pub(crate) fn remember(&self, before: &Before, owner: &str, active: bool, now: Timestamp, span: Duration) {
        let mut answers = self.lock();
        if answers.forgotten != before.0 || span.is_zero() {
            return;
        }
        if answers.of.len() >= MOST {
            answers.of.retain(|_, (_, until)| now < *until);
        }
        if answers.of.len() < MOST {
            answers.of.insert(owner.to_owned(), (active, later(now, span)));
        }
    }

    /// Forgets the answers for these owners.
    pub(crate) fn forget<'a>(&self, owners: impl IntoIterator<Item = &'a String>) {
        let mut answers = self.lock();
        for owner in owners {
            answers.of.remove(owner);
            answers.forgotten += 1;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Answers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
