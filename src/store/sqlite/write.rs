//! What SQLite writes for many events: row by row, each statement prepared once for its connection, which is the
//! fastest way into it inside one transaction.

use diesel::prelude::*;

use super::statements::schema::{
    pay_attempts, pay_event_facts, pay_event_references, pay_events, pay_ledger, pay_payments, pay_references,
    pay_transitions,
};
use crate::domain::Timestamp;
use crate::domain::event::EventState;
use crate::domain::fact::Fact;
use crate::domain::id::{EventId, PaymentId, TransitionId};
use crate::domain::money::Currency;
use crate::store::rows::{Claim, NewAttempt, NewTransition, PaymentRow};
use crate::store::sets::{EventEnd, EventFacts, Key, Settled};

const RUNNING: EventState = EventState::Running;

pub(super) fn end_events(conn: &mut SqliteConnection, ends: &[EventEnd]) -> QueryResult<()> {
    use pay_events::dsl as e;
    for end in ends {
        let EventEnd { id, attempts, claims, verdict, payment, matched_by } = end;
        diesel::update(e::pay_events.find(id))
            .set((
                e::state.eq(verdict.state),
                e::attempts.eq(attempts),
                e::claims.eq(claims),
                e::outcome_code.eq(verdict.code),
                e::outcome.eq(&verdict.outcome),
                e::due_at.eq(verdict.due_at),
                e::finished_at.eq(verdict.finished_at),
                e::payment_id.eq(payment),
                e::matched_by.eq(matched_by),
            ))
            .execute(conn)?;
    }
    Ok(())
}

pub(super) fn keep_references(conn: &mut SqliteConnection, refs: &[(EventId, String, String)]) -> QueryResult<()> {
    use pay_event_references::dsl as r;
    for (event, variant, gateway_ref) in refs {
        diesel::insert_into(r::pay_event_references)
            .values((r::event_id.eq(event), r::variant.eq(variant), r::gateway_ref.eq(gateway_ref)))
            .on_conflict_do_nothing()
            .execute(conn)?;
    }
    Ok(())
}

pub(super) fn keep_event_facts(conn: &mut SqliteConnection, facts: &[EventFacts]) -> QueryResult<()> {
    use pay_event_facts::dsl as f;
    for EventFacts { event, summary, facts } in facts {
        diesel::insert_into(f::pay_event_facts)
            .values((f::event_id.eq(event), f::summary.eq(summary), f::facts.eq(facts)))
            .on_conflict(f::event_id)
            .do_update()
            .set((f::summary.eq(summary), f::facts.eq(facts)))
            .execute(conn)?;
    }
    Ok(())
}

pub(super) fn link(conn: &mut SqliteConnection, links: &[(Key, PaymentId)]) -> QueryResult<()> {
    use pay_references::dsl as r;
    for ((variant, gateway_ref), payment) in links {
        diesel::insert_into(r::pay_references)
            .values((r::variant.eq(variant), r::gateway_ref.eq(gateway_ref), r::payment_id.eq(payment)))
            .on_conflict_do_nothing()
            .execute(conn)?;
    }
    Ok(())
}

pub(super) fn keep_facts(conn: &mut SqliteConnection, facts: &[(PaymentId, Fact)]) -> QueryResult<()> {
    use pay_ledger::dsl as l;
    for (payment, fact) in facts {
        let content = (
            l::state.eq(fact.state),
            l::amount.eq(fact.amount),
            l::face_amount.eq(fact.face),
            l::currency.eq(fact.currency.as_ref().map(Currency::as_str)),
            l::parent_ref.eq(fact.parent.as_deref()),
            l::since.eq(fact.since),
            l::occurred_at.eq(fact.occurred_at),
            l::event_id.eq(&fact.event_id),
        );
        let key =
            (l::payment_id.eq(payment), l::register.eq(fact.aspect), l::gateway_ref.eq(fact.gateway_ref.as_str()));
        diesel::insert_into(l::pay_ledger)
            .values((key, content))
            .on_conflict((l::payment_id, l::register, l::gateway_ref))
            .do_update()
            .set(content)
            .execute(conn)?;
    }
    Ok(())
}

/// Answers how many were still of the version that was read.
pub(super) fn save_payments(conn: &mut SqliteConnection, rows: &[PaymentRow], now: Timestamp) -> QueryResult<usize> {
    use pay_payments::dsl as p;
    let mut saved = 0;
    for row in rows {
        saved += diesel::update(p::pay_payments.filter(p::id.eq(row.id).and(p::version.eq(row.version))))
            .set((
                (p::status.eq(row.status), p::amount.eq(row.amount), p::currency.eq(row.currency)),
                p::captured_amount.eq(row.captured_amount),
                p::refunded_amount.eq(row.refunded_amount),
                p::needs_review.eq(row.needs_review),
                p::disputed.eq(row.disputed),
                p::concerns.eq(&row.concerns),
                (p::customer.eq(&row.customer), p::livemode.eq(row.livemode)),
                p::version.eq(row.version + 1),
                p::updated_at.eq(now),
            ))
            .execute(conn)?;
    }
    Ok(saved)
}

pub(super) fn add_transitions(conn: &mut SqliteConnection, steps: &[NewTransition]) -> QueryResult<Vec<TransitionId>> {
    use pay_transitions::dsl as t;
    let add = |new: &NewTransition| {
        diesel::insert_into(t::pay_transitions)
            .values((
                t::payment_id.eq(new.payment_id),
                t::event_id.eq(new.event_id),
                t::from_status.eq(new.from_status),
                t::to_status.eq(new.to_status),
                t::needs_review.eq(new.needs_review),
                t::disputed.eq(new.disputed),
                t::cause.eq(&new.cause),
                t::created_at.eq(new.created_at),
            ))
            .returning(t::id)
            .get_result(conn)
    };
    steps.iter().map(add).collect()
}

pub(super) fn add_attempts(conn: &mut SqliteConnection, attempts: &[NewAttempt]) -> QueryResult<()> {
    use pay_attempts::dsl as a;
    for new in attempts {
        diesel::insert_into(a::pay_attempts)
            .values((
                a::event_id.eq(new.event_id),
                a::transition_id.eq(new.transition_id),
                a::handler.eq(&new.handler),
                a::attempt.eq(new.attempt),
                a::outcome.eq(new.outcome),
                a::error.eq(&new.error),
                a::started_at.eq(new.started_at),
                a::finished_at.eq(new.finished_at),
            ))
            .execute(conn)?;
    }
    Ok(())
}

pub(super) fn settle_events(conn: &mut SqliteConnection, settled: &[Settled]) -> QueryResult<Vec<bool>> {
    use pay_events::dsl as e;
    let settle = |one: &Settled| {
        let Settled { claim, verdict } = one;
        diesel::update(e::pay_events.find(claim.event))
            .filter(e::state.eq(RUNNING).and(e::claims.eq(claim.number)))
            .set((
                e::state.eq(verdict.state),
                e::attempts.eq(e::attempts - i64::from(one.returns_attempt())),
                e::outcome_code.eq(verdict.code),
                e::outcome.eq(&verdict.outcome),
                e::due_at.eq(verdict.due_at),
                e::finished_at.eq(verdict.finished_at),
            ))
            .execute(conn)
            .map(|rows| rows == 1)
    };
    settled.iter().map(settle).collect()
}

pub(super) fn renew(conn: &mut SqliteConnection, claims: &[Claim], until: Timestamp) -> QueryResult<Vec<Claim>> {
    use pay_events::dsl as e;
    let mut held = Vec::with_capacity(claims.len());
    for claim in claims {
        let renewed = diesel::update(e::pay_events.find(claim.event))
            .filter(e::state.eq(RUNNING).and(e::claims.eq(claim.number)))
            .set(e::due_at.eq(until))
            .execute(conn)?;
        held.extend((renewed == 1).then_some(*claim));
    }
    Ok(held)
}
