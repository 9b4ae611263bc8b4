//! Disputes: the registers of ledgers that tell of one, by their state. What an index says of all its rows is part of
//! the text.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use super::said::Said;
use super::schema::{pay_ledger, pay_payments};
use super::{Connection, failed};
use crate::domain::fact::State;
use crate::domain::scope::Scope;
use crate::error::Error;
use crate::store::disputes::{DisputePlace, DisputeRow, Disputes};
use pay_ledger::dsl as l;
use pay_payments::dsl as p;

/// The columns of a row, in its order.
macro_rules! columns {
    () => {
        (
            l::payment_id,
            l::gateway_ref,
            l::parent_ref,
            l::amount,
            l::currency,
            l::reason,
            l::until,
            l::occurred_at,
            p::token,
            p::reference,
            p::customer,
            p::variant,
            p::livemode,
            p::account,
        )
    };
}

const OPEN: &str = "pay_ledger.register = 'dispute' AND pay_ledger.state = 'open'";
const OF_STATE: &str = "pay_ledger.register = 'dispute' AND lower(pay_ledger.state) = ";

impl Disputes for Connection {
    fn browse_disputes(
        &mut self,
        state: State,
        place: Option<DisputePlace>,
        limit: i64,
    ) -> Result<Vec<DisputeRow>, Error> {
        let disputes = l::pay_ledger.inner_join(p::pay_payments.on(p::id.eq(l::payment_id)));
        let of_state = sql::<Bool>(OF_STATE).bind::<Text, _>(state.as_str());
        let mut query = disputes.filter(of_state).select(columns!()).limit(limit).into_boxed();
        query = match place {
            Some(DisputePlace { payment, back: false, with: false }) => query.filter(l::payment_id.lt(payment)),
            Some(DisputePlace { payment, back: false, with: true }) => query.filter(l::payment_id.le(payment)),
            Some(DisputePlace { payment, back: true, with: false }) => query.filter(l::payment_id.gt(payment)),
            Some(DisputePlace { payment, back: true, with: true }) => query.filter(l::payment_id.ge(payment)),
            None => query,
        };
        let rows = if place.is_some_and(|place| place.back) {
            query.order((l::payment_id.asc(), l::gateway_ref.asc())).load(self)
        } else {
            query.order((l::payment_id.desc(), l::gateway_ref.desc())).load(self)
        };
        rows.map_err(failed("listing disputes"))
    }

    /// The databases don't agree on where those without a deadline come, so each kind is asked for by itself.
    fn disputes_by_deadline(
        &mut self,
        scope: &Scope,
        livemode: Option<bool>,
        limit: i64,
    ) -> Result<Vec<DisputeRow>, Error> {
        let disputes = || l::pay_ledger.inner_join(p::pay_payments.on(p::id.eq(l::payment_id))).select(columns!());
        let open = || {
            let mut open = disputes().filter(sql::<Bool>(OPEN)).into_boxed();
            if let Some(names) = scope.names() {
                open = open.filter(p::variant.eq_any(names));
            }
            if let Some(livemode) = livemode {
                open = open.filter(p::livemode.assume_not_null().eq(livemode));
            }
            open
        };
        let first = open().filter(l::until.is_not_null()).order(l::until.asc()).limit(limit);
        let mut rows: Vec<DisputeRow> = first.load(self).map_err(failed("listing open disputes"))?;
        let left = limit - rows.len() as i64;
        if left > 0 {
            let others = open().filter(l::until.is_null()).limit(left);
            rows.extend(others.load::<DisputeRow>(self).map_err(failed("listing open disputes"))?);
        }
        Ok(rows)
    }

    fn count_disputes(&mut self, states: &[State], cap: i64) -> Result<Vec<i64>, Error> {
        let count = |state: &State| {
            let of = Said::<BigInt>::new()
                .sql(format!("SELECT count(*) FROM (SELECT 1 FROM pay_ledger WHERE {OF_STATE}"))
                .word(state.as_str())
                .sql(format!(" LIMIT {cap}) AS counted"));
            of.get_result(self).map_err(failed("counting disputes"))
        };
        states.iter().map(count).collect()
    }
}
