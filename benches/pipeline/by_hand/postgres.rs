//! Postgres's way: one statement for all rows of a table, except the host's row, which a handler writes one by one.

use diesel::prelude::*;

use super::{Batch, CUSTOMER, Known, NAME, TOTAL};
use crate::prepared::Value::{Number, Numbers, Text, Texts};
use crate::prepared::prepared;

/// The rows of a batch, a list for each column.
struct Columns {
    events: Vec<i64>,
    payments: Vec<i64>,
    event_refs: Vec<String>,
    tokens: Vec<String>,
    sessions: Vec<String>,
    intents: Vec<String>,
    occurred: Vec<String>,
    facts: Vec<String>,
}

impl Columns {
    fn of(events: &[Known]) -> Self {
        let texts = |text: fn(&Known) -> &String| events.iter().map(text).cloned().collect();
        Self {
            events: events.iter().map(|known| known.event).collect(),
            payments: events.iter().map(|known| known.payment).collect(),
            event_refs: texts(|known| &known.event_ref),
            tokens: texts(|known| &known.token),
            sessions: texts(|known| &known.session),
            intents: texts(|known| &known.intent),
            occurred: texts(|known| &known.occurred_at),
            facts: texts(|known| &known.facts),
        }
    }
}

pub(super) fn write(conn: &mut PgConnection, events: &[Known], batch: &Batch<'_>) -> QueryResult<()> {
    let columns = Columns::of(events);
    references(conn, &columns)?;
    payments(conn, &columns, batch)?;
    beside(conn, &columns, batch)?;
    for known in events {
        prepared::<5>("UPDATE bench_orders SET status = 'paid' WHERE number = ?", &[Text(&known.order)])
            .execute(conn)?;
    }
    prepared::<6>(
        "UPDATE pay_events SET state = 'completed', outcome_code = 'applied', outcome = ?, payment_id = known.payment, \
         matched_by = known.token, attempts = 1, claims = 1, finished_at = ?::timestamptz, due_at = NULL \
         FROM unnest(?, ?, ?) AS known (event, payment, token) WHERE id = known.event",
        &[
            Text(&batch.words.outcome),
            Text(&batch.now),
            Numbers(&columns.events),
            Numbers(&columns.payments),
            Texts(&columns.tokens),
        ],
    )
    .execute(conn)?;
    count(conn, events.len() as i64, batch)
}

fn references(conn: &mut PgConnection, columns: &Columns) -> QueryResult<()> {
    prepared::<0>(
        "INSERT INTO pay_event_references (event_id, variant, gateway_ref) SELECT event, 'stripe', reference \
         FROM unnest(?, ?, ?) AS known (event, session, intent), unnest(ARRAY[session, intent]) AS reference",
        &[Numbers(&columns.events), Texts(&columns.sessions), Texts(&columns.intents)],
    )
    .execute(conn)?;
    prepared::<1>(
        "INSERT INTO pay_references (variant, gateway_ref, payment_id) SELECT 'stripe', reference, payment \
         FROM unnest(?, ?, ?) AS known (payment, session, intent), unnest(ARRAY[session, intent]) AS reference",
        &[Numbers(&columns.payments), Texts(&columns.sessions), Texts(&columns.intents)],
    )
    .execute(conn)?;
    Ok(())
}

fn payments(conn: &mut PgConnection, columns: &Columns, batch: &Batch<'_>) -> QueryResult<()> {
    prepared::<2>(
        "INSERT INTO pay_ledger (payment_id, register, gateway_ref, state, amount, face_amount, currency, occurred_at, \
         event_id, parent_ref, livemode) \
         SELECT payment, 'checkout', session, 'succeeded', ?, ?, 'EUR', occurred_at::timestamptz, event, intent, FALSE \
         FROM unnest(?, ?, ?, ?, ?) AS known (payment, session, occurred_at, event, intent)",
        &[
            Number(TOTAL),
            Number(TOTAL),
            Numbers(&columns.payments),
            Texts(&columns.sessions),
            Texts(&columns.occurred),
            Texts(&columns.event_refs),
            Texts(&columns.intents),
        ],
    )
    .execute(conn)?;
    prepared::<3>(
        "UPDATE pay_payments SET status = 'paid', captured_amount = ?, customer = ?, livemode = FALSE, account = '', version = 1, \
         updated_at = ?::timestamptz WHERE id = ANY(?)",
        &[Number(TOTAL), Text(CUSTOMER), Text(&batch.now), Numbers(&columns.payments)],
    )
    .execute(conn)?;
    prepared::<4>(
        "INSERT INTO pay_transitions (payment_id, event_id, from_status, to_status, needs_review, disputed, cause, \
         created_at) SELECT payment, event, 'pending', 'paid', FALSE, FALSE, ?, ?::timestamptz \
         FROM unnest(?, ?) AS known (payment, event)",
        &[Text(&batch.words.cause), Text(&batch.now), Numbers(&columns.payments), Numbers(&columns.events)],
    )
    .execute(conn)?;
    Ok(())
}

/// What the pages and the books read.
fn beside(conn: &mut PgConnection, columns: &Columns, batch: &Batch<'_>) -> QueryResult<()> {
    prepared::<8>(
        "INSERT INTO pay_event_facts (event_id, summary, facts) SELECT event, ?, facts \
         FROM unnest(?, ?) AS known (event, facts)",
        &[Text(&batch.words.summary), Numbers(&columns.events), Texts(&columns.facts)],
    )
    .execute(conn)?;
    prepared::<9>(
        "INSERT INTO pay_movements (payment_id, variant, kind, amount, currency, mode, moved_at, gateway_ref) \
         SELECT payment, 'stripe', 'capture', ?, 'EUR', 'test', occurred_at::timestamptz, session \
         FROM unnest(?, ?, ?) AS known (payment, occurred_at, session)",
        &[Number(TOTAL), Numbers(&columns.payments), Texts(&columns.occurred), Texts(&columns.sessions)],
    )
    .execute(conn)?;
    prepared::<10>(
        "INSERT INTO pay_payers (payment_id, name, told_at) SELECT payment, ?, occurred_at::timestamptz \
         FROM unnest(?, ?) AS known (payment, occurred_at)",
        &[Text(NAME), Numbers(&columns.payments), Texts(&columns.occurred)],
    )
    .execute(conn)?;
    prepared::<11>("INSERT INTO pay_words_owed (payment_id) SELECT * FROM unnest(?)", &[Numbers(&columns.payments)])
        .execute(conn)?;
    Ok(())
}

/// Adds to the counters of the hour: how many were completed, and the money.
fn count(conn: &mut PgConnection, events: i64, batch: &Batch<'_>) -> QueryResult<()> {
    for (outcome, currency, amount) in [("completed", "", 0), ("paid:test", "EUR", events * TOTAL)] {
        prepared::<7>(
            "INSERT INTO pay_hours AS known (hour, variant, outcome, currency, count, amount, last_at) \
             VALUES (?::timestamptz, 'stripe', ?, ?, ?, ?, ?::timestamptz) \
             ON CONFLICT (hour, variant, outcome, currency) DO UPDATE SET count = known.count + excluded.count, \
             amount = known.amount + excluded.amount, last_at = excluded.last_at",
            &[Text(&batch.hour), Text(outcome), Text(currency), Number(events), Number(amount), Text(&batch.now)],
        )
        .execute(conn)?;
    }
    prepared::<12>(
        "INSERT INTO pay_movement_months AS known (mode, month, variant, currency, kind, count, amount) \
         VALUES ('test', ?, 'stripe', 'EUR', 'capture', ?, ?) ON CONFLICT (mode, month, variant, currency, kind) \
         DO UPDATE SET count = known.count + excluded.count, amount = known.amount + excluded.amount",
        &[Text(&batch.month), Number(events), Number(events * TOTAL)],
    )
    .execute(conn)?;
    Ok(())
}
