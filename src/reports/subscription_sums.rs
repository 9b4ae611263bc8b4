//! How do subscriptions stand in all? Counts by status, what began and ended, and what recurs in a month.

use super::browse::COUNT_CAP;
use super::span::{Bucket, Span, columns};
use crate::domain::Timestamp;
use crate::domain::subscription::SubscriptionStatus;
use crate::engine::tally::{ENDED, PAST_DUE, STARTED, TEST};
use crate::error::Error;
use crate::store::Tx;
use crate::store::subscriptions::MonthlySum;

/// Of how many subscriptions in one status, mode and currency the sums are at the most.
const SUMMED: i64 = 20_000;

/// How subscriptions stand.
pub(crate) struct SubscriptionSums {
    /// How many are in each status, up to [`COUNT_CAP`].
    pub counts: Vec<(SubscriptionStatus, i64)>,
    /// What recurs in a month, by mode and currency.
    pub monthly: Vec<MonthlySum>,
    /// What began, ended and became past due, by the gateway's time, for a chart: of real subscriptions.
    pub buckets: Vec<Bucket>,
    /// The same of tests.
    pub test_buckets: Vec<Bucket>,
}

/// The sums, with a chart of `span` that ends with the hour before `end`; `None` where there are no subscriptions.
pub(super) fn sums(tx: &mut dyn Tx, end: Timestamp, span: Span) -> Result<Option<SubscriptionSums>, Error> {
    let counts = tx.count_subscriptions(&SubscriptionStatus::ALL, COUNT_CAP)?;
    if counts.iter().all(|count| *count == 0) {
        return Ok(None);
    }
    let bounds = columns(end, span);
    let mut buckets = |mode: &str| {
        let [started, ended, past_due] = [STARTED, ENDED, PAST_DUE].map(|outcome| format!("{outcome}{mode}"));
        let series = tx.series(&bounds, [&[started.as_str()], &[ended.as_str()], &[past_due.as_str()]])?;
        let bucket =
            |(at, [received, done, failed]): (&Timestamp, [i64; 3])| Bucket { at: *at, received, done, failed };
        Ok::<Vec<Bucket>, Error>(bounds.iter().zip(series).map(bucket).collect())
    };
    let (real, test) = (buckets("")?, buckets(TEST)?);
    Ok(Some(SubscriptionSums {
        counts: SubscriptionStatus::ALL.into_iter().zip(counts).collect(),
        monthly: tx.monthly_sums(SUMMED)?,
        buckets: real,
        test_buckets: test,
    }))
}
