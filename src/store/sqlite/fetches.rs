//! How SQLite begins questions to gateways: row by row, as in `write`.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, TimestamptzSqlite};
use diesel::sqlite::Sqlite;

use crate::domain::Timestamp;
use crate::store::fetches::NewFetch;
use crate::store::statement::{answers, statement};

statement! { Sqlite,
    /// Changes nothing in the question that is open, and finds it.
    Begin {
        variant: &'a str => Text,
        object_type: &'a str => Text,
        gateway_ref: &'a str => Text,
        account: &'a str => Text,
        key: &'a str => Text,
        due: Timestamp => TimestamptzSqlite,
        created: Timestamp => TimestamptzSqlite,
    }
    "INSERT INTO pay_fetches (variant, object_type, gateway_ref, account, idempotency_key, state, attempts, due_at, \
     created_at) VALUES ({}, {}, {}, {}, {}, 'underway', 0, {}, {}) \
     ON CONFLICT (variant, gateway_ref, account) WHERE finished_at IS NULL \
     DO UPDATE SET attempts = pay_fetches.attempts RETURNING id, attempts"
}
answers!(Begin, SqliteConnection, (BigInt, BigInt));

statement! { Sqlite,
    Join {
        event: i64 => BigInt,
        fetch: i64 => BigInt,
        after: i64 => BigInt,
    }
    "INSERT INTO pay_fetch_events (event_id, fetch_id, after_try) VALUES ({}, {}, {}) \
     ON CONFLICT (event_id) DO UPDATE SET fetch_id = excluded.fetch_id, after_try = excluded.after_try"
}
answers!(Join, SqliteConnection);

pub(super) fn ask(conn: &mut SqliteConnection, asked: &[NewFetch]) -> QueryResult<()> {
    for one in asked {
        let (fetch, after): (i64, i64) = Begin {
            variant: &one.variant,
            object_type: &one.object_type,
            gateway_ref: &one.gateway_ref,
            account: &one.account,
            key: &one.idempotency_key,
            due: one.created_at,
            created: one.created_at,
            _borrows: Default::default(),
        }
        .get_result(conn)?;
        Join { event: one.event.0, fetch, after, _borrows: Default::default() }.execute(conn)?;
    }
    Ok(())
}
