//! What does a search find, and which values are there to choose from? A look-up each, so that each goes through its
//! own index.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::super::super::Instant;
use super::events::past;
use super::schema::{pay_event_references, pay_events, pay_payments, pay_references};
use super::{ADDRESS, BYTEWISE, Connection, Said, events, failed, payments};
use crate::domain::Timestamp;
use crate::domain::id::{EventId, PaymentId};
use crate::error::Error;
use crate::store::Lists;
use crate::store::filters::*;
use crate::store::rows::{EventRow, PaymentRow};
use pay_event_references::dsl as n;
use pay_events::dsl as e;
use pay_payments::dsl as p;
use pay_references::dsl as r;

const SEARCHING: &str = "searching";
/// Of how many variants one statement looks for an id, each by its own step into an index.
const VARIANTS: usize = 10_000;

fn found_payments(
    conn: &mut Connection,
    text: &str,
    whole: bool,
    variants: &[String],
    cap: i64,
) -> Result<Vec<PaymentId>, Error> {
    let mut ids: Vec<PaymentId> = Vec::new();
    for some in variants.chunks(VARIANTS) {
        let by_ref = r::pay_references.filter(r::variant.eq_any(some).and(r::gateway_ref.eq(text)));
        ids.extend(by_ref.select(r::payment_id).limit(cap).load::<PaymentId>(conn).map_err(failed(SEARCHING))?);
    }
    ids.extend(with_token(conn, text)?);
    let of_account = Said::<BigInt>::new()
        .sql("SELECT id FROM pay_payments WHERE account <> '' AND account = ")
        .word(text)
        .sql(format!(" ORDER BY account DESC, id DESC LIMIT {cap}"));
    ids.extend(of_account.load::<PaymentId>(conn).map_err(failed(SEARCHING))?);
    // Without regard to the case of A to Z, as the index has it.
    let email = text.to_ascii_lowercase();
    for (column, expression, start) in
        [("reference", format!("reference {BYTEWISE}"), text), ("customer", ADDRESS.to_owned(), email.as_str())]
    {
        let end = if whole { start.to_owned() } else { past(start) };
        let query = Said::<BigInt>::new()
            .sql(format!("SELECT id FROM pay_payments WHERE {column} IS NOT NULL AND {expression} >= "))
            .word(start)
            .sql(format!(" AND {expression} <= "))
            .word(&end)
            .sql(format!(" ORDER BY {expression} LIMIT {cap}"));
        ids.extend(query.load::<PaymentId>(conn).map_err(failed(SEARCHING))?);
    }
    Ok(ids)
}

fn with_reference(conn: &mut Connection, reference: &str, cap: i64) -> Result<Vec<PaymentId>, Error> {
    let query = Said::<BigInt>::new()
        .sql(format!("SELECT id FROM pay_payments WHERE reference IS NOT NULL AND reference {BYTEWISE} = "))
        .word(reference)
        .sql(format!(" AND absorbed_by IS NULL ORDER BY id DESC LIMIT {cap}"));
    query.load(conn).map_err(failed(SEARCHING))
}

/// The payment with this token; of one that was absorbed, the payment that it turned out to be.
fn with_token(conn: &mut Connection, token: &str) -> Result<Vec<PaymentId>, Error> {
    let found = p::pay_payments.filter(p::token.eq(token)).select((p::id, p::absorbed_by));
    let found: Vec<(PaymentId, Option<PaymentId>)> = found.load(conn).map_err(failed(SEARCHING))?;
    Ok(found.into_iter().map(|(id, into)| into.unwrap_or(id)).collect())
}

fn found_events(conn: &mut Connection, text: &str, variants: &[String], cap: i64) -> Result<Vec<EventId>, Error> {
    let mut ids: Vec<EventId> = Vec::new();
    for some in variants.chunks(VARIANTS) {
        let by_id = e::pay_events.filter(e::variant.eq_any(some).and(e::gateway_event_id.eq(text)));
        ids.extend(by_id.select(e::id).limit(cap).load::<EventId>(conn).map_err(failed(SEARCHING))?);
        let naming = n::pay_event_references.filter(n::variant.eq_any(some).and(n::gateway_ref.eq(text)));
        ids.extend(naming.select(n::event_id).limit(cap).load::<EventId>(conn).map_err(failed(SEARCHING))?);
    }
    let mut of = with_token(conn, text)?;
    let by_reference = p::pay_payments.filter(p::reference.eq(text)).order(p::reference).select(p::id).limit(cap);
    of.extend(by_reference.load::<PaymentId>(conn).map_err(failed(SEARCHING))?);
    if of.is_empty() {
        return Ok(ids);
    }
    let theirs = e::pay_events.filter(e::payment_id.eq_any(&of).and(e::payment_id.is_not_null()));
    ids.extend(theirs.select(e::id).limit(cap).load::<EventId>(conn).map_err(failed(SEARCHING))?);
    Ok(ids)
}

/// The different values of the first column of an index: one step for each, however many rows have it.
pub(in super::super) fn values(
    conn: &mut Connection,
    of: (&str, &str, &str),
    bounds: (&str, &str),
    cap: i64,
) -> Result<Vec<String>, Error> {
    stepping(Said::<Text>::new(), of, bounds, cap).load(conn).map_err(failed(CHOICES))
}

/// The same of several parts of an index, each with its place among them.
pub(in super::super) fn values_of_parts(
    conn: &mut Connection,
    (table, column): (&str, &str),
    parts: &[String],
    bounds: (&str, &str),
    cap: i64,
) -> Result<Vec<(i64, String)>, Error> {
    let mut all = Said::<(BigInt, Text)>::new();
    for (place, only) in parts.iter().enumerate() {
        let beside = if place > 0 { " UNION ALL " } else { "" };
        let found = all.sql(format!("{beside}SELECT CAST({place} AS BIGINT), word FROM ("));
        all = stepping(found, (table, column, only), bounds, cap).sql(format!(") AS part{place}"));
    }
    all.load(conn).map_err(failed(CHOICES))
}

const CHOICES: &str = "reading what there is to choose from";

/// The steps of these, said after what was said before.
pub(in super::super) fn stepping<'a, T>(
    said: Said<'a, T>,
    (table, column, only): (&str, &str, &str),
    (from, past): (&'a str, &'a str),
    cap: i64,
) -> Said<'a, T> {
    said.sql(format!("WITH RECURSIVE steps(word) AS (SELECT min({column}) FROM {table} WHERE {only} {column} >= "))
        .word(from)
        .sql(format!(" AND {column} < "))
        .word(past)
        .sql(format!(
            " UNION ALL SELECT (SELECT min({column}) FROM {table} WHERE {only} {column} > steps.word AND {column} < "
        ))
        .word(past)
        .sql(format!(
            ") FROM steps WHERE steps.word IS NOT NULL) SELECT word FROM steps WHERE word IS NOT NULL LIMIT {cap}"
        ))
}

/// The times of the first rows from each of these ids on, a look-up each.
fn times(conn: &mut Connection, (table, column): (&str, &str), ids: &[i64]) -> Result<Vec<Option<Timestamp>>, Error> {
    let mut query = Said::<(BigInt, Nullable<Instant>)>::new().sql(format!(
        "SELECT column1, (SELECT {column} FROM {table} WHERE id >= column2 ORDER BY id LIMIT 1) FROM (VALUES "
    ));
    for (place, id) in ids.iter().enumerate() {
        let beside = if place > 0 { "), " } else { "" };
        query = query.sql(format!("{beside}(CAST({place} AS BIGINT), CAST(")).id(*id).sql(" AS BIGINT)");
    }
    let found = query.sql(")) AS ids ORDER BY column1").load(conn).map_err(failed("looking for a time"))?;
    Ok(found.into_iter().map(|(_, at): (i64, Option<Timestamp>)| at).collect())
}

impl Lists for Connection {
    fn payment_ids(
        &mut self,
        stream: &PaymentStream,
        rest: &PaymentFilter,
        window: &Window,
        by_amount: bool,
        limit: i64,
    ) -> Result<Vec<PaymentId>, Error> {
        payments::ids(self, stream, rest, window, by_amount, limit)
    }

    fn payment_reach(&mut self, stream: &PaymentStream, window: &Window) -> Result<Option<PaymentId>, Error> {
        payments::reach(self, stream, window)
    }

    fn payments_of(&mut self, ids: &[PaymentId]) -> Result<Vec<PaymentRow>, Error> {
        payments::rows(self, ids)
    }

    fn tokens_of(&mut self, ids: &[PaymentId]) -> Result<Vec<(PaymentId, String)>, Error> {
        events::tokens(self, ids)
    }

    fn accounts_of(&mut self, ids: &[PaymentId]) -> Result<Vec<(PaymentId, String)>, Error> {
        payments::accounts(self, ids)
    }

    fn amount_key(&mut self, id: PaymentId) -> Result<Option<AmountKey>, Error> {
        payments::key(self, id)
    }

    fn find_payments(
        &mut self,
        text: &str,
        whole: bool,
        variants: &[String],
        cap: i64,
    ) -> Result<Vec<PaymentId>, Error> {
        found_payments(self, text, whole, variants, cap)
    }

    fn payments_with_reference(&mut self, reference: &str, cap: i64) -> Result<Vec<PaymentId>, Error> {
        with_reference(self, reference, cap)
    }

    fn currencies(&mut self, cap: i64) -> Result<Vec<String>, Error> {
        values(self, ("pay_payments", "currency", "absorbed_by IS NULL AND"), ("", "ZZZZ"), cap)
    }

    fn payment_times(&mut self, ids: &[i64]) -> Result<Vec<Option<Timestamp>>, Error> {
        times(self, ("pay_payments", "created_at"), ids)
    }

    fn last_payment(&mut self) -> Result<Option<PaymentId>, Error> {
        payments::last(self)
    }

    fn event_ids(
        &mut self,
        streams: &[EventStream],
        rest: &EventFilter,
        window: &Window,
        limit: i64,
    ) -> Result<Vec<Vec<EventId>>, Error> {
        events::ids(self, streams, rest, window, limit)
    }

    fn event_reach(&mut self, streams: &[EventStream], window: &Window) -> Result<Vec<EventId>, Error> {
        events::reach(self, streams, window)
    }

    fn events_with(&mut self, ids: &[EventId]) -> Result<Vec<EventRow>, Error> {
        events::rows(self, ids)
    }

    fn find_events(&mut self, text: &str, variants: &[String], cap: i64) -> Result<Vec<EventId>, Error> {
        found_events(self, text, variants, cap)
    }

    fn kinds(&mut self, beginning: &str, cap: i64) -> Result<Vec<String>, Error> {
        values(self, ("pay_events", "kind", ""), (beginning, &past(beginning)), cap)
    }

    fn event_times(&mut self, ids: &[i64]) -> Result<Vec<Option<Timestamp>>, Error> {
        times(self, ("pay_events", "received_at"), ids)
    }

    fn last_event(&mut self) -> Result<Option<EventId>, Error> {
        events::last(self)
    }

    fn count_payments(&mut self, streams: &[PaymentStream], cap: i64) -> Result<Vec<i64>, Error> {
        payments::count(self, streams, cap)
    }

    fn count_events(&mut self, streams: &[EventStream], cap: i64) -> Result<Vec<i64>, Error> {
        events::count(self, streams, cap)
    }
}
