//! What does SQLite say in its own way? It has one writer at a time, so every write transaction takes the write
//! lock at its start: a transaction that reads first and writes later would fail at once when another is writing.

mod append;
mod books;
mod fetches;
mod growth;
mod results;
#[path = "statements/mod.rs"]
mod statements;
mod subscriptions;
mod words;
mod write;

use std::any::Any;
use std::path::PathBuf;
use std::time::Duration;

use diesel::Connection as _;
use diesel::connection::{CacheSize, SimpleConnection};
use diesel::prelude::*;
use diesel::query_builder::AstPass;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::Sqlite;

use super::dialect::{Dialect, lend, spoil};
use super::failure::{Failed, dialect_error, is_locked};
use super::migrations::Migration;
use super::replication::{Behind, Replication};
use super::rows::{EventRow, PaymentRow};
use super::sets::{Key, by_variant};
use super::statement::{answers, statement};
use super::subscriptions::SubscriptionRow;
use super::{Tx, Work, migrations};
use crate::domain::Timestamp;
use crate::domain::event::EventState;
use crate::domain::id::{EventId, PaymentId, SubscriptionId};
use crate::error::Error;
use append::append;
use growth::sizes;
use statements::schema::{pay_events, pay_payments, pay_references, pay_subscriptions};

type Connection = SqliteConnection;
type Backend = Sqlite;
/// Compares texts byte by byte, so that a beginning is a range.
const BYTEWISE: &str = "COLLATE BINARY";
/// An email address without regard to the case of A to Z, as indexes have it.
const ADDRESS: &str = "lower(customer COLLATE BINARY)";
/// What is true of a delivery that came late, as its index says it.
const LATE: &[&str] = &["source = 'delivery'", "strftime('%s', received_at) - strftime('%s', occurred_at) >= 600"];
/// Of a pair with the id, which is the row's own number, SQLite seeks by the first half only and reads all the rest.
const PAIRS: bool = false;
/// Before an index that is to be used: with statistics, SQLite would rather go through all rows than through nearly all.
const INDEXED: Option<&str> = Some("INDEXED BY");
/// Before a value: a sign that does nothing, and that keeps SQLite from looking at the value when it plans. Where
/// `ANALYZE` has sampled the columns it would plan anew for each value that is bound.
const UNSEEN: &str = "+";
use diesel::sql_types::TimestamptzSqlite as Instant;

/// The rows of a table whose ids are `names.named`, after a cross join: SQLite keeps to the order of one, so no others
/// are looked at.
fn only_named(table: &str) -> String {
    format!("{table} WHERE {table}.id = names.named")
}

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

/// `FULL` makes a commit durable before it returns, also under WAL; the time-out lets writers of several processes wait
/// for each other. The indexes of gateway refs are touched all over by each batch: a WAL of 32 MiB (in pages of 4 KiB)
/// instead of 4 writes such a page back once where it was written many times, and a cache of 32 MiB holds what is
/// touched again. What is deleted is overwritten: bodies that were pruned and persons who were erased are not to be found
/// in the file.
const SETTINGS: &str = "PRAGMA busy_timeout = 10000; PRAGMA synchronous = FULL; PRAGMA cache_size = -32000; \
                        PRAGMA wal_autocheckpoint = 8000; PRAGMA secure_delete = ON;";

impl Dialect for SqliteConnection {
    fn prepare(&mut self) -> Result<(), Error> {
        self.batch_execute(SETTINGS).map_err(dialect_error("preparing a connection"))
    }

    fn has_died(&mut self) -> bool {
        diesel::r2d2::R2D2Connection::is_broken(self)
    }

    fn is_alive(&mut self) -> bool {
        diesel::r2d2::R2D2Connection::ping(self).is_ok()
    }

    fn keep_no_statements(&mut self) {
        self.set_prepared_statement_cache_size(CacheSize::Disabled);
    }

    fn one_writer(&self) -> bool {
        true
    }

    fn write(&mut self, work: Work<'_>) -> Result<(), Error> {
        self.immediate_transaction(|conn| work(conn).map_err(Failed::from)).map_err(Failed::into_error)
    }

    fn read(&mut self, work: Work<'_>) -> Result<(), Error> {
        work(self)
    }

    fn migrate(&mut self) -> Result<(), Error> {
        self.prepare()?;
        into_wal(self).map_err(dialect_error("switching to WAL"))?;
        let done = statements::migrate::done(self, EXISTS).map_err(dialect_error("reading what was migrated"))?;
        if !statements::migrate::is_pending(migrations::SQLITE, &done) {
            return Ok(());
        }
        self.immediate_transaction(|conn| {
            while statements::migrate::run_next(conn, migrations::SQLITE, EXISTS)? {}
            Ok(())
        })
        .map_err(dialect_error("migrating"))
    }

    fn migrations(&mut self) -> Result<Vec<Migration>, Error> {
        let done = statements::migrate::done(self, EXISTS).map_err(dialect_error("reading what was migrated"))?;
        Ok(migrations::SQLITE.iter().map(|step| step.described(&done)).collect())
    }

    /// What the pages of tables and indexes had moved about is overwritten by making the file anew, which holds up all
    /// writers meanwhile: for seconds at the most.
    fn scour(&mut self) -> Result<Option<&'static str>, Error> {
        let size = "SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size";
        let size: Size =
            diesel::sql_query(size).get_result(self).map_err(dialect_error("asking for the file's size"))?;
        let is_small = size.bytes <= SCOURED;
        let scour =
            if is_small { "VACUUM; PRAGMA wal_checkpoint(TRUNCATE);" } else { "PRAGMA wal_checkpoint(TRUNCATE);" };
        self.batch_execute(scour).map_err(dialect_error("making the file anew"))?;
        let left = "Pages of the file may still have copies of what was moved about: run VACUUM at a quiet hour.";
        Ok((!is_small).then_some(left))
    }

    fn spoil(&mut self) {
        spoil(self);
    }

    /// A file answers or fails, but is not silent.
    fn listen(&mut self) {}

    fn file(&mut self) -> Option<PathBuf> {
        let path = "SELECT file FROM pragma_database_list WHERE name = 'main'";
        let path: QueryResult<Path> = diesel::sql_query(path).get_result(self);
        path.ok().map(|path| path.file).filter(|path| !path.is_empty()).map(PathBuf::from)
    }
}

/// A copy of the file does not know of what it is one.
impl Replication for SqliteConnection {
    fn position(&mut self) -> Result<Option<String>, Error> {
        Ok(None)
    }

    fn behind(&mut self, _: Option<&str>) -> Result<Behind, Error> {
        Ok(Behind::Unknown)
    }
}

/// Counts the tables of this name.
const EXISTS: &str = "SELECT count(*) AS count FROM sqlite_master WHERE type = 'table' AND name = 'pay_migrations'";

/// Up to which size, in bytes, the file is made anew at once.
const SCOURED: i64 = 256 * 1024 * 1024;

#[derive(QueryableByName)]
struct Size {
    #[diesel(sql_type = BigInt)]
    bytes: i64,
}

#[derive(QueryableByName)]
struct ColumnName {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Path {
    #[diesel(sql_type = Text)]
    file: String,
}

/// How long another one may hold a new file while it makes it its own.
const WAL_PATIENCE: Duration = Duration::from_secs(10);

/// WAL lets readers and the writer go on beside each other; it is a property of the file, so once is enough. SQLite's
/// own time-out does not wait for who else is about the same, as processes are that start together on a new file.
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

statement! { Sqlite,
    DueFirst {
        now: Timestamp => Instant,
        variants: String => Text,
        limit: i64 => BigInt,
    }
    "SELECT id FROM pay_events INDEXED BY pay_events_due WHERE due_at <= {} \
     AND +variant IN (SELECT value FROM json_each({})) ORDER BY due_at, id LIMIT {}"
}
answers!(DueFirst, SqliteConnection, BigInt);

/// The ids of the events that are due first. By the index of what is due: what else SQLite may choose has all events in
/// it.
fn due_ids(conn: &mut SqliteConnection, now: Timestamp, limit: i64, variants: &[String]) -> QueryResult<Vec<EventId>> {
    let variants = serde_json::Value::from(variants).to_string();
    let ids: Vec<i64> = DueFirst { now, variants, limit, _borrows: Default::default() }.load(conn)?;
    Ok(ids.into_iter().map(EventId).collect())
}

/// The events that are due first, held until the transaction ends.
fn due(conn: &mut SqliteConnection, now: Timestamp, limit: i64, variants: &[String]) -> QueryResult<Vec<EventRow>> {
    use pay_events::dsl as e;
    let ids = due_ids(conn, now, limit, variants)?;
    e::pay_events.filter(e::id.eq_any(ids)).load(conn)
}

/// Those of these events that are due, held until the transaction ends.
fn due_among(conn: &mut SqliteConnection, ids: &[EventId], now: Timestamp) -> QueryResult<Vec<EventRow>> {
    use pay_events::dsl as e;
    e::pay_events.filter(e::id.eq_any(ids).and(e::due_at.le(now))).load(conn)
}

/// Those of these events of a variant that are available, held until the transaction ends. Who finds one held by
/// another waits, and then finds it taken.
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
/// The machine's clock is everybody's.
fn clock(_: &mut SqliteConnection) -> QueryResult<Option<Timestamp>> {
    Ok(None)
}

fn lock_references(_: &mut SqliteConnection, _: &[(String, String)]) -> QueryResult<()> {
    Ok(())
}

/// Held already: the transaction is the only one that writes.
/// Nothing to hold: there is one writer.
fn hold_rows(_: &mut SqliteConnection, _: &[PaymentId], _: &[SubscriptionId]) -> QueryResult<()> {
    Ok(())
}

fn hold_payments(conn: &mut SqliteConnection, ids: &[PaymentId]) -> QueryResult<Vec<PaymentRow>> {
    use pay_payments::dsl as p;
    p::pay_payments.filter(p::id.eq_any(ids)).load(conn)
}

/// Held already: the transaction is the only one that writes.
fn hold_events(_: &mut SqliteConnection, ids: &[EventId]) -> QueryResult<Vec<EventId>> {
    Ok(ids.to_vec())
}

/// Held already: the transaction is the only one that writes.
fn hold_everything(_: &mut SqliteConnection) -> QueryResult<()> {
    Ok(())
}

/// A row `r` of this table as JSON.
fn whole_row(conn: &mut SqliteConnection, table: &str) -> QueryResult<String> {
    let columns = diesel::sql_query("SELECT name FROM pragma_table_info(?)").bind::<Text, _>(table);
    let columns: Vec<ColumnName> = columns.load(conn)?;
    let named: Vec<String> = columns.iter().map(|it| format!("'{0}', r.{0}", it.name)).collect();
    Ok(format!("json_object({})", named.join(", ")))
}

/// Held already: the transaction is the only one that writes.
fn wait_for_events(_: &mut SqliteConnection, _: &[EventId]) -> QueryResult<()> {
    Ok(())
}

fn find_references(conn: &mut SqliteConnection, keys: &[Key]) -> QueryResult<Vec<(Key, PaymentId)>> {
    use pay_references::dsl as r;
    let mut found = Vec::new();
    for (variant, refs) in by_variant(keys) {
        let linked: Vec<(String, PaymentId)> = r::pay_references
            .filter(r::variant.eq(variant).and(r::gateway_ref.eq_any(refs)))
            .select((r::gateway_ref, r::payment_id))
            .load(conn)?;
        found.extend(linked.into_iter().map(|(text, id)| ((variant.to_owned(), text), id)));
    }
    Ok(found)
}

fn find_subscriptions(conn: &mut SqliteConnection, keys: &[Key]) -> QueryResult<Vec<SubscriptionId>> {
    use pay_subscriptions::dsl as s;
    let mut found = Vec::new();
    for (variant, refs) in by_variant(keys) {
        let ids = s::pay_subscriptions.filter(s::variant.eq(variant).and(s::gateway_ref.eq_any(refs))).select(s::id);
        found.extend(ids.load::<SubscriptionId>(conn)?);
    }
    Ok(found)
}

/// Held already: the transaction is the only one that writes.
fn hold_subscriptions(conn: &mut SqliteConnection, ids: &[SubscriptionId]) -> QueryResult<Vec<SubscriptionRow>> {
    use pay_subscriptions::dsl as s;
    s::pay_subscriptions.filter(s::id.eq_any(ids)).load(conn)
}
