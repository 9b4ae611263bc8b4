//! How long does the server take for each list page, and does it grow with history? Every page is asked of the mounted
//! scope as a browser asks it, on ten thousand events and on a million.
//!
//! `cargo bench --bench pages --all-features`; `BENCH_SMALL` (10000) and `BENCH_EVENTS` (1000000) are the two histories,
//! `BENCH_ROUNDS` (31) is how often each page is opened, `TEST_POSTGRES_URL` a Postgres to use beside SQLite (`scripts/postgres run`).
//!
//! To look closer: `BENCH_ONLY=payments?q=,variants` opens the pages that contain one of these, `BENCH_KEEP=<folder>`
//! fills the databases once and finds them there the next time, and `BENCH_STATEMENTS=1` says of each page which
//! statements it ran and how long each took.

// Times are no money.
#![allow(clippy::float_arithmetic)]

mod desk;
mod fill;
mod statements;

use std::path::PathBuf;
use std::time::Instant;

use actix_payments::gateways::stripe::Stripe;
use actix_payments::{Access, AnyConnection, AnyRef, Database, Payments};
use actix_web::{App, HttpRequest, test};
use diesel::prelude::*;

/// What is opened; `{deep}` is a row amid the payments, `{deeper}` one amid the events, `{amid}` one amid the
/// subscriptions, `{newest}` the last but ten of the payments, `{token}` its token, `{latest}` the last but ten of the
/// events, `{day}` a day in the middle of it all.
const PAGES: &[&str] = &[
    "",
    "?span=7d",
    "?span=30d",
    "variants",
    "variants/stripe",
    "variants/stripe-old",
    "audit",
    "audit?before={act}",
    "audit?act=rebuild",
    "audit?actor=person3",
    "payments",
    "payments?before={deep}",
    "payments?after={deep}",
    "payments?status=paid",
    "payments?status=paid&before={deep}",
    "payments?status=refunded,partially_refunded&before={deep}",
    "payments?status=failed&totals=yes",
    "payments?status=review",
    "payments?status=review&before={deep}",
    "payments?status=pending&variant=stripe-eu&mode=live",
    "payments?status=authorized&mode=test",
    "payments?variant=stripe-eu&before={deep}",
    "payments?variant=stripe-old",
    "payments?variant=stripe-old&status=paid",
    "payments?mode=test",
    "payments?currency=JPY",
    "payments?currency=JPY&before={deep}",
    "payments?least=10&most=20&currency=EUR&status=failed",
    "payments?least=899.99",
    "payments?from={day}&until={day}",
    "payments?from={day}&until={day}&status=refunded&mode=test",
    "payments?sort=created&after={deep}",
    "payments?sort=-amount",
    "payments?sort=amount&before={deep}",
    "payments?sort=amount&currency=USD&before={deep}",
    "payments?sort=-amount&status=review",
    "payments?sort=-amount&status=failed&mode=test",
    "payments?sort=amount&variant=stripe-old",
    "payments?q=W-10777",
    "payments?q=W-1",
    "payments?q=customer77",
    "payments?q=customer",
    "payments?q=customer&sort=amount&status=failed",
    "payments?q=pi_777",
    "payments?q=nothing-like-it",
    "payments?newer_than={newest}",
    "payments?newer_than={deep}&status=paid",
    "events",
    "events?before={deeper}",
    "events?after={deeper}",
    "events?state=completed&before={deeper}",
    "events?state=discarded",
    "events?state=available",
    "events?kind=charge.refunded",
    "events?kind=charge.*",
    "events?kind=charge.*&before={deeper}",
    "events?kind=charge.*&mode=test&variant=stripe-eu",
    "events?kind=charge.*&state=parked",
    "events?kind=charge.dispute.*",
    "events?kind=payment_intent.*&state=discarded&before={deeper}",
    "events?kind=*",
    "events?kind=c*&state=parked",
    "events?variant=stripe-eu&before={deeper}",
    "events?variant=stripe-old",
    "events?variant=stripe-old&kind=charge.*",
    "events?variant=stripe-eu&kind=payout.paid&state=ignored&mode=test",
    "events?mode=test",
    "events?seen=again",
    "events?seen=late",
    "events?seen=late&before={deeper}&variant=stripe-eu",
    "events?seen=again&before={deeper}",
    "events?seen=again&kind=charge.*&variant=stripe-eu",
    "events?from={day}&until={day}",
    "events?from={day}&until={day}&kind=charge.*&mode=test",
    "events?q=pi_777",
    "events?q=W-10777&state=completed",
    "events?q=nothing-like-it",
    "events?newer_than={latest}",
    "events?newer_than={deeper}&kind=charge.*",
    "subscriptions",
    "subscriptions?before={amid}",
    "subscriptions?after={amid}",
    "subscriptions?status=active&before={amid}",
    "subscriptions?status=past_due",
    "subscriptions?status=canceled&variant=stripe-eu",
    "subscriptions?variant=stripe-eu&before={amid}",
    "subscriptions?variant=stripe-old",
    "subscriptions?price=price_7",
    "subscriptions?price=price_nobody_has",
    "subscriptions?renews=7",
    "subscriptions?renews=1&status=active&before={amid}",
    "subscriptions?due=7",
    "subscriptions?due=30&status=past_due",
    "subscriptions?ending=yes",
    "subscriptions?ending=no&mode=test",
    "subscriptions?q=user-777",
    "subscriptions?q=customer777@example.org",
    "subscriptions?q=cus_777",
    "subscriptions?q=in_777",
    "subscriptions?q=nothing-like-it",
    "subscriptions?newer_than={amid}",
    "books",
    "books?month={month}",
    "books?month={month}&before={moved}",
    "books?month={month}&variant=stripe-eu&mode=live",
    "books?month={month}&currency=JPY",
    "disputes",
    "disputes?state=lost",
    "disputes?state=won&before={deep}",
    "disputes?variant=stripe-eu",
    "disputes?state=lost&mode=test",
    "payments/{token}/customer",
    "payments/{token}/customer?before={deep}",
    "failures",
    "events?handler=book-3",
    "handlers",
    "search?for=W-10777",
    "search?for=10777",
    "search?for=ORD-nothing",
    "search?for=customer777@example.org",
    "search?for=tomer77",
    "search?for=example",
    "search?for=1234",
    "search?for=12.50",
    "search?for=pi_777",
];

fn setting(name: &str, default: i64) -> i64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// The pages to be opened.
fn pages() -> Vec<&'static str> {
    let only = std::env::var("BENCH_ONLY").unwrap_or_default();
    let wanted = |page: &str| only.split(',').any(|part| page.contains(part));
    PAGES.iter().copied().filter(|page| wanted(page)).collect()
}

/// Where filled databases stay for the next time.
fn kept() -> Option<PathBuf> {
    std::env::var_os("BENCH_KEEP").map(PathBuf::from)
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder for SQLite");
    let at = kept().unwrap_or_else(|| folder.path().to_owned());
    let large = setting("BENCH_EVENTS", 1_000_000);
    let sizes = [setting("BENCH_SMALL", 10_000), large];
    let files = sizes.map(|size| format!("sqlite://{}", at.join(format!("{size}.db")).display()));
    statements::listen();
    measure("SQLite", sizes, files);
    match std::env::var("TEST_POSTGRES_URL") {
        Ok(server) => measure("Postgres", sizes, sizes.map(|size| fresh_postgres(&server, size))),
        Err(_) => println!("TEST_POSTGRES_URL is not set: only SQLite was measured"),
    }
}

/// A database of its own on the server.
fn fresh_postgres(server: &str, size: i64) -> String {
    let name = match kept() {
        Some(_) => format!("pay_pages_kept_{size}"),
        None => format!("pay_pages_{}_{size}", std::process::id()),
    };
    let mut conn = PgConnection::establish(server).expect("Postgres answers");
    let made = diesel::sql_query(format!("CREATE DATABASE {name}")).execute(&mut conn);
    assert!(made.is_ok() || kept().is_some(), "{made:?}");
    let (base, _) = server.rsplit_once('/').expect("an address with a database");
    format!("{base}/{name}")
}

/// The shortest and the median time of a page, in milliseconds.
#[derive(Clone, Copy)]
struct Times {
    least: f64,
    median: f64,
}

fn measure(name: &str, sizes: [i64; 2], urls: [String; 2]) {
    eprintln!("{name}");
    let figures: Vec<Vec<Times>> = sizes
        .into_iter()
        .zip(&urls)
        .map(|(size, url)| actix_web::rt::System::new().block_on(all_pages(url, size)))
        .collect();
    println!("\n{name}: milliseconds in the server, median (shortest) of {}; ratio of the medians\n", rounds());
    println!("| page | {} events | {} events | ratio |\n|---|---|---|---|", sizes[0], sizes[1]);
    for ((page, small), large) in pages().iter().zip(&figures[0]).zip(&figures[1]) {
        let both = |times: &Times| format!("{:.2} ({:.2})", times.median, times.least);
        println!("| `{page}` | {} | {} | {:.2} |", both(small), both(large), large.median / small.median);
    }
    let worst = figures[1].iter().map(|times| times.median).fold(0.0, f64::max);
    println!("\nslowest at {} events: {worst:.2} ms", sizes[1]);
}

fn rounds() -> usize {
    usize::try_from(setting("BENCH_ROUNDS", 31)).expect("a number of rounds")
}

/// The token of the payment with this number.
fn token(database: &Database<AnyConnection>, id: i64) -> String {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Text)]
        token: String,
    }
    let query = diesel::sql_query(format!("SELECT token FROM pay_payments WHERE id = {id}"));
    let row: QueryResult<Row> = match database.connection().expect("a connection").lent() {
        AnyRef::Sqlite(conn) => query.get_result(conn),
        AnyRef::Postgres(conn) => query.get_result(conn),
        _ => unreachable!("there are two databases"),
    };
    row.expect("a payment").token
}

/// The times of each page.
async fn all_pages(url: &str, events: i64) -> Vec<Times> {
    let database: Database<AnyConnection> = Database::from_url(url).expect("a database");
    let payments = Payments::builder(database.clone())
        .variant("stripe", Stripe::new("whsec_bench"))
        .variant("stripe-eu", Stripe::new("whsec_bench"))
        .variant("stripe-old", Stripe::new("whsec_bench"))
        .build()
        .expect("payments");
    payments.migrate().await.expect("tables");
    let now = time::OffsetDateTime::now_utc().unix_timestamp();
    match database.connection().expect("a connection").lent() {
        AnyRef::Sqlite(conn) => fill::fill(conn, true, events, now),
        AnyRef::Postgres(conn) => fill::fill(conn, false, events, now),
        _ => unreachable!("there are two databases"),
    }
    // What a policy costs is the host's, and not of these figures.
    let open = async |_: HttpRequest| Ok(Access::Full("bench".to_owned()));
    let app = test::init_service(App::new().service(payments.mount("/payments").admin(open)));
    let app = app.await;
    let day = time::OffsetDateTime::now_utc() - time::Duration::seconds(events * 6);
    let (token, mut figures) = (token(&database, events / 5 - 10), Vec::new());
    for page in pages() {
        let page = page
            .replace("{deep}", &(events / 10).to_string())
            .replace("{deeper}", &(events / 2).to_string())
            .replace("{amid}", &(events / 20).to_string())
            .replace("{newest}", &(events / 5 - 10).to_string())
            .replace("{latest}", &(events - 10).to_string())
            .replace("{token}", &token)
            .replace("{act}", &(events / 200).to_string())
            .replace("{moved}", &(events / 10).to_string())
            .replace("{month}", &day.date().to_string()[..7])
            .replace("{day}", &day.date().to_string());
        let mut times = Vec::new();
        for round in 0..=rounds() {
            statements::write_down(round == rounds());
            let request = test::TestRequest::get().uri(&format!("/payments/admin/{page}"));
            let begin = Instant::now();
            let response = test::call_service(&app, request.to_request()).await;
            let status = response.status();
            std::hint::black_box(test::read_body(response).await);
            times.push(begin.elapsed().as_secs_f64() * 1_000.0);
            // A search with one hit leads to it.
            assert!(status == 200 || status == 303, "{page}: {status}");
        }
        // The first one warms up.
        times.remove(0);
        times.sort_by(f64::total_cmp);
        statements::tell(&page);
        figures.push(Times { least: times[0], median: times[times.len() / 2] });
    }
    figures
}
