//! Adding acts of operators. Rows stay as they are, but for how far an act on many has come.

use diesel::prelude::*;

use super::acts::pay_audit_events;
use super::schema::pay_audit;
use super::{Connection, failed};
use crate::domain::id::EventId;
use crate::error::Error;
use crate::store::audit::Attempts;
use crate::store::audit::NewAct;

impl Attempts for Connection {
    fn begin_act(&mut self, new: &NewAct) -> Result<i64, Error> {
        use pay_audit::dsl as a;
        diesel::insert_into(a::pay_audit)
            .values((
                a::actor.eq(&new.actor),
                a::act.eq(new.act),
                a::event_id.eq(new.event_id),
                a::payment_id.eq(new.payment_id),
                a::subscription_id.eq(new.subscription_id),
                a::variant.eq(&new.variant),
                a::address.eq(&new.address),
                a::detail.eq(&new.detail),
                a::created_at.eq(new.created_at),
            ))
            .returning(a::id)
            .get_result(self)
            .map_err(failed("adding an act"))
    }

    fn extend_act(&mut self, act: i64, place: usize, events: &[EventId], detail: &str) -> Result<(), Error> {
        use pay_audit::dsl as a;
        use pay_audit_events::dsl as m;
        let failing = failed("noting what an act was on");
        let rows = events.iter().zip(place as i64..);
        let rows: Vec<_> =
            rows.map(|(event, place)| (m::act_id.eq(act), m::place.eq(place), m::event_id.eq(*event))).collect();
        diesel::insert_into(m::pay_audit_events)
            .values(rows)
            .execute(self)
            .map_err(failed("noting an act's events"))?;
        diesel::update(a::pay_audit.find(act)).set(a::detail.eq(detail)).execute(self).map(drop).map_err(failing)
    }
}
