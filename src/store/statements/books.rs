//! The movements of money: a book goes by its mode and the moment, and its totals come from the months.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::book_schema::{pay_movement_months, pay_movements};
use super::schema::{pay_event_facts, pay_events, pay_payments};
use super::{Connection, failed};
use crate::domain::Timestamp;
use crate::domain::id::PaymentId;
use crate::domain::money::Currency;
use crate::domain::payment::MovementKind;
use crate::error::Error;
use crate::store::books::*;
use pay_movement_months::dsl as t;
use pay_movements::dsl as m;

use super::super::books as written;

const READING: &str = "reading movements";
const ADDING: &str = "adding up movements";
/// Postgres adds integers up to a number of any size.
const COUNT: &str = "CAST(SUM(count) AS BIGINT)";
const AMOUNT: &str = "CAST(SUM(amount) AS BIGINT)";

impl Books for Connection {
    fn movements_of(&mut self, payments: &[PaymentId]) -> Result<Vec<MovementRow>, Error> {
        if payments.is_empty() {
            return Ok(Vec::new());
        }
        let rows = m::pay_movements.filter(m::payment_id.eq_any(payments)).order(m::payment_id).load(self);
        rows.map_err(failed(READING))
    }

    fn change_movements(&mut self, gone: &[i64], new: &[NewMovement]) -> Result<(), Error> {
        if !gone.is_empty() {
            let gone = diesel::delete(m::pay_movements.filter(m::id.eq_any(gone))).execute(self);
            gone.map_err(failed("removing movements"))?;
        }
        if new.is_empty() {
            return Ok(());
        }
        written::add(self, new).map_err(failed("writing movements"))
    }

    fn add_to_months(&mut self, totals: &[(MonthKey, Total)]) -> Result<(), Error> {
        if totals.is_empty() {
            return Ok(());
        }
        written::add_to_months(self, totals).map_err(failed("writing totals of months"))
    }

    fn movement(&mut self, id: i64) -> Result<Option<MovementRow>, Error> {
        m::pay_movements.find(id).first(self).optional().map_err(failed(READING))
    }

    fn browse_movements(
        &mut self,
        filter: &BookFilter,
        span: (Timestamp, Timestamp),
        place: Option<BookPlace>,
        limit: i64,
    ) -> Result<Vec<MovementRow>, Error> {
        let is_whole = filter.scope.is_all() && filter.currency.is_none();
        if is_whole {
            return part(self, filter.mode, None, span, place, limit);
        }
        let mut parts = self.book_parts(filter.mode)?;
        let is_wanted = |code: &String| filter.currency.as_ref().is_none_or(|wanted| wanted == code);
        parts.retain(|(variant, currency)| filter.scope.allows(variant) && is_wanted(currency));
        // Each part is in the order of one index; together they are sorted here.
        let mut rows = Vec::new();
        for (variant, currency) in &parts {
            rows.extend(part(self, filter.mode, Some((variant, currency)), span, place, limit)?);
        }
        rows.sort_by_key(|row: &MovementRow| (row.moved_at, row.id));
        if !place.is_some_and(|place| place.back) {
            rows.reverse();
        }
        rows.truncate(usize::try_from(limit).unwrap_or(0));
        Ok(rows)
    }

    fn book_parts(&mut self, mode: &str) -> Result<Vec<(String, String)>, Error> {
        let parts = t::pay_movement_months.filter(t::mode.eq(mode)).group_by((t::variant, t::currency));
        let parts = parts.order((t::variant, t::currency)).select((t::variant, t::currency)).load(self);
        parts.map_err(failed(READING))
    }

    fn totals_before(&mut self, filter: &BookFilter, month: &str) -> Result<Vec<KindTotal>, Error> {
        let mut query = t::pay_movement_months
            .filter(t::mode.eq(filter.mode).and(t::month.lt(month)))
            .group_by((t::currency, t::kind))
            .select((t::currency, t::kind, sql::<BigInt>(COUNT), sql::<BigInt>(AMOUNT)))
            .into_boxed();
        if let Some(names) = filter.scope.names() {
            query = query.filter(t::variant.eq_any(names));
        }
        if let Some(currency) = &filter.currency {
            query = query.filter(t::currency.eq(currency));
        }
        query.load(self).map(totals).map_err(failed(ADDING))
    }

    fn totals_between(
        &mut self,
        filter: &BookFilter,
        (from, until): (Timestamp, Timestamp),
    ) -> Result<Vec<KindTotal>, Error> {
        let mut query = m::pay_movements
            .filter(m::mode.eq(filter.mode).and(m::moved_at.ge(from)).and(m::moved_at.lt(until)))
            .group_by((m::currency, m::kind))
            .select((m::currency, m::kind, sql::<BigInt>("COUNT(*)"), sql::<BigInt>(AMOUNT)))
            .into_boxed();
        if let Some(names) = filter.scope.names() {
            query = query.filter(m::variant.eq_any(names));
        }
        if let Some(currency) = &filter.currency {
            query = query.filter(m::currency.eq(currency));
        }
        query.load(self).map(totals).map_err(failed(ADDING))
    }

    fn payments_after(&mut self, after: PaymentId, limit: i64) -> Result<Vec<PaymentId>, Error> {
        use pay_payments::dsl as p;
        p::pay_payments
            .filter(p::id.gt(after))
            .order(p::id)
            .limit(limit)
            .select(p::id)
            .load(self)
            .map_err(failed("reading payments in their order"))
    }

    fn facts_told_of(&mut self, payments: &[PaymentId]) -> Result<Vec<(PaymentId, String)>, Error> {
        use pay_event_facts::dsl as f;
        use pay_events::dsl as e;
        let of: Vec<Option<PaymentId>> = payments.iter().copied().map(Some).collect();
        e::pay_events
            .inner_join(f::pay_event_facts.on(f::event_id.eq(e::id)))
            .filter(e::payment_id.eq_any(of))
            .select((e::payment_id.assume_not_null(), f::facts))
            .load(self)
            .map_err(failed("reading what events said"))
    }
}

/// The movements of a mode, or of one variant and currency, beside a place.
fn part(
    conn: &mut Connection,
    mode: &str,
    of: Option<(&String, &String)>,
    (from, until): (Timestamp, Timestamp),
    place: Option<BookPlace>,
    limit: i64,
) -> Result<Vec<MovementRow>, Error> {
    let mut query = m::pay_movements.filter(m::mode.eq(mode)).limit(limit).into_boxed();
    if let Some((variant, currency)) = of {
        query = query.filter(m::variant.eq(variant).and(m::currency.eq(currency)));
    }
    // One bound at each end, since of two at the same end a database may seek by the wider one. Movements of one moment
    // are few.
    query = match place.filter(|place| place.at >= from && place.at < until) {
        Some(BookPlace { at, id, back: false, with }) => query
            .filter(m::moved_at.ge(from).and(m::moved_at.le(at)))
            .filter(m::moved_at.lt(at).or(m::id.lt(id + i64::from(with)))),
        Some(BookPlace { at, id, back: true, with }) => query
            .filter(m::moved_at.ge(at).and(m::moved_at.lt(until)))
            .filter(m::moved_at.gt(at).or(m::id.gt(id - i64::from(with)))),
        None => query.filter(m::moved_at.ge(from).and(m::moved_at.lt(until))),
    };
    let is_back = place.is_some_and(|place| place.back);
    let rows = if is_back {
        query.order((m::moved_at.asc(), m::id.asc())).load(conn)
    } else {
        query.order((m::moved_at.desc(), m::id.desc())).load(conn)
    };
    rows.map_err(failed(READING))
}

fn totals(rows: Vec<(Currency, MovementKind, i64, i64)>) -> Vec<KindTotal> {
    rows.into_iter().map(|(currency, kind, count, amount)| (currency, kind, Total { count, amount })).collect()
}
