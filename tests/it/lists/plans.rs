//! Does any statement of the lists read a table from end to end, or sort more than a page looks at? Every statement
//! that the pages run is written down as it goes to the database, which is then asked how it would do it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use actix_payments::gateways::stripe::{Stripe, sign_delivery};
use actix_payments::{Access, Database, HostConnection, Payments, Retention};
use actix_web::{App as ActixApp, test};
use diesel::connection::{InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Error as PoolError, Pool, R2D2Connection};
use diesel::sql_types::{Integer, Text};
use serde_json::json;

use super::{SUBSCRIPTIONS, rows};
use crate::app::{ADMIN, Kind, SECRET, fresh_database, staff};
use crate::books::filled;
use crate::subscriptions::story::{Story, items};

/// The statements that went to a database.
pub type Statements = Arc<Mutex<BTreeSet<String>>>;

/// Writes down what goes through a connection.
#[derive(Debug)]
pub struct Listen(pub Statements);

impl<C: Connection> CustomizeConnection<C, PoolError> for Listen {
    fn on_acquire(&self, conn: &mut C) -> Result<(), PoolError> {
        let statements = self.0.clone();
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                let text = query.to_string();
                let text = text.split(" -- binds:").next().unwrap().trim().to_owned();
                statements.lock().unwrap().insert(text);
            }
        });
        Ok(())
    }
}

/// The pages, with every way to filter and sort, and places in the middle of the list.
const PAGES: &[&str] = &[
    "",
    "?span=30d",
    "variants",
    "variants/stripe",
    "audit",
    "audit?before=900",
    "audit?after=900",
    "audit?act=requeue",
    "audit?actor=person3&before=900",
    "books",
    "books?month=2026-10",
    "books?month=2026-10&before=900",
    "books?month=2026-10&after=900&mode=live",
    "books?month=2026-10&variant=stripe&mode=test",
    "books?month=2026-10&currency=EUR&before=900",
    "books.csv?month=2026-10&variant=stripe-eu",
    "disputes",
    "disputes?state=lost&before=900",
    "disputes?state=won&after=900",
    "disputes?variant=stripe&mode=live",
    "disputes?state=lost&variant=stripe&mode=live&before=900",
    "payments/pay_7/customer",
    "payments/pay_7/customer?before=900",
    "payments/pay_7/customer?after=900",
    "payments.csv?status=failed&sort=amount",
    "payments.csv?currency=EUR",
    "events.csv?kind=charge.*&state=completed",
    "events.csv?q=ch_12",
    "payments",
    "payments?before=900",
    "payments?after=900",
    "payments?status=paid&before=900",
    "payments?status=review",
    "payments?status=paid,refunded&before=900",
    "payments?status=failed&totals=yes",
    "payments?status=failed&variant=stripe-eu&mode=live",
    "payments?variant=stripe&mode=test&before=900",
    "payments?currency=EUR",
    "payments?currency=EUR&least=10&most=20&status=paid",
    "payments?least=10",
    "payments?from=2026-10-11&until=2026-10-12",
    "payments?sort=amount",
    "payments?sort=-amount&before=900",
    "payments?sort=amount&after=900&currency=USD&least=2",
    "payments?sort=amount&status=failed",
    "payments?sort=amount&status=review",
    "payments?q=order-7",
    "payments?q=customer7&sort=amount&status=paid",
    "payments?account=acct_7",
    "payments?account=acct_7&sort=amount&status=paid&before=900",
    "payments?q=acct_7",
    "events?account=acct_7&state=completed",
    "payments?newer_than=900&status=paid",
    "events",
    "events?before=900",
    "events?state=discarded",
    "events?state=completed&after=900",
    "events?kind=charge.refunded&before=900",
    "events?kind=charge.*",
    "events?kind=charge.*&state=completed&variant=stripe-eu&mode=live",
    "events?variant=stripe-eu",
    "events?seen=again",
    "events?seen=late",
    "events?seen=late&kind=invoice.paid&variant=stripe&before=900",
    "events?seen=again&kind=invoice.paid&variant=stripe&mode=live",
    "events?from=2026-10-11&until=2026-10-12",
    "events?q=evt_77",
    "events?q=ch_12&kind=charge.*",
    "events?q=order-7",
    "events?newer_than=900&kind=charge.*",
    "failures",
    "events?failure=handler%20a%20failed",
    "events?handler=a&code=failed",
    "subscriptions",
    "subscriptions?before=900",
    "subscriptions?after=900",
    "subscriptions?status=active&before=900",
    "subscriptions?status=canceled&variant=stripe-eu",
    "subscriptions?variant=stripe-eu&before=900",
    "subscriptions?owner=user-77",
    "subscriptions?price=price_7&mode=live",
    "subscriptions?account=acct_7",
    "subscriptions?account=acct_7&status=active&before=900",
    "subscriptions?account=acct_7&renews=30",
    "subscriptions?q=acct_7",
    "subscriptions?price=price_7&before=900",
    "subscriptions?price=price_7&owner=user-57&after=40",
    "subscriptions?renews=7&status=active",
    "subscriptions?renews=30",
    "subscriptions?renews=30&before=900",
    "subscriptions?renews=30&after=900&price=price_7",
    "subscriptions?due=7",
    "subscriptions?due=7&after=901",
    "subscriptions?due=7&before=901&variant=stripe-eu",
    "subscriptions?ending=yes",
    "subscriptions?ending=yes&after=900",
    "subscriptions?ending=no&before=900",
    "subscriptions?ending=no&price=price_7&status=active",
    "subscriptions?mode=live",
    "subscriptions?mode=test&before=900",
    "subscriptions?q=user-77",
    "subscriptions?q=customer77@example.org",
    "subscriptions?q=cus_77",
    "subscriptions?q=in_77",
    "subscriptions?newer_than=900",
    "subscriptions.csv?status=active",
    "search?for=tomer33@exam",
    "search?for=rder-2",
    "search?for=12.50",
    "search?for=sub_unknown",
];

/// The events of a subscription of the gateway's test mode that has just begun, with their signatures.
fn subscribing(owner: &str) -> Vec<(String, String)> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    let mut story = Story::new("plan", "active");
    story.checkout(now - 60, owner).update(now - 50, json!({"items": items("price_tea", 1, now - 60)}));
    story.events.iter().map(|event| (sign_delivery(SECRET, now, event.as_bytes()), event.clone())).collect()
}

/// Somebody subscribes, through a process of its own that nobody listens to.
async fn subscribe<C>(address: &str, owner: &str)
where
    C: HostConnection<Manager = ConnectionManager<C>> + R2D2Connection + Connection + 'static,
{
    let pool = Pool::builder().max_size(2).build(ConnectionManager::<C>::new(address)).unwrap();
    let builder = Payments::builder(Database::from_pool(pool)).variant("stripe", Stripe::new(SECRET));
    let payments = builder.build().unwrap();
    let app = test::init_service(ActixApp::new().service(payments.mount("/payments"))).await;
    for (signature, event) in subscribing(owner) {
        let request = test::TestRequest::post().uri("/payments/stripe/").insert_header(("stripe-signature", signature));
        let answer = test::call_service(&app, request.set_payload(event).to_request()).await;
        assert_eq!(answer.status(), 200);
    }
    payments.worker().drain().await.unwrap();
}

/// Opens all pages on a database of this kind; answers a connection and what the pages asked for.
async fn recorded<C>(kind: Kind, url: &str) -> (C, BTreeSet<String>)
where
    C: HostConnection<Manager = ConnectionManager<C>> + R2D2Connection + Connection + SimpleConnection + 'static,
{
    let statements = Statements::default();
    let listen = Box::new(Listen(statements.clone()));
    let address = url.trim_start_matches("sqlite://");
    let pool = Pool::builder().max_size(2).connection_customizer(listen).build(ConnectionManager::<C>::new(address));
    let payments = Payments::builder(Database::from_pool(pool.unwrap()))
        .variant("stripe", Stripe::new(SECRET))
        .variant("stripe-eu", Stripe::new(SECRET))
        .retention(Retention::after(Duration::from_secs(86_400)))
        .build()
        .unwrap();
    payments.migrate().await.unwrap();
    let mut conn = C::establish(address).unwrap();
    for sql in rows(kind, 2_000, 20_000) {
        conn.batch_execute(&sql).unwrap();
    }
    for sql in filled(kind, 5_000) {
        conn.batch_execute(&sql).unwrap();
    }
    conn.batch_execute(SUBSCRIPTIONS).unwrap();
    let bodies = "INSERT INTO pay_event_bodies (event_id, headers, body) SELECT id, '{}', '' FROM pay_events";
    conn.batch_execute(bodies).unwrap();
    conn.batch_execute("ANALYZE").unwrap();
    let mount = payments.mount("/payments").admin(staff());
    let app = test::init_service(ActixApp::new().service(mount)).await;
    subscribe::<C>(address, "user-plan").await;
    statements.lock().unwrap().clear();
    for page in PAGES {
        let request = test::TestRequest::get().uri(&format!("/payments/admin/{page}")).append_header(ADMIN);
        let response = test::call_service(&app, request.to_request()).await;
        assert_eq!(response.status(), 200, "{page}");
        // What is streamed is read as it goes out.
        assert!(!test::read_body(response).await.is_empty(), "{page}");
    }
    // As those who see one variant, and two.
    for only in ["stripe-eu", "stripe-eu,stripe-us"] {
        let ann = move |_| async move { Ok::<_, actix_web::Error>(Access::read_only("ann").only(only.split(','))) };
        let app = test::init_service(ActixApp::new().service(payments.mount("/payments").admin(ann))).await;
        for page in PAGES.iter().filter(|page| !page.contains('/')) {
            let request = test::TestRequest::get().uri(&format!("/payments/admin/{page}")).to_request();
            let response = test::call_service(&app, request).await;
            assert_eq!(response.status(), 200, "{only}: {page}");
            assert!(!test::read_body(response).await.is_empty(), "{only}: {page}");
        }
    }
    // A test counts as long as there is none of real money, which is looked for.
    assert!(payments.active("user-plan").await.unwrap());
    assert!(payments.prune().await.unwrap() > 10_000);
    // The hours and months that are asked for bound what is added up of them, and the newest acts and notes go by the
    // tables' own keys.
    let bounded = |sql: &str| {
        sql.contains("pay_hours")
            || sql.contains("pay_movement_months")
            || sql.contains("FROM `pay_audit` ORDER BY `pay_audit`.`id` DESC LIMIT")
            || sql.contains("FROM `pay_subscriptions` ORDER BY `pay_subscriptions`.`id` DESC LIMIT")
            || sql.contains("FROM `pay_words_owed` ORDER BY `pay_words_owed`.`id` DESC LIMIT")
    };
    let asked =
        statements.lock().unwrap().iter().filter(|sql| sql.contains("pay_") && !bounded(sql)).cloned().collect();
    (conn, asked)
}

#[derive(QueryableByName)]
struct PostgresLine {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    line: String,
}

#[derive(QueryableByName)]
struct SqliteLine {
    #[diesel(sql_type = Integer)]
    parent: i32,
    #[diesel(sql_type = Text)]
    detail: String,
}

/// What SQLite would do; it does not look at the values. What a subquery with its limit leaves may be read whole, and
/// sorted.
fn sqlite_complaint(conn: &mut SqliteConnection, sql: &str) -> Option<String> {
    // An index that is asked for by its name may be missing.
    let plan: Vec<SqliteLine> = match diesel::sql_query(format!("EXPLAIN QUERY PLAN {sql}")).load(conn) {
        Ok(plan) => plan,
        Err(error) => return Some(format!("{sql}\n    {error}")),
    };
    let limited = |line: &SqliteLine| {
        let beside = plan.iter().filter(|other| other.parent == line.parent);
        beside.filter_map(|other| other.detail.strip_prefix("CO-ROUTINE ")).any(|name| {
            line.detail == format!("SCAN {name}")
                || ["ORDER BY", "GROUP BY"].iter().any(|what| line.detail == format!("USE TEMP B-TREE FOR {what}"))
        })
    };
    // Tables of as many rows as there are chores, handlers and workers are read whole; so is the first row of an index
    // that has nothing else.
    let few = |line: &SqliteLine| {
        ["pay_chores", "pay_handlers", "pay_workers", "USING INDEX pay_subscriptions_real"]
            .iter()
            .any(|of| line.detail.contains(of))
    };
    let scan = |line: &SqliteLine| line.detail.starts_with("SCAN pay_") && !few(line);
    let heavy = |line: &SqliteLine| scan(line) || line.detail.starts_with("USE TEMP B-TREE");
    // The few ids of a search may be sorted.
    let searched = |line: &SqliteLine| sql.contains(" IN (NULL") && line.detail.starts_with("USE TEMP B-TREE");
    // By a range of words alone, a place deep in a list is reached row by row.
    let unplaced = |line: &SqliteLine| {
        // Payments are read by pairs all the same: they are fewer, and it measured better.
        line.detail.contains("pay_events")
            && ["kind", "state", "variant"].iter().any(|column| {
                line.detail.ends_with(&format!("({column}>? AND {column}<?)"))
                    && sql.contains("id")
                    && sql.contains(&format!("({column}, id)"))
            })
    };
    // By the rows' own numbers alone, every row is looked at for the word.
    let wordless = |line: &SqliteLine| {
        let by_number = line.detail.contains("pay_events USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)");
        by_number
            && ["kind", "state", "variant", "failure"].iter().any(|column| sql.contains(&format!("ORDER BY {column} ")))
    };
    // Of so many rows by their numbers that reading all of this table is no worse.
    let many = sql.contains("`id` IN (?") && sql.matches('?').count() > 200;
    let heavy = |line: &SqliteLine| heavy(line) && !limited(line) && !searched(line) && !many;
    let bypassed = |line: &SqliteLine| {
        line.detail.contains("pay_subscriptions USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)") && is_of_a_part(sql)
    };
    let bad = plan.iter().any(|line| heavy(line) || unplaced(line) || wordless(line) || bypassed(line));
    bad.then(|| {
        format!("{sql}\n    {}", plan.iter().map(|line| line.detail.as_str()).collect::<Vec<_>>().join("\n    "))
    })
}

/// Whether only some subscriptions are read, which an index has that knows no others.
fn is_of_a_part(sql: &str) -> bool {
    ["WHERE ended_at IS NULL AND", "WHERE livemode AND", "WHERE NOT livemode AND"].iter().any(|only| sql.contains(only))
}

const FRUGAL: &str = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_sort = off; \
                      SET enable_bitmapscan = off; SET enable_incremental_sort = off";
const AS_IT_LIKES: &str = "RESET ALL; SET plan_cache_mode = force_generic_plan";

/// What Postgres would do, whatever the values, and as far as it can: with what it would rather not do switched off, it
/// scans or sorts only where no index serves. A sort is fine above a limit, or of the ids of a search.
fn postgres_complaint(conn: &mut PgConnection, sql: &str) -> Option<String> {
    let few = "WHERE ended_at IS NULL AND (cancel_at IS NOT NULL OR cancel_at_period_end) AND";
    let bypassed = |plan: &Plan| plan.text.contains("using pay_subscriptions_pkey") && sql.contains(few);
    let bad = |plan: &Plan| plan.scan || plan.sort || bypassed(plan) || is_endless(sql);
    planned(conn, sql, FRUGAL).filter(bad).map(|plan| plan.text)
}

/// What Postgres does by itself with the tables that have rows enough here to be worth an index. A hash of a table is all
/// of it.
fn postgres_choice(conn: &mut PgConnection, sql: &str) -> Option<String> {
    let grown =
        |plan: &Plan| ["pay_events", "pay_payments"].iter().any(|of| plan.text.contains(&format!("Seq Scan on {of}")));
    let whole = |plan: &Plan| grown(plan) || plan.text.contains("Hash Join");
    planned(conn, sql, AS_IT_LIKES).filter(whole).map(|plan| plan.text)
}

/// Between two places Postgres ends a walk only where the first column differs. One that is for one value of the first
/// of three would go on through all rows of that value.
fn is_endless(sql: &str) -> bool {
    let of_one_amount = sql.starts_with("SELECT id FROM (SELECT * FROM pay_payments") && sql.ends_with("LIMIT 20");
    sql.contains("(variant, status, id) >") || of_one_amount && sql.contains("(currency, amount, id) >")
}

struct Plan {
    text: String,
    scan: bool,
    sort: bool,
}

fn planned(conn: &mut PgConnection, sql: &str, settings: &str) -> Option<Plan> {
    let count = (1..).take_while(|n| sql.contains(&format!("${n}"))).count();
    let values = vec!["NULL"; count].join(", ");
    let values = if count == 0 { String::new() } else { format!("({values})") };
    conn.batch_execute(&format!("{settings}; PREPARE asked AS {sql}")).unwrap();
    let plan: Vec<PostgresLine> = diesel::sql_query(format!("EXPLAIN EXECUTE asked{values}")).load(conn).unwrap();
    conn.batch_execute("DEALLOCATE asked").unwrap();
    let plan: Vec<String> = plan.into_iter().map(|line| line.line).collect();
    let scan = plan.iter().any(|line| {
        line.contains("Seq Scan on pay_")
            && !line.contains("Seq Scan on pay_handlers")
            && !line.contains("Seq Scan on pay_chores")
            && !line.contains("Seq Scan on pay_workers")
    });
    let at = |what: &str| plan.iter().position(|line| line.trim_start_matches([' ', '-', '>']).starts_with(what));
    let sorts = at("Sort ").or(at("Incremental Sort")).or(at("Sort"));
    let below = |from: usize| plan[from..].iter().any(|line| line.contains("Limit"));
    let sort = sorts.is_some_and(|at| !below(at)) && !sql.contains(" IN (NULL") && !sql.contains("ANY(");
    Some(Plan { text: format!("{sql}\n    {}", plan.join("\n    ")), scan, sort })
}

/// Every index that the lists need: without it, something is scanned or sorted.
const NEEDED: &[&str] = &[
    "pay_events_state",
    "pay_events_kind",
    "pay_events_variant",
    "pay_payments_amount",
    "pay_payments_variant",
    "pay_payments_address",
    "pay_movements_book",
    "pay_words_word",
    "pay_subscriptions_real",
    "pay_subscriptions_renews",
    "pay_subscriptions_due",
    "pay_subscriptions_ending",
];
/// Those of nearly all rows here, which Postgres need not choose.
const ASKED_FOR: &[&str] = &["pay_subscriptions_test", "pay_subscriptions_lasting"];

fn assert_all_go_through_an_index<C: SimpleConnection>(
    conn: &mut C,
    asked: &BTreeSet<String>,
    needed: &[&str],
    complaint: fn(&mut C, &str) -> Option<String>,
) {
    assert!(asked.len() > 30, "{asked:#?}");
    let all = |conn: &mut C| -> Vec<String> { asked.iter().filter_map(|sql| complaint(conn, sql)).collect() };
    let complaints = all(conn);
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    for index in needed {
        conn.batch_execute(&format!("BEGIN; DROP INDEX {index}")).unwrap();
        assert!(!all(conn).is_empty(), "without {index} nothing is said");
        conn.batch_execute("ROLLBACK").unwrap();
    }
}

#[actix_web::test]
async fn no_list_reads_a_whole_table_of_sqlite() {
    let (url, _folder) = fresh_database(Kind::Sqlite);
    let (mut conn, asked) = recorded::<SqliteConnection>(Kind::Sqlite, &url).await;
    assert_all_go_through_an_index(&mut conn, &asked, &[NEEDED, ASKED_FOR].concat(), sqlite_complaint);
}

#[actix_web::test]
async fn no_list_reads_a_whole_table_of_postgres() {
    let (url, _folder) = fresh_database(Kind::Postgres);
    let (mut conn, asked) = recorded::<PgConnection>(Kind::Postgres, &url).await;
    let choices: Vec<String> = asked.iter().filter_map(|sql| postgres_choice(&mut conn, sql)).collect();
    assert!(choices.is_empty(), "{}", choices.join("\n"));
    assert_all_go_through_an_index(&mut conn, &asked, NEEDED, postgres_complaint);
}

/// What a worker asks where variants are configured at run time, and the page of variants.
async fn sought<C>(url: &str) -> (C, BTreeSet<String>)
where
    C: HostConnection<Manager = ConnectionManager<C>> + R2D2Connection + Connection + SimpleConnection + 'static,
{
    let statements = Statements::default();
    let address = url.trim_start_matches("sqlite://");
    let pool = Pool::builder().max_size(2).connection_customizer(Box::new(Listen(statements.clone())));
    let payments = Payments::builder(Database::from_pool(pool.build(ConnectionManager::<C>::new(address)).unwrap()))
        .variants_from(|_| async { Ok(None) })
        .build()
        .unwrap();
    payments.migrate().await.unwrap();
    let mount = payments.mount("/payments").admin(staff());
    let app = test::init_service(ActixApp::new().service(mount)).await;
    statements.lock().unwrap().clear();
    payments.worker().drain().await.unwrap();
    let request = test::TestRequest::get().uri("/payments/admin/variants").append_header(ADMIN);
    assert_eq!(test::call_service(&app, request.to_request()).await.status(), 200);
    let looks = |sql: &&String| sql.contains("due_at") || sql.contains("RECURSIVE");
    let asked = statements.lock().unwrap().iter().filter(looks).cloned().collect();
    (C::establish(address).unwrap(), asked)
}

fn assert_names_are_found_by_indexes<C>(
    conn: &mut C,
    asked: &BTreeSet<String>,
    complaint: fn(&mut C, &str) -> Option<String>,
) {
    let tables = ["pay_events", "pay_operations", "pay_subscription_operations", "pay_fetches"];
    for table in tables {
        assert!(asked.iter().any(|sql| sql.contains(table) && sql.contains("due_at")), "{table}: {asked:#?}");
    }
    let complaints: Vec<String> = asked.iter().filter_map(|sql| complaint(conn, sql)).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[actix_web::test]
async fn the_variants_that_something_is_due_of_are_found_by_indexes_of_sqlite() {
    let (url, _folder) = fresh_database(Kind::Sqlite);
    let (mut conn, asked) = sought::<SqliteConnection>(&url).await;
    // The pool may be about closing the file.
    conn.batch_execute("PRAGMA busy_timeout = 10000").unwrap();
    assert_names_are_found_by_indexes(&mut conn, &asked, sqlite_complaint);
}

#[actix_web::test]
async fn the_variants_that_something_is_due_of_are_found_by_indexes_of_postgres() {
    let (url, _folder) = fresh_database(Kind::Postgres);
    let (mut conn, asked) = sought::<PgConnection>(&url).await;
    assert_names_are_found_by_indexes(&mut conn, &asked, postgres_complaint);
}
