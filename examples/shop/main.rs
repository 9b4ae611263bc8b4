//! A small shop that existed before it took payments: a few pages, a table of its own. What it had to add is in
//! `payments.rs`; everything else is the shop's.
//!
//! Environment, all optional: `DATABASE_URL` (`sqlite://shop.db`), `BIND` (`127.0.0.1:8080`),
//! `STRIPE_WEBHOOK_SECRET` (comma-separated while one is being replaced by another; random when absent),
//! `STRIPE_API_KEY` (checkouts then really happen at Stripe) and `STRIPE_API_BASE` (a fake of its API instead),
//! `STRIPE_TEA_PRICE` (the id of a recurring price, with which Stripe sells the tea box too),
//! `ADMIN_PASSWORD` (user `admin`; random when absent), `RUST_LOG` (`info`), `REPLICA_URL` (a standby that the admin's
//! pages read from) and `ROLE` (`all`; `receive` serves and processes nothing, `work` processes and serves `/health`).
//!
//! With the feature `cli`, `shop doctor`, `shop events --state discarded` and so on ask and act beside the running shop;
//! `shop --help` lists them. With the feature `metrics`, `/metrics` is there for Prometheus.

#[cfg(feature = "cli")]
mod command;
mod customer;
#[cfg(feature = "metrics")]
mod metrics;
mod mine;
mod orders;
mod pages;
mod payments;
mod settings;
mod tea;
#[cfg(all(test, feature = "testing", feature = "sqlite"))]
mod tests;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use actix_payments::{Database, ReadyChecks, basic_auth, hash_password};
use actix_web::{App, HttpServer, web};
use settings::Role;

#[actix_web::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    #[cfg(feature = "cli")]
    let command = command::asked();
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info")).init();
    let settings = settings::Settings::from_env()?;
    let built = Database::from_url(&settings.database_url)
        .and_then(|database| Ok((payments::build(database.clone(), &settings)?, database)));
    #[cfg(feature = "cli")]
    if let Some(command) = command {
        return Ok(match &built {
            Ok((payments, _)) => command.run(payments).await,
            Err(error) => command.unopened(error),
        });
    }
    let (payments, database) = built?;
    orders::create_table(&database)?;
    payments.migrate().await?;
    #[cfg(feature = "metrics")]
    let numbers = metrics::install()?;
    let role = settings.role;
    let worker = (role != Role::Receive).then(|| payments.worker().start()).transpose()?;
    let tea_prices = settings.tea_prices();

    // One policy for all workers, so that they share what they know of wrong tries.
    let staff = basic_auth("admin", hash_password(&settings.admin_password)?)?;
    let server = HttpServer::new({
        let payments = payments.clone();
        move || {
            let app = App::new();
            #[cfg(feature = "metrics")]
            let app = app.configure(metrics::route(numbers.clone()));
            let checks = match role {
                // A backlog, or a worker that lacks a handler, is no reason to take no deliveries.
                Role::Receive => ReadyChecks::new(),
                _ => ReadyChecks::new().needs_worker().oldest_due(Some(Duration::from_secs(3_600))),
            };
            let app = app.service(payments.health("/health").checks(checks));
            if role == Role::Work {
                return app;
            }
            app.app_data(payments.clone())
                .app_data(web::Data::new(database.clone()))
                .service(payments.mount("/payments").admin(staff.clone()))
                .configure(pages::routes)
                .configure(mine::route)
                .configure(tea::routes(payments.clone(), tea_prices.clone()))
        }
    })
    // Handlers and deliveries that are under way get this long; a sender that is slow on purpose gets no longer.
    .shutdown_timeout(10)
    .bind(&settings.bind)?;
    settings.print(server.addrs().first());
    server.run().await?;
    if let Some(worker) = worker {
        worker.stop().await;
    }
    Ok(ExitCode::SUCCESS)
}
