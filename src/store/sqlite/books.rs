//! How SQLite writes movements and their totals: row by row, as in `write`.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, TimestamptzSqlite};
use diesel::sqlite::Sqlite;

use crate::domain::Timestamp;
use crate::store::books::{MonthKey, NewMovement, Total};
use crate::store::statement::{answers, statement};

statement! { Sqlite,
    AddMovement {
        payment: i64 => BigInt,
        variant: &'a str => Text,
        kind: &'a str => Text,
        amount: i64 => BigInt,
        currency: &'a str => Text,
        mode: &'a str => Text,
        moved: Timestamp => TimestamptzSqlite,
        gateway_ref: &'a str => Text,
    }
    "INSERT INTO pay_movements (payment_id, variant, kind, amount, currency, mode, moved_at, gateway_ref) \
     VALUES ({}, {}, {}, {}, {}, {}, {}, {})"
}
answers!(AddMovement, SqliteConnection);

pub(super) fn add(conn: &mut SqliteConnection, new: &[NewMovement]) -> QueryResult<()> {
    for one in new {
        AddMovement {
            payment: one.payment_id.0,
            variant: &one.variant,
            kind: one.kind.as_str(),
            amount: one.amount,
            currency: one.currency.as_str(),
            mode: one.mode,
            moved: one.moved_at,
            gateway_ref: &one.gateway_ref,
            _borrows: Default::default(),
        }
        .execute(conn)?;
    }
    Ok(())
}

statement! { Sqlite,
    AddToMonth {
        mode: &'a str => Text,
        month: &'a str => Text,
        variant: &'a str => Text,
        currency: &'a str => Text,
        kind: &'a str => Text,
        count: i64 => BigInt,
        amount: i64 => BigInt,
    }
    "INSERT INTO pay_movement_months (mode, month, variant, currency, kind, count, amount) \
     VALUES ({}, {}, {}, {}, {}, {}, {}) ON CONFLICT (mode, month, variant, currency, kind) \
     DO UPDATE SET count = count + excluded.count, amount = amount + excluded.amount"
}
answers!(AddToMonth, SqliteConnection);

pub(super) fn add_to_months(conn: &mut SqliteConnection, totals: &[(MonthKey, Total)]) -> QueryResult<()> {
    for (MonthKey { mode, month, variant, currency, kind }, Total { count, amount }) in totals {
        let (count, amount) = (*count, *amount);
        AddToMonth { mode, month, variant, currency, kind, count, amount, _borrows: Default::default() }
            .execute(conn)?;
    }
    Ok(())
}
