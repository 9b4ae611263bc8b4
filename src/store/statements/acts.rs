//! How is the audit read? By key, newest first; each filter has an index of its own.

use std::collections::BTreeMap;
use std::ops::Range;

use diesel::prelude::*;

use super::schema::pay_audit::dsl as a;
use super::schema::{pay_audit, pay_events};
use super::{Connection, failed};
use crate::domain::id::EventId;
use crate::error::Error;
use crate::store::audit::{ActFilter, ActPlace, ActRow, Acts, OnVariants};

diesel::table! {
    pay_audit_events (act_id, place) {
        act_id -> BigInt,
        place -> BigInt,
        event_id -> BigInt,
    }
}

diesel::table! {
    pay_audit_variants (act_id, variant) {
        act_id -> BigInt,
        variant -> Text,
        first_place -> BigInt,
        events -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(pay_audit, pay_audit_events);
diesel::allow_tables_to_appear_in_same_query!(pay_audit_events, pay_events);

use pay_audit_events::dsl as m;
use pay_audit_variants::dsl as v;
use pay_events::dsl as e;

impl Acts for Connection {
    fn browse_acts(&mut self, filter: &ActFilter, from: Option<ActPlace>, limit: i64) -> Result<Vec<ActRow>, Error> {
        let mut query = a::pay_audit.limit(limit).into_boxed();
        if let Some(actor) = &filter.actor {
            query = query.filter(a::actor.eq(actor));
        }
        if let Some(act) = &filter.act {
            query = query.filter(a::act.eq(act));
        }
        query = match from {
            Some(ActPlace { id, back: false, with: false }) => query.filter(a::id.lt(id)),
            Some(ActPlace { id, back: false, with: true }) => query.filter(a::id.le(id)),
            Some(ActPlace { id, back: true, with: false }) => query.filter(a::id.gt(id)),
            Some(ActPlace { id, back: true, with: true }) => query.filter(a::id.ge(id)),
            None => query,
        };
        let back = from.is_some_and(|from| from.back);
        let rows = if back { query.order(a::id.asc()).load(self) } else { query.order(a::id.desc()).load(self) };
        rows.map_err(failed("listing acts"))
    }

    fn recent_acts(&mut self, window: i64) -> Result<Vec<String>, Error> {
        a::pay_audit.order(a::id.desc()).limit(window).select(a::act).load(self).map_err(failed("reading acts"))
    }

    fn events_acted_on(&mut self, acts: &[i64], cap: i64) -> Result<Vec<(i64, EventId)>, Error> {
        if acts.is_empty() {
            return Ok(Vec::new());
        }
        m::pay_audit_events
            .filter(m::act_id.eq_any(acts).and(m::place.lt(cap)))
            .order((m::act_id, m::place))
            .select((m::act_id, m::event_id))
            .load(self)
            .map_err(failed("reading what acts were on"))
    }

    fn acts_on_variants(&mut self, acts: &[i64], variants: &[String]) -> Result<BTreeMap<i64, OnVariants>, Error> {
        let mut on: BTreeMap<i64, OnVariants> = BTreeMap::new();
        if acts.is_empty() || variants.is_empty() {
            return Ok(on);
        }
        let its = v::pay_audit_variants.filter(v::act_id.eq_any(acts).and(v::variant.eq_any(variants)));
        let its = its.select((v::act_id, v::first_place, v::events)).load::<(i64, i64, i64)>(self);
        for (act, first, events) in its.map_err(failed("reading what acts were on"))? {
            let known = on.entry(act).or_insert(OnVariants { first, events: 0 });
            *known = OnVariants { first: known.first.min(first), events: known.events.saturating_add(events) };
        }
        Ok(on)
    }

    fn own_events_of_act(
        &mut self,
        act: i64,
        variants: &[String],
        places: Range<i64>,
        limit: i64,
    ) -> Result<Vec<EventId>, Error> {
        let looked_at = m::place.ge(places.start).and(m::place.lt(places.end));
        m::pay_audit_events
            .inner_join(e::pay_events.on(e::id.eq(m::event_id)))
            .filter(m::act_id.eq(act).and(looked_at).and(e::variant.eq_any(variants)))
            .order(m::place)
            .limit(limit)
            .select(m::event_id)
            .load(self)
            .map_err(failed("reading what an act was on"))
    }

    fn events_of_act(&mut self, act: i64, from: i64, limit: i64) -> Result<Vec<EventId>, Error> {
        m::pay_audit_events
            .filter(m::act_id.eq(act).and(m::place.ge(from)))
            .order(m::place)
            .limit(limit)
            .select(m::event_id)
            .load(self)
            .map_err(failed("reading what an act was on"))
    }

    fn acts_on_many(&mut self, events: &[EventId]) -> Result<Vec<ActRow>, Error> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let acts = m::pay_audit_events
            .inner_join(a::pay_audit.on(a::id.eq(m::act_id)))
            .filter(m::event_id.eq_any(events))
            .order(m::act_id.desc())
            .limit(200)
            .select((m::event_id, a::pay_audit::all_columns()))
            .load::<(EventId, ActRow)>(self)
            .map_err(failed("reading acts on many events"))?;
        Ok(acts.into_iter().map(|(event, act)| ActRow { event_id: Some(event), ..act }).collect())
    }
}
