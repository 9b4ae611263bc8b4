//! How is the audit read? By key, newest first; each filter has an index of its own.

use diesel::prelude::*;

use super::schema::pay_audit::dsl as a;
use super::{Connection, failed};
use crate::error::Error;
use crate::store::Acts;
use crate::store::rows::{ActFilter, ActRow, Page};

impl Acts for Connection {
    fn browse_acts(&mut self, filter: &ActFilter, page: Page) -> Result<Vec<ActRow>, Error> {
        let mut query = a::pay_audit.limit(page.limit).into_boxed();
        if let Some(actor) = &filter.actor {
            query = query.filter(a::actor.eq(actor));
        }
        if let Some(act) = &filter.act {
            query = query.filter(a::act.eq(act));
        }
        let rows: QueryResult<Vec<ActRow>> = match page {
            Page { before: Some(id), .. } => query.filter(a::id.lt(id)).order(a::id.desc()).load(self),
            Page { after: Some(id), .. } => query.filter(a::id.gt(id)).order(a::id.asc()).load(self).map(|mut rows| {
                rows.reverse();
                rows
            }),
            _ => query.order(a::id.desc()).load(self),
        };
        rows.map_err(failed("listing acts"))
    }

    fn recent_acts(&mut self, window: i64) -> Result<Vec<String>, Error> {
        a::pay_audit.order(a::id.desc()).limit(window).select(a::act).load(self).map_err(failed("reading acts"))
    }
}
