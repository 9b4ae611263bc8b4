//! How do counters grow? Appending events is said so differently by each database that it is in the dialect file.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::super::Instant;
use super::{Backend, Connection, failed};
use crate::domain::Timestamp;
use crate::error::Error;
use crate::store::Intake;
use crate::store::rows::{Appended, Count, Counter, NewEvent};
use crate::store::statement::{answers, statement};

statement! { Backend,
    AddCount {
        hour: Timestamp => Instant,
        variant: &'a str => Text,
        outcome: &'a str => Text,
        currency: &'a str => Text,
        count: i64 => BigInt,
        amount: i64 => BigInt,
        last_at: Timestamp => Instant,
    }
    "INSERT INTO pay_hours (hour, variant, outcome, currency, count, amount, last_at) \
     VALUES ({}, {}, {}, {}, {}, {}, {}) ON CONFLICT (hour, variant, outcome, currency) DO UPDATE \
     SET count = pay_hours.count + excluded.count, amount = pay_hours.amount + excluded.amount, \
     last_at = CASE WHEN pay_hours.last_at < excluded.last_at THEN excluded.last_at ELSE pay_hours.last_at END"
}
answers!(AddCount, Connection);

impl Intake for Connection {
    fn append(&mut self, events: &[NewEvent]) -> Result<Vec<Appended>, Error> {
        super::super::append(self, events).map_err(failed("appending events"))
    }

    fn count(&mut self, counts: &[(Counter, Count)]) -> Result<(), Error> {
        for (counter, add) in counts {
            AddCount {
                hour: counter.hour,
                variant: &counter.variant,
                outcome: &counter.outcome,
                currency: &counter.currency,
                count: add.count,
                amount: add.amount,
                last_at: add.last_at,
                _borrows: Default::default(),
            }
            .execute(self)
            .map_err(failed("counting"))?;
        }
        Ok(())
    }
}
