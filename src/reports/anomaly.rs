//! What a person should look at: for the overview, for alarms, and for the command line.

use crate::domain::Timestamp;
use crate::domain::delivery::Rejection;
use crate::domain::id::EventId;

/// Something that a person should look at, the numbers up to [`COUNT_CAP`](super::COUNT_CAP).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Anomaly {
    /// Events are due and nobody takes them.
    Overdue { count: i64, since: Timestamp, minutes: i64 },
    /// Events failed at each of several attempts and are tried again; what the first of them has in common with others.
    Failing { count: i64, since: Timestamp, why: Option<String> },
    /// Events wait for variants that no worker has.
    NoVariant { variants: Vec<String> },
    /// No event is processed: each worker lacks one of these handlers in the transaction.
    Deadlock { handlers: Vec<String> },
    /// Handlers are owed runs, and no worker has them.
    NoHandler { handlers: Vec<String> },
    /// Deliveries of a variant were refused, and none was taken since its last event.
    OnlyRejected { variant: String, count: i64, reason: Rejection },
    /// Deliveries with a wrong signature came beside good ones.
    BadSignatures { variant: String, count: i64, reason: Rejection, last: Timestamp },
    /// Deliveries could not be stored or verified just then.
    SentAway { variant: String, count: i64, reason: Rejection, last: Timestamp },
    /// Payments were created, and no event came since.
    Quiet { variant: String, last: Option<Timestamp> },
    /// The gateway listed events that it had not delivered.
    Missed { variant: String, count: i64, last: Timestamp },
    /// Payments, subscriptions or objects stand otherwise at the gateway of a variant.
    Drift { variant: String, count: i64, since: Timestamp },
    /// A chore fails at every turn.
    ChoreFails { name: String, since: Timestamp, why: String },
    /// It can't be looked for what would be another anomaly: why.
    LookFails { key: String, about: String, why: String },
    /// Gateways were asked to act, and nobody knows whether they did.
    OpenCalls { count: i64, since: Timestamp, verb: String, variant: String, token: String, on_subscription: bool },
    /// A dispute is open.
    Dispute { id: String, token: String, money: Option<String>, until: Option<Timestamp> },
    /// More disputes are open than are told one by one.
    MoreDisputes { count: i64 },
    /// Disputes of no real money are open.
    TestDisputes { count: i64 },
    /// Events of a kind were given up, and nobody has done anything about it; the last then.
    Discarded { variant: String, kind: String, count: i64, last: Timestamp },
    /// Events wait for payments that nobody will create any more.
    ParkedLong { count: i64, since: Timestamp },
    /// Events name objects that the gateway has not shown; why it can't be asked, if it can't.
    Unshown { variant: String, count: i64, since: Timestamp, cannot: Option<String> },
    /// A gateway did not show what events name, and is not asked again by itself; the last of these events.
    NotShown { variant: String, count: i64, event: EventId },
    /// Deliveries bore the id of an event and another body than its first; the last of these events.
    Differing { variant: String, count: i64, last: Timestamp, event: EventId },
    /// Authorizations are about to end, or the oldest has by what cards allow, and nobody has captured or canceled them.
    AuthorizedLong { count: i64, since: Timestamp, is_past: bool },
    /// Payments need a person's eye.
    NeedReview { count: i64 },
    /// Subscriptions are in a status that this release does not know, so that they let nobody in.
    UnknownStatus { count: i64 },
}

impl Anomaly {
    /// The variant that it is about, if it is about one alone.
    pub(super) fn variant(&self) -> Option<&str> {
        match self {
            Self::OnlyRejected { variant, .. }
            | Self::BadSignatures { variant, .. }
            | Self::SentAway { variant, .. }
            | Self::Quiet { variant, .. }
            | Self::Missed { variant, .. }
            | Self::Drift { variant, .. }
            | Self::Discarded { variant, .. }
            | Self::Unshown { variant, .. }
            | Self::NotShown { variant, .. }
            | Self::Differing { variant, .. } => Some(variant),
            _ => None,
        }
    }
}
