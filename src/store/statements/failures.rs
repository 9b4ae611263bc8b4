//! Groups of failures go through an index of the events that failed, a step for each group.

use diesel::prelude::*;

use super::schema::pay_events;
use super::{Connection, failed};
use crate::domain::event::EventState;
use crate::domain::id::EventId;
use crate::error::Error;
use crate::store::failures::Failures;

use pay_events::dsl as e;

impl Failures for Connection {
    fn failure_groups(&mut self, beginning: &str, cap: i64) -> Result<Vec<String>, Error> {
        let end = super::lists::past(beginning);
        super::lists::values(self, ("pay_events", "failure", "failure IS NOT NULL AND"), (beginning, &end), cap)
    }

    fn ungrouped(&mut self, after: EventId, limit: i64) -> Result<Vec<(EventId, String, String)>, Error> {
        let rows = e::pay_events
            .filter(e::state.eq(EventState::Discarded).and(e::id.gt(after)))
            .filter(e::failure.is_null().and(e::outcome.is_not_null()).and(e::outcome_code.is_not_null()))
            .order(e::id)
            .limit(limit)
            .select((e::id, e::outcome_code.assume_not_null(), e::outcome.assume_not_null()))
            .load(self);
        rows.map_err(failed("reading failures without a group"))
    }

    fn put_into_group(&mut self, event: EventId, group: &str) -> Result<(), Error> {
        diesel::update(e::pay_events.filter(e::id.eq(event)))
            .set(e::failure.eq(group))
            .execute(self)
            .map(drop)
            .map_err(failed("putting an event into a group of failures"))
    }
}
