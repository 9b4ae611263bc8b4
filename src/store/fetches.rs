//! What gateways are asked to show, because events name it without showing it: a row from before a gateway is asked
//! until it is known what came of it.

use diesel::Queryable;

use crate::domain::Timestamp;
use crate::domain::event::EventState;
use crate::domain::id::{EventId, FetchId, PaymentId, SubscriptionId};
use crate::domain::operation::OperationState;
use crate::error::Error;
use crate::store::rows::EventRow;

/// An event that names an object, and the question that is begun for it unless one about the object is open.
#[derive(Debug, Clone)]
pub(crate) struct NewFetch {
    pub event: EventId,
    pub variant: String,
    pub object_type: String,
    pub gateway_ref: String,
    /// Empty for the merchant's own account.
    pub account: String,
    pub idempotency_key: String,
    pub created_at: Timestamp,
}

/// A stored question.
#[derive(Debug, Clone, Queryable)]
pub(crate) struct FetchRow {
    pub id: FetchId,
    pub variant: String,
    pub object_type: String,
    pub gateway_ref: String,
    pub account: String,
    pub idempotency_key: String,
    pub state: OperationState,
    pub outcome: Option<String>,
    pub attempts: i64,
    pub due_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub answers: String,
}

impl FetchRow {
    /// The gateway event ids of the answer.
    pub(crate) fn answers(&self) -> Vec<String> {
        serde_json::from_str(&self.answers).unwrap_or_default()
    }
}

/// What came of a try.
#[derive(Debug, Clone)]
pub(crate) struct FetchEnd {
    pub state: OperationState,
    pub outcome: String,
    /// When it is tried again.
    pub due_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    /// The gateway event ids of the answer.
    pub answers: Vec<String>,
    /// The key of the question that follows where events came after the try had begun, and when that is due.
    pub next: (String, Timestamp),
}

/// How an event of an answer stands.
#[derive(Debug, Clone, Queryable)]
pub(crate) struct AnswerRow {
    pub gateway_event_id: String,
    pub state: EventState,
    pub payment_id: Option<PaymentId>,
    pub subscription_id: Option<SubscriptionId>,
}

/// How an unsigned hint at an object stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct HintStanding {
    /// A payment here bears the object's id.
    pub is_known: bool,
    /// A question about it is open that has not begun, or is put once more.
    pub is_covered: bool,
    /// The gateway refused to show it lately.
    pub was_refused: bool,
}

/// What decides whether a question may be pruned.
#[derive(Debug, Clone, Queryable)]
pub(crate) struct KeptFetch {
    pub id: FetchId,
    /// As it is in the database: a word that no release wrote keeps its question and holds up no other.
    pub state: String,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}

/// The questions that are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OpenFetches {
    /// How many, counted up to a bound.
    pub count: i64,
    /// Since when the first of them is.
    pub since: Timestamp,
}

/// Questions to gateways.
pub(crate) trait Fetches {
    /// Begins these questions, or joins the one about the object that is open. Both hold for the transaction.
    fn ask(&mut self, asked: &[NewFetch]) -> Result<(), Error>;
    /// The questions that these events have begun or joined.
    fn asked_by(&mut self, events: &[EventId]) -> Result<Vec<(EventId, FetchRow)>, Error>;
    /// How the events with these ids of the gateway's stand.
    fn answers_of(&mut self, variant: &str, ids: &[String]) -> Result<Vec<AnswerRow>, Error>;
    /// Whether a question of one of these variants is due.
    fn is_fetch_due(&mut self, now: Timestamp, variants: &[String]) -> Result<bool, Error>;
    /// Takes the question of one of these variants that is due first for a try until `until`.
    fn claim_fetch(&mut self, now: Timestamp, until: Timestamp, variants: &[String])
    -> Result<Option<FetchRow>, Error>;
    /// Writes what came of this try, unless another has begun meanwhile: answers whether it was still this one's.
    fn settle_fetch(&mut self, tried: &FetchRow, end: &FetchEnd) -> Result<bool, Error>;
    /// Makes the events due that wait for what these keys answered.
    fn wake_fetching(&mut self, keys: &[String], now: Timestamp) -> Result<usize, Error>;
    /// The question with this key.
    fn fetch_under(&mut self, key: &str) -> Result<Option<FetchRow>, Error>;
    /// The first events that began or joined a question.
    fn events_asking(&mut self, fetch: FetchId, cap: i64) -> Result<Vec<EventRow>, Error>;
    /// The open questions of a variant; none if there are none.
    fn open_fetches(&mut self, variant: &str, cap: i64) -> Result<Option<OpenFetches>, Error>;
    /// The next questions after this one, in the order of their ids.
    fn kept_fetches(&mut self, after: FetchId, limit: i64) -> Result<Vec<KeptFetch>, Error>;
    /// Deletes these questions, but for those whose events are not at their end; answers how many it deleted.
    fn prune_fetches(&mut self, fetches: &[FetchId]) -> Result<usize, Error>;
    /// How many events were discarded and still are, because their gateway does not show what they name, and the newest
    /// of them: of one variant or of so many, in their order, each counted up to `cap`.
    fn not_shown(
        &mut self,
        only: Option<&str>,
        variants: usize,
        cap: i64,
    ) -> Result<Vec<(String, i64, EventId)>, Error>;
    /// How a hint at this object stands; `lately`: since when a refusal counts.
    fn hint_standing(&mut self, variant: &str, gateway_ref: &str, lately: Timestamp) -> Result<HintStanding, Error>;
}
