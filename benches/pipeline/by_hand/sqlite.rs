//! SQLite's way: row by row, each statement prepared once.

use diesel::prelude::*;

use super::{Batch, CUSTOMER, Known, NAME, TOTAL};
use crate::prepared::Value::{Number, Text};
use crate::prepared::prepared;

pub(super) fn write(conn: &mut SqliteConnection, events: &[Known], batch: &Batch<'_>) -> QueryResult<()> {
    for event in events {
        write_one(conn, event, batch)?;
    }
    count(conn, events.len() as i64, batch)
}

fn write_one(conn: &mut SqliteConnection, known: &Known, batch: &Batch<'_>) -> QueryResult<()> {
    for reference in [&known.session, &known.intent] {
        prepared::<0>(
            "INSERT INTO pay_event_references (event_id, variant, gateway_ref) VALUES (?, 'stripe', ?)",
            &[Number(known.event), Text(reference)],
        )
        .execute(conn)?;
        prepared::<1>(
            "INSERT INTO pay_references (variant, gateway_ref, payment_id) VALUES ('stripe', ?, ?)",
            &[Text(reference), Number(known.payment)],
        )
        .execute(conn)?;
    }
    prepared::<2>(
        "INSERT INTO pay_ledger (payment_id, register, gateway_ref, state, amount, face_amount, currency, occurred_at, \
         event_id, parent_ref, livemode) VALUES (?, 'checkout', ?, 'succeeded', ?, ?, 'EUR', ?, ?, ?, FALSE)",
        &[
            Number(known.payment),
            Text(&known.session),
            Number(TOTAL),
            Number(TOTAL),
            Text(&known.occurred_at),
            Text(&known.event_ref),
            Text(&known.intent),
        ],
    )
    .execute(conn)?;
    prepared::<3>(
        "UPDATE pay_payments SET status = 'paid', captured_amount = ?, customer = ?, livemode = FALSE, account = '', version = 1, \
         updated_at = ? WHERE id = ?",
        &[Number(TOTAL), Text(CUSTOMER), Text(&batch.now), Number(known.payment)],
    )
    .execute(conn)?;
    prepared::<4>(
        "INSERT INTO pay_transitions (payment_id, event_id, from_status, to_status, needs_review, disputed, cause, \
         created_at) VALUES (?, ?, 'pending', 'paid', FALSE, FALSE, ?, ?)",
        &[Number(known.payment), Number(known.event), Text(&batch.words.cause), Text(&batch.now)],
    )
    .execute(conn)?;
    prepared::<5>("UPDATE bench_orders SET status = 'paid' WHERE number = ?", &[Text(&known.order)]).execute(conn)?;
    prepared::<6>(
        "UPDATE pay_events SET state = 'completed', outcome_code = 'applied', outcome = ?, payment_id = ?, \
         matched_by = ?, attempts = 1, claims = 1, finished_at = ?, due_at = NULL WHERE id = ?",
        &[Text(&batch.words.outcome), Number(known.payment), Text(&known.token), Text(&batch.now), Number(known.event)],
    )
    .execute(conn)?;
    beside(conn, known, batch)
}

/// What the pages and the books read.
fn beside(conn: &mut SqliteConnection, known: &Known, batch: &Batch<'_>) -> QueryResult<()> {
    prepared::<8>(
        "INSERT INTO pay_event_facts (event_id, summary, facts) VALUES (?, ?, ?)",
        &[Number(known.event), Text(&batch.words.summary), Text(&known.facts)],
    )
    .execute(conn)?;
    prepared::<9>(
        "INSERT INTO pay_movements (payment_id, variant, kind, amount, currency, mode, moved_at, gateway_ref) \
         VALUES (?, 'stripe', 'capture', ?, 'EUR', 'test', ?, ?)",
        &[Number(known.payment), Number(TOTAL), Text(&known.occurred_at), Text(&known.session)],
    )
    .execute(conn)?;
    prepared::<10>(
        "INSERT INTO pay_payers (payment_id, name, told_at) VALUES (?, ?, ?)",
        &[Number(known.payment), Text(NAME), Text(&known.occurred_at)],
    )
    .execute(conn)?;
    prepared::<11>("INSERT INTO pay_words_owed (payment_id) VALUES (?)", &[Number(known.payment)]).execute(conn)?;
    Ok(())
}

/// Adds to the counters of the hour: how many were completed, and the money.
fn count(conn: &mut SqliteConnection, events: i64, batch: &Batch<'_>) -> QueryResult<()> {
    for (outcome, currency, amount) in [("completed", "", 0), ("paid:test", "EUR", events * TOTAL)] {
        prepared::<7>(
            "INSERT INTO pay_hours (hour, variant, outcome, currency, count, amount, last_at) \
             VALUES (?, 'stripe', ?, ?, ?, ?, ?) ON CONFLICT (hour, variant, outcome, currency) DO UPDATE \
             SET count = count + excluded.count, amount = amount + excluded.amount, last_at = excluded.last_at",
            &[Text(&batch.hour), Text(outcome), Text(currency), Number(events), Number(amount), Text(&batch.now)],
        )
        .execute(conn)?;
    }
    prepared::<12>(
        "INSERT INTO pay_movement_months (mode, month, variant, currency, kind, count, amount) \
         VALUES ('test', ?, 'stripe', 'EUR', 'capture', ?, ?) ON CONFLICT (mode, month, variant, currency, kind) \
         DO UPDATE SET count = count + excluded.count, amount = amount + excluded.amount",
        &[Text(&batch.month), Number(events), Number(events * TOTAL)],
    )
    .execute(conn)?;
    Ok(())
}
