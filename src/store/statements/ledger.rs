//! How does a register become a row, and a row a register again?

use diesel::prelude::*;

use super::schema::pay_ledger::dsl as l;
use super::{Connection, failed};
use crate::domain::Timestamp;
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::money::Currency;
use crate::error::{Error, ErrorKind};

#[derive(Queryable)]
pub(super) struct LedgerRow {
    payment_id: i64,
    register: String,
    gateway_ref: String,
    state: String,
    amount: Option<i64>,
    face_amount: Option<i64>,
    currency: Option<String>,
    parent_ref: Option<String>,
    since: Option<Timestamp>,
    occurred_at: Timestamp,
    event_id: String,
}

pub(super) fn facts(conn: &mut Connection, payment: i64) -> Result<Vec<Fact>, Error> {
    let rows: Vec<LedgerRow> =
        l::pay_ledger.filter(l::payment_id.eq(payment)).load(conn).map_err(failed("reading a ledger"))?;
    rows.into_iter().map(fact).collect()
}

/// The facts of several payments.
pub(super) fn facts_of(rows: Vec<LedgerRow>) -> Result<Vec<(i64, Fact)>, Error> {
    rows.into_iter().map(|row| Ok((row.payment_id, fact(row)?))).collect()
}

fn fact(row: LedgerRow) -> Result<Fact, Error> {
    let (Some(aspect), Some(state)) = (Aspect::parse(&row.register), State::parse(&row.state)) else {
        let message = format!(
            "expected a register and a state that this release knows, got {:?} and {:?}; a newer release wrote them",
            row.register, row.state
        );
        return Err(Error::new(ErrorKind::Storage, message));
    };
    Ok(Fact {
        aspect,
        gateway_ref: row.gateway_ref,
        state,
        amount: row.amount,
        face: row.face_amount,
        currency: row.currency.as_deref().and_then(|code| Currency::parse(code).ok()),
        parent: row.parent_ref,
        since: row.since,
        occurred_at: row.occurred_at,
        event_id: row.event_id,
    })
}
