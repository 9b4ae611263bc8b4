//! How are runs of handlers and acts of operators kept? Rows are added and never changed.

use diesel::prelude::*;

use super::schema::pay_audit;
use super::{Connection, failed};
use crate::error::Error;
use crate::store::audit::Attempts;
use crate::store::audit::NewAct;

impl Attempts for Connection {
    fn add_act(&mut self, new: &NewAct) -> Result<(), Error> {
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
            .execute(self)
            .map(drop)
            .map_err(failed("adding an act"))
    }
}
