//! What subscriptions need from a database, for a batch of events and for one reader: their rows and what can be asked
//! of them.

use diesel::Queryable;

use super::filters::{MomentKey, Span};
use super::sets::Key;
use crate::domain::Timestamp;
use crate::domain::id::{EventId, SubscriptionId, SubscriptionTransitionId};
use crate::domain::scope::Scope;
use crate::domain::subscription::SubscriptionStatus;
use crate::error::Error;
use crate::store::audit::ActRow;
use crate::store::rows::EventRow;

/// A stored subscription. All but the ids, the mode and the row's own times follows from `facts`.
#[derive(Debug, Clone, Queryable)]
#[allow(dead_code, reason = "a row is read whole")]
pub(crate) struct SubscriptionRow {
    pub id: SubscriptionId,
    pub token: String,
    pub variant: String,
    pub gateway_ref: Option<String>,
    pub status: SubscriptionStatus,
    pub gateway_status: Option<String>,
    pub owner: Option<String>,
    pub customer: Option<String>,
    pub customer_ref: Option<String>,
    /// A JSON list.
    pub items: String,
    pub period_start: Option<Timestamp>,
    pub period_end: Option<Timestamp>,
    pub trial_end: Option<Timestamp>,
    pub cancel_at: Option<Timestamp>,
    pub cancel_at_period_end: bool,
    pub canceled_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// A JSON object.
    pub pause: Option<String>,
    pub latest_invoice: Option<String>,
    /// A JSON object.
    pub invoice: Option<String>,
    /// Since when money is due, while it is past due.
    pub due_since: Option<Timestamp>,
    pub certain: bool,
    pub as_of: Option<Timestamp>,
    pub as_of_event: Option<String>,
    pub livemode: Option<bool>,
    pub adopted: bool,
    /// A JSON object.
    pub facts: String,
    /// How often it was written; 0 before the first time.
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// What the items come to in a month, in minor units, with the currency.
    pub monthly_amount: Option<i64>,
    pub monthly_currency: Option<String>,
}

/// A subscription's transition to be added.
#[derive(Debug, Clone)]
pub(crate) struct NewSubscriptionTransition {
    pub subscription_id: SubscriptionId,
    pub event_id: Option<EventId>,
    pub from_status: SubscriptionStatus,
    pub to_status: SubscriptionStatus,
    pub cause: String,
    /// A JSON object, as the next.
    pub before: String,
    pub after: String,
    pub created_at: Timestamp,
}

/// A stored transition of a subscription.
#[derive(Debug, Clone, Queryable)]
#[allow(dead_code, reason = "a row is read whole")]
pub(crate) struct SubscriptionTransitionRow {
    pub id: SubscriptionTransitionId,
    pub subscription_id: SubscriptionId,
    pub event_id: Option<EventId>,
    pub from_status: SubscriptionStatus,
    pub to_status: SubscriptionStatus,
    pub cause: String,
    /// A JSON object, as the next.
    pub before: String,
    pub after: String,
    pub created_at: Timestamp,
}

/// Which subscriptions a list shows; those that match all that is said.
#[derive(Debug, Clone, Default)]
pub(crate) struct SubscriptionFilter {
    /// Whose rows may be seen at all.
    pub scope: Scope,
    pub variant: Option<String>,
    pub statuses: Vec<SubscriptionStatus>,
    pub owner: Option<String>,
    /// The customer's email address.
    pub customer: Option<String>,
    /// The gateway's id of the customer.
    pub customer_ref: Option<String>,
    /// Any of these, by number, where it was searched for them.
    pub among: Option<Vec<SubscriptionId>>,
    /// The gateway's id of a price or product among the items.
    pub price: Option<String>,
    /// The gateway's id of the connected account whose subscriptions they are.
    pub account: Option<String>,
    /// Those that will renew: from the first moment on, before the second.
    pub renews: Option<(Timestamp, Timestamp)>,
    /// Those that are past due since before this moment.
    pub due_before: Option<Timestamp>,
    /// Those whose end is decided and to come, or those that go on.
    pub ending: Option<bool>,
    pub livemode: Option<bool>,
}

/// The subscriptions of one index, in its order: by id, apart from `Renewing` and `Due`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SubscriptionStream {
    All,
    Status(SubscriptionStatus),
    Variant(String),
    VariantStatus(String, SubscriptionStatus),
    Owner(String),
    /// With this price or product among the items.
    Price(String),
    /// Those of a connected account.
    Account(String),
    Ending(bool),
    Mode(bool),
    /// Those that a search found; whatever the window.
    Found(Vec<SubscriptionId>),
    /// Those that will renew, by the end of the period.
    Renewing,
    /// By the moment since when money is due.
    Due,
}

/// What a list of subscriptions goes by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum SubscriptionSort {
    #[default]
    Id,
    /// When they renew.
    Renewal,
    /// Since when they are past due.
    Due,
}

/// Which part of a list of subscriptions is read.
#[derive(Debug, Clone)]
pub(crate) struct SubscriptionWindow {
    pub sort: SubscriptionSort,
    pub ids: Span<i64>,
    /// Read only where the list goes by a moment.
    pub moments: Span<MomentKey>,
    /// From its lowest to its highest.
    pub rising: bool,
    /// How many rows of a stream are looked at.
    pub depth: i64,
}

/// What subscriptions of one mode and currency come to in a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MonthlySum {
    pub livemode: Option<bool>,
    pub currency: String,
    /// In minor units.
    pub amount: i64,
    pub count: i64,
    /// Whether there are more than were added up.
    pub is_cut: bool,
}

/// Which subscriptions that are not certain are asked about: those of a variant that have not changed after `since`,
/// and that have changed since they were asked about, or were not asked about after `asked`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Doubts<'a> {
    pub variant: &'a str,
    pub since: Timestamp,
    pub asked: Timestamp,
    /// Whose questions are counted: there are fewer of them than this since the newest moment that is known of the
    /// subscription, and than the next after `asked`. One that got no answer counts only from `unanswered` on.
    pub asker: &'a str,
    pub unanswered: Timestamp,
    pub per_doubt: i64,
    pub per_subscription: i64,
    pub limit: i64,
}

/// A stored invoice of a subscription, and one to be written.
#[derive(Debug, Clone, Queryable)]
#[allow(dead_code, reason = "a row is read whole")]
pub(crate) struct InvoiceRow {
    /// 0 before it is written.
    pub id: i64,
    pub subscription_id: SubscriptionId,
    pub variant: String,
    pub gateway_ref: String,
    pub status: String,
    pub paid: bool,
    pub invoiced_at: Timestamp,
    /// A JSON object.
    pub fact: String,
}

/// Subscriptions, their transitions and their invoices.
pub(crate) trait Subscriptions {
    /// These subscriptions by gateway ref or token, each held until the transaction ends; locked in the order of their
    /// ids.
    fn hold_subscriptions(&mut self, keys: &[Key], tokens: &[String]) -> Result<Vec<SubscriptionRow>, Error>;
    /// The same without holding them.
    fn subscriptions_of(&mut self, keys: &[Key], tokens: &[String]) -> Result<Vec<SubscriptionRow>, Error>;
    /// Writes subscriptions and adds those that are new (version 0); answers their ids by their tokens. Each must still
    /// be of the version that was read, which is the row's.
    ///
    /// # Errors
    /// `Conflict` when another writer came first.
    fn save_subscriptions(&mut self, rows: &[SubscriptionRow]) -> Result<Vec<(String, SubscriptionId)>, Error>;
    /// Deletes a subscription that no event was about yet, and gives its token to the one that it turned out to be, if
    /// that is stored.
    fn put_in_place(&mut self, started: &SubscriptionRow, adopted: SubscriptionId) -> Result<(), Error>;
    /// Adds transitions; answers their ids in the same order.
    fn add_subscription_transitions(
        &mut self,
        steps: &[NewSubscriptionTransition],
    ) -> Result<Vec<SubscriptionTransitionId>, Error>;
    /// The transitions that these events caused, oldest first.
    fn subscription_transitions_by(&mut self, events: &[EventId]) -> Result<Vec<SubscriptionTransitionRow>, Error>;

    /// These invoices, as far as they are stored.
    fn invoices_of(&mut self, keys: &[Key]) -> Result<Vec<InvoiceRow>, Error>;
    /// Those of these that are invoices of subscriptions started here, and those of these tokens that such ones bear.
    fn started_here(&mut self, keys: &[Key], tokens: &[String]) -> Result<(Vec<Key>, Vec<String>), Error>;
    /// Writes invoices, each in the place of the stored one with its gateway ref.
    fn save_invoices(&mut self, rows: &[InvoiceRow]) -> Result<(), Error>;
    /// The tokens of subscriptions that are not certain and are to be asked about.
    fn doubtful_subscriptions(&mut self, doubts: &Doubts<'_>) -> Result<Vec<String>, Error>;
    /// The tokens of subscriptions that should have been heard of: with a period that ended before `before`; without
    /// those that were asked about after `asked`. Up to `cap`.
    fn stale_subscriptions(
        &mut self,
        variant: &str,
        before: Timestamp,
        asked: Timestamp,
        cap: i64,
    ) -> Result<Vec<String>, Error>;
    /// The invoices of a subscription, newest first.
    fn invoices_of_subscription(&mut self, subscription: SubscriptionId, cap: i64) -> Result<Vec<InvoiceRow>, Error>;

    /// The subscription with this id.
    fn subscription(&mut self, id: SubscriptionId) -> Result<Option<SubscriptionRow>, Error>;
    /// Up to `limit` subscriptions before this one, newest first.
    fn list_subscriptions(
        &mut self,
        filter: &SubscriptionFilter,
        before: Option<SubscriptionId>,
        limit: i64,
    ) -> Result<Vec<SubscriptionRow>, Error>;
    /// The first `limit` ids of a part of a stream, in the order of the list, that the rest of the filter wants.
    fn subscription_ids(
        &mut self,
        of: &SubscriptionStream,
        rest: &SubscriptionFilter,
        window: &SubscriptionWindow,
        limit: i64,
    ) -> Result<Vec<SubscriptionId>, Error>;
    /// Where the looking at a stream stops, if that is before its end.
    fn subscription_reach(
        &mut self,
        of: &SubscriptionStream,
        window: &SubscriptionWindow,
    ) -> Result<Option<SubscriptionId>, Error>;
    /// Where a subscription stands in a list that goes by a moment.
    fn subscription_moment(&mut self, sort: SubscriptionSort, id: SubscriptionId) -> Result<Option<MomentKey>, Error>;
    /// How many there are in each status, counted up to `cap`.
    fn count_subscriptions(&mut self, statuses: &[SubscriptionStatus], cap: i64) -> Result<Vec<i64>, Error>;
    /// Whether there is one of real money.
    fn has_real_subscription(&mut self) -> Result<bool, Error>;
    /// What those in good standing or past due come to in a month, by mode and currency, and how many they are; of
    /// `cap` in each status and mode at the most.
    fn monthly_sums(&mut self, cap: i64) -> Result<Vec<MonthlySum>, Error>;
    /// The first `limit` ids after this one of subscriptions whose monthly sum is not of the version that is stored.
    fn sums_owed(&mut self, after: SubscriptionId, limit: i64) -> Result<Vec<SubscriptionId>, Error>;
    /// Writes the monthly sums of these, as far as they are still of the version that was read.
    fn put_sums(&mut self, rows: &[SubscriptionRow]) -> Result<(), Error>;
    /// The subscriptions that `text` names: by token, gateway ref, invoice, the gateway's id of the customer, owner or
    /// email address. Up to `cap` by each.
    fn find_subscriptions(&mut self, text: &str, cap: i64) -> Result<Vec<SubscriptionId>, Error>;
    /// The transitions of a subscription, newest first.
    fn transitions_of_subscription(
        &mut self,
        subscription: SubscriptionId,
    ) -> Result<Vec<SubscriptionTransitionRow>, Error>;
    /// The acts on a subscription and on its events, newest first.
    fn acts_of_subscription(&mut self, subscription: SubscriptionId) -> Result<Vec<ActRow>, Error>;
    /// The account that the newest event of the subscription with this token names, if any names one.
    fn account_of_subscription(&mut self, token: &str) -> Result<Option<String>, Error>;
    /// The events of a subscription, newest first.
    fn events_of_subscription(&mut self, subscription: SubscriptionId, cap: i64) -> Result<Vec<EventRow>, Error>;
}
