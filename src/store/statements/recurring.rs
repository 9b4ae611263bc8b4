//! What do subscriptions come to in a month? Sums of one index, which has all that they need.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};

use super::lists::values_of_parts;
use super::said::Said;
use super::{Connection, failed};
use crate::domain::id::SubscriptionId;
use crate::domain::subscription::SubscriptionStatus;
use crate::error::Error;
use crate::store::subscriptions::{MonthlySum, SubscriptionRow};
use monthly_sums::dsl as m;

diesel::table! {
    use diesel::sql_types::*;
    /// The columns of a subscription that its monthly sum is kept in.
    #[sql_name = "pay_subscriptions"]
    monthly_sums (id) {
        id -> BigInt,
        version -> BigInt,
        monthly_amount -> Nullable<BigInt>,
        monthly_currency -> Nullable<Text>,
        summed_version -> Nullable<BigInt>,
    }
}

const STATUSES: [SubscriptionStatus; 2] = [SubscriptionStatus::Active, SubscriptionStatus::PastDue];
const MODES: [(Option<bool>, &str); 3] = [(Some(true), "= TRUE"), (Some(false), "= FALSE"), (None, "IS NULL")];
/// From the first currency to past the last, and more of them than there are.
const ANY: (&str, &str) = ("", "ZZZZ");
const MOST: i64 = 200;
/// How many parts one statement adds up: SQLite takes 500.
const PARTS: usize = 100;

/// The sums by mode and currency, of up to `cap` subscriptions of each status. Each currency's part of the index is added
/// up by itself: to group all rows takes three times as long.
pub(super) fn monthly(conn: &mut Connection, cap: i64) -> Result<Vec<MonthlySum>, Error> {
    let parts = MODES.iter().flat_map(|(livemode, mode)| {
        let these = |status| format!("status = '{status}' AND livemode {mode} AND monthly_currency IS NOT NULL AND");
        STATUSES.map(|status| (*livemode, these(status)))
    });
    let parts: Vec<(Option<bool>, String)> = parts.collect();
    let only: Vec<String> = parts.iter().map(|(_, these)| these.clone()).collect();
    let found = values_of_parts(conn, ("pay_subscriptions", "monthly_currency"), &only, ANY, MOST)?;
    let found = found.into_iter().filter_map(|(place, currency)| {
        let (livemode, these) = parts.get(usize::try_from(place).ok()?)?;
        Some((*livemode, these.as_str(), currency))
    });
    let (found, mut sums) = (found.collect::<Vec<_>>(), Vec::new());
    for some in found.chunks(PARTS) {
        add_up(conn, some, cap, &mut sums)?;
    }
    sums.sort_by(|one, other| (other.livemode, &one.currency).cmp(&(one.livemode, &other.currency)));
    Ok(sums)
}

/// The first ids after this one of those whose sum is of another version than the stored one.
pub(super) fn owed(conn: &mut Connection, after: SubscriptionId, limit: i64) -> Result<Vec<SubscriptionId>, Error> {
    // In the words of the index that has them alone.
    let owed = sql::<Bool>("(summed_version IS NULL OR summed_version <> version)");
    let ids = m::monthly_sums.filter(owed).filter(m::id.gt(after)).order(m::id).limit(limit).select(m::id);
    ids.load(conn).map_err(failed("looking for subscriptions without a monthly sum"))
}

/// Writes the sum of one, if it is still of the version that was read. That is no change of it, so its version stays.
pub(super) fn put(conn: &mut Connection, row: &SubscriptionRow) -> Result<(), Error> {
    let sum = (
        m::monthly_amount.eq(row.monthly_amount),
        m::monthly_currency.eq(row.monthly_currency.as_deref()),
        m::summed_version.eq(row.version),
    );
    let of_it = m::monthly_sums.filter(m::id.eq(row.id).and(m::version.eq(row.version)));
    diesel::update(of_it).set(sum).execute(conn).map(drop).map_err(failed("writing a subscription's monthly sum"))
}

/// Adds up what has a mode, a condition and a currency.
fn add_up(
    conn: &mut Connection,
    parts: &[(Option<bool>, &str, String)],
    cap: i64,
    sums: &mut Vec<MonthlySum>,
) -> Result<(), Error> {
    let mut query = Said::<(BigInt, BigInt, BigInt)>::new();
    for (place, (_, these, currency)) in parts.iter().enumerate() {
        let beside = if place > 0 { " UNION ALL " } else { "" };
        query = query
            .sql(format!(
                "{beside}SELECT CAST({place} AS BIGINT), COUNT(*), CAST(COALESCE(SUM(monthly_amount), 0) AS BIGINT) \
                 FROM (SELECT monthly_amount FROM pay_subscriptions WHERE {these} monthly_currency = "
            ))
            .word(currency)
            .sql(format!(" LIMIT {cap}) AS part{place}"));
    }
    let rows: Vec<(i64, i64, i64)> = query.load(conn).map_err(failed("adding up subscriptions"))?;
    for (place, count, amount) in rows {
        let Some((livemode, _, currency)) = usize::try_from(place).ok().and_then(|place| parts.get(place)) else {
            continue;
        };
        let is_cut = count >= cap;
        match sums.iter_mut().find(|sum| sum.livemode == *livemode && sum.currency == *currency) {
            Some(sum) => {
                sum.amount = sum.amount.saturating_add(amount);
                sum.count += count;
                sum.is_cut |= is_cut;
            }
            None => sums.push(MonthlySum { livemode: *livemode, currency: currency.clone(), amount, count, is_cut }),
        }
    }
    Ok(())
}
