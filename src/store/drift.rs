//! Comparing with gateways: how far a comparison has come, what it found, and which rows it walks through.

use diesel::Queryable;

use crate::domain::Timestamp;
use crate::domain::id::{PaymentId, SubscriptionId};
use crate::error::Error;

/// A comparison of a variant with its gateway.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub(crate) struct DriftRow {
    pub variant: String,
    pub since: Timestamp,
    pub until: Timestamp,
    /// Where it goes on; `None` when it has ended.
    pub place: Option<String>,
    pub compared: i64,
    /// How many questions had no answer, and why the last of these had none.
    pub unanswered: i64,
    pub why: Option<String>,
    pub begun_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

/// Something that stands otherwise at the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub(crate) struct DifferenceRow {
    /// 0 before it is written.
    pub id: i64,
    pub variant: String,
    pub subject: String,
    pub name: String,
    pub object_type: Option<String>,
    /// A JSON list.
    pub fields: String,
    pub found_at: Timestamp,
    pub seen_at: Timestamp,
}

/// Which payments and subscriptions are walked through: some of a variant, by their ids.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Walk<'a> {
    pub variant: &'a str,
    /// Behind this id, up to that one.
    pub after: i64,
    pub upto: i64,
    pub limit: i64,
}

/// Comparisons and what they find.
pub(crate) trait Comparisons {
    /// The comparisons, by variant.
    fn comparisons(&mut self) -> Result<Vec<DriftRow>, Error>;
    /// Writes a comparison, new or changed.
    fn keep_comparison(&mut self, comparison: &DriftRow) -> Result<(), Error>;
    /// Notes a difference, in the place of the one that was found before about the same.
    fn keep_difference(&mut self, difference: &DifferenceRow) -> Result<(), Error>;
    /// Forgets the differences about these: subject and name.
    fn forget_differences(&mut self, variant: &str, agreeing: &[(String, String)]) -> Result<(), Error>;
    /// Forgets the differences that were last seen before this moment.
    fn forget_differences_before(&mut self, variant: &str, seen: Timestamp) -> Result<(), Error>;
    /// The variants of which something differs, in their order, so many of them.
    fn differing_variants(&mut self, most: usize) -> Result<Vec<String>, Error>;
    /// When differences of this variant were found, up to `cap` of them in no order.
    fn differed(&mut self, variant: &str, cap: i64) -> Result<Vec<Timestamp>, Error>;
    /// The differences behind the one with this number, in the order of their numbers.
    fn differences(&mut self, variant: Option<&str>, after: i64, limit: i64) -> Result<Vec<DifferenceRow>, Error>;
    /// Whether one of these objects is noted as unknown.
    fn has_differing_objects(&mut self, variant: &str, names: &[String]) -> Result<bool, Error>;
    /// The difference with this number.
    fn difference(&mut self, id: i64) -> Result<Option<DifferenceRow>, Error>;
    /// Payments that the gateway knows: those that were created from `since` on, and, of any age, those that are open.
    /// `only_open`: only these, and those of other accounts than the merchant's own.
    fn payments_to_compare(
        &mut self,
        walk: &Walk<'_>,
        since: Timestamp,
        only_open: bool,
    ) -> Result<Vec<(PaymentId, String)>, Error>;
    /// Subscriptions that the gateway knows and that have not ended.
    fn subscriptions_to_compare(&mut self, walk: &Walk<'_>) -> Result<Vec<(SubscriptionId, String)>, Error>;
    /// The highest id of a subscription.
    fn last_subscription(&mut self) -> Result<Option<SubscriptionId>, Error>;
}
