//! How do events move through their states? A claim is an update that only its holder can follow up: every later
//! write names the attempt, which the next claim of the same event raises.

use std::collections::HashMap;

use diesel::prelude::*;

use super::schema::{pay_event_bodies, pay_events};
use super::{Connection, failed};
use crate::domain::Timestamp;
use crate::domain::event::EventState;
use crate::error::Error;
use crate::store::Events;
use crate::store::rows::{Claimed, EventRow};
use pay_events::dsl as e;

const RUNNING: &str = "running";

impl Events for Connection {
    fn assign(&mut self, event: i64, payment: i64, matched_by: &str) -> Result<(), Error> {
        diesel::update(e::pay_events.filter(e::id.eq(event)))
            .set((e::payment_id.eq(payment), e::matched_by.eq(matched_by)))
            .execute(self)
            .map(drop)
            .map_err(failed("linking an event to its payment"))
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
