//! How Postgres finds, holds and writes many subscriptions: one statement each, as in `write`.

use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use super::write::column;
use crate::domain::Timestamp;
use crate::domain::id::{SubscriptionId, SubscriptionTransitionId};
use crate::store::statement::{answers, statement};
use crate::store::subscriptions::{InvoiceRow, NewSubscriptionTransition, SubscriptionRow};

statement! { Pg,
    /// The rows are one JSON list, since there are more columns than a statement's text should have arrays for.
    Save {
        rows: String => Text,
    }
    "INSERT INTO pay_subscriptions AS s (token, variant, gateway_ref, status, gateway_status, owner, customer, \
     customer_ref, items, period_start, period_end, trial_end, cancel_at, cancel_at_period_end, canceled_at, ended_at, \
     pause, latest_invoice, invoice, due_since, certain, as_of, as_of_event, livemode, adopted, facts, version, \
     created_at, updated_at, monthly_amount, monthly_currency, summed_version) \
     SELECT token, variant, gateway_ref, status, gateway_status, owner, customer, \
     customer_ref, items, period_start, period_end, trial_end, cancel_at, cancel_at_period_end, canceled_at, ended_at, \
     pause, latest_invoice, invoice, due_since, certain, as_of, as_of_event, livemode, adopted, facts, version, \
     created_at, updated_at, monthly_amount, monthly_currency, version \
     FROM json_populate_recordset(NULL::pay_subscriptions, CAST({} AS json)) \
     ON CONFLICT (token) DO UPDATE SET gateway_ref = excluded.gateway_ref, status = excluded.status, \
     gateway_status = excluded.gateway_status, owner = excluded.owner, customer = excluded.customer, \
     customer_ref = excluded.customer_ref, items = excluded.items, period_start = excluded.period_start, \
     period_end = excluded.period_end, trial_end = excluded.trial_end, cancel_at = excluded.cancel_at, \
     cancel_at_period_end = excluded.cancel_at_period_end, canceled_at = excluded.canceled_at, \
     ended_at = excluded.ended_at, pause = excluded.pause, latest_invoice = excluded.latest_invoice, \
     invoice = excluded.invoice, due_since = excluded.due_since, certain = excluded.certain, as_of = excluded.as_of, \
     as_of_event = excluded.as_of_event, livemode = excluded.livemode, adopted = excluded.adopted, \
     facts = excluded.facts, version = excluded.version, updated_at = excluded.updated_at, \
     monthly_amount = excluded.monthly_amount, monthly_currency = excluded.monthly_currency, \
     summed_version = excluded.summed_version \
     WHERE s.version = excluded.version - 1 RETURNING s.token, s.id"
}
answers!(Save, PgConnection, (Text, BigInt));

/// Answers those that were still of the version that was read.
pub(super) fn save(conn: &mut PgConnection, rows: &[SubscriptionRow]) -> QueryResult<Vec<(String, SubscriptionId)>> {
    let rows = Value::Array(rows.iter().map(as_json).collect()).to_string();
    let saved: Vec<(String, i64)> = Save { rows, _borrows: Default::default() }.load(conn)?;
    Ok(saved.into_iter().map(|(token, id)| (token, SubscriptionId(id))).collect())
}

fn as_json(row: &SubscriptionRow) -> Value {
    let time = |at: Option<Timestamp>| at.and_then(|at| at.format(&Rfc3339).ok());
    let mut columns = json!({
        "token": row.token, "variant": row.variant, "gateway_ref": row.gateway_ref, "status": row.status.as_str(),
        "gateway_status": row.gateway_status, "owner": row.owner, "customer": row.customer,
        "customer_ref": row.customer_ref, "items": row.items, "cancel_at_period_end": row.cancel_at_period_end,
        "pause": row.pause, "latest_invoice": row.latest_invoice, "invoice": row.invoice, "certain": row.certain,
        "as_of_event": row.as_of_event, "livemode": row.livemode, "adopted": row.adopted, "facts": row.facts,
        "version": row.version + 1, "monthly_amount": row.monthly_amount, "monthly_currency": row.monthly_currency,
    });
    let times = [
        ("period_start", row.period_start),
        ("period_end", row.period_end),
        ("trial_end", row.trial_end),
        ("cancel_at", row.cancel_at),
        ("canceled_at", row.canceled_at),
        ("ended_at", row.ended_at),
        ("due_since", row.due_since),
        ("as_of", row.as_of),
        ("created_at", Some(row.created_at)),
        ("updated_at", Some(row.updated_at)),
    ];
    for (name, at) in times {
        columns[name] = json!(time(at));
    }
    columns
}

statement! { Pg,
    AddTransitions {
        subscriptions: Vec<i64> => Array<BigInt>,
        events: Vec<Option<i64>> => Array<Nullable<BigInt>>,
        from: Vec<&'a str> => Array<Text>,
        to: Vec<&'a str> => Array<Text>,
        causes: Vec<&'a str> => Array<Text>,
        before: Vec<&'a str> => Array<Text>,
        after: Vec<&'a str> => Array<Text>,
        created: Vec<Timestamp> => Array<Timestamptz>,
    }
    "INSERT INTO pay_subscription_transitions (subscription_id, event_id, from_status, to_status, cause, state_before, \
     state_after, created_at) SELECT s, e, f, t, c, b, a, at FROM unnest({}, {}, {}, {}, {}, {}, {}, {}) WITH ORDINALITY \
     AS u (s, e, f, t, c, b, a, at, place) ORDER BY place RETURNING id"
}
answers!(AddTransitions, PgConnection, BigInt);

/// The rows take their ids in the order in which they are given, so sorted ids are in that order too.
pub(super) fn add_transitions(
    conn: &mut PgConnection,
    steps: &[NewSubscriptionTransition],
) -> QueryResult<Vec<SubscriptionTransitionId>> {
    if steps.is_empty() {
        return Ok(Vec::new());
    }
    let mut ids: Vec<i64> = AddTransitions {
        subscriptions: column(steps, |step| step.subscription_id.0),
        events: column(steps, |step| step.event_id.map(|id| id.0)),
        from: column(steps, |step| step.from_status.as_str()),
        to: column(steps, |step| step.to_status.as_str()),
        causes: column(steps, |step| step.cause.as_str()),
        before: column(steps, |step| step.before.as_str()),
        after: column(steps, |step| step.after.as_str()),
        created: column(steps, |step| step.created_at),
        _borrows: Default::default(),
    }
    .load(conn)?;
    ids.sort_unstable();
    Ok(ids.into_iter().map(SubscriptionTransitionId).collect())
}

statement! { Pg,
    SaveInvoices {
        subscriptions: Vec<i64> => Array<BigInt>,
        variants: Vec<&'a str> => Array<Text>,
        refs: Vec<&'a str> => Array<Text>,
        statuses: Vec<&'a str> => Array<Text>,
        paid: Vec<bool> => Array<Bool>,
        invoiced: Vec<Timestamp> => Array<Timestamptz>,
        facts: Vec<&'a str> => Array<Text>,
    }
    "INSERT INTO pay_subscription_invoices (subscription_id, variant, gateway_ref, status, paid, invoiced_at, fact) \
     SELECT * FROM unnest({}, {}, {}, {}, {}, {}, {}) ON CONFLICT (variant, gateway_ref) DO UPDATE SET \
     status = excluded.status, paid = excluded.paid, invoiced_at = excluded.invoiced_at, fact = excluded.fact"
}
answers!(SaveInvoices, PgConnection);

pub(super) fn save_invoices(conn: &mut PgConnection, rows: &[InvoiceRow]) -> QueryResult<()> {
    let save = SaveInvoices {
        subscriptions: column(rows, |row| row.subscription_id.0),
        variants: column(rows, |row| row.variant.as_str()),
        refs: column(rows, |row| row.gateway_ref.as_str()),
        statuses: column(rows, |row| row.status.as_str()),
        paid: column(rows, |row| row.paid),
        invoiced: column(rows, |row| row.invoiced_at),
        facts: column(rows, |row| row.fact.as_str()),
        _borrows: Default::default(),
    };
    save.execute(conn).map(drop)
}
