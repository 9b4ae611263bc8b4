//! The facts of a ledger, out of their rows.

use diesel::prelude::*;

use super::schema::pay_ledger::dsl as l;
use super::{Connection, failed};
use crate::domain::Timestamp;
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::id::PaymentId;
use crate::error::Error;
use crate::store::told::earlier_from_json;
use crate::store::typed::LedgerCurrency;

#[derive(Queryable)]
pub(super) struct LedgerRow {
    payment_id: PaymentId,
    register: Aspect,
    gateway_ref: String,
    state: State,
    amount: Option<i64>,
    face_amount: Option<i64>,
    currency: Option<LedgerCurrency>,
    parent_ref: Option<String>,
    since: Option<Timestamp>,
    occurred_at: Timestamp,
    event_id: String,
    until: Option<Timestamp>,
    livemode: Option<bool>,
    earlier: Option<String>,
    reason: Option<String>,
}

pub(super) fn facts(conn: &mut Connection, payment: PaymentId) -> Result<Vec<Fact>, Error> {
    let rows: Vec<LedgerRow> =
        l::pay_ledger.filter(l::payment_id.eq(payment)).load(conn).map_err(failed("reading a ledger"))?;
    Ok(rows.into_iter().map(fact).collect())
}

/// The facts of several payments, and what else was told of money.
pub(super) fn facts_of(rows: Vec<LedgerRow>) -> Vec<(PaymentId, Fact)> {
    let told = |row: LedgerRow| {
        let mut told: Vec<Fact> = earlier_from_json(row.earlier.as_deref()).collect();
        let payment = row.payment_id;
        told.push(fact(row));
        told.into_iter().map(move |fact| (payment, fact))
    };
    rows.into_iter().flat_map(told).collect()
}

fn fact(row: LedgerRow) -> Fact {
    Fact {
        aspect: row.register,
        gateway_ref: row.gateway_ref.into(),
        state: row.state,
        amount: row.amount,
        face: row.face_amount,
        currency: row.currency.map(|currency| currency.0),
        parent: row.parent_ref.map(Into::into),
        since: row.since,
        occurred_at: row.occurred_at,
        event_id: row.event_id,
        until: row.until,
        livemode: row.livemode,
        reason: row.reason,
    }
}
