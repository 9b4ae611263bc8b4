//! How do subscriptions stand in all? Counts by status, what began and ended, and what recurs in a month.

use super::browse::{COUNT_CAP, Page, newest_subscriptions, subscriptions_counted};
use super::span::{Bucket, Span, columns};
use crate::domain::Timestamp;
use crate::domain::scope::Scope;
use crate::domain::subscription::SubscriptionStatus;
use crate::engine::tally::{ENDED, PAST_DUE, STARTED, TEST};
use crate::error::Error;
use crate::store::Tx;
use crate::store::subscriptions::{MonthlySum, SubscriptionRow};

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
pub(super) fn sums(
    tx: &mut dyn Tx,
    end: Timestamp,
    span: Span,
    scope: &Scope,
    variants: &[String],
) -> Result<Option<SubscriptionSums>, Error> {
    let (counts, newest) = if scope.is_all() {
        let counts = tx.count_subscriptions(&SubscriptionStatus::ALL, COUNT_CAP)?;
        (SubscriptionStatus::ALL.into_iter().zip(counts).collect::<Vec<_>>(), None)
    } else {
        let newest = newest_subscriptions(tx, scope, variants)?;
        let counts = subscriptions_counted(&newest).into_iter().map(|(status, counted)| (status, counted.count));
        (counts.collect(), Some(newest))
    };
    if counts.iter().all(|(_, count)| *count == 0) {
        return Ok(None);
    }
    let bounds = columns(end, span);
    let mut buckets = |mode: &str| {
        let [started, ended, past_due] = [STARTED, ENDED, PAST_DUE].map(|outcome| format!("{outcome}{mode}"));
        let series = tx.series(&bounds, [&[started.as_str()], &[ended.as_str()], &[past_due.as_str()]], scope)?;
        let bucket =
            |(at, [received, done, failed]): (&Timestamp, [i64; 3])| Bucket { at: *at, received, done, failed };
        Ok::<Vec<Bucket>, Error>(bounds.iter().zip(series).map(bucket).collect())
    };
    let (real, test) = (buckets("")?, buckets(TEST)?);
    Ok(Some(SubscriptionSums {
        counts,
        monthly: match newest {
            Some(newest) => monthly(&newest),
            None => tx.monthly_sums(SUMMED)?,
        },
        buckets: real,
        test_buckets: test,
    }))
}

/// What recurs in a month of these: no index adds up some variants' alone.
fn monthly(newest: &Page<SubscriptionRow>) -> Vec<MonthlySum> {
    let mut sums: Vec<MonthlySum> = Vec::new();
    let running = [SubscriptionStatus::Active, SubscriptionStatus::PastDue];
    for row in newest.rows.iter().filter(|row| running.contains(&row.status)) {
        let Some((amount, currency)) = row.monthly_amount.zip(row.monthly_currency.clone()) else { continue };
        let livemode = row.livemode;
        let at = sums.iter().position(|sum| (sum.livemode, &sum.currency) == (livemode, &currency));
        let at = at.unwrap_or_else(|| {
            let is_cut = newest.further.is_some();
            sums.push(MonthlySum { livemode, currency, count: 0, amount: 0, is_cut });
            sums.len() - 1
        });
        sums[at].count += 1;
        sums[at].amount = sums[at].amount.saturating_add(amount);
    }
    sums.sort_by(|one, other| (other.livemode, &one.currency).cmp(&(one.livemode, &other.currency)));
    sums
}
