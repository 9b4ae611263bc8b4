//! What happened lately? Sums come from the hours' counters, and the rest from the end of an index: nothing here
//! takes longer when history grows.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::super::Instant;
use super::said::Said;
use super::schema::{pay_events, pay_hours, pay_payments};
use super::{Connection, failed};
use crate::domain::Timestamp;
use crate::domain::event::EventState;
use crate::domain::scope::Scope;
use crate::error::Error;
use crate::store::Hours;
use crate::store::rows::{EventRow, Sum};
use pay_events::dsl as e;
use pay_hours::dsl as h;
use pay_payments::dsl as p;

/// Postgres adds integers up to a number of any size.
const COUNT: &str = "CAST(SUM(count) AS BIGINT)";
const AMOUNT: &str = "CAST(SUM(amount) AS BIGINT)";

impl Hours for Connection {
    fn sums(&mut self, since: Timestamp, until: Timestamp) -> Result<Vec<Sum>, Error> {
        h::pay_hours
            .filter(h::hour.ge(since).and(h::hour.lt(until)))
            .group_by((h::variant, h::outcome, h::currency))
            .order((h::variant, h::outcome, h::currency))
            .select((
                h::variant,
                h::outcome,
                h::currency,
                sql::<BigInt>(COUNT),
                sql::<BigInt>(AMOUNT),
                sql::<Instant>("MAX(last_at)"),
            ))
            .load(self)
            .map_err(failed("adding up the hours"))
    }

    /// Each sum reads its part of the index of outcomes, so that nothing is grouped.
    fn series(&mut self, bounds: &[Timestamp], outcomes: [&[&str]; 3], scope: &Scope) -> Result<Vec<[i64; 3]>, Error> {
        let names: Option<Vec<&String>> = scope.names().map(|names| names.iter().collect());
        let mut query = Said::<(BigInt, BigInt, BigInt, BigInt)>::new().sql("SELECT column1");
        for words in outcomes {
            query = query.sql(", (SELECT CAST(COALESCE(SUM(count), 0) AS BIGINT) FROM pay_hours WHERE outcome IN (");
            for (place, word) in words.iter().enumerate() {
                query = query.sql(if place > 0 { ", " } else { "" }).word(word);
            }
            for (place, name) in names.iter().flatten().enumerate() {
                query = query.sql(if place > 0 { ", " } else { ") AND variant IN (" }).word(name);
            }
            query = query.sql(") AND hour >= column2 AND hour < column3)");
        }
        query = query.sql(" FROM (VALUES ");
        for (place, ends) in bounds.windows(2).enumerate() {
            let beside = if place > 0 { "), " } else { "" };
            query = query.sql(format!("{beside}(CAST({place} AS BIGINT), ")).at(ends[0]).sql(", ").at(ends[1]);
        }
        let sums = query.sql(")) AS parts ORDER BY column1").load(self).map_err(failed("reading the hours"))?;
        Ok(sums.into_iter().map(|(_, a, b, c): (i64, i64, i64, i64)| [a, b, c]).collect())
    }

    fn last_event_of(&mut self, variant: &str) -> Result<Option<EventRow>, Error> {
        e::pay_events
            .filter(e::variant.eq(variant))
            .order(e::id.desc())
            .first(self)
            .optional()
            .map_err(failed("reading a variant's last event"))
    }

    fn first_parked(&mut self) -> Result<Option<EventRow>, Error> {
        e::pay_events
            .filter(e::state.eq(EventState::Parked).and(e::due_at.is_null()))
            .filter(e::outcome_code.ne_all(["fetching", "needs_api_key"]))
            .order(e::id)
            .first(self)
            .optional()
            .map_err(failed("reading the first parked event"))
    }

    fn failing(&mut self, attempts: u32, cap: i64) -> Result<Vec<(Option<String>, Timestamp)>, Error> {
        e::pay_events
            .filter(e::state.eq(EventState::Retryable).and(e::attempts.ge(i64::from(attempts))))
            .order(e::id)
            .limit(cap)
            .select((e::failure, e::received_at))
            .load(self)
            .map_err(failed("looking for events that keep failing"))
    }

    fn overdue(&mut self, at: Timestamp, cap: i64) -> Result<Vec<Timestamp>, Error> {
        e::pay_events
            .filter(e::due_at.lt(at))
            .order(e::due_at)
            .limit(cap)
            .select(e::due_at.assume_not_null())
            .load(self)
            .map_err(failed("looking for overdue events"))
    }

    #[cfg(feature = "metrics")]
    fn oldest_due(&mut self, at: Timestamp, cap: i64) -> Result<Vec<(String, Timestamp)>, Error> {
        Said::<(diesel::sql_types::Text, Instant)>::new()
            .sql("SELECT variant, MIN(due_at) FROM (SELECT variant, due_at FROM pay_events WHERE due_at < ")
            .at(at)
            .sql(format!(" ORDER BY due_at LIMIT {cap}) AS due GROUP BY variant"))
            .load(self)
            .map_err(failed("looking for the oldest events"))
    }

    fn creations(&mut self, variant: &str, at: Timestamp, cap: i64) -> Result<Vec<Timestamp>, Error> {
        p::pay_payments
            .filter(p::variant.eq(variant).and(p::adopted.eq(false)).and(p::created_at.lt(at)))
            .order(p::id.desc())
            .limit(cap)
            .select(p::created_at)
            .load(self)
            .map_err(failed("reading when payments were created"))
    }
}
