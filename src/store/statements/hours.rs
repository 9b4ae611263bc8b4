//! What happened lately? Sums come from the hours' counters, and the rest from the end of an index: nothing here
//! takes longer when history grows.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::super::Instant;
use super::schema::{pay_events, pay_hours, pay_payments};
use super::{Connection, failed};
use crate::domain::Timestamp;
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

    fn series(&mut self, since: Timestamp, outcomes: &[&str]) -> Result<Vec<(Timestamp, String, i64)>, Error> {
        h::pay_hours
            .filter(h::hour.ge(since).and(h::outcome.eq_any(outcomes)))
            .group_by((h::hour, h::outcome))
            .order((h::hour, h::outcome))
            .select((h::hour, h::outcome, sql::<BigInt>(COUNT)))
            .load(self)
            .map_err(failed("reading the hours"))
    }

    fn last_event_of(&mut self, variant: &str) -> Result<Option<EventRow>, Error> {
        e::pay_events
            .filter(e::variant.eq(variant))
            .order(e::id.desc())
            .first(self)
            .optional()
            .map_err(failed("reading a variant's last event"))
    }

    fn first_event(&mut self, state: &str, for_good: bool) -> Result<Option<EventRow>, Error> {
        let mut query = e::pay_events.filter(e::state.eq(state)).order(e::id).into_boxed();
        if for_good {
            query = query.filter(e::due_at.is_null());
        }
        query.first(self).optional().map_err(failed("reading a state's first event"))
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

    fn ends(&mut self, state: &str, cap: i64) -> Result<Vec<Option<Timestamp>>, Error> {
        e::pay_events
            .filter(e::state.eq(state))
            .order(e::id.desc())
            .limit(cap)
            .select(e::finished_at)
            .load(self)
            .map_err(failed("reading when events ended"))
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
