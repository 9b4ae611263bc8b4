//! The kept sizes of tables. How each database says its sizes is in the dialect file.

use diesel::prelude::*;

use super::super as dialect;
use super::{Connection, failed};
use crate::domain::Timestamp;
use crate::error::Error;
use crate::store::growth::{Growth, TableSize};

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::Instant;
    pay_growth (measured_at, name) {
        measured_at -> Instant,
        name -> Text,
        row_count -> Nullable<BigInt>,
        bytes -> Nullable<BigInt>,
    }
}

use pay_growth::dsl as g;

impl Growth for Connection {
    fn sizes(&mut self) -> Result<Vec<TableSize>, Error> {
        dialect::sizes(self).map_err(failed("measuring tables"))
    }

    fn keep_sizes(&mut self, sizes: &[TableSize], now: Timestamp, oldest: Timestamp) -> Result<(), Error> {
        for size in sizes {
            diesel::insert_into(g::pay_growth)
                .values((
                    g::measured_at.eq(now),
                    g::name.eq(&size.name),
                    g::row_count.eq(size.rows),
                    g::bytes.eq(size.bytes),
                ))
                .on_conflict_do_nothing()
                .execute(self)
                .map_err(failed("keeping the sizes of tables"))?;
        }
        let old = diesel::delete(g::pay_growth.filter(g::measured_at.lt(oldest)));
        old.execute(self).map(drop).map_err(failed("forgetting old sizes of tables"))
    }

    fn measured(&mut self, since: Timestamp) -> Result<Option<(Timestamp, Timestamp)>, Error> {
        let first = g::pay_growth.filter(g::measured_at.ge(since)).order(g::measured_at.asc()).select(g::measured_at);
        let first: Option<Timestamp> = first.first(self).optional().map_err(failed("looking for sizes of tables"))?;
        let last = g::pay_growth.order(g::measured_at.desc()).select(g::measured_at);
        let last: Option<Timestamp> = last.first(self).optional().map_err(failed("looking for sizes of tables"))?;
        Ok(last.map(|last| (first.unwrap_or(last), last)))
    }

    fn sizes_at(&mut self, at: Timestamp) -> Result<Vec<TableSize>, Error> {
        let then = g::pay_growth.filter(g::measured_at.eq(at)).order(g::name);
        then.select((g::name, g::row_count, g::bytes)).load(self).map_err(failed("reading sizes of tables"))
    }
}
