//! How are runs of handlers and acts of operators kept? Rows are added and never changed.

use diesel::prelude::*;

use super::schema::{pay_attempts, pay_audit};
use super::{Connection, failed};
use crate::domain::Timestamp;
use crate::error::Error;
use crate::store::Attempts;
use crate::store::rows::{NewAct, NewAttempt};

impl Attempts for Connection {
    fn add_attempt(&mut self, new: &NewAttempt) -> Result<(), Error> {
        use pay_attempts::dsl as a;
        diesel::insert_into(a::pay_attempts)
            .values((
                a::event_id.eq(new.event_id),
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

    fn done_handlers(&mut self, event: i64) -> Result<Vec<(String, Option<String>)>, Error> {
        use {pay_attempts::dsl as a, pay_audit::dsl as u};
        let requeued: Option<Timestamp> = u::pay_audit
            .filter(u::event_id.eq(event).and(u::act.eq("requeue")))
            .order(u::id.desc())
            .select(u::created_at)
            .first(self)
            .optional()
            .map_err(failed("reading acts"))?;
        let ended: Vec<(String, String, Option<String>, Timestamp)> = a::pay_attempts
            .filter(a::event_id.eq(event).and(a::outcome.eq_any(["ok", "discard"])))
            .order(a::id)
            .select((a::handler, a::outcome, a::error, a::finished_at))
            .load(self)
            .map_err(failed("reading attempts"))?;
        let done = ended.into_iter().filter_map(|(handler, outcome, error, at)| match outcome.as_str() {
            "ok" => Some((handler, None)),
            _ if requeued.is_some_and(|requeued| at <= requeued) => None,
            _ => Some((handler, Some(error.unwrap_or_default()))),
        });
        Ok(done.collect())
    }

    fn add_act(&mut self, new: &NewAct) -> Result<(), Error> {
        use pay_audit::dsl as a;
        diesel::insert_into(a::pay_audit)
            .values((
                a::actor.eq(&new.actor),
                a::act.eq(new.act),
                a::event_id.eq(new.event_id),
                a::payment_id.eq(new.payment_id),
                a::address.eq(&new.address),
                a::created_at.eq(new.created_at),
            ))
            .execute(self)
            .map(drop)
            .map_err(failed("adding an act"))
    }
}
