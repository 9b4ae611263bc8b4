//! How do events move through their states? A claim is an update that only its holder can follow up: every later
//! write names the attempt, which the next claim of the same event raises.

use std::collections::HashMap;

use diesel::prelude::*;

use super::schema::{pay_event_bodies, pay_event_references, pay_events};
use super::{Connection, failed};
use crate::domain::Timestamp;
use crate::domain::event::EventState;
use crate::error::Error;
use crate::store::Events;
use crate::store::rows::{Claim, Claimed, EventRow, Verdict};
use pay_events::dsl as e;

const RUNNING: &str = "running";

/// Begins the next attempt of these events.
macro_rules! take {
    ($conn:expr, $events:expr, $lease_until:expr) => {
        diesel::update($events)
            .set((
                e::state.eq(RUNNING),
                e::attempts.eq(e::attempts + 1),
                e::claims.eq(e::claims + 1),
                e::due_at.eq($lease_until),
            ))
            .execute($conn)
            .map_err(failed("claiming events"))
    };
}

impl Events for Connection {
    fn claim(
        &mut self,
        now: Timestamp,
        lease_until: Timestamp,
        limit: i64,
        variants: &[String],
    ) -> Result<Vec<Claimed>, Error> {
        let due = super::super::due(self, now, limit, variants).map_err(failed("looking for due events"))?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let parked: Vec<i64> =
            due.iter().filter(|(_, state)| state == EventState::Parked.as_str()).map(|(id, _)| *id).collect();
        let ids: Vec<i64> = due.into_iter().map(|(id, _)| id).collect();
        take!(self, e::pay_events.filter(e::id.eq_any(&ids)), lease_until)?;
        let mut claimed = with_bodies(self, e::pay_events.filter(e::id.eq_any(&ids)).order(e::id).into_boxed())?;
        for event in &mut claimed {
            event.was_parked = parked.contains(&event.row.id);
        }
        Ok(claimed)
    }

    fn claim_named(
        &mut self,
        variant: &str,
        gateway_event_ids: &[String],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<Claimed>, Error> {
        let mut taken = Vec::new();
        for id in gateway_event_ids {
            let named = e::pay_events.filter(e::variant.eq(variant).and(e::gateway_event_id.eq(id)));
            // Who finds it locked waits, and then finds it taken.
            let free = named.filter(e::state.eq(EventState::Available.as_str()).and(e::due_at.le(now)));
            if take!(self, free, lease_until)? > 0 {
                taken.push(id);
            }
        }
        with_bodies(
            self,
            e::pay_events
                .filter(e::variant.eq(variant).and(e::gateway_event_id.eq_any(taken)))
                .order(e::id)
                .into_boxed(),
        )
    }

    fn renew(&mut self, claim: Claim, lease_until: Timestamp) -> Result<bool, Error> {
        diesel::update(e::pay_events.filter(e::id.eq(claim.event)))
            .filter(e::state.eq(RUNNING).and(e::claims.eq(claim.number)))
            .set(e::due_at.eq(lease_until))
            .execute(self)
            .map(|rows| rows == 1)
            .map_err(failed("renewing a lease"))
    }

    fn settle(&mut self, claim: Claim, verdict: &Verdict) -> Result<bool, Error> {
        // Waiting is no attempt: neither for a payment, nor because the worker stopped.
        let waits = matches!(verdict.state, EventState::Parked | EventState::Available);
        diesel::update(e::pay_events.filter(e::id.eq(claim.event)))
            .filter(e::state.eq(RUNNING).and(e::claims.eq(claim.number)))
            .set((
                e::state.eq(verdict.state.as_str()),
                e::attempts.eq(e::attempts - i64::from(waits)),
                e::outcome_code.eq(verdict.code),
                e::outcome.eq(&verdict.outcome),
                e::due_at.eq(verdict.due_at),
                e::finished_at.eq(verdict.finished_at),
            ))
            .execute(self)
            .map(|rows| rows == 1)
            .map_err(failed("settling an event"))
    }

    fn assign(&mut self, event: i64, payment: i64, matched_by: Option<&str>) -> Result<(), Error> {
        diesel::update(e::pay_events.filter(e::id.eq(event)))
            .set((e::payment_id.eq(payment), e::matched_by.eq(matched_by)))
            .execute(self)
            .map(drop)
            .map_err(failed("linking an event to its payment"))
    }

    fn wake(&mut self, variant: &str, refs: &[String], now: Timestamp) -> Result<usize, Error> {
        use pay_event_references::dsl as r;
        let bearing =
            r::pay_event_references.filter(r::variant.eq(variant).and(r::gateway_ref.eq_any(refs))).select(r::event_id);
        diesel::update(e::pay_events.filter(e::state.eq(EventState::Parked.as_str()).and(e::id.eq_any(bearing))))
            .set((e::state.eq(EventState::Available.as_str()), e::due_at.eq(now)))
            .execute(self)
            .map_err(failed("waking parked events"))
    }

    fn requeue(&mut self, event: i64, now: Timestamp) -> Result<bool, Error> {
        diesel::update(e::pay_events.filter(e::id.eq(event).and(e::state.ne(RUNNING))))
            .set((
                e::state.eq(EventState::Available.as_str()),
                e::attempts.eq(0),
                e::due_at.eq(now),
                e::finished_at.eq(None::<Timestamp>),
            ))
            .execute(self)
            .map(|rows| rows == 1)
            .map_err(failed("requeueing an event"))
    }

    fn discard(&mut self, event: i64, outcome: &str, now: Timestamp) -> Result<bool, Error> {
        let waiting = [EventState::Available, EventState::Retryable, EventState::Parked].map(EventState::as_str);
        diesel::update(e::pay_events.filter(e::id.eq(event).and(e::state.eq_any(waiting))))
            .set((
                e::state.eq(EventState::Discarded.as_str()),
                e::outcome_code.eq("discarded"),
                e::outcome.eq(outcome),
                e::due_at.eq(None::<Timestamp>),
                e::finished_at.eq(now),
            ))
            .execute(self)
            .map(|rows| rows == 1)
            .map_err(failed("discarding an event"))
    }

    fn keep_references(&mut self, event: i64, variant: &str, refs: &[String]) -> Result<(), Error> {
        use pay_event_references::dsl as r;
        for gateway_ref in refs {
            diesel::insert_into(r::pay_event_references)
                .values((r::event_id.eq(event), r::variant.eq(variant), r::gateway_ref.eq(gateway_ref)))
                .on_conflict_do_nothing()
                .execute(self)
                .map_err(failed("keeping an event's references"))?;
        }
        Ok(())
    }

    fn recorded_of(&mut self, payment: i64) -> Result<Vec<Claimed>, Error> {
        with_bodies(self, e::pay_events.filter(e::payment_id.eq(payment)).order(e::id).into_boxed())
    }

    fn recorded(&mut self, event: i64) -> Result<Option<Claimed>, Error> {
        Ok(with_bodies(self, e::pay_events.filter(e::id.eq(event)).into_boxed())?.pop())
    }

    fn pruned_of(&mut self, payment: i64) -> Result<i64, Error> {
        use pay_event_bodies::dsl as b;
        let kept = b::pay_event_bodies.filter(b::event_id.eq(e::id));
        e::pay_events
            .filter(e::payment_id.eq(payment).and(diesel::dsl::not(diesel::dsl::exists(kept))))
            .count()
            .get_result(self)
            .map_err(failed("looking for pruned bodies"))
    }
}

/// The events of the query with their bodies; an event whose body was pruned has none and is left out.
fn with_bodies(
    conn: &mut Connection,
    events: pay_events::BoxedQuery<'_, super::super::Backend>,
) -> Result<Vec<Claimed>, Error> {
    use pay_event_bodies::dsl as b;
    let rows: Vec<EventRow> = events.load(conn).map_err(failed("reading events"))?;
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let bodies: Vec<(i64, Vec<u8>)> = b::pay_event_bodies
        .filter(b::event_id.eq_any(&ids))
        .select((b::event_id, b::body))
        .load(conn)
        .map_err(failed("reading bodies"))?;
    let mut bodies: HashMap<i64, Vec<u8>> = bodies.into_iter().collect();
    let with_body = |row: EventRow| Some(Claimed { body: bodies.remove(&row.id)?.into(), row, was_parked: false });
    Ok(rows.into_iter().filter_map(with_body).collect())
}
