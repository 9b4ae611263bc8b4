//! The rival of processing: a program that writes the rows which the pipeline writes, in transactions of as many
//! events, as fast as plain code can.
//!
//! It writes and does nothing else: what is due, what an event says and which payment it is about, it knows beforehand.

use std::time::{Duration, Instant};

use actix_payments::AnyConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::backlog;
use crate::databases::on;

mod postgres;
mod sqlite;

const TOTAL: i64 = 4999;
const CUSTOMER: &str = "customer@example.org";
const NAME: &str = "Anna de Vries";

/// What the program knows of an event.
pub(crate) struct Known {
    event: i64,
    payment: i64,
    /// The gateway's ids.
    event_ref: String,
    session: String,
    intent: String,
    token: String,
    /// The host's own.
    order: String,
    occurred_at: String,
    /// What the event said, as it is kept for the pages: JSON.
    facts: String,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    event: i64,
    #[diesel(sql_type = Text)]
    event_ref: String,
    #[diesel(sql_type = Text)]
    occurred_at: String,
}

#[derive(QueryableByName)]
struct Token {
    #[diesel(sql_type = BigInt)]
    payment: i64,
    #[diesel(sql_type = Text)]
    token: String,
}

/// Reads what the program knows; `words` is an example of what the pipeline wrote.
pub(crate) fn known(conn: &mut AnyConnection, words: &Words) -> Vec<Known> {
    let events = "SELECT id AS event, gateway_event_id AS event_ref, CAST(occurred_at AS TEXT) AS occurred_at \
                  FROM pay_events ORDER BY due_at, id";
    let events: Vec<Row> = on!(conn, conn => diesel::sql_query(events).load(conn)).expect("events");
    let tokens = "SELECT id AS payment, token FROM pay_payments";
    let tokens: Vec<Token> = on!(conn, conn => diesel::sql_query(tokens).load(conn)).expect("payments");
    let payments: std::collections::HashMap<String, i64> =
        tokens.into_iter().map(|row| (row.token, row.payment)).collect();
    let known = |row: Row| {
        let number = backlog::number_of(&row.event_ref);
        let token = backlog::token(number);
        let [_, session, intent] = backlog::ids(number);
        let payment = payments[&token];
        let facts = words.facts_of(&row.event_ref, &row.occurred_at, &session, &intent);
        let (Row { event, event_ref, occurred_at }, order) = (row, format!("W-{number}"));
        Known { event, payment, event_ref, session, intent, token, order, occurred_at, facts }
    };
    events.into_iter().map(known).collect()
}

/// The sentences that the pipeline writes about an event and a transition.
#[derive(QueryableByName)]
pub(crate) struct Words {
    #[diesel(sql_type = Text)]
    outcome: String,
    #[diesel(sql_type = Text)]
    cause: String,
    #[diesel(sql_type = Text)]
    summary: String,
    /// What one event said, and which.
    #[diesel(sql_type = Text)]
    facts: String,
    #[diesel(sql_type = Text)]
    event_ref: String,
    #[diesel(sql_type = Text)]
    occurred_at: String,
}

/// A moment of whole seconds as facts have it.
fn micros(text: &str) -> String {
    let moment = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    let moment = time::PrimitiveDateTime::parse(&text[..19], moment).expect("a moment");
    format!("{}000000", moment.assume_utc().unix_timestamp())
}

impl Words {
    /// The same of another event.
    fn facts_of(&self, event_ref: &str, occurred_at: &str, session: &str, intent: &str) -> String {
        let [_, own_session, own_intent] = backlog::ids(backlog::number_of(&self.event_ref));
        let facts = self.facts.replace(&self.event_ref, event_ref).replace(&own_session, session);
        let (own, other) = (micros(&self.occurred_at), micros(occurred_at));
        facts.replace(&own_intent, intent).replace(&own, &other)
    }
}

/// Reads them where the pipeline wrote them.
pub(crate) fn words(conn: &mut AnyConnection) -> Words {
    let sql = "SELECT outcome, cause, summary, facts, gateway_event_id AS event_ref, \
               CAST(occurred_at AS TEXT) AS occurred_at FROM pay_events AS e \
               JOIN pay_transitions AS t ON t.event_id = e.id JOIN pay_event_facts AS f ON f.event_id = e.id \
               WHERE state = 'completed' LIMIT 1";
    on!(conn, conn => diesel::sql_query(sql).get_result(conn)).expect("a processed event")
}

/// What all events of a transaction have in common: the sentences, the moment, and the hour that it is in.
struct Batch<'a> {
    words: &'a Words,
    now: String,
    hour: String,
    /// The month in which the money moved.
    month: String,
}

/// Writes all rows, `size` events a transaction; answers how long it took, and how long each transaction.
pub(crate) fn write(
    conn: &mut AnyConnection,
    events: &[Known],
    words: &Words,
    size: usize,
) -> (Duration, Vec<Duration>) {
    let start = Instant::now();
    let mut each = Vec::new();
    for events in events.chunks(size) {
        let begun = Instant::now();
        let now = OffsetDateTime::now_utc();
        let moment = format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:6]+00:00");
        let hour = format_description!("[year]-[month]-[day] [hour]:00:00+00:00");
        let (now, hour) = (now.format(moment).expect("a text"), now.format(hour).expect("a text"));
        let month = events[0].occurred_at[..7].to_owned();
        let batch = Batch { words, now, hour, month };
        let written = match conn {
            AnyConnection::Sqlite(conn) => conn.immediate_transaction(|conn| sqlite::write(conn, events, &batch)),
            AnyConnection::Postgres(conn) => conn.transaction(|conn| postgres::write(conn, events, &batch)),
            _ => unreachable!("there are two databases"),
        };
        written.expect("the rows are written");
        each.push(begun.elapsed());
    }
    (start.elapsed(), each)
}
