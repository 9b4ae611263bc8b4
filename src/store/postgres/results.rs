//! What handlers did, and leases, written for many events: one statement each, as in `write`.

use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz};

use super::write::column;
use crate::domain::Timestamp;
use crate::domain::id::EventId;
use crate::store::rows::{Claim, NewAttempt, Step};
use crate::store::sets::Settled;
use crate::store::statement::{answers, statement};

statement! { Pg,
    AddAttempts {
        events: Vec<i64> => Array<BigInt>,
        transitions: Vec<Option<i64>> => Array<Nullable<BigInt>>,
        subscriptions: Vec<Option<i64>> => Array<Nullable<BigInt>>,
        handlers: Vec<&'a str> => Array<Text>,
        numbers: Vec<i64> => Array<BigInt>,
        outcomes: Vec<&'a str> => Array<Text>,
        errors: Vec<Option<&'a str>> => Array<Nullable<Text>>,
        started: Vec<Timestamp> => Array<Timestamptz>,
        finished: Vec<Timestamp> => Array<Timestamptz>,
    }
    "INSERT INTO pay_attempts (event_id, transition_id, subscription_transition_id, handler, attempt, outcome, error, \
     started_at, finished_at) \
     SELECT ev, tr, su, ha, nu, ou, er, st, fi FROM unnest({}, {}, {}, {}, {}, {}, {}, {}, {}) WITH ORDINALITY \
     AS u (ev, tr, su, ha, nu, ou, er, st, fi, place) ORDER BY place"
}
answers!(AddAttempts, PgConnection);

pub(super) fn add_attempts(conn: &mut PgConnection, attempts: &[NewAttempt]) -> QueryResult<()> {
    if attempts.is_empty() {
        return Ok(());
    }
    AddAttempts {
        events: column(attempts, |new| new.event_id.0),
        transitions: column(attempts, |new| Step::columns(new.transition).0.map(|id| id.0)),
        subscriptions: column(attempts, |new| Step::columns(new.transition).1.map(|id| id.0)),
        handlers: column(attempts, |new| new.handler.as_str()),
        numbers: column(attempts, |new| new.attempt),
        outcomes: column(attempts, |new| new.outcome.as_str()),
        errors: column(attempts, |new| new.error.as_deref()),
        started: column(attempts, |new| new.started_at),
        finished: column(attempts, |new| new.finished_at),
        _borrows: Default::default(),
    }
    .execute(conn)
    .map(drop)
}

statement! { Pg,
    SettleEvents {
        ids: Vec<i64> => Array<BigInt>,
        claims: Vec<i64> => Array<BigInt>,
        states: Vec<&'a str> => Array<Text>,
        returned: Vec<i64> => Array<BigInt>,
        codes: Vec<&'a str> => Array<Text>,
        outcomes: Vec<&'a str> => Array<Text>,
        due: Vec<Option<Timestamp>> => Array<Nullable<Timestamptz>>,
        finished: Vec<Option<Timestamp>> => Array<Nullable<Timestamptz>>,
        failures: Vec<Option<String>> => Array<Nullable<Text>>,
    }
    "UPDATE pay_events AS e SET state = d.s, attempts = e.attempts - d.r, outcome_code = d.oc, outcome = d.o, \
     due_at = d.du, finished_at = d.f, failure = d.fa FROM unnest({}, {}, {}, {}, {}, {}, {}, {}, {}) \
     AS d (id, c, s, r, oc, o, du, f, fa) WHERE e.id = d.id AND e.claims = d.c AND e.state = 'running' RETURNING e.id"
}
answers!(SettleEvents, PgConnection, BigInt);

pub(super) fn settle_events(conn: &mut PgConnection, settled: &[Settled]) -> QueryResult<Vec<bool>> {
    if settled.is_empty() {
        return Ok(Vec::new());
    }
    let held: Vec<i64> = SettleEvents {
        ids: column(settled, |one| one.claim.event.0),
        claims: column(settled, |one| one.claim.number),
        states: column(settled, |one| one.verdict.state.as_str()),
        returned: column(settled, |one| i64::from(one.returns_attempt())),
        codes: column(settled, |one| one.verdict.code),
        outcomes: column(settled, |one| one.verdict.outcome.as_str()),
        due: column(settled, |one| one.verdict.due_at),
        finished: column(settled, |one| one.verdict.finished_at),
        failures: column(settled, |one| one.verdict.failure_group()),
        _borrows: Default::default(),
    }
    .load(conn)?;
    let held: std::collections::HashSet<i64> = held.into_iter().collect();
    Ok(column(settled, |one| held.contains(&one.claim.event.0)))
}

statement! { Pg,
    Renew {
        ids: Vec<i64> => Array<BigInt>,
        claims: Vec<i64> => Array<BigInt>,
        until: Timestamp => Timestamptz,
    }
    "UPDATE pay_events AS e SET due_at = d.until FROM (SELECT * FROM unnest({}, {}) AS u (id, c), \
     (SELECT {} AS until) AS n) AS d WHERE e.id = d.id AND e.claims = d.c AND e.state = 'running' \
     RETURNING e.id, e.claims"
}
answers!(Renew, PgConnection, (BigInt, BigInt));

pub(super) fn renew(conn: &mut PgConnection, claims: &[Claim], until: Timestamp) -> QueryResult<Vec<Claim>> {
    let held: Vec<(i64, i64)> = Renew {
        ids: column(claims, |claim| claim.event.0),
        claims: column(claims, |claim| claim.number),
        until,
        _borrows: Default::default(),
    }
    .load(conn)?;
    Ok(held.into_iter().map(|(event, number)| Claim { event: EventId(event), number }).collect())
}
