//! Which rows does a list show, and how is it read? A list reads a *stream*, the rows of one index in its order,
//! and leaves out what the rest of the filter does not want; it looks at so many rows and no more.

use crate::domain::Timestamp;
use crate::domain::event::EventState;
use crate::domain::id::{EventId, PaymentId};
use crate::domain::payment::Status;
use crate::domain::scope::Scope;
use crate::store::rows::PaymentRow;

/// Which payments a list shows. Absorbed ones are never listed.
#[derive(Debug, Clone, Default)]
pub(crate) struct PaymentFilter {
    /// Whose rows may be seen at all.
    pub scope: Scope,
    /// Any of these; any at all where there are none.
    pub statuses: Vec<Status>,
    pub needs_review: bool,
    pub variant: Option<String>,
    /// The gateway's account, which is not the merchant's own.
    pub account: Option<String>,
    /// The customer's email address, in small letters.
    pub customer: Option<String>,
    pub livemode: Option<bool>,
    pub currency: Option<String>,
    /// A currency each, with its smallest and largest amount in minor units; other currencies are left out.
    pub amounts: Option<Vec<AmountRange>>,
    /// When it was created: from the first moment on, before the second.
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

/// Amounts of one currency in minor units, both ends included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AmountRange {
    pub currency: String,
    pub least: i64,
    pub most: i64,
}

/// Which events a list shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct EventFilter {
    /// Whose rows may be seen at all.
    pub scope: Scope,
    pub state: Option<EventState>,
    pub variant: Option<String>,
    /// The gateway's account that it names.
    pub account: Option<String>,
    /// A kind, or the beginning of one followed by `*`.
    pub kind: Option<String>,
    pub livemode: Option<bool>,
    /// Only those that were delivered more than once.
    pub repeated: bool,
    /// Only deliveries that came late: ten minutes or more after what they tell of.
    pub late: bool,
    /// A group of failures.
    pub failure: Option<String>,
    /// Only failures of this handler.
    pub handler: Option<String>,
    /// How it ended, in a word.
    pub code: Option<String>,
    /// When it was received: from the first moment on, before the second.
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

impl EventFilter {
    /// How the kinds begin that are wanted, if it is not one kind.
    pub(crate) fn kinds_from(&self) -> Option<&str> {
        self.kind.as_deref().and_then(|kind| kind.strip_suffix('*'))
    }
}

/// The payments of one index, in its order: by id, apart from `Amount`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PaymentStream {
    All,
    Status(Status),
    NeedsReview,
    Variant(String),
    /// Of one account of the gateway's, which is not the merchant's own.
    Account(String),
    /// Of one customer, by the email address in small letters.
    Customer(String),
    /// By currency, amount and id.
    Amount,
    /// Those that a search found; whatever the window.
    Found(Vec<PaymentId>),
}

/// The events of one index, by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EventStream {
    All,
    State(EventState),
    Kind(String),
    Variant(String),
    Repeated,
    /// Deliveries that came late.
    Late,
    /// Of one group of failures.
    Failure(String),
    /// Those that a search found; whatever the window.
    Found(Vec<EventId>),
}

/// A place in the order of amounts. Minor units of different currencies do not compare, so the currency goes first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AmountKey {
    pub currency: String,
    pub amount: i64,
    pub id: i64,
}

impl AmountKey {
    /// Where the payment stands as it was read.
    pub(crate) fn of(row: &PaymentRow) -> Self {
        Self { currency: row.currency.to_string(), amount: row.amount, id: row.id.0 }
    }

    /// Before all there is.
    pub(crate) fn first() -> Self {
        Self { currency: String::new(), amount: i64::MIN, id: 0 }
    }

    /// After all there is: no code is longer than three letters.
    pub(crate) fn last() -> Self {
        Self { currency: "ZZZZ".to_owned(), amount: i64::MAX, id: i64::MAX }
    }
}

/// A place in an order of moments.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MomentKey {
    pub at: Timestamp,
    pub id: i64,
}

/// What lies strictly between two places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span<K> {
    pub above: K,
    pub below: K,
}

impl<K: Ord> Span<K> {
    /// Whether this place is in it.
    pub(crate) fn holds(&self, place: &K) -> bool {
        self.above < *place && *place < self.below
    }
}

/// Which part of a stream is read. The ids are bare numbers: a bound need be no row's.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    pub ids: Span<i64>,
    /// Read only by streams that go by amount, and by lists that are to.
    pub amounts: Span<AmountKey>,
    /// From its lowest to its highest.
    pub rising: bool,
    /// How many rows of the stream are looked at.
    pub depth: i64,
}

impl Window {
    /// From one end to the other, the highest first.
    pub(crate) fn whole(depth: i64) -> Self {
        let amounts = Span { above: AmountKey::first(), below: AmountKey::last() };
        Self { ids: Span { above: 0, below: i64::MAX }, amounts, rising: false, depth }
    }
}
