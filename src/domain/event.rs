//! What is an event, before and after it is understood? [`Envelope`] is what a verified delivery yields,
//! [`Interpretation`] what the gateway reads in it, [`EventState`] where it stands in the inbox.

use bytes::Bytes;

use super::Timestamp;
use super::fact::Fact;

/// One event as its gateway asserted it: enough to store it once, not yet understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The gateway's id of the event, unique within the variant.
    pub id: String,
    /// The gateway's own name for what happened, verbatim.
    pub kind: String,
    /// When the gateway says that it happened.
    pub occurred_at: Option<Timestamp>,
    /// Real money (`true`) or a test (`false`), where the gateway says so.
    pub livemode: Option<bool>,
    /// The gateway's account that the event is of, where it is not the merchant's own (Stripe Connect).
    pub account: Option<String>,
    /// The version of the gateway's format that the body is in.
    pub api_version: Option<String>,
    /// The event's own bytes, unchanged.
    pub body: Bytes,
}

/// The longest id, kind or other short text, in characters: longer ones fit no column.
const SHORT: usize = 255;

/// Whether a text can be an id, a kind or a reference that is stored, shown and compared: 1 to 255 characters, no
/// control characters among them. Postgres takes no NUL.
pub(crate) fn storable(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= SHORT && !text.chars().any(char::is_control)
}

/// The ids that are there, each once, in order.
pub(crate) fn distinct(candidates: impl IntoIterator<Item = Option<String>>) -> Vec<String> {
    let mut found = Vec::new();
    for candidate in candidates.into_iter().flatten() {
        if !found.contains(&candidate) {
            found.push(candidate);
        }
    }
    found
}

/// What a gateway gives back for a delivery that is genuine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The events that the delivery carries, one for most gateways.
    pub events: Vec<Envelope>,
    /// The label of the signing secret that matched.
    pub secret: Option<String>,
    /// How many seconds ago the delivery was signed, by its own word; negative when signed in the future.
    pub skew_seconds: Option<i64>,
}

/// An event out of the inbox, ready to be interpreted.
#[derive(Debug, Clone, Copy)]
pub struct Recorded<'a> {
    /// The gateway's id of the event.
    pub id: &'a str,
    /// The gateway's own name for what happened.
    pub kind: &'a str,
    /// When it happened by the gateway's word, else when it was first received.
    pub occurred_at: Timestamp,
    /// The event's own bytes, unchanged.
    pub body: &'a [u8],
}

/// The ids by which an event names its payment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct References {
    /// Texts that may be our token: what the merchant handed to the gateway when it started the payment. They
    /// find a payment of ours and are never linked to any other.
    pub tokens: Vec<String>,
    /// The gateway's ids of the objects that make up one payment (session, intent, charge). An id that several
    /// payments share (a customer, a subscription) does not belong here.
    pub gateway_refs: Vec<String>,
}

/// What an event says, in facts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interpretation {
    /// The payment that it is about.
    pub references: References,
    /// What it states. Empty: it says nothing that changes a payment.
    pub facts: Vec<Fact>,
    /// What it says in words, for the timeline; without facts, why nothing is to be done.
    pub summary: String,
    /// The customer's email address, where the event has it.
    pub customer: Option<String>,
    /// The gateway's id of what waits for us now that the customer has agreed, and goes no further without us: a worker
    /// then asks the gateway to complete it, where it can be asked.
    pub awaits_completion: Option<Awaited>,
}

/// What the gateway waits to be asked to complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awaited {
    /// The gateway's id of it.
    pub gateway_ref: String,
    /// Since when it waits, by the gateway's clock, where it says so. An answer that tells the same once more is no reason
    /// to ask again for what was declined.
    pub since: Option<Timestamp>,
}

/// An event's body could not be understood. Says expected and got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed(pub String);

/// Where an event came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// A signed delivery to the webhook endpoint.
    Delivery,
    /// An act of an operator's in the admin pages.
    Operator,
    /// The gateway's answer to a call of ours.
    Answer,
    /// The gateway's own list of events.
    Listing,
}

/// Where an event stands in the inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventState {
    /// Waits for a worker.
    Available,
    /// Claimed by a worker until its lease runs out.
    Running,
    /// An attempt failed; the next is due later.
    Retryable,
    /// Nothing matches it yet.
    Parked,
    /// Done.
    Completed,
    /// Understood, nothing to do.
    Ignored,
    /// Given up after the last attempt, or by a handler or an operator.
    Discarded,
}

/// How one run ended, of a handler or of the reading of the event itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum AttemptOutcome {
    /// It did its work.
    Ok,
    /// It failed; the usual backoff decides when it is tried again.
    Error,
    /// It failed, and said itself when to try again.
    RetryAfter,
    /// It gave up for good.
    Discard,
}

impl EventState {
    /// Every state, in the order of an event's life.
    pub const ALL: [EventState; 7] = [
        Self::Available,
        Self::Running,
        Self::Retryable,
        Self::Parked,
        Self::Completed,
        Self::Ignored,
        Self::Discarded,
    ];

    /// The word in tables and pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Running => "running",
            Self::Retryable => "retryable",
            Self::Parked => "parked",
            Self::Completed => "completed",
            Self::Ignored => "ignored",
            Self::Discarded => "discarded",
        }
    }

    /// The state of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }
}

impl Source {
    /// Every source.
    pub const ALL: [Source; 4] = [Self::Delivery, Self::Operator, Self::Answer, Self::Listing];

    /// The word in tables and pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivery => "delivery",
            Self::Operator => "operator",
            Self::Answer => "answer",
            Self::Listing => "listing",
        }
    }

    /// The source of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == word)
    }
}

impl AttemptOutcome {
    /// Every outcome.
    pub(crate) const ALL: [AttemptOutcome; 4] = [Self::Ok, Self::Error, Self::RetryAfter, Self::Discard];

    /// The word in tables and pages.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::RetryAfter => "retry_after",
            Self::Discard => "discard",
        }
    }

    /// The outcome of this word.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == word)
    }
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Malformed {}
