//! How SQLite finds, holds and writes many subscriptions: row by row, as in `write`.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, TimestamptzSqlite};
use diesel::sqlite::Sqlite;

use crate::domain::Timestamp;
use crate::domain::id::{SubscriptionId, SubscriptionTransitionId};
use crate::store::statement::{answers, statement};
use crate::store::subscriptions::{InvoiceRow, NewSubscriptionTransition, SubscriptionRow};

statement! { Sqlite,
    Save {
        token: &'a str => Text,
        variant: &'a str => Text,
        gateway_ref: Option<&'a str> => Nullable<Text>,
        status: &'a str => Text,
        gateway_status: Option<&'a str> => Nullable<Text>,
        owner: Option<&'a str> => Nullable<Text>,
        customer: Option<&'a str> => Nullable<Text>,
        customer_ref: Option<&'a str> => Nullable<Text>,
        items: &'a str => Text,
        period_start: Option<Timestamp> => Nullable<TimestamptzSqlite>,
        period_end: Option<Timestamp> => Nullable<TimestamptzSqlite>,
        trial_end: Option<Timestamp> => Nullable<TimestamptzSqlite>,
        cancel_at: Option<Timestamp> => Nullable<TimestamptzSqlite>,
        cancel_at_period_end: bool => Bool,
        canceled_at: Option<Timestamp> => Nullable<TimestamptzSqlite>,
        ended_at: Option<Timestamp> => Nullable<TimestamptzSqlite>,
        pause: Option<&'a str> => Nullable<Text>,
        latest_invoice: Option<&'a str> => Nullable<Text>,
        invoice: Option<&'a str> => Nullable<Text>,
        due_since: Option<Timestamp> => Nullable<TimestamptzSqlite>,
        certain: bool => Bool,
        as_of: Option<Timestamp> => Nullable<TimestamptzSqlite>,
        as_of_event: Option<&'a str> => Nullable<Text>,
        livemode: Option<bool> => Nullable<Bool>,
        adopted: bool => Bool,
        facts: &'a str => Text,
        version: i64 => BigInt,
        created: Timestamp => TimestamptzSqlite,
        updated: Timestamp => TimestamptzSqlite,
        monthly_amount: Option<i64> => Nullable<BigInt>,
        monthly_currency: Option<&'a str> => Nullable<Text>,
        summed_version: i64 => BigInt,
    }
    "INSERT INTO pay_subscriptions (token, variant, gateway_ref, status, gateway_status, owner, customer, \
     customer_ref, items, period_start, period_end, trial_end, cancel_at, cancel_at_period_end, canceled_at, ended_at, \
     pause, latest_invoice, invoice, due_since, certain, as_of, as_of_event, livemode, adopted, facts, version, \
     created_at, updated_at, monthly_amount, monthly_currency, summed_version) \
     VALUES ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, \
     {}, {}, {}, {}, {}) \
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
     WHERE pay_subscriptions.version = excluded.version - 1 RETURNING id"
}
answers!(Save, SqliteConnection, BigInt);

/// Answers those that were still of the version that was read.
pub(super) fn save(
    conn: &mut SqliteConnection,
    rows: &[SubscriptionRow],
) -> QueryResult<Vec<(String, SubscriptionId)>> {
    let mut saved = Vec::new();
    for row in rows {
        let id: Option<i64> = Save {
            token: &row.token,
            variant: &row.variant,
            gateway_ref: row.gateway_ref.as_deref(),
            status: row.status.as_str(),
            gateway_status: row.gateway_status.as_deref(),
            owner: row.owner.as_deref(),
            customer: row.customer.as_deref(),
            customer_ref: row.customer_ref.as_deref(),
            items: &row.items,
            period_start: row.period_start,
            period_end: row.period_end,
            trial_end: row.trial_end,
            cancel_at: row.cancel_at,
            cancel_at_period_end: row.cancel_at_period_end,
            canceled_at: row.canceled_at,
            ended_at: row.ended_at,
            pause: row.pause.as_deref(),
            latest_invoice: row.latest_invoice.as_deref(),
            invoice: row.invoice.as_deref(),
            due_since: row.due_since,
            certain: row.certain,
            as_of: row.as_of,
            as_of_event: row.as_of_event.as_deref(),
            livemode: row.livemode,
            adopted: row.adopted,
            facts: &row.facts,
            version: row.version + 1,
            created: row.created_at,
            updated: row.updated_at,
            monthly_amount: row.monthly_amount,
            monthly_currency: row.monthly_currency.as_deref(),
            summed_version: row.version + 1,
            _borrows: Default::default(),
        }
        .get_result(conn)
        .optional()?;
        saved.extend(id.map(|id| (row.token.clone(), SubscriptionId(id))));
    }
    Ok(saved)
}

statement! { Sqlite,
    AddTransition {
        subscription: i64 => BigInt,
        event: Option<i64> => Nullable<BigInt>,
        from: &'a str => Text,
        to: &'a str => Text,
        cause: &'a str => Text,
        before: &'a str => Text,
        after: &'a str => Text,
        created: Timestamp => TimestamptzSqlite,
    }
    "INSERT INTO pay_subscription_transitions (subscription_id, event_id, from_status, to_status, cause, state_before, \
     state_after, created_at) VALUES ({}, {}, {}, {}, {}, {}, {}, {}) RETURNING id"
}
answers!(AddTransition, SqliteConnection, BigInt);

pub(super) fn add_transitions(
    conn: &mut SqliteConnection,
    steps: &[NewSubscriptionTransition],
) -> QueryResult<Vec<SubscriptionTransitionId>> {
    let add = |step: &NewSubscriptionTransition| {
        AddTransition {
            subscription: step.subscription_id.0,
            event: step.event_id.map(|id| id.0),
            from: step.from_status.as_str(),
            to: step.to_status.as_str(),
            cause: &step.cause,
            before: &step.before,
            after: &step.after,
            created: step.created_at,
            _borrows: Default::default(),
        }
        .get_result(conn)
        .map(SubscriptionTransitionId)
    };
    steps.iter().map(add).collect()
}

statement! { Sqlite,
    SaveInvoice {
        subscription: i64 => BigInt,
        variant: &'a str => Text,
        gateway_ref: &'a str => Text,
        status: &'a str => Text,
        paid: bool => Bool,
        invoiced: Timestamp => TimestamptzSqlite,
        fact: &'a str => Text,
    }
    "INSERT INTO pay_subscription_invoices (subscription_id, variant, gateway_ref, status, paid, invoiced_at, fact) \
     VALUES ({}, {}, {}, {}, {}, {}, {}) ON CONFLICT (variant, gateway_ref) DO UPDATE SET status = excluded.status, \
     paid = excluded.paid, invoiced_at = excluded.invoiced_at, fact = excluded.fact"
}
answers!(SaveInvoice, SqliteConnection);

pub(super) fn save_invoices(conn: &mut SqliteConnection, rows: &[InvoiceRow]) -> QueryResult<()> {
    rows.iter().try_for_each(|row| {
        let save = SaveInvoice {
            subscription: row.subscription_id.0,
            variant: &row.variant,
            gateway_ref: &row.gateway_ref,
            status: &row.status,
            paid: row.paid,
            invoiced: row.invoiced_at,
            fact: &row.fact,
            _borrows: Default::default(),
        };
        save.execute(conn).map(drop)
    })
}
