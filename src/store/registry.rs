//! Which handlers any process has registered, and which workers run.

use diesel::Queryable;

use crate::domain::Timestamp;
use crate::error::Error;

/// A handler by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registered {
    pub name: String,
    pub stage: Stage,
}

/// What a handler runs for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stage {
    /// For each transition, in the transaction that stores it.
    Transaction,
    /// For each transition, after the commit.
    Transition,
    /// For each transition of a subscription, in the transaction that stores it.
    SubscriptionTransaction,
    /// For each transition of a subscription, after the commit.
    SubscriptionTransition,
    /// For each event of these kinds, after the commit.
    Event(String),
}

impl Stage {
    /// The word in the database.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Transaction => "transaction",
            Self::Transition => "transition",
            Self::SubscriptionTransaction => "subscription_transaction",
            Self::SubscriptionTransition => "subscription_transition",
            Self::Event(_) => "event",
        }
    }

    /// The stage that is stored as this word and kind.
    pub(crate) fn parse(word: &str, kind: Option<String>) -> Option<Self> {
        match word {
            "transaction" => Some(Self::Transaction),
            "transition" => Some(Self::Transition),
            "subscription_transaction" => Some(Self::SubscriptionTransaction),
            "subscription_transition" => Some(Self::SubscriptionTransition),
            "event" => kind.map(Self::Event),
            _ => None,
        }
    }
}

/// A worker.
#[derive(Debug, Clone, Queryable)]
pub(crate) struct WorkerRow {
    pub name: String,
    /// Names, a JSON list.
    pub handlers: String,
    /// Names, a JSON list.
    pub variants: String,
    pub started_at: Timestamp,
    pub seen_at: Timestamp,
}

/// Keeping track of handlers and workers.
pub(crate) trait Registry {
    /// Registers handlers, also those that were retired before.
    fn register(&mut self, handlers: &[Registered], now: Timestamp) -> Result<(), Error>;
    /// Retires handlers: from now on nothing is owed to them.
    fn retire(&mut self, names: &[String], now: Timestamp) -> Result<(), Error>;
    /// The handlers that are registered and not retired, by name.
    fn registered(&mut self) -> Result<Vec<Registered>, Error>;
    /// Notes that a worker runs; forgets those that were last seen before `forget`.
    fn worker_seen(&mut self, worker: &WorkerRow, forget: Timestamp) -> Result<(), Error>;
    /// Forgets a worker.
    fn worker_ended(&mut self, name: &str) -> Result<(), Error>;
    /// The workers that were seen since, by name.
    fn workers(&mut self, since: Timestamp) -> Result<Vec<WorkerRow>, Error>;
}
