//! Alarms that a host is told of, kept until their end has been told, and what they are read from.

use diesel::Queryable;

use crate::domain::Timestamp;
use crate::error::Error;

/// An alarm.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub(crate) struct AlarmRow {
    pub name: String,
    pub sentence: String,
    pub path: String,
    pub begun_at: Timestamp,
    pub seen_at: Timestamp,
    pub over_at: Option<Timestamp>,
    /// Whether the host was told of its beginning.
    pub told: bool,
    /// How often the host was called for what it was not told yet.
    pub attempts: i64,
    /// When the host is to be called next.
    pub due_at: Option<Timestamp>,
    /// Whether it was urgent when it was last told.
    pub urgent: bool,
}

/// A dispute that is open.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub(crate) struct OpenDispute {
    /// The gateway's id of it.
    pub gateway_ref: String,
    /// The token of its payment.
    pub token: String,
    pub amount: Option<i64>,
    pub currency: Option<String>,
    /// By when it has to be answered.
    pub until: Option<Timestamp>,
}

/// A call to a gateway whose end is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OpenCall {
    pub variant: String,
    pub verb: String,
    /// The token of its payment or subscription.
    pub token: String,
    /// Whether it acts on a subscription.
    pub on_subscription: bool,
    pub created_at: Timestamp,
}

/// Events of a kind that were given up, and that nobody has discarded on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GivenUp {
    pub variant: String,
    pub kind: String,
    /// How many of the kind, as far as they were counted.
    pub count: i64,
    /// When the last of them was given up.
    pub at: Option<Timestamp>,
}

/// A chore that failed at its last turn.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub(crate) struct FailingChore {
    pub name: String,
    pub since: Timestamp,
    pub why: String,
}

/// Remembering alarms, and reading their causes.
pub(crate) trait Alarms {
    /// All of them, the oldest first.
    fn alarms(&mut self) -> Result<Vec<AlarmRow>, Error>;
    /// Writes an alarm, new or changed.
    fn keep_alarm(&mut self, alarm: &AlarmRow) -> Result<(), Error>;
    /// Forgets an alarm.
    fn forget_alarm(&mut self, name: &str) -> Result<(), Error>;
    /// The disputes of tests, or of all else, that are open, the first deadline first, up to `cap`.
    fn open_disputes(&mut self, of_tests: bool, cap: i64) -> Result<Vec<OpenDispute>, Error>;
    /// What was given up and still lies there, by variant and kind in their order, of one variant or of all: so many
    /// kinds, each counted up to `cap`.
    fn given_up(&mut self, only: Option<&str>, kinds: usize, cap: i64) -> Result<Vec<GivenUp>, Error>;
    /// The calls that act on payments and subscriptions, were asked for before `at` and whose end is not known, up to `cap`. One that was
    /// given up is among them until a later refresh has told how it stands.
    fn open_calls(&mut self, at: Timestamp, cap: i64) -> Result<Vec<OpenCall>, Error>;
    /// The chores that have failed at every turn since before `at`, and had one after `lately`.
    fn failing_chores(&mut self, at: Timestamp, lately: Timestamp) -> Result<Vec<FailingChore>, Error>;
    /// Notes that a chore failed at this turn, and why; `None` notes that it succeeded.
    fn note_failure(&mut self, name: &str, now: Timestamp, why: Option<&str>) -> Result<(), Error>;
}
