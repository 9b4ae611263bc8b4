//! What SQLite writes for many events: row by row, each statement prepared once for its connection, which is the
//! fastest way into it inside one transaction.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, TimestamptzSqlite};
use diesel::sqlite::Sqlite;

use crate::domain::Timestamp;
use crate::domain::fact::State;
use crate::domain::id::{EventId, PaymentId, TransitionId};
use crate::domain::money::Currency;
use crate::store::rows::{NewTransition, PaymentRow};
use crate::store::sets::{EventEnd, EventFacts, Key, LedgerEntry};
use crate::store::statement::{answers, statement};
use crate::store::told::earlier_to_json;

statement! { Sqlite,
    EndEvent {
        state: &'a str => Text,
        attempts: i64 => BigInt,
        claims: i64 => BigInt,
        code: &'a str => Text,
        outcome: &'a str => Text,
        due: Option<Timestamp> => Nullable<TimestamptzSqlite>,
        finished: Option<Timestamp> => Nullable<TimestamptzSqlite>,
        payment: Option<i64> => Nullable<BigInt>,
        matched: Option<&'a str> => Nullable<Text>,
        subscription: Option<i64> => Nullable<BigInt>,
        failure: Option<String> => Nullable<Text>,
        id: i64 => BigInt,
    }
    "UPDATE pay_events SET state = {}, attempts = {}, claims = {}, outcome_code = {}, outcome = {}, due_at = {}, \
     finished_at = {}, payment_id = {}, matched_by = {}, subscription_id = {}, failure = {} WHERE id = {}"
}
answers!(EndEvent, SqliteConnection);

pub(super) fn end_events(conn: &mut SqliteConnection, ends: &[EventEnd]) -> QueryResult<()> {
    for end in ends {
        EndEvent {
            state: end.verdict.state.as_str(),
            attempts: end.attempts,
            claims: end.claims,
            code: end.verdict.code,
            outcome: &end.verdict.outcome,
            due: end.verdict.due_at,
            finished: end.verdict.finished_at,
            payment: end.payment.map(|id| id.0),
            matched: end.matched_by.as_deref(),
            subscription: end.subscription.map(|id| id.0),
            failure: end.verdict.failure_group(),
            id: end.id.0,
            _borrows: Default::default(),
        }
        .execute(conn)?;
    }
    Ok(())
}

statement! { Sqlite,
    KeepReference {
        event: i64 => BigInt,
        variant: &'a str => Text,
        gateway_ref: &'a str => Text,
    }
    "INSERT INTO pay_event_references (event_id, variant, gateway_ref) VALUES ({}, {}, {}) ON CONFLICT DO NOTHING"
}
answers!(KeepReference, SqliteConnection);

pub(super) fn keep_references(conn: &mut SqliteConnection, refs: &[(EventId, String, String)]) -> QueryResult<()> {
    for (event, variant, gateway_ref) in refs {
        KeepReference { event: event.0, variant, gateway_ref, _borrows: Default::default() }.execute(conn)?;
    }
    Ok(())
}

statement! { Sqlite,
    KeepEventFacts {
        event: i64 => BigInt,
        summary: &'a str => Text,
        facts: &'a str => Text,
    }
    "INSERT INTO pay_event_facts (event_id, summary, facts) VALUES ({}, {}, {}) \
     ON CONFLICT (event_id) DO UPDATE SET summary = excluded.summary, facts = excluded.facts"
}
answers!(KeepEventFacts, SqliteConnection);

pub(super) fn keep_event_facts(conn: &mut SqliteConnection, all: &[EventFacts]) -> QueryResult<()> {
    for EventFacts { event, summary, facts } in all {
        KeepEventFacts { event: event.0, summary, facts, _borrows: Default::default() }.execute(conn)?;
    }
    Ok(())
}

statement! { Sqlite,
    Link {
        variant: &'a str => Text,
        gateway_ref: &'a str => Text,
        payment: i64 => BigInt,
    }
    "INSERT INTO pay_references (variant, gateway_ref, payment_id) VALUES ({}, {}, {}) ON CONFLICT DO NOTHING"
}
answers!(Link, SqliteConnection);

pub(super) fn link(conn: &mut SqliteConnection, links: &[(Key, PaymentId)]) -> QueryResult<()> {
    for ((variant, gateway_ref), payment) in links {
        Link { variant, gateway_ref, payment: payment.0, _borrows: Default::default() }.execute(conn)?;
    }
    Ok(())
}

statement! { Sqlite,
    KeepFact {
        payment: i64 => BigInt,
        register: &'a str => Text,
        gateway_ref: &'a str => Text,
        state: &'a str => Text,
        amount: Option<i64> => Nullable<BigInt>,
        face: Option<i64> => Nullable<BigInt>,
        currency: Option<&'a str> => Nullable<Text>,
        parent: Option<&'a str> => Nullable<Text>,
        since: Option<Timestamp> => Nullable<TimestamptzSqlite>,
        occurred: Timestamp => TimestamptzSqlite,
        event: &'a str => Text,
        until: Option<Timestamp> => Nullable<TimestamptzSqlite>,
        livemode: Option<bool> => Nullable<Bool>,
        earlier: Option<String> => Nullable<Text>,
        reason: Option<&'a str> => Nullable<Text>,
    }
    "INSERT INTO pay_ledger (payment_id, register, gateway_ref, state, amount, face_amount, currency, parent_ref, since, \
     occurred_at, event_id, until, livemode, earlier, reason) VALUES ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}) \
     ON CONFLICT (payment_id, register, gateway_ref) DO UPDATE SET state = excluded.state, amount = excluded.amount, \
     face_amount = excluded.face_amount, currency = excluded.currency, parent_ref = excluded.parent_ref, \
     since = excluded.since, occurred_at = excluded.occurred_at, event_id = excluded.event_id, \
     until = excluded.until, livemode = excluded.livemode, earlier = excluded.earlier, reason = excluded.reason"
}
answers!(KeepFact, SqliteConnection);

pub(super) fn keep_facts(conn: &mut SqliteConnection, entries: &[LedgerEntry]) -> QueryResult<()> {
    for LedgerEntry { payment, fact, earlier } in entries {
        KeepFact {
            payment: payment.0,
            register: fact.aspect.as_str(),
            gateway_ref: &fact.gateway_ref,
            state: fact.state.as_str(),
            amount: fact.amount,
            face: fact.face,
            currency: fact.currency.as_ref().map(Currency::as_str),
            parent: fact.parent.as_deref(),
            since: fact.since,
            occurred: fact.occurred_at,
            event: &fact.event_id,
            until: fact.until,
            livemode: fact.livemode,
            earlier: earlier_to_json(earlier),
            reason: fact.reason.as_deref(),
            _borrows: Default::default(),
        }
        .execute(conn)?;
    }
    Ok(())
}

statement! { Sqlite,
    SavePayment {
        status: &'a str => Text,
        amount: i64 => BigInt,
        currency: &'a str => Text,
        captured: i64 => BigInt,
        refunded: i64 => BigInt,
        lost: i64 => BigInt,
        review: bool => Bool,
        disputed: bool => Bool,
        concerns: &'a str => Text,
        customer: Option<&'a str> => Nullable<Text>,
        livemode: Option<bool> => Nullable<Bool>,
        account: Option<&'a str> => Nullable<Text>,
        now: Timestamp => TimestamptzSqlite,
        id: i64 => BigInt,
        version: i64 => BigInt,
    }
    "UPDATE pay_payments SET status = {}, amount = {}, currency = {}, captured_amount = {}, refunded_amount = {}, \
     lost_amount = {}, needs_review = {}, disputed = {}, concerns = {}, customer = {}, livemode = {}, account = {}, \
     version = version + 1, updated_at = {} WHERE id = {} AND version = {}"
}
answers!(SavePayment, SqliteConnection);

/// Answers how many were still of the version that was read.
pub(super) fn save_payments(conn: &mut SqliteConnection, rows: &[PaymentRow], now: Timestamp) -> QueryResult<usize> {
    let mut saved = 0;
    for row in rows {
        saved += SavePayment {
            status: row.status.as_str(),
            amount: row.amount,
            currency: row.currency.as_str(),
            captured: row.captured_amount,
            refunded: row.refunded_amount,
            lost: row.lost_amount,
            review: row.needs_review,
            disputed: row.disputed,
            concerns: &row.concerns,
            customer: row.customer.as_deref(),
            livemode: row.livemode,
            account: row.account.as_deref(),
            now,
            id: row.id.0,
            version: row.version,
            _borrows: Default::default(),
        }
        .execute(conn)?;
    }
    Ok(saved)
}

statement! { Sqlite,
    AddTransition {
        payment: i64 => BigInt,
        event: Option<i64> => Nullable<BigInt>,
        from: &'a str => Text,
        to: &'a str => Text,
        review: bool => Bool,
        disputed: bool => Bool,
        cause: &'a str => Text,
        created: Timestamp => TimestamptzSqlite,
        dispute: Option<&'a str> => Nullable<Text>,
        dispute_from: Option<&'a str> => Nullable<Text>,
        dispute_fact: Option<&'a str> => Nullable<Text>,
    }
    "INSERT INTO pay_transitions (payment_id, event_id, from_status, to_status, needs_review, disputed, cause, created_at, \
     dispute, dispute_from, dispute_fact) VALUES ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}) RETURNING id"
}
answers!(AddTransition, SqliteConnection, BigInt);

pub(super) fn add_transitions(conn: &mut SqliteConnection, steps: &[NewTransition]) -> QueryResult<Vec<TransitionId>> {
    let add = |step: &NewTransition| {
        AddTransition {
            payment: step.payment_id.0,
            event: step.event_id.map(|id| id.0),
            from: step.from_status.as_str(),
            to: step.to_status.as_str(),
            review: step.needs_review,
            disputed: step.disputed,
            cause: &step.cause,
            created: step.created_at,
            dispute: step.dispute.map(State::as_str),
            dispute_from: step.dispute_from.map(State::as_str),
            dispute_fact: step.dispute_fact.as_deref(),
            _borrows: Default::default(),
        }
        .get_result(conn)
        .map(TransitionId)
    };
    steps.iter().map(add).collect()
}
