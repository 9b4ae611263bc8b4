//! How do events move through their states? A claim is an update that only its holder can follow up: every later
//! write names the attempt, which the next claim of the same event raises.

use std::collections::HashMap;

use diesel::prelude::*;

use super::schema::{pay_event_bodies, pay_events};
use super::{Connection, failed};
use crate::domain::Timestamp;
use crate::domain::event::{EventState, Source};
use crate::domain::id::{EventId, PaymentId};
use crate::error::Error;
use crate::store::Events;
use crate::store::rows::{Claimed, EventRow};
use pay_events::dsl as e;

const RUNNING: EventState = EventState::Running;
const READING: &str = "reading events";

impl Events for Connection {
    fn assign(&mut self, event: EventId, payment: PaymentId, matched_by: &str) -> Result<(), Error> {
        diesel::update(e::pay_events.filter(e::id.eq(event)))
            .set((e::payment_id.eq(payment), e::matched_by.eq(matched_by)))
            .execute(self)
            .map(drop)
            .map_err(failed("linking an event to its payment"))
    }

    fn requeue(&mut self, event: EventId, now: Timestamp) -> Result<bool, Error> {
        diesel::update(e::pay_events.filter(e::id.eq(event).and(e::state.ne(RUNNING))))
            .set((
                e::state.eq(EventState::Available),
                e::attempts.eq(0),
                e::due_at.eq(now),
                e::finished_at.eq(None::<Timestamp>),
                e::requeued_at.eq(now),
                e::failure.eq(None::<String>),
            ))
            .execute(self)
            .map(|rows| rows == 1)
            .map_err(failed("requeueing an event"))
    }

    fn discard(&mut self, event: EventId, outcome: &str, now: Timestamp) -> Result<bool, Error> {
        let waiting = [EventState::Available, EventState::Retryable, EventState::Parked];
        let by_itself = e::outcome_code.is_null().or(e::outcome_code.ne("discarded"));
        let given_up = e::state.eq(EventState::Discarded).and(by_itself);
        diesel::update(e::pay_events.filter(e::id.eq(event).and(e::state.eq_any(waiting).or(given_up))))
            .set((
                e::state.eq(EventState::Discarded),
                e::outcome_code.eq("discarded"),
                e::outcome.eq(outcome),
                e::failure.eq(None::<String>),
                e::due_at.eq(None::<Timestamp>),
                e::finished_at.eq(now),
            ))
            .execute(self)
            .map(|rows| rows == 1)
            .map_err(failed("discarding an event"))
    }

    fn recorded_of(&mut self, payment: PaymentId) -> Result<Vec<Claimed>, Error> {
        let rows = e::pay_events.filter(e::payment_id.eq(payment)).order(e::id).load(self).map_err(failed(READING))?;
        with_bodies(self, rows)
    }

    fn recorded(&mut self, event: EventId) -> Result<Option<Claimed>, Error> {
        let row = e::pay_events.find(event).first(self).optional().map_err(failed(READING))?;
        Ok(with_bodies(self, row.into_iter().collect())?.pop())
    }

    fn pruned_of(&mut self, payment: PaymentId) -> Result<i64, Error> {
        use pay_event_bodies::dsl as b;
        let kept = b::pay_event_bodies.filter(b::event_id.eq(e::id));
        e::pay_events
            .filter(e::payment_id.eq(payment).and(e::source.ne(Source::Operator)))
            .filter(diesel::dsl::not(diesel::dsl::exists(kept)))
            .count()
            .get_result(self)
            .map_err(failed("looking for pruned bodies"))
    }
}

/// The events with their bodies; an event whose body was pruned has none and is left out.
fn with_bodies(conn: &mut Connection, rows: Vec<EventRow>) -> Result<Vec<Claimed>, Error> {
    use pay_event_bodies::dsl as b;
    let ids: Vec<EventId> = rows.iter().map(|row| row.id).collect();
    let bodies: Vec<(EventId, Vec<u8>)> = b::pay_event_bodies
        .filter(b::event_id.eq_any(&ids))
        .select((b::event_id, b::body))
        .load(conn)
        .map_err(failed("reading bodies"))?;
    let mut bodies: HashMap<EventId, Vec<u8>> = bodies.into_iter().collect();
    let with_body = |row: EventRow| Some(Claimed { body: bodies.remove(&row.id)?.into(), row, was_parked: false });
    Ok(rows.into_iter().filter_map(with_body).collect())
}
