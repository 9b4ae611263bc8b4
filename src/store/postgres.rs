//! What does Postgres say in its own way? Many write at once, so claims skip what others hold, and payments and
//! references are locked in one order before they are read.

mod append;
mod books;
mod fetches;
mod growth;
mod migrating;
mod replication;
mod results;
#[path = "statements/mod.rs"]
mod statements;
mod subscriptions;
mod words;
mod write;

use std::any::Any;
use std::path::PathBuf;

use diesel::Connection as _;
use diesel::connection::{CacheSize, SimpleConnection};
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::query_builder::AstPass;
use diesel::sql_types::{Array, BigInt, Text};

use super::dialect::{Dialect, lend, spoil};
use super::failure::{Failed, dialect_error};
use super::migrations::Migration;
use super::rows::{EventRow, PaymentRow};
use super::sets::Key;
use super::statement::{answers, statement};
use super::subscriptions::SubscriptionRow;
use super::{Tx, Work, migrations, pulse};
use crate::domain::Timestamp;
use crate::domain::event::EventState;
use crate::domain::id::{EventId, PaymentId, SubscriptionId};
use crate::error::Error;
use append::append;
use growth::sizes;
use statements::schema::{pay_events, pay_payments, pay_subscriptions};

type Connection = PgConnection;
type Backend = diesel::pg::Pg;
/// Compares texts byte by byte, so that a beginning is a range.
const BYTEWISE: &str = "COLLATE \"C\"";
/// An email address without regard to the case of A to Z, as indexes have it.
const ADDRESS: &str = "lower(customer COLLATE \"C\")";
/// What is true of a delivery that came late, as its index says it.
const LATE: &[&str] = &["source = 'delivery'", "received_at - occurred_at >= interval '600 seconds'"];
/// An index is sought by a column and the id at once.
const PAIRS: bool = true;
/// No words choose an index.
const INDEXED: Option<&str> = None;
/// Before a value: nothing. A statement that is used again is planned once, and pairs hide how frequent a value is.
const UNSEEN: &str = "";
use diesel::sql_types::Timestamptz as Instant;

/// The rows of a table whose ids are `names.named`, after a cross join: sought one by one. A join that is planned would
/// rather read the whole table.
fn only_named(table: &str) -> String {
    format!("LATERAL (SELECT * FROM {table} WHERE id = names.named OFFSET 0) AS {table}")
}

/// Rows by their numbers.
fn among<'b>(ids: &'b [i64], mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
    out.push_sql("id = ANY(");
    out.push_bind_param::<Array<BigInt>, _>(ids)?;
    out.push_sql(")");
    Ok(())
}

/// Every row that a transaction of ours touches is found by an index, in the order of that index. A plan is made once
/// and kept; made while a table was nearly empty it would read all of it, or collect and sort all that is due for the
/// first two hundred, also when the table has grown, until the next ANALYZE.
///
/// A statement of ours takes milliseconds, so one that takes 5 seconds waits for something that may never come. And a
/// transaction whose app is not heard of any more must not hold its locks until the network notices.
///
/// A server, role or database may be set to acknowledge commits before they are durable; ours are not to be. Settings
/// hold for the transaction, because before a pooler the next one may be another connection's.
const BY_INDEX: &str = "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; \
                        SET LOCAL statement_timeout = 5000; \
                        SET LOCAL idle_in_transaction_session_timeout = 8000; SET LOCAL synchronous_commit = on";

/// A statement that is given up here is given up by the server as well, or each of them would keep a connection.
const IN_TIME: &str = "SET LOCAL statement_timeout = 5000; SET LOCAL idle_in_transaction_session_timeout = 8000";

/// Counts the tables of this name in the schemas that are searched. From the catalog's rows: `to_regclass` may answer
/// from what the connection remembers, and who waited for another's migration would not see what that has made.
const EXISTS: &str = "SELECT count(*) AS count FROM pg_catalog.pg_tables \
                      WHERE tablename = 'pay_migrations' AND schemaname = ANY (current_schemas(false))";

impl Dialect for PgConnection {
    /// What payments need is set for each transaction.
    fn prepare(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn has_died(&mut self) -> bool {
        diesel::r2d2::R2D2Connection::is_broken(self)
    }

    fn is_alive(&mut self) -> bool {
        diesel::r2d2::R2D2Connection::ping(self).is_ok()
    }

    fn one_writer(&self) -> bool {
        false
    }

    fn write(&mut self, work: Work<'_>) -> Result<(), Error> {
        self.build_transaction()
            .read_committed()
            .run(|conn| {
                conn.batch_execute(BY_INDEX)?;
                work(conn).map_err(Failed::from)
            })
            .map_err(Failed::into_error)
    }

    fn read(&mut self, work: Work<'_>) -> Result<(), Error> {
        self.build_transaction()
            .read_committed()
            .run(|conn| {
                conn.batch_execute(IN_TIME)?;
                work(conn).map_err(Failed::from)
            })
            .map_err(Failed::into_error)
    }

    fn migrate(&mut self) -> Result<(), Error> {
        let done = statements::migrate::done(self, EXISTS).map_err(dialect_error("reading what was migrated"))?;
        if !statements::migrate::is_pending(migrations::POSTGRES, &done) {
            return Ok(());
        }
        let next = |conn: &mut Self| statements::migrate::run_next(conn, migrations::POSTGRES, EXISTS);
        while migrating::take(self, next).map_err(dialect_error("migrating"))? {}
        Ok(())
    }

    fn migrations(&mut self) -> Result<Vec<Migration>, Error> {
        let done = statements::migrate::done(self, EXISTS).map_err(dialect_error("reading what was migrated"))?;
        Ok(migrations::POSTGRES.iter().map(|step| step.described(&done)).collect())
    }

    /// Rows that were deleted are in the files until autovacuum has been there, and nobody but it can hurry that.
    fn scour(&mut self) -> Result<Option<&'static str>, Error> {
        Ok(None)
    }

    fn spoil(&mut self) {
        spoil(self);
    }

    fn listen(&mut self) {
        pulse::listen(self);
    }

    fn keep_no_statements(&mut self) {
        self.set_prepared_statement_cache_size(CacheSize::Disabled);
    }

    fn file(&mut self) -> Option<PathBuf> {
        None
    }
}

impl Tx for PgConnection {
    fn lend(&mut self, run: &mut dyn FnMut(&mut dyn Any)) -> Result<(), String> {
        lend(self, run)
    }
}

/// The server's clock.
fn clock(conn: &mut PgConnection) -> QueryResult<Option<Timestamp>> {
    diesel::select(diesel::dsl::sql::<Instant>("clock_timestamp()")).get_result::<Timestamp>(conn).map(Some)
}

/// The ids of the events that are due first. No index is to serve the variant: all events are in that.
fn due_ids(conn: &mut PgConnection, now: Timestamp, limit: i64, variants: &[String]) -> QueryResult<Vec<EventId>> {
    use pay_events::dsl as e;
    let due = e::pay_events.filter(e::due_at.le(now).and(e::variant.concat("").eq_any(variants)));
    due.order(e::due_at).limit(limit).select(e::id).load(conn)
}

/// The events that are due first, held until the transaction ends.
fn due(conn: &mut PgConnection, now: Timestamp, limit: i64, variants: &[String]) -> QueryResult<Vec<EventRow>> {
    use pay_events::dsl as e;
    e::pay_events
        .filter(e::due_at.le(now).and(e::variant.concat("").eq_any(variants)))
        .order(e::due_at)
        .limit(limit)
        .for_update()
        .skip_locked()
        .load(conn)
}

/// Those of these events that are due, held until the transaction ends.
fn due_among(conn: &mut PgConnection, ids: &[EventId], now: Timestamp) -> QueryResult<Vec<EventRow>> {
    use pay_events::dsl as e;
    e::pay_events.filter(e::id.eq_any(ids).and(e::due_at.le(now))).for_update().skip_locked().load(conn)
}

/// Those of these events of a variant that are available, held until the transaction ends. Who finds one held by
/// another waits, and then finds it taken.
fn named(conn: &mut PgConnection, variant: &str, ids: &[String], now: Timestamp) -> QueryResult<Vec<EventRow>> {
    use pay_events::dsl as e;
    let available = e::state.eq(EventState::Available).and(e::due_at.le(now));
    e::pay_events
        .filter(e::variant.eq(variant).and(e::gateway_event_id.eq_any(ids)))
        .filter(available)
        .order(e::id)
        .for_update()
        .load(conn)
}

/// Advisory locks, because a reference that nobody linked yet has no row to lock; in the order of their hashes,
/// so that two transactions never wait for each other in a circle.
fn lock_references(conn: &mut PgConnection, keys: &[(String, String)]) -> QueryResult<()> {
    let keys: Vec<String> = keys.iter().map(|(variant, gateway_ref)| format!("pay {variant} {gateway_ref}")).collect();
    diesel::sql_query(
        "SELECT pg_advisory_xact_lock(h) FROM \
         (SELECT DISTINCT hashtextextended(k, 0) AS h FROM unnest($1) AS k ORDER BY 1) AS ordered",
    )
    .bind::<Array<Text>, _>(keys)
    .execute(conn)
    .map(drop)
}

/// Holds these rows, whatever they say.
fn hold_rows(conn: &mut PgConnection, payments: &[PaymentId], subscriptions: &[SubscriptionId]) -> QueryResult<()> {
    use {pay_payments::dsl as p, pay_subscriptions::dsl as s};
    let payments = p::pay_payments.filter(p::id.eq_any(payments)).order(p::id).select(p::id);
    payments.for_no_key_update().execute(conn)?;
    let subscriptions = s::pay_subscriptions.filter(s::id.eq_any(subscriptions)).order(s::id).select(s::id);
    subscriptions.for_no_key_update().execute(conn).map(drop)
}

fn hold_payments(conn: &mut PgConnection, ids: &[PaymentId]) -> QueryResult<Vec<PaymentRow>> {
    use pay_payments::dsl as p;
    p::pay_payments.filter(p::id.eq_any(ids)).order(p::id).for_no_key_update().load(conn)
}

/// Holds those of these events that nobody else holds until the transaction ends.
fn hold_events(conn: &mut PgConnection, ids: &[EventId]) -> QueryResult<Vec<EventId>> {
    use pay_events::dsl as e;
    let free = e::pay_events.filter(e::id.eq_any(ids)).select(e::id);
    free.for_no_key_update().skip_locked().load(conn)
}

/// Everybody else takes at least a shared lock on this table, to claim or to write.
fn hold_everything(conn: &mut PgConnection) -> QueryResult<()> {
    conn.batch_execute("LOCK TABLE pay_events IN EXCLUSIVE MODE")
}

/// A row `r` of this table as JSON.
fn whole_row(_: &mut PgConnection, _: &str) -> QueryResult<String> {
    Ok("CAST(row_to_json(r) AS text)".to_owned())
}

/// Holds these events until the transaction ends; waits while others do.
fn wait_for_events(conn: &mut PgConnection, ids: &[EventId]) -> QueryResult<()> {
    use pay_events::dsl as e;
    let held = e::pay_events.filter(e::id.eq_any(ids)).order(e::id).select(e::id).for_no_key_update();
    held.execute(conn).map(drop)
}

statement! { Pg,
    FindReferences {
        variants: Vec<&'a str> => Array<Text>,
        refs: Vec<&'a str> => Array<Text>,
    }
    "SELECT u.v, u.g, r.payment_id FROM unnest({}, {}) AS u (v, g) CROSS JOIN LATERAL \
     (SELECT payment_id FROM pay_references WHERE variant = u.v AND gateway_ref = u.g LIMIT 1) AS r"
}
answers!(FindReferences, PgConnection, (Text, Text, BigInt));

/// Each by the index: of a list that is compared with a column Postgres may think that reading all is cheaper.
fn find_references(conn: &mut PgConnection, keys: &[Key]) -> QueryResult<Vec<(Key, PaymentId)>> {
    let found: Vec<(String, String, i64)> = FindReferences {
        variants: keys.iter().map(|(variant, _)| variant.as_str()).collect(),
        refs: keys.iter().map(|(_, text)| text.as_str()).collect(),
        _borrows: Default::default(),
    }
    .load(conn)?;
    Ok(found.into_iter().map(|(variant, text, id)| ((variant, text), PaymentId(id))).collect())
}

fn hold_subscriptions(conn: &mut PgConnection, ids: &[SubscriptionId]) -> QueryResult<Vec<SubscriptionRow>> {
    use pay_subscriptions::dsl as s;
    s::pay_subscriptions.filter(s::id.eq_any(ids)).order(s::id).for_no_key_update().load(conn)
}

statement! { Pg,
    FindSubscriptions {
        variants: Vec<&'a str> => Array<Text>,
        refs: Vec<&'a str> => Array<Text>,
    }
    "SELECT s.id FROM unnest({}, {}) AS u (v, g) CROSS JOIN LATERAL \
     (SELECT id FROM pay_subscriptions WHERE variant = u.v AND gateway_ref = u.g LIMIT 1) AS s"
}
answers!(FindSubscriptions, PgConnection, BigInt);

/// Each by the index, as references are found.
fn find_subscriptions(conn: &mut PgConnection, keys: &[Key]) -> QueryResult<Vec<SubscriptionId>> {
    let found: Vec<i64> = FindSubscriptions {
        variants: keys.iter().map(|(variant, _)| variant.as_str()).collect(),
        refs: keys.iter().map(|(_, text)| text.as_str()).collect(),
        _borrows: Default::default(),
    }
    .load(conn)?;
    Ok(found.into_iter().map(SubscriptionId).collect())
}
