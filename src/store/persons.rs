//! What is stored of persons: which tables' rows belong to them, and which columns may say something in words.

use crate::domain::Timestamp;
use crate::domain::id::{EventId, PaymentId, SubscriptionId};
use crate::error::Error;

/// Whose rows a table has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    Payments,
    Subscriptions,
    Events,
    /// The questions to gateways that the person's events began or joined.
    Fetches,
    /// What was found to stand otherwise at the gateway.
    Differences,
}

/// Rows of a table: those where the column is one of these numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub table: &'static str,
    pub column: &'static str,
    pub ids: &'a [i64],
}

/// Every table with rows of a person, and the column that says whose. The bodies of events are asked for by themselves.
pub(crate) const HELD: [(&str, &str, Whose); 26] = [
    ("pay_payments", "id", Whose::Payments),
    ("pay_payers", "payment_id", Whose::Payments),
    ("pay_words", "payment_id", Whose::Payments),
    ("pay_ledger", "payment_id", Whose::Payments),
    ("pay_references", "payment_id", Whose::Payments),
    ("pay_transitions", "payment_id", Whose::Payments),
    ("pay_operations", "payment_id", Whose::Payments),
    ("pay_creations", "payment_id", Whose::Payments),
    ("pay_audit", "payment_id", Whose::Payments),
    ("pay_subscriptions", "id", Whose::Subscriptions),
    ("pay_words", "subscription_id", Whose::Subscriptions),
    ("pay_subscription_transitions", "subscription_id", Whose::Subscriptions),
    ("pay_subscription_operations", "subscription_id", Whose::Subscriptions),
    ("pay_subscription_invoices", "subscription_id", Whose::Subscriptions),
    ("pay_audit", "subscription_id", Whose::Subscriptions),
    ("pay_events", "id", Whose::Events),
    ("pay_event_facts", "event_id", Whose::Events),
    ("pay_event_references", "event_id", Whose::Events),
    ("pay_attempts", "event_id", Whose::Events),
    ("pay_audit", "event_id", Whose::Events),
    ("pay_audit_events", "event_id", Whose::Events),
    ("pay_pruned", "event_id", Whose::Events),
    ("pay_differing", "event_id", Whose::Events),
    ("pay_fetch_events", "event_id", Whose::Events),
    ("pay_fetches", "id", Whose::Fetches),
    ("pay_differences", "id", Whose::Differences),
];

/// What becomes of a text of a person's row when the person is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It goes.
    Gone,
    /// It was written freely, by people or by other programs: a word in its place says that it was erased.
    Replaced,
    /// A sentence of ours: a person's words in it go.
    Scrubbed,
    /// JSON of ours, or somebody's name, where another word may mean something else: what can be nothing but the person's
    /// goes, addresses and texts of several words.
    ScrubbedSurely,
    /// A part of a key: as the one before, and what is left gets an end of its own.
    ScrubbedKey,
}

/// Every column that may say something of a person in words, but for what is taken apart by itself: the bodies of events
/// and the facts of subscriptions.
pub(crate) const TEXTS: [(&str, &str, &str, Whose, Fate); 35] = [
    ("pay_payments", "id", "customer", Whose::Payments, Fate::Gone),
    ("pay_payments", "id", "metadata", Whose::Payments, Fate::Gone),
    ("pay_payments", "id", "reference", Whose::Payments, Fate::Scrubbed),
    ("pay_payments", "id", "concerns", Whose::Payments, Fate::Scrubbed),
    ("pay_references", "payment_id", "gateway_ref", Whose::Payments, Fate::ScrubbedKey),
    ("pay_transitions", "payment_id", "cause", Whose::Payments, Fate::Scrubbed),
    ("pay_transitions", "payment_id", "dispute_fact", Whose::Payments, Fate::ScrubbedSurely),
    ("pay_ledger", "payment_id", "reason", Whose::Payments, Fate::Scrubbed),
    ("pay_operations", "payment_id", "reason", Whose::Payments, Fate::Replaced),
    ("pay_operations", "payment_id", "outcome", Whose::Payments, Fate::Scrubbed),
    ("pay_operations", "payment_id", "actor", Whose::Payments, Fate::ScrubbedSurely),
    ("pay_creations", "payment_id", "host_key", Whose::Payments, Fate::ScrubbedKey),
    ("pay_creations", "payment_id", "address", Whose::Payments, Fate::Gone),
    ("pay_audit", "payment_id", "detail", Whose::Payments, Fate::Replaced),
    ("pay_audit", "payment_id", "actor", Whose::Payments, Fate::ScrubbedSurely),
    ("pay_subscriptions", "id", "owner", Whose::Subscriptions, Fate::ScrubbedSurely),
    ("pay_subscription_transitions", "subscription_id", "cause", Whose::Subscriptions, Fate::Scrubbed),
    ("pay_subscription_transitions", "subscription_id", "state_before", Whose::Subscriptions, Fate::ScrubbedSurely),
    ("pay_subscription_transitions", "subscription_id", "state_after", Whose::Subscriptions, Fate::ScrubbedSurely),
    ("pay_subscription_operations", "subscription_id", "outcome", Whose::Subscriptions, Fate::Scrubbed),
    ("pay_subscription_operations", "subscription_id", "actor", Whose::Subscriptions, Fate::ScrubbedSurely),
    ("pay_subscription_operations", "subscription_id", "params", Whose::Subscriptions, Fate::ScrubbedSurely),
    ("pay_subscription_invoices", "subscription_id", "fact", Whose::Subscriptions, Fate::ScrubbedSurely),
    ("pay_audit", "subscription_id", "detail", Whose::Subscriptions, Fate::Replaced),
    ("pay_audit", "subscription_id", "actor", Whose::Subscriptions, Fate::ScrubbedSurely),
    ("pay_events", "id", "outcome", Whose::Events, Fate::Scrubbed),
    ("pay_events", "id", "failure", Whose::Events, Fate::Scrubbed),
    ("pay_events", "id", "matched_by", Whose::Events, Fate::Scrubbed),
    ("pay_event_facts", "event_id", "summary", Whose::Events, Fate::Scrubbed),
    ("pay_event_facts", "event_id", "facts", Whose::Events, Fate::ScrubbedSurely),
    ("pay_event_references", "event_id", "gateway_ref", Whose::Events, Fate::ScrubbedKey),
    ("pay_attempts", "event_id", "error", Whose::Events, Fate::Replaced),
    ("pay_audit", "event_id", "detail", Whose::Events, Fate::Replaced),
    ("pay_fetches", "id", "outcome", Whose::Fetches, Fate::Scrubbed),
    ("pay_differences", "id", "fields", Whose::Differences, Fate::ScrubbedSurely),
];

/// Texts that are nobody's row, and in which an address may stand all the same.
pub(crate) const ANYBODYS: [(&str, &str); 8] = [
    ("pay_audit", "detail"),
    ("pay_audit", "actor"),
    ("pay_alarms", "sentence"),
    ("pay_chores", "note"),
    ("pay_chores", "failure"),
    ("pay_operations", "actor"),
    ("pay_subscription_operations", "actor"),
    ("pay_drift", "why"),
];

/// The number of a row, its token, whose it is as far as the row says, and whether it says anything of a person.
pub(crate) type Naming = (i64, String, Option<String>, bool);

/// Finding, showing and erasing what is stored of a person.
pub(crate) trait Persons {
    /// How many marks there are.
    fn count_marks(&mut self) -> Result<i64, Error>;
    /// The marks of everybody who was erased.
    fn marks(&mut self) -> Result<Vec<String>, Error>;
    /// Adds marks; one that is there stays as it is.
    fn add_marks(&mut self, marks: &[String], now: Timestamp) -> Result<(), Error>;
    /// Waits for the batches that are under way, and lets nobody begin one or take an event in until the transaction ends.
    fn hold_everything(&mut self) -> Result<(), Error>;
    /// All events of these payments and subscriptions.
    fn all_events_of(
        &mut self,
        payments: &[PaymentId],
        subscriptions: &[SubscriptionId],
    ) -> Result<Vec<EventId>, Error>;
    /// The questions to gateways that these events began or joined.
    fn fetches_of(&mut self, events: &[EventId]) -> Result<Vec<i64>, Error>;
    /// The differences from the gateway that were found of these: tokens, and gateways' ids.
    fn differences_of(&mut self, names: &[String]) -> Result<Vec<i64>, Error>;
    /// Holds these events until the transaction ends; waits while others do.
    fn wait_for_events(&mut self, events: &[EventId]) -> Result<(), Error>;
    /// The next payments after this one, each with what it says of a person.
    fn next_payments(&mut self, after: PaymentId, limit: i64) -> Result<Vec<Naming>, Error>;
    /// The same of subscriptions.
    fn next_subscriptions(&mut self, after: SubscriptionId, limit: i64) -> Result<Vec<Naming>, Error>;
    /// The next stored bodies after this event, in the order of their ids.
    fn bodies_after(&mut self, after: EventId, limit: i64) -> Result<Vec<(EventId, Vec<u8>)>, Error>;
    /// The stored headers and bodies of these events.
    fn bodies_of(&mut self, events: &[EventId]) -> Result<Vec<(EventId, String, Vec<u8>)>, Error>;
    /// Puts another body in the place of an event's, without headers.
    fn replace_body(&mut self, event: EventId, body: &[u8]) -> Result<(), Error>;
    /// These rows, each as a JSON object.
    fn as_json(&mut self, rows: Rows<'_>) -> Result<Vec<String>, Error>;
    /// The different texts in a column of these rows.
    fn texts_of(&mut self, rows: Rows<'_>, text: &'static str) -> Result<Vec<String>, Error>;
    /// Puts another text in the place of each that is like `old`.
    fn replace_text(&mut self, rows: Rows<'_>, text: &'static str, old: &str, new: Option<&str>) -> Result<(), Error>;
    /// The different texts in a column of any row that contain a word, in lower case.
    fn texts_with(&mut self, table: &'static str, text: &'static str, word: &str) -> Result<Vec<String>, Error>;
    /// Puts another text in the place of each that is like `old`, in any row.
    fn replace_anybodys(&mut self, table: &'static str, text: &'static str, old: &str, new: &str) -> Result<(), Error>;
}
