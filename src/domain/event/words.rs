//! Where an event came from, its state in the inbox, and how a run of it ended.

/// Where an event came from.
///
/// See [`Payments::events`](crate::Payments::events) for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// A signed delivery to the webhook endpoint.
    Delivery,
    /// An operator, in the admin pages.
    Operator,
    /// The gateway's answer to one of our calls.
    Answer,
    /// The gateway's list of events.
    Listing,
}

/// The state of an event in the inbox.
///
/// See [`Payments::events`](crate::Payments::events) for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventState {
    /// Waits for a worker.
    Available,
    /// Claimed by a worker until its lease expires.
    Running,
    /// An attempt failed; the next one is due later.
    Retryable,
    /// Waits for something else: no payment matches the event yet, or the gateway has not shown yet the object that it
    /// names.
    Parked,
    /// Processed.
    Completed,
    /// Interpreted, with nothing to do.
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

    /// The state's name in tables and pages.
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

    /// The state with this name; the reverse of [`EventState::as_str`].
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }
}

impl Source {
    /// Every source.
    pub const ALL: [Source; 4] = [Self::Delivery, Self::Operator, Self::Answer, Self::Listing];

    /// The source's name in tables and pages.
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
