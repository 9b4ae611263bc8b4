//! Alarms: as many rows as there are causes, and the few rows that tell of causes.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::super::Instant;
use super::said::Said;
use super::schema::pay_alarms::dsl as a;
use super::schema::pay_chores::dsl as c;
use super::{Connection, failed};
use crate::domain::Timestamp;
use crate::error::Error;
use crate::store::alarms::{AlarmRow, Alarms, FailingChore, GivenUp, OpenCall, OpenDispute};

/// What was given up, not discarded on purpose, and is not merely unshown: as the index says it.
const GIVEN_UP: &str =
    "state = 'discarded' AND (outcome_code IS NULL OR outcome_code NOT IN ('discarded', 'not_shown'))";

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
            a::urgent.eq(alarm.urgent),
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
    fn open_disputes(&mut self, of_tests: bool, cap: i64) -> Result<Vec<OpenDispute>, Error> {
        let mode = if of_tests { "IS FALSE" } else { "IS NOT FALSE" };
        // The databases don't agree on where those without a deadline come, and the last of them may not hide a deadline.
        let mut open: Vec<OpenDispute> = Vec::new();
        for (until, order) in [("IS NOT NULL", "ORDER BY d.until"), ("IS NULL", "")] {
            let left = cap - i64::try_from(open.len()).unwrap_or(cap);
            let some = Said::<DisputeColumns>::new().sql(format!(
                "SELECT d.gateway_ref, p.token, d.amount, d.currency, d.until FROM pay_ledger AS d \
                 JOIN pay_payments AS p ON p.id = d.payment_id \
                 WHERE d.register = 'dispute' AND d.state = 'open' AND d.until {until} AND p.absorbed_by IS NULL \
                 AND p.livemode {mode} {order} LIMIT {left}"
            ));
            open.extend(some.load::<OpenDispute>(self).map_err(failed("looking for open disputes"))?);
        }
        Ok(open)
    }

    fn given_up(&mut self, only: Option<&str>, kinds: usize, cap: i64) -> Result<Vec<GivenUp>, Error> {
        let failing = || failed("looking for events that were given up");
        let mut found: Vec<GivenUp> = Vec::new();
        while found.len() < kinds {
            let (variant, kind) = found.last().map_or(("", ""), |last| (last.variant.as_str(), last.kind.as_str()));
            let next =
                Said::<(Text, Text)>::new().sql(format!("SELECT variant, kind FROM pay_events WHERE {GIVEN_UP}"));
            let next = match only {
                Some(only) => next.sql(" AND variant = ").word(only).sql(" AND kind > ").word(kind),
                None => next.sql(" AND (variant, kind) > (").word(variant).sql(", ").word(kind).sql(")"),
            };
            let next = next.sql(" ORDER BY variant, kind LIMIT 1");
            let next: Vec<(String, String)> = next.load(self).map_err(failing())?;
            let Some((variant, kind)) = next.into_iter().next() else { break };
            let counted = Said::<(BigInt, Nullable<Instant>)>::new()
                .sql(format!(
                    "SELECT count(*), max(finished_at) FROM (SELECT finished_at FROM pay_events WHERE {GIVEN_UP} \
                     AND variant = "
                ))
                .word(&variant)
                .sql(" AND kind = ")
                .word(&kind)
                .sql(format!(" ORDER BY finished_at DESC LIMIT {cap}) AS latest"));
            let counted: Vec<(i64, Option<Timestamp>)> = counted.load(self).map_err(failing())?;
            let (count, at) = counted.into_iter().next().unwrap_or_default();
            found.push(GivenUp { variant, kind, count, at });
        }
        Ok(found)
    }

    fn open_calls(&mut self, at: Timestamp, cap: i64) -> Result<Vec<OpenCall>, Error> {
        let mut calls = open_calls(self, ("pay_operations", "payment_id", "pay_payments"), at, cap)?;
        calls.extend(open_calls(
            self,
            ("pay_subscription_operations", "subscription_id", "pay_subscriptions"),
            at,
            cap,
        )?);
        calls.truncate(usize::try_from(cap).unwrap_or(usize::MAX));
        Ok(calls)
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

/// The open calls of one table, with what they act on. Each half reads the few rows of its own partial index.
fn open_calls(
    conn: &mut Connection,
    (table, column, on): (&str, &str, &str),
    at: Timestamp,
    cap: i64,
) -> Result<Vec<OpenCall>, Error> {
    let columns = format!(
        "SELECT o.variant, o.verb, p.token, o.created_at FROM {table} AS o JOIN {on} AS p ON p.id = o.{column} \
         WHERE o.verb <> 'refresh' AND"
    );
    let mut calls: Vec<(String, String, String, Timestamp)> = Said::<(Text, Text, Text, Instant)>::new()
        .sql(format!("{columns} o.due_at IS NOT NULL AND o.created_at < "))
        .at(at)
        .sql(format!(" ORDER BY o.due_at LIMIT {cap}"))
        .load(conn)
        .map_err(failed("looking for calls without an end"))?;
    let given_up = Said::<(Text, Text, Text, Instant)>::new()
        .sql(format!("{columns} o.state = 'unknown' AND o.created_at < "))
        .at(at)
        .sql(format!(
            " AND NOT EXISTS (SELECT 1 FROM {table} AS later WHERE later.{column} = o.{column} \
             AND later.id > o.id AND later.verb = 'refresh' AND later.state = 'done') \
             ORDER BY o.created_at LIMIT {cap}"
        ));
    calls.extend(given_up.load::<(String, String, String, Timestamp)>(conn).map_err(failed("looking for lost calls"))?);
    let on_subscription = on == "pay_subscriptions";
    let call = |(variant, verb, token, created_at)| OpenCall { variant, verb, token, on_subscription, created_at };
    Ok(calls.into_iter().map(call).collect())
}
