//! How do counters grow? Appending events is said so differently by each database that it is in the dialect file.

use diesel::dsl::case_when;
use diesel::prelude::*;
use diesel::upsert::excluded;

use super::schema::pay_hours::dsl as h;
use super::{Connection, failed};
use crate::error::Error;
use crate::store::Intake;
use crate::store::rows::{Appended, Count, Counter, NewEvent};

impl Intake for Connection {
    fn append(&mut self, events: &[NewEvent]) -> Result<Vec<Appended>, Error> {
        super::super::append(self, events).map_err(failed("appending events"))
    }

    fn count(&mut self, counts: &[(Counter, Count)]) -> Result<(), Error> {
        let later = excluded(h::last_at);
        for (counter, add) in counts {
            diesel::insert_into(h::pay_hours)
                .values((
                    h::hour.eq(counter.hour),
                    h::variant.eq(&counter.variant),
                    h::outcome.eq(&counter.outcome),
                    h::currency.eq(&counter.currency),
                    h::count.eq(add.count),
                    h::amount.eq(add.amount),
                    h::last_at.eq(add.last_at),
                ))
                .on_conflict((h::hour, h::variant, h::outcome, h::currency))
                .do_update()
                .set((
                    h::count.eq(h::count + add.count),
                    h::amount.eq(h::amount + add.amount),
                    h::last_at.eq(case_when(h::last_at.lt(later), later).otherwise(h::last_at)),
                ))
                .execute(self)
                .map_err(failed("counting"))?;
        }
        Ok(())
    }
}
