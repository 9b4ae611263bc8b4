//! How does one process of many do what is to be done from time to time? The row says when it is due, and whoever
//! moves that on has it.

use std::time::Duration;

use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::super as dialect;
use super::fetch_schema::pay_fetches;
use super::schema::pay_chores::dsl as c;
use super::schema::{pay_events, pay_operations, pay_payments, pay_references};
use super::subscription_schema::pay_subscription_operations;
use super::{Connection, failed};
use crate::domain::event::EventState;
use crate::domain::payment::Status;
use crate::domain::{Timestamp, later};
use crate::error::Error;
use crate::store::calls::{ChoreRow, Stale};
use crate::store::chores::Chores;

/// How far ahead of the others a clock is wrong.
const WRONG: time::Duration = time::Duration::hours(1);
/// How far in the future nothing is due that is being done.
const LONG: time::Duration = time::Duration::days(1);

/// The later of this time and the database's own: a process that is behind must not take all others to be ahead.
fn not_before(conn: &mut Connection, now: Timestamp) -> Result<Timestamp, Error> {
    let own = dialect::clock(conn).map_err(failed("asking for the time"))?;
    Ok(own.map_or(now, |own| own.max(now)))
}

impl Chores for Connection {
    fn claim_chore(&mut self, name: &str, now: Timestamp, again: Timestamp) -> Result<Option<ChoreRow>, Error> {
        diesel::insert_into(c::pay_chores)
            .values((c::name.eq(name), c::due_at.eq(now)))
            .on_conflict_do_nothing()
            .execute(self)
            .map_err(failed("adding a chore"))?;
        let failing = || failed("claiming a chore");
        let set = (c::due_at.eq(again), c::ran_at.eq(now));
        let due = diesel::update(c::pay_chores.filter(c::name.eq(name).and(c::due_at.le(now)))).set(set);
        let mine = due.get_result(self).optional().map_err(failing())?;
        if mine.is_some() || !self.is_chore_due(name, now)? {
            return Ok(mine);
        }
        let put_off = c::name.eq(name).and(c::ran_at.gt(now + WRONG));
        let mine = diesel::update(c::pay_chores.filter(put_off)).set(set).get_result(self);
        mine.optional().map_err(failing())
    }

    fn is_chore_due(&mut self, name: &str, now: Timestamp) -> Result<bool, Error> {
        let Some(chore) = self.chore(name)? else { return Ok(true) };
        // One that will only have run was put off by a clock that was wrong; whose, the database's own clock says.
        match chore.ran_at.filter(|at| *at > now + WRONG) {
            Some(ran_at) if chore.due_at > now => Ok(ran_at > not_before(self, now)? + WRONG),
            _ => Ok(chore.due_at <= now),
        }
    }

    fn bring_forward(&mut self, now: Timestamp, lease: Duration) -> Result<usize, Error> {
        use {pay_events::dsl as e, pay_operations::dsl as o};
        use {pay_fetches::dsl as f, pay_subscription_operations::dsl as s};
        let ahead = not_before(self, now)?;
        let failing = || failed("bringing forward what a clock put off");
        let (soon, late) = (ahead + WRONG, later(ahead + LONG, lease));
        let is_late = e::state.eq(EventState::Available).and(e::due_at.gt(soon));
        let is_late = is_late.or(e::state.eq(EventState::Running).and(e::due_at.gt(late)));
        let events = diesel::update(e::pay_events.filter(e::due_at.gt(soon)).filter(is_late)).set(e::due_at.eq(now));
        let mut count = events.execute(self).map_err(failing())?;
        let operations = diesel::update(o::pay_operations.filter(o::due_at.gt(late))).set(o::due_at.eq(now));
        count += operations.execute(self).map_err(failing())?;
        let operations = diesel::update(s::pay_subscription_operations.filter(s::due_at.gt(late)));
        count += operations.set(s::due_at.eq(now)).execute(self).map_err(failing())?;
        let questions = diesel::update(f::pay_fetches.filter(f::due_at.gt(late))).set(f::due_at.eq(now));
        Ok(count + questions.execute(self).map_err(failing())?)
    }

    fn hurry_chore(&mut self, name: &str, now: Timestamp, since: Timestamp) -> Result<(), Error> {
        let ahead = not_before(self, now)? + WRONG;
        let idle = c::ran_at.is_null().or(c::ran_at.lt(since)).or(c::ran_at.gt(ahead));
        diesel::update(c::pay_chores.filter(c::name.eq(name).and(c::due_at.gt(now))).filter(idle))
            .set(c::due_at.eq(now))
            .execute(self)
            .map(drop)
            .map_err(failed("hurrying a chore"))
    }

    fn end_chore(&mut self, name: &str, now: Timestamp, done_to: Option<Timestamp>, note: &str) -> Result<(), Error> {
        let chore = c::pay_chores.filter(c::name.eq(name));
        let ended = diesel::update(chore).set((c::ran_at.eq(now), c::note.eq(note))).execute(self);
        ended.map_err(failed("ending a chore"))?;
        let Some(done_to) = done_to else { return Ok(()) };
        let moved = diesel::update(chore).set(c::done_to.eq(done_to)).execute(self);
        moved.map(drop).map_err(failed("ending a chore"))
    }

    fn pause_chore(&mut self, name: &str, again: Timestamp, place: Option<i64>, note: &str) -> Result<(), Error> {
        diesel::update(c::pay_chores.find(name))
            .set((c::due_at.eq(again), c::place.eq(place), c::note.eq(note)))
            .execute(self)
            .map(drop)
            .map_err(failed("pausing a chore"))
    }

    fn pause_claimed(
        &mut self,
        claimed: &ChoreRow,
        again: Timestamp,
        place: Option<i64>,
        note: &str,
    ) -> Result<(), Error> {
        let is_still = c::name.eq(&claimed.name).and(c::due_at.eq(claimed.due_at));
        let mine = c::pay_chores.filter(is_still);
        let set = (c::due_at.eq(again), c::place.eq(place), c::note.eq(note));
        let paused = match claimed.place {
            Some(known) => diesel::update(mine.filter(c::place.eq(known))).set(set).execute(self),
            None => diesel::update(mine.filter(c::place.is_null())).set(set).execute(self),
        };
        paused.map(drop).map_err(failed("pausing a chore"))
    }

    fn all_chores(&mut self) -> Result<Vec<ChoreRow>, Error> {
        c::pay_chores.order(c::name).load(self).map_err(failed("reading chores"))
    }

    fn chore(&mut self, name: &str) -> Result<Option<ChoreRow>, Error> {
        c::pay_chores.find(name).first(self).optional().map_err(failed("reading a chore"))
    }

    fn missing_events(&mut self, variant: &str, ids: &[String]) -> Result<Vec<String>, Error> {
        use pay_events::dsl as e;
        let known: Vec<String> = e::pay_events
            .filter(e::variant.eq(variant).and(e::gateway_event_id.eq_any(ids)))
            .select(e::gateway_event_id)
            .load(self)
            .map_err(failed("comparing events"))?;
        Ok(ids.iter().filter(|id| !known.contains(id)).cloned().collect())
    }

    fn stale_payments(&mut self, stale: &Stale<'_>) -> Result<Vec<String>, Error> {
        use {pay_operations::dsl as o, pay_payments::dsl as p, pay_references::dsl as r};
        let has_reference = exists(r::pay_references.filter(r::payment_id.eq(p::id)));
        let asked = exists(o::pay_operations.filter(o::payment_id.eq(p::id).and(o::created_at.ge(stale.asked))));
        let found = p::pay_payments
            .filter(p::status.eq(stale.status).and(p::variant.eq(stale.variant)).and(p::absorbed_by.is_null()))
            .filter(p::created_at.ge(stale.created_after).and(p::created_at.lt(stale.created_before)))
            .filter(has_reference.and(not(asked)))
            .limit(stale.limit / 2)
            .select(p::token);
        let newest = found.order(p::id.desc()).load::<String>(self).map_err(failed("finding stale payments"))?;
        let oldest = found.order(p::id).load::<String>(self).map_err(failed("finding stale payments"))?;
        let others = oldest.into_iter().filter(|token| !newest.contains(token)).collect::<Vec<_>>();
        Ok(newest.into_iter().chain(others).collect())
    }

    fn authorized_before(&mut self, at: Timestamp, cap: i64) -> Result<Vec<(String, Timestamp)>, Error> {
        use pay_payments::dsl as p;
        p::pay_payments
            .filter(p::status.eq(Status::Authorized).and(p::absorbed_by.is_null()))
            .filter(p::created_at.lt(at))
            .order(p::id)
            .limit(cap)
            .select((p::token, p::created_at))
            .load(self)
            .map_err(failed("finding old authorizations"))
    }
}
