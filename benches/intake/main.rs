//! A bench of the intake: how many signed deliveries a second the endpoint takes and how long each waits, beside an
//! endpoint that verifies and stores nothing, and beside one that stores each in a transaction of its own; and how fast
//! one thread without a server writes the same rows. All in one process and one run, load included, so that the ratios
//! mean something where the figures alone do not.
//!
//! `cargo bench --bench intake --all-features`; `BENCH_SECONDS` (2) is the length of one measurement, `BENCH_ROUNDS`
//! (3) how many there are of each, `TEST_POSTGRES_URL` a Postgres to use beside SQLite. Deliveries are signed as they are
//! sent; with `BENCH_READY=1` they are signed beforehand, so that less of the machine is the sender's.
//! `BENCH_CONNECTIONS` (1,16,64) is how many there are at once.
//!
//! `… -- telemetry` measures what it costs that somebody measures and traces, instead.

// Rates are no money.
#![allow(clippy::float_arithmetic)]

mod by_hand;
mod load;
// Shared with the bench of the pipeline, which needs all of it.
#[allow(dead_code)]
#[path = "../pipeline/prepared.rs"]
mod prepared;
mod rivals;
mod telemetry;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, mpsc};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use actix_payments::gateways::stripe::{Stripe, sign_delivery};
use actix_payments::{AnyConnection, Database, Payments};
use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, web};
use load::Requests;

const SECRET: &str = "whsec_bench";

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// How many connections there are at once, one measurement after the other.
fn connections() -> Vec<usize> {
    let counts = std::env::var("BENCH_CONNECTIONS").unwrap_or_else(|_| "1,16,64".to_owned());
    counts.split(',').map(|count| count.trim().parse().expect("BENCH_CONNECTIONS are numbers")).collect()
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder for SQLite");
    let mut databases = vec![("SQLite", format!("sqlite://{}", folder.path().join("bench.db").display()))];
    match std::env::var("TEST_POSTGRES_URL") {
        Ok(server) => databases.push(("Postgres", rivals::fresh_postgres(&server))),
        Err(_) => println!("TEST_POSTGRES_URL is not set: only SQLite is measured"),
    }
    let is_telemetry = std::env::args().any(|word| word == "telemetry");
    if is_telemetry {
        telemetry::install();
    }
    for (name, url) in databases {
        if is_telemetry {
            telemetry::measure(name, &url);
        } else {
            measure(name, &url);
        }
    }
}

/// The endpoints: what each does, and its path.
const ENDPOINTS: [(&str, &str); 3] =
    [("verify only", "/verify"), ("one transaction each", "/each"), ("group commit", "/payments/stripe/")];

/// The deliveries for one measurement: each signed as it is sent, or all beforehand, more than are taken.
fn requests(path: &'static str, seconds: u64) -> Requests {
    const MOST_A_SECOND: u64 = 15_000;
    if setting("BENCH_READY", 0) == 0 {
        return Requests::Written(Box::new(move || request(path)));
    }
    match path {
        // Whether it was there before, nobody asks.
        "/verify" => Requests::Again((0..1_000).map(|_| request(path)).collect()),
        _ => Requests::Ready((0..MOST_A_SECOND * seconds).map(|_| request(path)).collect()),
    }
}

/// What an endpoint came to: deliveries a second of each round, and the time that each delivery waited.
#[derive(Default)]
struct Figures {
    rates: Vec<f64>,
    waited: Vec<f64>,
}

/// All endpoints of one server, on one database.
fn measure(name: &str, url: &str) {
    let (port, server) = serve(url);
    let (rounds, seconds) = (setting("BENCH_ROUNDS", 3).max(1), setting("BENCH_SECONDS", 2).max(1));
    println!("\n{name}: deliveries accepted a second, median of {rounds} (least to most)\n");
    println!("| connections | | a second | p50, ms | p99 | over verify only |");
    println!("|---|---|---|---|---|---|");
    let mut by_hand = Vec::new();
    for connections in connections() {
        let mut figures = ENDPOINTS.map(|_| Figures::default());
        for _ in 0..rounds {
            for ((_, path), figures) in ENDPOINTS.iter().zip(&mut figures) {
                let requests = requests(path, seconds);
                let load = load::run(port, requests, connections, Duration::from_secs(seconds));
                figures.rates.push(load.rate());
                assert_eq!(load.refused, 0, "nothing but intake is to do");
                figures.waited.extend(load.waited().map(load::millis));
            }
        }
        if connections == by_hand::BATCH {
            by_hand = (0..rounds).map(|_| by_hand::run(url, Duration::from_secs(seconds), event)).collect();
            by_hand.sort_by(f64::total_cmp);
        }
        for figures in &mut figures {
            figures.rates.sort_by(f64::total_cmp);
            figures.waited.sort_by(f64::total_cmp);
        }
        let median = |figures: &Figures| load::percentile(&figures.rates, 0.5);
        for ((name, _), of) in ENDPOINTS.iter().zip(&figures) {
            let (least, most) = (load::percentile(&of.rates, 0.0), load::percentile(&of.rates, 1.0));
            let (p50, p99) = (load::percentile(&of.waited, 0.5), load::percentile(&of.waited, 0.99));
            let over = median(of) / median(&figures[0]);
            let rate = format!("{:.0} ({least:.0} to {most:.0})", median(of));
            println!("| {connections} | {name} | {rate} | {p50:.2} | {p99:.2} | {over:.2} |");
        }
        if !by_hand.is_empty() {
            let ([.., ours], hand) = (&figures, load::percentile(&by_hand, 0.5));
            let (least, most) = (load::percentile(&by_hand, 0.0), load::percentile(&by_hand, 1.0));
            let over = hand / median(&figures[0]);
            println!("| – | rows by hand | {hand:.0} ({least:.0} to {most:.0}) | – | – | {over:.2} |");
            println!("\nGroup commit at {connections} connections over the rows by hand: {:.2}", median(ours) / hand);
        }
    }
    load::block_on(server.stop(false));
}

/// A `payment_intent.succeeded` of the size that Stripe sends: an event id that was not used yet, and the body.
fn event() -> (String, String) {
    static FILLER: LazyLock<String> = LazyLock::new(|| "x".repeat(2_600));
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let (number, now) = (NEXT.fetch_add(1, Ordering::Relaxed), now());
    let body = format!(
        r#"{{"id":"evt_bench_{number}_{now}","object":"event","api_version":"2026-10-28.endive","created":{now},"data":{{"object":{{"id":"pi_{number}","object":"payment_intent","amount":4999,"amount_received":4999,"currency":"eur","status":"succeeded","description":"{}"}}}},"livemode":false,"pending_webhooks":1,"type":"payment_intent.succeeded"}}"#,
        *FILLER
    );
    (format!("evt_bench_{number}_{now}"), body)
}

/// The moment, in whole seconds.
fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() as i64
}

/// Such an event, signed.
fn request(path: &str) -> Vec<u8> {
    let (_, body) = event();
    load::request(path, body.as_bytes(), &sign_delivery(SECRET, now(), body.as_bytes()))
}

/// Starts the server on a thread of its own; answers its port.
fn serve(url: &str) -> (u16, ServerHandle) {
    let url = url.to_owned();
    let (started, starting) = mpsc::channel();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let database: Database<AnyConnection> = Database::from_url(&url).expect("a database");
            let payments =
                Payments::builder(database).variant("stripe", Stripe::new(SECRET)).build().expect("payments");
            payments.migrate().await.expect("tables");
            let rival = rivals::Rival::new(&url);
            let app = move || {
                App::new()
                    .app_data(web::Data::new(rival.clone()))
                    .service(payments.mount("/payments"))
                    .route("/verify", web::post().to(rivals::verify_only))
                    .route("/each", web::post().to(rivals::one_transaction_each))
            };
            let server = HttpServer::new(app).workers(2).bind(("127.0.0.1", 0)).expect("a port");
            let port = server.addrs()[0].port();
            let server = server.run();
            started.send((port, server.handle())).expect("somebody waits");
            server.await.expect("the server");
        });
    });
    starting.recv().expect("the server started")
}
