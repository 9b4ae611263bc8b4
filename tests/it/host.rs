//! Does a host with a diesel pool and migrations of its own get along with payments in the same database?

use std::time::Duration;

use actix_payments::domain::delivery::Delivery;
use actix_payments::domain::payment::Status;
use actix_payments::gateways::stripe::{Stripe, sign_delivery};
use actix_payments::{Database, HandlerError, NewPayment, Payments, Token, Transition};
use actix_web::rt::time::sleep;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, Pool};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};

use crate::app::{App, Kind, SECRET, fresh_database, on_both_databases};
use crate::scenes::{completed, money};

/// Pays a payment through `payments`, on the system's clock.
async fn pay(payments: &Payments) -> Token {
    payments.migrate().await.unwrap();
    let token = payments.create(NewPayment::new("stripe", money(4999, "EUR"))).await.unwrap().payment.token;
    let body = completed(&token);
    let now = actix_payments::domain::Timestamp::now_utc().unix_timestamp();
    let signature = sign_delivery(SECRET, now, body.as_bytes()).into_bytes();
    let headers = vec![("stripe-signature".to_owned(), signature)];
    let delivery = Delivery::new(body).with_headers(headers);
    assert_eq!(payments.receive("stripe", delivery).await.unwrap().duplicates, 0);
    payments.worker().drain().await.unwrap();
    assert_eq!(payments.payment(&token).await.unwrap().unwrap().status, Status::Paid);
    token
}

const ORDERS: &str = "CREATE TABLE orders (token TEXT NOT NULL)";

/// A host whose pool and handler are of one connection type, the same words for either.
macro_rules! host_of {
    ($connection:ty, $url:expr) => {{
        let pool = Pool::builder().max_size(4).build(ConnectionManager::<$connection>::new($url)).unwrap();
        diesel::sql_query(ORDERS).execute(&mut pool.get().unwrap()).unwrap();
        let book = |conn: &mut $connection, step: &Transition| -> Result<(), HandlerError> {
            diesel::sql_query(format!("INSERT INTO orders VALUES ('{}')", step.payment.token)).execute(conn)?;
            Ok(())
        };
        let builder = Payments::builder(Database::from_pool(pool.clone()));
        let payments = builder.variant("stripe", Stripe::new(SECRET)).handler_in_transaction("book", book).build();
        pay(&payments.unwrap()).await;
        assert_eq!(diesel::sql_query("DELETE FROM orders").execute(&mut pool.get().unwrap()), Ok(1));
    }};
}

#[actix_web::test]
async fn a_hosts_sqlite_pool_serves_payments_and_its_own_rows() {
    let (url, _folder) = fresh_database(Kind::Sqlite);
    host_of!(SqliteConnection, url.trim_start_matches("sqlite://"));
}

#[actix_web::test]
async fn a_hosts_postgres_pool_serves_payments_and_its_own_rows() {
    let (url, _) = fresh_database(Kind::Postgres);
    host_of!(PgConnection, &url);
}

/// A host that takes its only connection away while a handler runs, for longer than one waits for it.
macro_rules! busy_host_of {
    ($connection:ty, $url:expr) => {{
        let manager = ConnectionManager::<$connection>::new($url);
        let pool = Pool::builder().max_size(1).connection_timeout(Duration::from_millis(100)).build(manager).unwrap();
        let taken = pool.clone();
        let hog = move |_: Transition| {
            let conn = taken.get();
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(500));
                drop(conn);
            });
            std::future::ready(Ok::<(), HandlerError>(()))
        };
        let builder = Payments::builder(Database::from_pool(pool.clone()));
        let payments = builder.variant("stripe", Stripe::new(SECRET)).handler("hog", hog).build().unwrap();
        pay(&payments).await;
        let done = "UPDATE pay_events SET state = state WHERE state = 'completed'";
        assert_eq!(diesel::sql_query(done).execute(&mut pool.get().unwrap()), Ok(1));
        let once = "UPDATE pay_attempts SET outcome = outcome WHERE handler = 'hog'";
        assert_eq!(diesel::sql_query(once).execute(&mut pool.get().unwrap()), Ok(1));
    }};
}

#[actix_web::test]
async fn what_a_handler_did_is_written_down_when_sqlite_was_busy() {
    let (url, _folder) = fresh_database(Kind::Sqlite);
    busy_host_of!(SqliteConnection, url.trim_start_matches("sqlite://"));
}

#[actix_web::test]
async fn what_a_handler_did_is_written_down_when_postgres_was_busy() {
    let (url, _) = fresh_database(Kind::Postgres);
    busy_host_of!(PgConnection, &url);
}

/// The host's own migrations, as `diesel migration run`, `redo` and `revert --all` run them.
macro_rules! the_hosts_migrations {
    ($conn:expr, $steps:expr) => {{
        let conn = $conn;
        let tables = |conn: &mut _| diesel::sql_query("SELECT 1 FROM pay_payments").execute(conn).is_ok();
        assert_eq!(conn.run_pending_migrations($steps.clone()).unwrap().len(), 2);
        conn.revert_last_migration($steps.clone()).unwrap();
        assert_eq!(conn.run_pending_migrations($steps.clone()).unwrap().len(), 1);
        assert_eq!(conn.revert_all_migrations($steps.clone()).unwrap().len(), 2);
        assert!(tables(conn));
        assert_eq!(conn.run_pending_migrations($steps.clone()).unwrap().len(), 2);
    }};
}

fn steps() -> (FileBasedMigrations, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    for (name, table) in [("2024-01-01-000000_orders", "orders"), ("2024-01-02-000000_items", "items")] {
        let step = folder.path().join(name);
        std::fs::create_dir(&step).unwrap();
        std::fs::write(step.join("up.sql"), format!("CREATE TABLE {table} (id INTEGER PRIMARY KEY);")).unwrap();
        std::fs::write(step.join("down.sql"), format!("DROP TABLE {table};")).unwrap();
    }
    (FileBasedMigrations::from_path(folder.path()).unwrap(), folder)
}

on_both_databases! {
    async fn the_hosts_diesel_migrations_go_on_beside_ours(kind) {
        let app = App::new(kind).await;
        let token = app.order().await.token;
        let (steps, _files) = steps();
        match app.database.connection().unwrap().lent() {
            actix_payments::AnyRef::Sqlite(conn) => the_hosts_migrations!(conn, steps),
            actix_payments::AnyRef::Postgres(conn) => the_hosts_migrations!(conn, steps),
            _ => unreachable!(),
        }
        app.payments.migrate().await.unwrap();
        assert_eq!(app.number("SELECT count(*) FROM __diesel_schema_migrations"), 2);
        app.deliver(&[&completed(&token)]).await;
        assert_eq!(app.status(&token).await, Status::Paid);
    }

    async fn migrating_again_and_at_the_same_time_is_safe(kind) {
        let (url, _folder) = fresh_database(kind);
        let migrate = |url: String| actix_web::rt::spawn(async move {
            let builder = Payments::builder(Database::from_url(&url).unwrap());
            let payments = builder.variant("stripe", Stripe::new(SECRET)).build().unwrap();
            payments.migrate().await.unwrap();
            payments.migrate().await.unwrap();
            payments
        });
        let at_once: Vec<_> = (0..4).map(|_| migrate(url.clone())).collect();
        let mut migrated = Vec::new();
        for one in at_once {
            migrated.push(one.await.unwrap());
        }
        pay(&migrated[0]).await;
    }
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}

#[actix_web::test]
async fn who_waited_for_anothers_migration_sees_what_that_made() {
    let (url, _folder) = fresh_database(Kind::Postgres);
    let builder = Payments::builder(Database::from_url(&url).unwrap());
    let payments = builder.variant("stripe", Stripe::new(SECRET)).build().unwrap();
    let steps: Vec<String> = payments.migrations_pending().await.unwrap().iter().map(|s| format!("('{s}')")).collect();
    let mut other = PgConnection::establish(&url).unwrap();
    other.batch_execute("BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('pay_migrations', 0))").unwrap();
    let waiting = actix_web::rt::spawn(async move { payments.migrate().await });
    let waits = "SELECT count(*) AS count FROM pg_locks WHERE locktype = 'advisory' AND NOT granted \
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    while diesel::sql_query(waits).get_result::<Count>(&mut other).unwrap().count == 0 {
        sleep(Duration::from_millis(10)).await;
    }
    let made =
        format!("CREATE TABLE pay_migrations (name TEXT); INSERT INTO pay_migrations VALUES {}", steps.join(", "));
    other.batch_execute(&format!("{made}; COMMIT")).unwrap();
    waiting.await.unwrap().unwrap();
    let tables = "SELECT count(*) AS count FROM pg_catalog.pg_tables WHERE tablename = 'pay_payments'";
    assert_eq!(diesel::sql_query(tables).get_result::<Count>(&mut other).unwrap().count, 0, "nothing was made again");
}

#[test]
fn all_who_open_a_new_sqlite_file_at_once_get_it() {
    for _ in 0..40 {
        let (url, _folder) = fresh_database(Kind::Sqlite);
        let open = || {
            let url = url.clone();
            std::thread::spawn(move || Database::from_url(&url).map(drop).map_err(|e| e.to_string()))
        };
        let opened: Vec<_> = (0..8).map(|_| open()).collect();
        let opened: Result<Vec<()>, String> = opened.into_iter().map(|one| one.join().unwrap()).collect();
        assert_eq!(opened.map(|all| all.len()), Ok(8));
    }
}
