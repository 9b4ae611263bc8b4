//! How many signed deliveries a second does the endpoint take, beside one that verifies and stores nothing, and
//! beside one that stores each in a transaction of its own? All in one process and one run, load included, so that
//! the ratios mean something where the figures alone do not.
//!
//! `cargo bench --bench intake --all-features`; `BENCH_SECONDS` (2) is the length of one measurement, `BENCH_ROUNDS`
//! (3) how many there are of each, `TEST_POSTGRES_URL` a Postgres to use beside SQLite.

// Rates are no money.
#![allow(clippy::float_arithmetic)]

mod load;
mod rivals;

use std::sync::mpsc;

use actix_payments::gateways::stripe::Stripe;
use actix_payments::{AnyConnection, Database, Payments};
use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, web};

const SECRET: &str = "whsec_bench";
const CONNECTIONS: [usize; 3] = [1, 16, 64];

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder for SQLite");
    let mut databases = vec![("SQLite", format!("sqlite://{}", folder.path().join("bench.db").display()))];
    match std::env::var("TEST_POSTGRES_URL") {
        Ok(server) => databases.push(("Postgres", rivals::fresh_postgres(&server))),
        Err(_) => println!("TEST_POSTGRES_URL is not set: only SQLite is measured"),
    }
    for (name, url) in databases {
        measure(name, &url);
    }
}

/// All endpoints of one server, on one database.
fn measure(name: &str, url: &str) {
    let (port, server) = serve(url);
    let rounds = setting("BENCH_ROUNDS", 3) as usize;
    println!("\n{name}: accepted deliveries a second, median of {rounds} (minimum to maximum)\n");
    println!("| connections | verify only | one transaction each | group commit | over one each | over verify only |");
    println!("|---|---|---|---|---|---|");
    for connections in CONNECTIONS {
        let paths = ["/verify", "/each", "/payments/stripe/"];
        let mut figures = vec![Vec::new(); paths.len()];
        for _ in 0..rounds {
            for (path, figures) in paths.iter().zip(&mut figures) {
                figures.push(load::run(port, path, connections, setting("BENCH_SECONDS", 2)));
            }
        }
        for all in &mut figures {
            all.sort_by(f64::total_cmp);
        }
        let median = |at: usize| figures[at][rounds / 2];
        let shown = |at: usize| {
            let all: &Vec<f64> = &figures[at];
            format!("{:.0} ({:.0} to {:.0})", median(at), all[0], all[rounds - 1])
        };
        let (each, verify) = (median(2) / median(1), median(2) / median(0));
        println!("| {connections} | {} | {} | {} | {each:.2} | {verify:.2} |", shown(0), shown(1), shown(2));
    }
    load::block_on(server.stop(false));
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
