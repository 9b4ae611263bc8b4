//! How do counters grow? Appending events is said so differently by each database that it is in the dialect file.

use diesel::prelude::*;

use super::schema::pay_counters::dsl as c;
use super::{Connection, failed};
use crate::error::Error;
use crate::store::Intake;
use crate::store::rows::{Appended, Count, NewEvent};

impl Intake for Connection {
    fn append(&mut self, events: &[NewEvent]) -> Result<Vec<Appended>, Error> {
        super::super::append(self, events).map_err(failed("appending events"))
    }

    fn count(&mut self, counts: &[Count]) -> Result<(), Error> {
        for add in counts {
            diesel::insert_into(c::pay_counters)
                .values((
                    c::variant.eq(&add.variant),
                    c::day.eq(&add.day),
                    c::outcome.eq(&add.outcome),
                    c::count.eq(add.count),
                ))
                .on_conflict((c::variant, c::day, c::outcome))
                .do_update()
                .set(c::count.eq(c::count + add.count))
                .execute(self)
                .map_err(failed("counting"))?;
        }
        Ok(())
    }
}
