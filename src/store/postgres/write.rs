//! What Postgres writes for many events: one statement a table, its values in arrays, so that its text is the same for
//! one row and for five hundred and each connection prepares it once.

use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz};

use crate::domain::Timestamp;
use crate::domain::fact::State;
use crate::domain::id::{EventId, PaymentId, TransitionId};
use crate::domain::money::Currency;
use crate::store::rows::{NewTransition, PaymentRow};
use crate::store::sets::{EventEnd, EventFacts, Key, LedgerEntry};
use crate::store::statement::{answers, statement};
use crate::store::told::earlier_to_json;

/// One column of many rows.
pub(super) fn column<'a, R, T>(rows: &'a [R], of: impl FnMut(&'a R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

statement! { Pg,
    EndEvents {
        ids: Vec<i64> => Array<BigInt>,
        states: Vec<&'a str> => Array<Text>,
        attempts: Vec<i64> => Array<BigInt>,
        claims: Vec<i64> => Array<BigInt>,
        codes: Vec<&'a str> => Array<Text>,
        outcomes: Vec<&'a str> => Array<Text>,
        due: Vec<Option<Timestamp>> => Array<Nullable<Timestamptz>>,
        finished: Vec<Option<Timestamp>> => Array<Nullable<Timestamptz>>,
        payments: Vec<Option<i64>> => Array<Nullable<BigInt>>,
        matched: Vec<Option<&'a str>> => Array<Nullable<Text>>,
        subscriptions: Vec<Option<i64>> => Array<Nullable<BigInt>>,
        failures: Vec<Option<String>> => Array<Nullable<Text>>,
    }
    "UPDATE pay_events AS e SET state = d.s, attempts = d.a, claims = d.c, outcome_code = d.oc, outcome = d.o, \
     due_at = d.du, finished_at = d.f, payment_id = d.p, matched_by = d.m, \
     subscription_id = d.su, failure = d.fa FROM unnest({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}) \
     AS d (id, s, a, c, oc, o, du, f, p, m, su, fa) WHERE e.id = d.id"
}
answers!(EndEvents, PgConnection);

pub(super) fn end_events(conn: &mut PgConnection, ends: &[EventEnd]) -> QueryResult<()> {
    if ends.is_empty() {
        return Ok(());
    }
    EndEvents {
        ids: column(ends, |end| end.id.0),
        states: column(ends, |end| end.verdict.state.as_str()),
        attempts: column(ends, |end| end.attempts),
        claims: column(ends, |end| end.claims),
        codes: column(ends, |end| end.verdict.code),
        outcomes: column(ends, |end| end.verdict.outcome.as_str()),
        due: column(ends, |end| end.verdict.due_at),
        finished: column(ends, |end| end.verdict.finished_at),
        payments: column(ends, |end| end.payment.map(|id| id.0)),
        matched: column(ends, |end| end.matched_by.as_deref()),
        subscriptions: column(ends, |end| end.subscription.map(|id| id.0)),
        failures: column(ends, |end| end.verdict.failure_group()),
        _borrows: Default::default(),
    }
    .execute(conn)
    .map(drop)
}

statement! { Pg,
    KeepReferences {
        events: Vec<i64> => Array<BigInt>,
        variants: Vec<&'a str> => Array<Text>,
        refs: Vec<&'a str> => Array<Text>,
    }
    "INSERT INTO pay_event_references (event_id, variant, gateway_ref) SELECT * FROM unnest({}, {}, {}) \
     ON CONFLICT DO NOTHING"
}
answers!(KeepReferences, PgConnection);

pub(super) fn keep_references(conn: &mut PgConnection, refs: &[(EventId, String, String)]) -> QueryResult<()> {
    if refs.is_empty() {
        return Ok(());
    }
    KeepReferences {
        events: column(refs, |(event, ..)| event.0),
        variants: column(refs, |(_, variant, _)| variant.as_str()),
        refs: column(refs, |(.., text)| text.as_str()),
        _borrows: Default::default(),
    }
    .execute(conn)
    .map(drop)
}

statement! { Pg,
    KeepEventFacts {
        events: Vec<i64> => Array<BigInt>,
        summaries: Vec<&'a str> => Array<Text>,
        facts: Vec<&'a str> => Array<Text>,
    }
    "INSERT INTO pay_event_facts (event_id, summary, facts) SELECT * FROM unnest({}, {}, {}) \
     ON CONFLICT (event_id) DO UPDATE SET summary = excluded.summary, facts = excluded.facts"
}
answers!(KeepEventFacts, PgConnection);

pub(super) fn keep_event_facts(conn: &mut PgConnection, facts: &[EventFacts]) -> QueryResult<()> {
    if facts.is_empty() {
        return Ok(());
    }
    KeepEventFacts {
        events: column(facts, |one| one.event.0),
        summaries: column(facts, |one| one.summary.as_str()),
        facts: column(facts, |one| one.facts.as_str()),
        _borrows: Default::default(),
    }
    .execute(conn)
    .map(drop)
}

statement! { Pg,
    Link {
        variants: Vec<&'a str> => Array<Text>,
        refs: Vec<&'a str> => Array<Text>,
        payments: Vec<i64> => Array<BigInt>,
    }
    "INSERT INTO pay_references (variant, gateway_ref, payment_id) SELECT * FROM unnest({}, {}, {}) \
     ON CONFLICT DO NOTHING"
}
answers!(Link, PgConnection);

pub(super) fn link(conn: &mut PgConnection, links: &[(Key, PaymentId)]) -> QueryResult<()> {
    if links.is_empty() {
        return Ok(());
    }
    Link {
        variants: column(links, |((variant, _), _)| variant.as_str()),
        refs: column(links, |((_, text), _)| text.as_str()),
        payments: column(links, |(_, payment)| payment.0),
        _borrows: Default::default(),
    }
    .execute(conn)
    .map(drop)
}

statement! { Pg,
    KeepFacts {
        payments: Vec<i64> => Array<BigInt>,
        registers: Vec<&'a str> => Array<Text>,
        refs: Vec<&'a str> => Array<Text>,
        states: Vec<&'a str> => Array<Text>,
        amounts: Vec<Option<i64>> => Array<Nullable<BigInt>>,
        faces: Vec<Option<i64>> => Array<Nullable<BigInt>>,
        currencies: Vec<Option<&'a str>> => Array<Nullable<Text>>,
        parents: Vec<Option<&'a str>> => Array<Nullable<Text>>,
        since: Vec<Option<Timestamp>> => Array<Nullable<Timestamptz>>,
        occurred: Vec<Timestamp> => Array<Timestamptz>,
        events: Vec<&'a str> => Array<Text>,
        until: Vec<Option<Timestamp>> => Array<Nullable<Timestamptz>>,
        livemodes: Vec<Option<bool>> => Array<Nullable<Bool>>,
        earlier: Vec<Option<String>> => Array<Nullable<Text>>,
        reasons: Vec<Option<&'a str>> => Array<Nullable<Text>>,
    }
    "INSERT INTO pay_ledger (payment_id, register, gateway_ref, state, amount, face_amount, currency, parent_ref, since, \
     occurred_at, event_id, until, livemode, earlier, reason) \
     SELECT * FROM unnest({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}) \
     ON CONFLICT (payment_id, register, gateway_ref) DO UPDATE SET state = excluded.state, amount = excluded.amount, \
     face_amount = excluded.face_amount, currency = excluded.currency, parent_ref = excluded.parent_ref, \
     since = excluded.since, occurred_at = excluded.occurred_at, event_id = excluded.event_id, \
     until = excluded.until, livemode = excluded.livemode, earlier = excluded.earlier, reason = excluded.reason"
}
answers!(KeepFacts, PgConnection);

pub(super) fn keep_facts(conn: &mut PgConnection, entries: &[LedgerEntry]) -> QueryResult<()> {
    if entries.is_empty() {
        return Ok(());
    }
    KeepFacts {
        payments: column(entries, |entry| entry.payment.0),
        registers: column(entries, |entry| entry.fact.aspect.as_str()),
        refs: column(entries, |entry| entry.fact.gateway_ref.as_str()),
        states: column(entries, |entry| entry.fact.state.as_str()),
        amounts: column(entries, |entry| entry.fact.amount),
        faces: column(entries, |entry| entry.fact.face),
        currencies: column(entries, |entry| entry.fact.currency.as_ref().map(Currency::as_str)),
        parents: column(entries, |entry| entry.fact.parent.as_deref()),
        since: column(entries, |entry| entry.fact.since),
        occurred: column(entries, |entry| entry.fact.occurred_at),
        events: column(entries, |entry| entry.fact.event_id.as_str()),
        until: column(entries, |entry| entry.fact.until),
        livemodes: column(entries, |entry| entry.fact.livemode),
        earlier: column(entries, |entry| earlier_to_json(&entry.earlier)),
        reasons: column(entries, |entry| entry.fact.reason.as_deref()),
        _borrows: Default::default(),
    }
    .execute(conn)
    .map(drop)
}

statement! { Pg,
    SavePayments {
        ids: Vec<i64> => Array<BigInt>,
        versions: Vec<i64> => Array<BigInt>,
        statuses: Vec<&'a str> => Array<Text>,
        amounts: Vec<i64> => Array<BigInt>,
        currencies: Vec<&'a str> => Array<Text>,
        captured: Vec<i64> => Array<BigInt>,
        refunded: Vec<i64> => Array<BigInt>,
        lost: Vec<i64> => Array<BigInt>,
        reviews: Vec<bool> => Array<Bool>,
        disputed: Vec<bool> => Array<Bool>,
        concerns: Vec<&'a str> => Array<Text>,
        customers: Vec<Option<&'a str>> => Array<Nullable<Text>>,
        livemodes: Vec<Option<bool>> => Array<Nullable<Bool>>,
        accounts: Vec<Option<&'a str>> => Array<Nullable<Text>>,
        now: Timestamp => Timestamptz,
    }
    "UPDATE pay_payments AS p SET status = d.s, amount = d.a, currency = d.c, captured_amount = d.ca, \
     refunded_amount = d.re, lost_amount = d.lo, needs_review = d.nr, disputed = d.di, concerns = d.co, customer = d.cu, livemode = d.l, \
     account = d.ac, version = d.v + 1, updated_at = d.now FROM (SELECT * FROM \
     unnest({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}) AS u (id, v, s, a, c, ca, re, lo, nr, di, co, cu, l, ac), \
     (SELECT {} AS now) AS n) AS d WHERE p.id = d.id AND p.version = d.v"
}
answers!(SavePayments, PgConnection);

/// Answers how many were still of the version that was read.
pub(super) fn save_payments(conn: &mut PgConnection, rows: &[PaymentRow], now: Timestamp) -> QueryResult<usize> {
    if rows.is_empty() {
        return Ok(0);
    }
    SavePayments {
        ids: column(rows, |row| row.id.0),
        versions: column(rows, |row| row.version),
        statuses: column(rows, |row| row.status.as_str()),
        amounts: column(rows, |row| row.amount),
        currencies: column(rows, |row| row.currency.as_str()),
        captured: column(rows, |row| row.captured_amount),
        refunded: column(rows, |row| row.refunded_amount),
        lost: column(rows, |row| row.lost_amount),
        reviews: column(rows, |row| row.needs_review),
        disputed: column(rows, |row| row.disputed),
        concerns: column(rows, |row| row.concerns.as_str()),
        customers: column(rows, |row| row.customer.as_deref()),
        livemodes: column(rows, |row| row.livemode),
        accounts: column(rows, |row| row.account.as_deref()),
        now,
        _borrows: Default::default(),
    }
    .execute(conn)
}

statement! { Pg,
    AddTransitions {
        payments: Vec<i64> => Array<BigInt>,
        events: Vec<Option<i64>> => Array<Nullable<BigInt>>,
        from: Vec<&'a str> => Array<Text>,
        to: Vec<&'a str> => Array<Text>,
        reviews: Vec<bool> => Array<Bool>,
        disputed: Vec<bool> => Array<Bool>,
        causes: Vec<&'a str> => Array<Text>,
        created: Vec<Timestamp> => Array<Timestamptz>,
        disputes: Vec<Option<&'a str>> => Array<Nullable<Text>>,
        disputes_from: Vec<Option<&'a str>> => Array<Nullable<Text>>,
        dispute_facts: Vec<Option<&'a str>> => Array<Nullable<Text>>,
    }
    "INSERT INTO pay_transitions (payment_id, event_id, from_status, to_status, needs_review, disputed, cause, created_at, \
     dispute, dispute_from, dispute_fact) SELECT p, e, f, t, n, d, c, at, di, df, dt \
     FROM unnest({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}) WITH ORDINALITY \
     AS u (p, e, f, t, n, d, c, at, di, df, dt, place) ORDER BY place RETURNING id"
}
answers!(AddTransitions, PgConnection, BigInt);

/// The rows take their ids in the order in which they are given, so sorted ids are in that order too.
pub(super) fn add_transitions(conn: &mut PgConnection, steps: &[NewTransition]) -> QueryResult<Vec<TransitionId>> {
    if steps.is_empty() {
        return Ok(Vec::new());
    }
    let mut ids: Vec<i64> = AddTransitions {
        payments: column(steps, |step| step.payment_id.0),
        events: column(steps, |step| step.event_id.map(|id| id.0)),
        from: column(steps, |step| step.from_status.as_str()),
        to: column(steps, |step| step.to_status.as_str()),
        reviews: column(steps, |step| step.needs_review),
        disputed: column(steps, |step| step.disputed),
        causes: column(steps, |step| step.cause.as_str()),
        created: column(steps, |step| step.created_at),
        disputes: column(steps, |step| step.dispute.map(State::as_str)),
        disputes_from: column(steps, |step| step.dispute_from.map(State::as_str)),
        dispute_facts: column(steps, |step| step.dispute_fact.as_deref()),
        _borrows: Default::default(),
    }
    .load(conn)?;
    ids.sort_unstable();
    Ok(ids.into_iter().map(TransitionId).collect())
}
