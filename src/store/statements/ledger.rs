//! How does a register become a row, and a row a register again?

use diesel::prelude::*;

use super::schema::pay_ledger::dsl as l;
use super::{Connection, failed};
use crate::domain::Timestamp;
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::money::Currency;
use crate::error::{Error, ErrorKind};

#[derive(Queryable)]
struct LedgerRow {
    _payment_id: i64,
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

pub(super) fn keep(conn: &mut Connection, payment: i64, fact: &Fact) -> Result<(), Error> {
    let content = (
        l::state.eq(fact.state.as_str()),
        l::amount.eq(fact.amount),
        l::face_amount.eq(fact.face),
        l::currency.eq(fact.currency.as_ref().map(Currency::as_str)),
        l::parent_ref.eq(fact.parent.as_deref()),
        l::since.eq(fact.since),
        l::occurred_at.eq(fact.occurred_at),
        l::event_id.eq(&fact.event_id),
    );
    let key =
        (l::payment_id.eq(payment), l::register.eq(fact.aspect.as_str()), l::gateway_ref.eq(fact.gateway_ref.as_str()));
    diesel::insert_into(l::pay_ledger)
        .values((key, content))
        .on_conflict((l::payment_id, l::register, l::gateway_ref))
        .do_update()
        .set(content)
        .execute(conn)
        .map(drop)
        .map_err(failed("writing a ledger"))
}
