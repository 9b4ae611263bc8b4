//! What does SQLite say in its own way? It has one writer at a time, so every write transaction takes the write
//! lock at its start: a transaction that reads first and writes later would fail at once when another is writing.

#[path = "statements/mod.rs"]
mod statements;
mod write;

use std::any::Any;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::query_builder::AstPass;
use diesel::sql_types::BigInt;

use super::dialect::{Dialect, lend};
use super::failure::{Failed, dialect_error, is_locked};
use super::rows::{Appended, EventRow, NewEvent, PaymentRow};
use super::{Tx, Work, migrations};
use crate::domain::Timestamp;
use crate::domain::event::EventState;
use crate::domain::id::{EventId, PaymentId};
use crate::error::Error;
use statements::schema::{pay_event_bodies, pay_events, pay_payments};

type Connection = SqliteConnection;
type Backend = diesel::sqlite::Sqlite;
/// Compares texts byte by byte, so that a beginning is a range.
const BYTEWISE: &str = "COLLATE BINARY";
/// Of a pair with the id, which is the row's own number, SQLite seeks by the first half only and reads all the rest.
const PAIRS: bool = false;
/// Before a value: a sign that does nothing, and that keeps SQLite from looking at the value when it plans. Where
/// `ANALYZE` has sampled the columns it would plan anew for each value that is bound.
const UNSEEN: &str = "+";
use diesel::sql_types::TimestamptzSqlite as Instant;

/// Rows by their numbers. The text differs with how many they are, so the statement is not kept.
fn among<'b>(ids: &'b [i64], mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
    out.unsafe_to_cache_prepared();
    out.push_sql("id IN (NULL");
    for id in ids {
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(id)?;
    }
    out.push_sql(")");
    Ok(())
}

impl Dialect for SqliteConnection {
    fn tx(&mut self) -> &mut dyn Tx {
        self
    }

    /// `FULL` makes a commit durable before it returns, also under WAL; the time-out lets writers of several
    /// processes wait for each other.
    fn prepare(&mut self) -> Result<(), Error> {
        self.batch_execute(
            "PRAGMA busy_timeout = 10000; PRAGMA synchronous = FULL; PRAGMA cache_size = -16000; \
             PRAGMA mmap_size = 134217728;",
        )
        .map_err(dialect_error("preparing a connection"))
    }

    fn has_died(&mut self) -> bool {
        diesel::r2d2::R2D2Connection::is_broken(self)
    }

    fn is_alive(&mut self) -> bool {
        diesel::r2d2::R2D2Connection::ping(self).is_ok()
    }

    fn one_writer(&self) -> bool {
        true
    }

    fn write(&mut self, work: Work<'_>) -> Result<(), Error> {
        self.immediate_transaction(|conn| work(conn).map_err(Failed::from)).map_err(Failed::into_error)
    }

    fn migrate(&mut self) -> Result<(), Error> {
        self.prepare()?;
        into_wal(self).map_err(dialect_error("switching to WAL"))?;
        self.immediate_transaction(|conn| statements::migrate::run(conn, migrations::SQLITE))
            .map_err(dialect_error("migrating"))
    }
}

/// How long another one may hold a new file while it makes it its own.
const WAL_PATIENCE: Duration = Duration::from_secs(10);

/// WAL lets readers and the writer go on beside each other; it is a property of the file, so once is enough. SQLite's own
/// time-out does not wait for who else is about the same, as processes are that start together on a new file.
pub(super) fn into_wal(conn: &mut SqliteConnection) -> QueryResult<()> {
    let until = std::time::Instant::now() + WAL_PATIENCE;
    loop {
        match conn.batch_execute("PRAGMA journal_mode = WAL;") {
            Err(error) if is_locked(&error) && std::time::Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(10))
            }
            switched => return switched,
        }
    }
}

impl Tx for SqliteConnection {
    fn lend(&mut self, run: &mut dyn FnMut(&mut dyn Any)) -> Result<(), String> {
        lend(self, run)
    }
}

/// Row by row: with its statement cached, this is the fastest way into SQLite.
fn append(conn: &mut SqliteConnection, events: &[NewEvent]) -> QueryResult<Vec<Appended>> {
    use pay_event_bodies::dsl as b;
    events
        .iter()
        .map(|event| {
            let (id, deliveries) = insert_event(conn, event)?;
            let duplicate = deliveries > 1;
            if !duplicate {
                diesel::insert_into(b::pay_event_bodies)
                    .values((b::event_id.eq(id), b::headers.eq(&event.headers), b::body.eq(&event.body[..])))
                    .execute(conn)?;
            }
            Ok(Appended { id, duplicate })
        })
        .collect()
}

fn insert_event(conn: &mut SqliteConnection, event: &NewEvent) -> QueryResult<(EventId, i64)> {
    use pay_events::dsl as e;
    diesel::insert_into(e::pay_events)
        .values((
            e::variant.eq(&event.variant),
            e::gateway_event_id.eq(&event.gateway_event_id),
            e::source.eq(event.source),
            e::kind.eq(&event.kind),
            e::state.eq(EventState::Available),
            e::livemode.eq(event.livemode),
            e::api_version.eq(&event.api_version),
            e::account.eq(&event.account),
            e::secret.eq(&event.secret),
            e::skew_seconds.eq(event.skew_seconds),
            e::occurred_at.eq(event.occurred_at),
            e::received_at.eq(event.received_at),
            e::last_delivered_at.eq(event.received_at),
            e::deliveries.eq(1),
            e::attempts.eq(0),
            e::due_at.eq(event.received_at),
        ))
        .on_conflict((e::variant, e::gateway_event_id))
        .do_update()
        .set((e::deliveries.eq(e::deliveries + 1), e::last_delivered_at.eq(event.received_at)))
        .returning((e::id, e::deliveries))
        .get_result(conn)
}

/// The events that are due first, held until the transaction ends.
fn due(conn: &mut SqliteConnection, now: Timestamp, limit: i64, variants: &[String]) -> QueryResult<Vec<EventRow>> {
    use pay_events::dsl as e;
    e::pay_events
        .filter(e::due_at.le(now).and(e::variant.eq_any(variants)))
        .order((e::due_at, e::id))
        .limit(limit)
        .load(conn)
}

/// Those of these events that are due, held until the transaction ends.
fn due_among(conn: &mut SqliteConnection, ids: &[EventId], now: Timestamp) -> QueryResult<Vec<EventRow>> {
    use pay_events::dsl as e;
    e::pay_events.filter(e::id.eq_any(ids).and(e::due_at.le(now))).load(conn)
}

/// Those of these events of a variant that are available, held until the transaction ends. Who finds one held by another
/// waits, and then finds it taken.
fn named(conn: &mut SqliteConnection, variant: &str, ids: &[String], now: Timestamp) -> QueryResult<Vec<EventRow>> {
    use pay_events::dsl as e;
    let available = e::state.eq(EventState::Available).and(e::due_at.le(now));
    e::pay_events
        .filter(e::variant.eq(variant).and(e::gateway_event_id.eq_any(ids)))
        .filter(available)
        .order(e::id)
        .load(conn)
}

/// Nothing to do: the transaction is the only one that writes.
fn lock_references(_: &mut SqliteConnection, _: &[(String, String)]) -> QueryResult<()> {
    Ok(())
}

/// Held already: the transaction is the only one that writes.
fn hold_payments(conn: &mut SqliteConnection, ids: &[PaymentId]) -> QueryResult<Vec<PaymentRow>> {
    use pay_payments::dsl as p;
    p::pay_payments.filter(p::id.eq_any(ids)).load(conn)
}
