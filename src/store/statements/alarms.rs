//! Alarms: as many rows as there are causes, and the few rows that tell of causes.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::super::Instant;
use super::said::Said;
use super::schema::pay_alarms::dsl as a;
use super::schema::pay_chores::dsl as c;
use super::schema::pay_operations::dsl as o;
use super::schema::pay_payments::dsl as p;
use super::{Connection, failed};
use crate::domain::Timestamp;
use crate::error::Error;
use crate::store::alarms::{AlarmRow, Alarms, FailingChore, OpenCall, OpenDispute};

type DisputeColumns = (Text, Text, Nullable<BigInt>, Nullable<Text>, Nullable<Instant>);

impl Alarms for Connection {
    fn alarms(&mut self) -> Result<Vec<AlarmRow>, Error> {
        a::pay_alarms.order((a::begun_at, a::name)).load(self).map_err(failed("reading alarms"))
    }

    fn keep_alarm(&mut self, alarm: &AlarmRow) -> Result<(), Error> {
        let what = (
            a::sentence.eq(&alarm.sentence),
            a::path.eq(&alarm.path),
            a::begun_at.eq(alarm.begun_at),
            a::seen_at.eq(alarm.seen_at),
            a::over_at.eq(alarm.over_at),
            a::told.eq(alarm.told),
            a::attempts.eq(alarm.attempts),
            a::due_at.eq(alarm.due_at),
        );
        diesel::insert_into(a::pay_alarms)
            .values((a::name.eq(&alarm.name), what))
            .on_conflict(a::name)
            .do_update()
            .set(what)
            .execute(self)
            .map(drop)
            .map_err(failed("writing an alarm"))
    }

    fn forget_alarm(&mut self, name: &str) -> Result<(), Error> {
        diesel::delete(a::pay_alarms.find(name)).execute(self).map(drop).map_err(failed("forgetting an alarm"))
    }

    /// The register and the state are part of the text, as they are of the index.
    fn open_disputes(&mut self, cap: i64) -> Result<Vec<OpenDispute>, Error> {
        Said::<DisputeColumns>::new()
            .sql(format!(
                "SELECT d.gateway_ref, p.token, d.amount, d.currency, d.until FROM pay_ledger AS d \
                 JOIN pay_payments AS p ON p.id = d.payment_id \
                 WHERE d.register = 'dispute' AND d.state = 'open' AND p.absorbed_by IS NULL \
                 ORDER BY d.until LIMIT {cap}"
            ))
            .load(self)
            .map_err(failed("looking for open disputes"))
    }

    fn open_calls(&mut self, at: Timestamp, cap: i64) -> Result<Vec<OpenCall>, Error> {
        o::pay_operations
            .inner_join(p::pay_payments.on(o::payment_id.eq(p::id)))
            .filter(o::due_at.is_not_null().and(o::created_at.lt(at)).and(o::verb.ne("refresh")))
            .order(o::due_at)
            .limit(cap)
            .select((o::variant, o::verb, p::token, o::created_at))
            .load(self)
            .map_err(failed("looking for calls without an end"))
    }

    fn failing_chores(&mut self, at: Timestamp, lately: Timestamp) -> Result<Vec<FailingChore>, Error> {
        c::pay_chores
            .filter(c::failing_since.lt(at).and(c::ran_at.ge(lately)).and(c::failure.is_not_null()))
            .order(c::name)
            .select((c::name, c::failing_since.assume_not_null(), c::failure.assume_not_null()))
            .load(self)
            .map_err(failed("looking for chores that fail"))
    }

    fn note_failure(&mut self, name: &str, now: Timestamp, why: Option<&str>) -> Result<(), Error> {
        let chore = c::pay_chores.find(name);
        let noted = if why.is_some() {
            diesel::update(chore.filter(c::failing_since.is_null())).set(c::failing_since.eq(now)).execute(self)
        } else {
            diesel::update(chore.filter(c::failing_since.is_not_null()))
                .set(c::failing_since.eq(None::<Timestamp>))
                .execute(self)
        };
        noted.map_err(failed("noting how a chore ended"))?;
        let why = diesel::update(chore).set(c::failure.eq(why)).execute(self);
        why.map(drop).map_err(failed("noting how a chore ended"))
    }
}
