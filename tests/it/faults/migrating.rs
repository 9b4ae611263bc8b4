//! `migrate()`: under a role that may only read and write rows, beside others, and forgotten.

use std::time::{Duration, Instant};

use actix_payments::gateways::stripe::Stripe;
use actix_web::rt::time::sleep;
use diesel::{Connection, PgConnection, RunQueryDsl};

use super::{RECOVERY, log, ping};
use crate::app::{App, Kind, SECRET, on_both_databases};
use crate::events::fixture;
use crate::scenes::{completed, execute};

/// The statements of the guide that say what the app's role needs.
fn documented_grants() -> Vec<String> {
    let guide = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/deploy.md")).unwrap();
    let block = guide.split("```sql\nGRANT").nth(1).unwrap().split("```").next().unwrap();
    let statements = format!("GRANT{block}");
    statements.split(';').map(|sql| sql.trim().to_owned()).filter(|sql| !sql.is_empty()).collect()
}

#[actix_web::test]
async fn the_guide_grants_the_apps_role_every_table_and_no_other() {
    let app = App::new(Kind::Postgres).await;
    let there = app.texts(
        "SELECT CAST(table_name AS TEXT) AS t FROM information_schema.tables \
         WHERE table_schema = 'public' AND table_name LIKE 'pay!_%' ESCAPE '!' ORDER BY 1",
    );
    let grants = documented_grants().join(" ");
    let words = grants.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let mut granted: Vec<&str> = words.filter(|word| word.starts_with("pay_")).collect();
    granted.sort_unstable();
    assert_eq!(granted, there);
}

#[actix_web::test]
async fn a_role_that_may_only_read_and_write_rows_migrates_when_nothing_is_pending() {
    let app = App::new(Kind::Postgres).await;
    let token = app.order().await.token;
    let (base, name) = app.url.rsplit_once('/').unwrap();
    let mut owner = PgConnection::establish(&app.url).unwrap();
    let before = [format!("CREATE ROLE {name}_app LOGIN"), "REVOKE CREATE ON SCHEMA public FROM PUBLIC".to_owned()];
    let grants = documented_grants().into_iter().map(|sql| sql.replace("shop_app", &format!("{name}_app")));
    for sql in before.into_iter().chain(grants) {
        diesel::sql_query(sql).execute(&mut owner).unwrap();
    }
    let url = format!("{}/{name}", base.replace("postgres@", &format!("{name}_app@")));
    let restricted = App::at(url, None, |builder| builder.variant("stripe", Stripe::new(SECRET))).await;
    restricted.deliver(&[&completed(&token)]).await;
    assert_eq!(app.status(&token).await.as_str(), "paid");
    restricted.deliver(&[&fixture("customer.subscription.created").to_string()]).await;
    assert!(app.number("SELECT count(*) FROM pay_subscription_prices") > 0, "{:?}", app.outcomes());
    for sql in [format!("DROP OWNED BY {name}_app"), format!("DROP ROLE {name}_app")] {
        diesel::sql_query(sql).execute(&mut owner).unwrap();
    }
}

on_both_databases! {
    async fn nothing_is_written_when_nothing_is_pending(kind) {
        let app = App::new(kind).await;
        let mut other = app.database.connection().unwrap();
        let hold = match kind {
            Kind::Sqlite => vec!["BEGIN IMMEDIATE"],
            Kind::Postgres => vec!["BEGIN", "LOCK TABLE pay_migrations IN ROW EXCLUSIVE MODE",
                "SELECT pg_advisory_xact_lock(hashtextextended('pay_migrations', 0))"],
        };
        for sql in hold {
            execute(other.lent(), sql).unwrap();
        }
        let begun = Instant::now();
        app.payments.migrate().await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        execute(other.lent(), "ROLLBACK").unwrap();
    }

    async fn a_forgotten_migration_is_named_once_and_not_all_the_time(kind) {
        log::listen();
        let app = App::new(kind).await;
        without_tables(&app);
        let worker = app.payments.worker().start().unwrap();
        let begun = Instant::now();
        let mut number = 0;
        while begun.elapsed() < Duration::from_secs(4) {
            number += 1;
            let answer = app.stripe(&ping(number)).await;
            assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")));
            sleep(Duration::from_millis(50)).await;
        }
        let errors = log::lines("ERROR");
        assert!(errors.iter().any(|line| line.contains("migrate()")), "{errors:#?}");
        assert!(errors.len() <= 16, "{} lines in 4 s: {errors:#?}", errors.len());
        app.payments.migrate().await.unwrap();
        let begun = Instant::now();
        app.taken_again_within(1_000, RECOVERY).await;
        while app.events("ignored") == 0 {
            assert!(begun.elapsed() < RECOVERY, "the worker goes on by itself");
            sleep(Duration::from_millis(100)).await;
        }
        worker.stop().await;
    }
}

/// A step that changes many tables is owed again, and somebody works on the last of them.
async fn with_a_step_owed(app: &App) -> PgConnection {
    app.run("DELETE FROM pay_migrations WHERE name = '0011_lean'");
    let mut other = PgConnection::establish(&app.url).unwrap();
    for sql in ["SET statement_timeout = 60000", "BEGIN", "LOCK TABLE pay_attempts IN ROW EXCLUSIVE MODE"] {
        diesel::sql_query(sql).execute(&mut other).unwrap();
    }
    other
}

/// Migrates, and answers when the step waits for the table that somebody works on.
async fn begun_to_migrate(app: &App) -> actix_web::rt::task::JoinHandle<Result<(), actix_payments::Error>> {
    let payments = app.payments.clone();
    let migrating = actix_web::rt::spawn(async move { payments.migrate().await });
    let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'pay_attempts'::regclass";
    let begun = Instant::now();
    while app.number(waits) == 0 {
        assert!(begun.elapsed() < RECOVERY, "the step waits for the table");
        sleep(Duration::from_millis(20)).await;
    }
    migrating
}

#[actix_web::test]
async fn a_migration_that_loses_a_deadlock_to_a_worker_is_tried_again() {
    let app = App::new(Kind::Postgres).await;
    let mut other = with_a_step_owed(&app).await;
    // Whoever looks first is the one that is ended: the migration.
    diesel::sql_query("SET LOCAL deadlock_timeout = 60000").execute(&mut other).unwrap();
    let migrating = begun_to_migrate(&app).await;
    let other = actix_web::web::block(move || {
        diesel::sql_query("UPDATE pay_ledger SET payment_id = payment_id")
            .execute(&mut other)
            .expect("the worker goes on");
        diesel::sql_query("COMMIT").execute(&mut other).unwrap();
    });
    other.await.unwrap();
    migrating.await.unwrap().unwrap();
    assert_eq!(app.number("SELECT count(*) FROM pay_migrations WHERE name = '0011_lean'"), 1);
}

#[actix_web::test]
async fn others_go_on_while_a_migration_waits_for_a_table() {
    let app = App::new(Kind::Postgres).await;
    let mut other = with_a_step_owed(&app).await;
    let migrating = begun_to_migrate(&app).await;
    let url = app.url.clone();
    let third = actix_web::web::block(move || {
        let mut third = PgConnection::establish(&url).unwrap();
        diesel::sql_query("SET statement_timeout = 30000").execute(&mut third).unwrap();
        diesel::sql_query("UPDATE pay_ledger SET payment_id = payment_id")
            .execute(&mut third)
            .expect("it need not wait for the other");
    });
    third.await.unwrap();
    assert!(!migrating.is_finished(), "the table that it waits for is still held");
    diesel::sql_query("COMMIT").execute(&mut other).unwrap();
    migrating.await.unwrap().unwrap();
}

/// Takes the tables away, as if `migrate()` had never been called.
fn without_tables(app: &App) {
    let is_sqlite = app.url.starts_with("sqlite");
    let tables = if is_sqlite {
        "SELECT name AS t FROM sqlite_master WHERE type = 'table' AND name LIKE 'pay!_%' ESCAPE '!'"
    } else {
        "SELECT tablename::text AS t FROM pg_tables WHERE tablename LIKE 'pay!_%' ESCAPE '!'"
    };
    let cascade = if is_sqlite { "" } else { "CASCADE" };
    app.texts(tables).iter().for_each(|table| app.run(&format!("DROP TABLE {table} {cascade}")));
}
