//! What is to be done from time to time, once for all processes, and what is looked for then.

use std::time::Duration;

use super::calls::{ChoreRow, Stale};
use crate::domain::Timestamp;
use crate::error::Error;

/// What is to be done from time to time, once for all processes.
pub(crate) trait Chores {
    /// Takes a chore if it is due, and says when it is due again; it comes into being at its first turn.
    fn claim_chore(&mut self, name: &str, now: Timestamp, again: Timestamp) -> Result<Option<ChoreRow>, Error>;
    /// Whether this process may take the chore: it is due, or was put off by a clock that was wrong, or is none yet.
    fn is_chore_due(&mut self, name: &str, now: Timestamp) -> Result<bool, Error>;
    /// Makes due now what a process put off whose clock was ahead: events that wait for a worker only, or are held for
    /// longer than `lease`, operations and questions; answers how many.
    fn bring_forward(&mut self, now: Timestamp, lease: Duration) -> Result<usize, Error>;
    /// Makes a chore due now, unless it ran since `since`.
    fn hurry_chore(&mut self, name: &str, now: Timestamp, since: Timestamp) -> Result<(), Error>;
    /// Writes what came of a chore; `done_to` only where that moved.
    fn end_chore(&mut self, name: &str, now: Timestamp, done_to: Option<Timestamp>, note: &str) -> Result<(), Error>;
    /// Says when a chore goes on, and from which place.
    fn pause_chore(&mut self, name: &str, again: Timestamp, place: Option<i64>, note: &str) -> Result<(), Error>;
    /// The same of a chore that was claimed, unless somebody has said meanwhile when and from where it goes on: what
    /// they said stands then.
    fn pause_claimed(
        &mut self,
        claimed: &ChoreRow,
        again: Timestamp,
        place: Option<i64>,
        note: &str,
    ) -> Result<(), Error>;
    /// All chores, by their names.
    fn all_chores(&mut self) -> Result<Vec<ChoreRow>, Error>;
    /// The chore of this name.
    fn chore(&mut self, name: &str) -> Result<Option<ChoreRow>, Error>;
    /// Which of these gateway event ids are not in the inbox.
    fn missing_events(&mut self, variant: &str, ids: &[String]) -> Result<Vec<String>, Error>;
    /// Payments through this variant that are in one of `statuses`, were created between these moments, bear a
    /// reference, and were not asked about since `asked`: their tokens, oldest first.
    fn stale_payments(&mut self, stale: &Stale<'_>) -> Result<Vec<String>, Error>;
    /// Authorized payments that were created before `at`, oldest first, up to `cap`: token and creation.
    fn authorized_before(&mut self, at: Timestamp, cap: i64) -> Result<Vec<(String, Timestamp)>, Error>;
}
