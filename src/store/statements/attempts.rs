//! How are runs of handlers and acts of operators kept? Rows are added and never changed.

use diesel::prelude::*;

use super::schema::{pay_attempts, pay_audit};
use super::{Connection, failed};
use crate::domain::Timestamp;
use crate::error::Error;
use crate::store::Attempts;
use crate::store::rows::{AttemptRow, DoneHandler, NewAct, NewAttempt};

impl Attempts for Connection {
    fn add_attempt(&mut self, new: &NewAttempt) -> Result<(), Error> {
        use pay_attempts::dsl as a;
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
            .execute(self)
            .map(drop)
            .map_err(failed("adding an attempt"))
    }

    fn done_handlers(&mut self, event: i64) -> Result<Vec<DoneHandler>, Error> {
        use {pay_attempts::dsl as a, pay_audit::dsl as u};
        let requeued: Option<Timestamp> = u::pay_audit
            .filter(u::event_id.eq(event).and(u::act.eq("requeue")))
            .order(u::id.desc())
            .select(u::created_at)
            .first(self)
            .optional()
            .map_err(failed("reading acts"))?;
        let ended: Vec<AttemptRow> = a::pay_attempts
            .filter(a::event_id.eq(event).and(a::outcome.eq_any(["ok", "discard"])))
            .order(a::id)
            .load(self)
            .map_err(failed("reading attempts"))?;
        // An operator who requeues wants those that gave up to try again.
        let stands = |row: &AttemptRow| row.outcome == "ok" || requeued.is_none_or(|at| row.finished_at > at);
        let done = |row: AttemptRow| DoneHandler {
            gave_up: (row.outcome != "ok").then(|| row.error.unwrap_or_default()),
            handler: row.handler,
            transition_id: row.transition_id,
        };
        Ok(ended.into_iter().filter(stands).map(done).collect())
    }

    fn add_act(&mut self, new: &NewAct) -> Result<(), Error> {
        use pay_audit::dsl as a;
        diesel::insert_into(a::pay_audit)
            .values((
                a::actor.eq(&new.actor),
                a::act.eq(new.act),
                a::event_id.eq(new.event_id),
                a::payment_id.eq(new.payment_id),
                a::variant.eq(&new.variant),
                a::address.eq(&new.address),
                a::detail.eq(&new.detail),
                a::created_at.eq(new.created_at),
            ))
            .execute(self)
            .map(drop)
            .map_err(failed("adding an act"))
    }
}
