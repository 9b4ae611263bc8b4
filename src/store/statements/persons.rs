//! What is stored of persons. Names of tables and columns are this crate's own; what is a stranger's is bound.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use super::super as dialect;
use super::drift_schema::pay_differences::dsl as d;
use super::fetch_schema::pay_fetch_events::dsl as j;
use super::said::Said;
use super::schema::pay_event_bodies::dsl as b;
use super::schema::pay_events::dsl as e;
use super::schema::pay_payments::dsl as p;
use super::schema::pay_subscriptions::dsl as s;
use super::{Connection, failed};
use crate::domain::Timestamp;
use crate::domain::id::{EventId, PaymentId, SubscriptionId};
use crate::error::Error;
use crate::store::persons::{Naming, Persons, Rows};

diesel::table! {
    use diesel::sql_types::*;
    use super::super::super::Instant;
    pay_erased (mark) {
        mark -> Text,
        erased_at -> Instant,
    }
}

use pay_erased::dsl as m;

/// How many numbers one statement names.
const AT_ONCE: usize = 500;

impl Persons for Connection {
    fn count_marks(&mut self) -> Result<i64, Error> {
        m::pay_erased.count().get_result(self).map_err(failed("counting who was erased"))
    }

    fn marks(&mut self) -> Result<Vec<String>, Error> {
        m::pay_erased.select(m::mark).load(self).map_err(failed("reading who was erased"))
    }

    fn add_marks(&mut self, marks: &[String], now: Timestamp) -> Result<(), Error> {
        for mark in marks {
            diesel::insert_into(m::pay_erased)
                .values((m::mark.eq(mark), m::erased_at.eq(now)))
                .on_conflict_do_nothing()
                .execute(self)
                .map_err(failed("noting who was erased"))?;
        }
        Ok(())
    }

    fn hold_everything(&mut self) -> Result<(), Error> {
        dialect::hold_everything(self).map_err(failed("waiting for what is under way"))
    }

    fn all_events_of(
        &mut self,
        payments: &[PaymentId],
        subscriptions: &[SubscriptionId],
    ) -> Result<Vec<EventId>, Error> {
        let mut found: Vec<EventId> = Vec::new();
        for some in payments.chunks(AT_ONCE) {
            let theirs = e::pay_events.filter(e::payment_id.eq_any(some).and(e::payment_id.is_not_null()));
            found.extend(theirs.select(e::id).load::<EventId>(self).map_err(failed("finding a person's events"))?);
        }
        for some in subscriptions.chunks(AT_ONCE) {
            let theirs = e::pay_events.filter(e::subscription_id.eq_any(some).and(e::subscription_id.is_not_null()));
            found.extend(theirs.select(e::id).load::<EventId>(self).map_err(failed("finding a person's events"))?);
        }
        found.sort_unstable_by_key(|id| id.0);
        found.dedup();
        Ok(found)
    }

    fn fetches_of(&mut self, events: &[EventId]) -> Result<Vec<i64>, Error> {
        let mut found = Vec::new();
        for some in events.chunks(AT_ONCE) {
            let theirs = j::pay_fetch_events.filter(j::event_id.eq_any(some)).select(j::fetch_id);
            found.extend(theirs.load::<i64>(self).map_err(failed("finding a person's questions"))?);
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    fn differences_of(&mut self, names: &[String]) -> Result<Vec<i64>, Error> {
        let mut found = Vec::new();
        for some in names.chunks(AT_ONCE) {
            let theirs = d::pay_differences.filter(d::name.eq_any(some)).select(d::id);
            found.extend(theirs.load::<i64>(self).map_err(failed("finding a person's differences"))?);
        }
        Ok(found)
    }

    fn wait_for_events(&mut self, events: &[EventId]) -> Result<(), Error> {
        dialect::wait_for_events(self, events).map_err(failed("holding a person's events"))
    }

    fn next_payments(&mut self, after: PaymentId, limit: i64) -> Result<Vec<Naming>, Error> {
        let says = "customer IS NOT NULL OR metadata IS NOT NULL \
                    OR EXISTS (SELECT 1 FROM pay_payers AS y WHERE y.payment_id = pay_payments.id)";
        let next = p::pay_payments.filter(p::id.gt(after)).order(p::id).limit(limit);
        let next = next.select((p::id, p::token, p::customer, sql::<Bool>(says)));
        next.load(self).map_err(failed("looking through payments"))
    }

    fn next_subscriptions(&mut self, after: SubscriptionId, limit: i64) -> Result<Vec<Naming>, Error> {
        let next = s::pay_subscriptions.filter(s::id.gt(after)).order(s::id).limit(limit);
        let next = next.select((s::id, s::token, s::customer, s::customer.is_not_null()));
        next.load(self).map_err(failed("looking through subscriptions"))
    }

    fn bodies_after(&mut self, after: EventId, limit: i64) -> Result<Vec<(EventId, Vec<u8>)>, Error> {
        let next = b::pay_event_bodies.filter(b::event_id.gt(after)).order(b::event_id).limit(limit);
        next.select((b::event_id, b::body)).load(self).map_err(failed("reading bodies"))
    }

    fn bodies_of(&mut self, events: &[EventId]) -> Result<Vec<(EventId, String, Vec<u8>)>, Error> {
        let mut found = Vec::new();
        for some in events.chunks(AT_ONCE) {
            let theirs = b::pay_event_bodies.filter(b::event_id.eq_any(some)).order(b::event_id);
            found.extend(theirs.load::<(EventId, String, Vec<u8>)>(self).map_err(failed("reading bodies"))?);
        }
        Ok(found)
    }

    fn replace_body(&mut self, event: EventId, body: &[u8]) -> Result<(), Error> {
        diesel::update(b::pay_event_bodies.find(event))
            .set((b::headers.eq("{}"), b::body.eq(body)))
            .execute(self)
            .map(drop)
            .map_err(failed("reducing a body"))
    }

    fn as_json(&mut self, rows: Rows<'_>) -> Result<Vec<String>, Error> {
        let whole = dialect::whole_row(self, rows.table).map_err(failed("reading columns"))?;
        let mut found = Vec::new();
        for some in rows.ids.chunks(AT_ONCE) {
            let query = Said::<Text>::new().sql(format!(
                "SELECT {whole} FROM {} AS r WHERE {}",
                rows.table,
                among(&rows, some)
            ));
            found.extend(query.load::<String>(self).map_err(failed("reading a person's rows"))?);
        }
        Ok(found)
    }

    fn texts_of(&mut self, rows: Rows<'_>, text: &'static str) -> Result<Vec<String>, Error> {
        let mut found = Vec::new();
        for some in rows.ids.chunks(AT_ONCE) {
            let is_said = format!("{text} IS NOT NULL AND {text} <> ''");
            let query =
                format!("SELECT DISTINCT {text} FROM {} WHERE {} AND {is_said}", rows.table, among(&rows, some));
            found.extend(
                Said::<Text>::new().sql(query).load::<String>(self).map_err(failed("reading a person's texts"))?,
            );
        }
        Ok(found)
    }

    fn replace_text(&mut self, rows: Rows<'_>, text: &'static str, old: &str, new: Option<&str>) -> Result<(), Error> {
        for some in rows.ids.chunks(AT_ONCE) {
            let begun = Said::<Nullable<BigInt>>::new().sql(format!("UPDATE {} SET {text} = ", rows.table));
            let set = match new {
                Some(new) => begun.word(new),
                None => begun.sql("NULL"),
            };
            let rest = format!(" WHERE {} AND {text} = ", among(&rows, some));
            set.sql(rest).word(old).execute(self).map_err(failed("erasing a person's texts"))?;
        }
        Ok(())
    }

    fn texts_with(&mut self, table: &'static str, text: &'static str, word: &str) -> Result<Vec<String>, Error> {
        let escaped = word.replace('!', "!!").replace('%', "!%").replace('_', "!_");
        let pattern = format!("%{escaped}%");
        Said::<Text>::new()
            .sql(format!("SELECT DISTINCT {text} FROM {table} WHERE {text} IS NOT NULL AND lower({text}) LIKE "))
            .word(&pattern)
            .sql(" ESCAPE '!'")
            .load(self)
            .map_err(failed("looking for a person in texts"))
    }

    fn replace_anybodys(&mut self, table: &'static str, text: &'static str, old: &str, new: &str) -> Result<(), Error> {
        let set = Said::<Nullable<BigInt>>::new().sql(format!("UPDATE {table} SET {text} = ")).word(new);
        set.sql(format!(" WHERE {text} = ")).word(old).execute(self).map(drop).map_err(failed("erasing from texts"))
    }
}

/// The condition for some of the rows.
fn among(rows: &Rows<'_>, some: &[i64]) -> String {
    let ids: Vec<String> = some.iter().map(i64::to_string).collect();
    format!("{} IN ({})", rows.column, ids.join(", "))
}
