//! How SQLite takes events in: row by row, each statement prepared once for its connection.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text, TimestamptzSqlite};
use diesel::sqlite::Sqlite;

use crate::domain::Timestamp;
use crate::domain::id::EventId;
use crate::store::rows::{Appended, NewEvent};
use crate::store::statement::{answers, statement};

// Values that stand in the statement: for a `SELECT` SQLite would note each page beforehand, to undo a statement of many
// rows.
statement! { Sqlite,
    InsertEvent {
        variant: &'a str => Text,
        id: &'a str => Text,
        source: &'a str => Text,
        kind: &'a str => Text,
        livemode: Option<bool> => Nullable<Bool>,
        api_version: Option<&'a str> => Nullable<Text>,
        account: Option<&'a str> => Nullable<Text>,
        secret: Option<&'a str> => Nullable<Text>,
        skew: Option<i64> => Nullable<BigInt>,
        occurred: Option<Timestamp> => Nullable<TimestamptzSqlite>,
        received: Timestamp => TimestamptzSqlite,
        last: Timestamp => TimestamptzSqlite,
        due: Timestamp => TimestamptzSqlite,
    }
    "INSERT INTO pay_events (variant, gateway_event_id, source, kind, livemode, api_version, account, secret, skew_seconds, \
     occurred_at, received_at, last_delivered_at, due_at, state, deliveries, attempts) \
     VALUES ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, 'available', 1, 0) \
     ON CONFLICT (variant, gateway_event_id) DO UPDATE SET deliveries = deliveries + 1, \
     last_delivered_at = excluded.last_delivered_at RETURNING id, deliveries"
}
answers!(InsertEvent, SqliteConnection, (BigInt, BigInt));
statement! { Sqlite,
    InsertBody {
        event: i64 => BigInt,
        headers: &'a str => Text,
        body: &'a [u8] => Binary,
    }
    "INSERT INTO pay_event_bodies (event_id, headers, body) VALUES ({}, {}, {})"
}
answers!(InsertBody, SqliteConnection);

pub(super) fn append(conn: &mut SqliteConnection, events: &[NewEvent]) -> QueryResult<Vec<Appended>> {
    let mut appended = Vec::with_capacity(events.len());
    for event in events {
        let (id, deliveries): (i64, i64) = InsertEvent {
            variant: &event.variant,
            id: &event.gateway_event_id,
            source: event.source.as_str(),
            kind: &event.kind,
            livemode: event.livemode,
            api_version: event.api_version.as_deref(),
            account: event.account.as_deref(),
            secret: event.secret.as_deref(),
            skew: event.skew_seconds,
            occurred: event.occurred_at,
            received: event.received_at,
            last: event.received_at,
            due: event.received_at,
            _borrows: Default::default(),
        }
        .get_result(conn)?;
        let duplicate = deliveries > 1;
        if !duplicate {
            let (headers, body) = (event.headers.as_str(), &event.body[..]);
            InsertBody { event: id, headers, body, _borrows: Default::default() }.execute(conn)?;
        }
        appended.push(Appended { id: EventId(id), duplicate });
    }
    Ok(appended)
}
