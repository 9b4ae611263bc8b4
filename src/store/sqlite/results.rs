//! What handlers did, and leases, written for many events: row by row, as in `write`.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, TimestamptzSqlite};
use diesel::sqlite::Sqlite;

use crate::domain::Timestamp;
use crate::store::rows::{Claim, NewAttempt, Step};
use crate::store::sets::Settled;
use crate::store::statement::{answers, statement};

statement! { Sqlite,
    AddAttempt {
        event: i64 => BigInt,
        transition: Option<i64> => Nullable<BigInt>,
        subscription: Option<i64> => Nullable<BigInt>,
        handler: &'a str => Text,
        number: i64 => BigInt,
        outcome: &'a str => Text,
        error: Option<&'a str> => Nullable<Text>,
        started: Timestamp => TimestamptzSqlite,
        finished: Timestamp => TimestamptzSqlite,
    }
    "INSERT INTO pay_attempts (event_id, transition_id, subscription_transition_id, handler, attempt, outcome, error, \
     started_at, finished_at) VALUES ({}, {}, {}, {}, {}, {}, {}, {}, {})"
}
answers!(AddAttempt, SqliteConnection);

pub(super) fn add_attempts(conn: &mut SqliteConnection, attempts: &[NewAttempt]) -> QueryResult<()> {
    for new in attempts {
        AddAttempt {
            event: new.event_id.0,
            transition: Step::columns(new.transition).0.map(|id| id.0),
            subscription: Step::columns(new.transition).1.map(|id| id.0),
            handler: &new.handler,
            number: new.attempt,
            outcome: new.outcome.as_str(),
            error: new.error.as_deref(),
            started: new.started_at,
            finished: new.finished_at,
            _borrows: Default::default(),
        }
        .execute(conn)?;
    }
    Ok(())
}

statement! { Sqlite,
    SettleEvent {
        state: &'a str => Text,
        returned: i64 => BigInt,
        code: &'a str => Text,
        outcome: &'a str => Text,
        due: Option<Timestamp> => Nullable<TimestamptzSqlite>,
        finished: Option<Timestamp> => Nullable<TimestamptzSqlite>,
        failure: Option<String> => Nullable<Text>,
        id: i64 => BigInt,
        claim: i64 => BigInt,
    }
    "UPDATE pay_events SET state = {}, attempts = attempts - {}, outcome_code = {}, outcome = {}, due_at = {}, \
     finished_at = {}, failure = {} WHERE id = {} AND claims = {} AND state = 'running'"
}
answers!(SettleEvent, SqliteConnection);

pub(super) fn settle_events(conn: &mut SqliteConnection, settled: &[Settled]) -> QueryResult<Vec<bool>> {
    let settle = |one: &Settled| {
        SettleEvent {
            state: one.verdict.state.as_str(),
            returned: i64::from(one.returns_attempt()),
            code: one.verdict.code,
            outcome: &one.verdict.outcome,
            due: one.verdict.due_at,
            finished: one.verdict.finished_at,
            failure: one.verdict.failure_group(),
            id: one.claim.event.0,
            claim: one.claim.number,
            _borrows: Default::default(),
        }
        .execute(conn)
        .map(|rows| rows == 1)
    };
    settled.iter().map(settle).collect()
}

statement! { Sqlite,
    Renew {
        until: Timestamp => TimestamptzSqlite,
        id: i64 => BigInt,
        claim: i64 => BigInt,
    }
    "UPDATE pay_events SET due_at = {} WHERE id = {} AND claims = {} AND state = 'running'"
}
answers!(Renew, SqliteConnection);

pub(super) fn renew(conn: &mut SqliteConnection, claims: &[Claim], until: Timestamp) -> QueryResult<Vec<Claim>> {
    let mut held = Vec::with_capacity(claims.len());
    for claim in claims {
        let renewal = Renew { until, id: claim.event.0, claim: claim.number, _borrows: Default::default() };
        held.extend((renewal.execute(conn)? == 1).then_some(*claim));
    }
    Ok(held)
}
