//! Pruning goes along the primary key of the bodies, so that what was pruned long ago costs nothing.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::super as dialect;
use super::super::Instant;
use super::said::Said;
use super::schema::pay_event_bodies::dsl as b;
use super::schema::pay_events::dsl as e;
use super::schema::pay_payments::dsl as p;
use super::schema::pay_pruned::dsl as g;
use super::{Connection, failed};
use crate::domain::Timestamp;
use crate::domain::id::EventId;
use crate::error::Error;
use crate::store::bodies::{Bodies, Differing, KeptBody, PrunedBody};

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::Instant;
    pay_differing (event_id) {
        event_id -> BigInt,
        count -> BigInt,
        last_at -> Instant,
        last_hash -> Text,
    }
}

use pay_differing::dsl as d;

impl Bodies for Connection {
    fn kept_bodies(&mut self, after: EventId, limit: i64) -> Result<Vec<KeptBody>, Error> {
        let ids = b::pay_event_bodies.filter(b::event_id.gt(after)).order(b::event_id).limit(limit).select(b::event_id);
        let ids = ids.load(self).map_err(failed("looking for stored bodies"))?;
        kept(self, ids)
    }

    fn held_bodies(&mut self, events: &[EventId]) -> Result<Vec<KeptBody>, Error> {
        // Read after they are held: what was changed meanwhile is seen.
        let held = dialect::hold_events(self, events).map_err(failed("holding events"))?;
        kept(self, held)
    }

    fn prune_bodies(&mut self, events: &[EventId], kept_seconds: i64, now: Timestamp) -> Result<(), Error> {
        diesel::delete(b::pay_event_bodies.filter(b::event_id.eq_any(events)))
            .execute(self)
            .map_err(failed("pruning bodies"))?;
        let notes = e::pay_events.filter(e::id.eq_any(events)).select((
            e::id,
            now.into_sql::<Instant>(),
            kept_seconds.into_sql::<BigInt>(),
        ));
        notes
            .insert_into(g::pay_pruned)
            .into_columns((g::event_id, g::pruned_at, g::kept_seconds))
            .on_conflict_do_nothing()
            .execute(self)
            .map(drop)
            .map_err(failed("noting pruned bodies"))
    }

    fn pruned_body(&mut self, event: EventId) -> Result<Option<PrunedBody>, Error> {
        g::pay_pruned.find(event).first(self).optional().map_err(failed("looking when a body was pruned"))
    }

    fn note_differing(&mut self, event: EventId, hash: &str, now: Timestamp) -> Result<(), Error> {
        let last = (d::last_at.eq(now), d::last_hash.eq(hash));
        diesel::insert_into(d::pay_differing)
            .values((d::event_id.eq(event), d::count.eq(1_i64), last))
            .on_conflict(d::event_id)
            .do_update()
            .set((d::count.eq(d::count + 1), last))
            .execute(self)
            .map(drop)
            .map_err(failed("noting that a body differs"))
    }

    fn differing(&mut self, event: EventId) -> Result<Option<Differing>, Error> {
        d::pay_differing.find(event).first(self).optional().map_err(failed("looking whether a body differed"))
    }

    fn differing_since(
        &mut self,
        since: Timestamp,
        only: Option<&[String]>,
        cap: i64,
    ) -> Result<Vec<(EventId, String, Timestamp)>, Error> {
        // Of each its variant is looked up, so that no plan goes through all events of the variants.
        let lately = Said::<(BigInt, Text, Instant)>::new()
            .sql(
                "SELECT event_id, variant, last_at FROM (SELECT event_id, last_at, \
                 (SELECT variant FROM pay_events WHERE id = event_id) AS variant FROM pay_differing WHERE last_at > ",
            )
            .at(since)
            .sql(") AS lately WHERE variant ");
        let lately = match only {
            None => lately.sql("IS NOT NULL"),
            Some(names) => names.iter().fold(lately.sql("IN (''"), |said, name| said.sql(", ").word(name)).sql(")"),
        };
        let lately = lately.sql(format!(" ORDER BY last_at DESC LIMIT {cap}"));
        lately.load(self).map_err(failed("looking for bodies that differed"))
    }

    fn hold_body(&mut self, event: EventId) -> Result<bool, Error> {
        dialect::wait_for_events(self, &[event]).map_err(failed("holding an event"))?;
        let kept = b::pay_event_bodies.find(event).select(b::event_id).first::<EventId>(self);
        kept.optional().map(|kept| kept.is_some()).map_err(failed("looking for a body"))
    }

    fn with_bodies(&mut self, events: &[EventId]) -> Result<Vec<EventId>, Error> {
        let kept = b::pay_event_bodies.filter(b::event_id.eq_any(events)).select(b::event_id);
        kept.load(self).map_err(failed("looking for bodies"))
    }
}

/// What decides about the bodies of these events, in the order of their ids.
fn kept(conn: &mut Connection, events: Vec<EventId>) -> Result<Vec<KeptBody>, Error> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    e::pay_events
        .left_join(p::pay_payments.on(e::payment_id.eq(p::id.nullable())))
        .filter(e::id.eq_any(events))
        .order(e::id)
        .select((
            e::id,
            e::kind,
            e::state,
            e::source,
            e::received_at,
            e::finished_at,
            p::disputed.nullable(),
            p::needs_review.nullable(),
        ))
        .load(conn)
        .map_err(failed("reading which bodies may go"))
}
