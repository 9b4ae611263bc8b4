//! How is the audit read? By key, newest first; each filter has an index of its own.

use diesel::prelude::*;

use super::schema::pay_audit::dsl as a;
use super::{Connection, failed};
use crate::error::Error;
use crate::store::audit::Acts;
use crate::store::audit::{ActFilter, ActPlace, ActRow};

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
}
