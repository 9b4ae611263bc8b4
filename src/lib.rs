//! Take payments seriously in an Actix app: durable webhooks, a status that is right whatever the order of events, and
//! an admin that says why.
//!
//! One scope mounts a webhook endpoint for every payment *variant* (a named, configured gateway) next to
//! server-rendered admin pages. Diesel stores payments and the whole event history in SQLite or Postgres, in tables of
//! their own beside the host's. (The *host* is your app.)
//!
//! ```no_run
//! use actix_payments::gateways::stripe::Stripe;
//! use actix_payments::{Database, HandlerError, Payments, Transition, basic_auth};
//! use actix_web::{App, HttpServer};
//!
//! async fn ship_order(transition: Transition) -> Result<(), HandlerError> {
//!     println!("{:?} is {}", transition.payment.reference, transition.to);
//!     Ok(())
//! }
//!
//! # #[cfg(feature = "sqlite")]
//! #[actix_web::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let var = |name: &str| std::env::var(name).map_err(|_| format!("the environment lacks {name}"));
//!     let payments = Payments::builder(Database::sqlite("shop.db")?)
//!         .variant("stripe", Stripe::new(var("STRIPE_WEBHOOK_SECRET")?))
//!         .handler("ship-order", ship_order)
//!         .build()?;
//!     payments.migrate().await?;
//!     let worker = payments.worker().start()?;
//!
//!     let staff = basic_auth("admin", var("ADMIN_PASSWORD_HASH")?)?;
//!     let server = HttpServer::new({
//!         let payments = payments.clone();
//!         move || App::new().service(payments.mount("/payments").admin(staff.clone()))
//!     });
//!     server.bind(("127.0.0.1", 8080))?.run().await?;
//!     worker.stop().await;
//!     Ok(())
//! }
//! # #[cfg(not(feature = "sqlite"))]
//! # fn main() {}
//! ```
//!
//! What is promised, and by which part:
//!
//! - **Nothing acknowledged is lost.** A delivery is answered 200 after its bytes are committed, and never before.
//! - **Nothing is processed twice, and order doesn't matter.** An event is one row, and a payment's state is a pure
//!   function of its [ledger](domain::ledger), which is the same for every order and repetition of its events.
//! - **Nothing happens silently.** Every event says what became of it and why, every refused delivery is counted with
//!   its likely cause, and every operator's action is recorded in the audit.
//! - **Nobody gets in uninvited.** No unsigned event changes anything, and no page opens without the host's policy.
//!
//! The guide begins with `docs/start.md`: an app of your own in ten minutes. `examples/shop` is a complete app, and
//! `docs/ARCHITECTURE.md` walks through the modules and some requests.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(not(any(feature = "sqlite", feature = "postgres")))]
compile_error!("actix-payments needs a database: enable the feature `sqlite` or `postgres`");

mod acts;
mod admin;
mod alarms;
#[cfg(feature = "cli")]
pub mod cli;
pub mod domain;
mod engine;
mod error;
pub mod gateways;
mod mount;
mod operations;
mod payments;
mod pipeline;
mod reports;
mod store;
mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
mod web;
mod worker;

pub use admin::{Access, Admin, BasicAuth, Detail, LimitedAccess, Policy, Stored, basic_auth, hash_password};
pub use domain::difference::{DifferingValue, DriftSubject};
pub use domain::identifier::{GatewayRef, ParseIdentifierError, Reference, Token, VariantName};
pub use domain::person::Person;
pub use domain::subscription::{PlanChange, Proration};
pub use engine::{
    Alarm, AlarmThresholds, Chores, DisputeChange, HandlerError, ModePolicy, Payment, Readiness, ReadyChecks,
    ReadyPart, Retention, Subscription, Unmatched, Variant,
};
pub use error::{Error, ErrorKind};
pub use gateways::{CaptureMethod, Mode};
pub use mount::Mount;
pub use operations::{
    Created, Difference, Drift, DriftQuery, Erased, NewPayment, NewSubscription, Next, Outcome, Reconciled, Refund,
    Resolution, Subscribed,
};
pub use payments::{Builder, Event, Payments, SubscriptionTransition, Transition};
pub use pipeline::Received;
pub use reports::reading::{
    EventList, EventQuery, PastDispute, PastRefund, PastTransition, PaymentHistory, PaymentList, PaymentQuery,
    StoredEvent, Walk,
};
pub use reports::{Differing, Rebuilt, SubscriptionList, SubscriptionQuery};
pub use store::any::{AnyConnection, AnyManager, AnyRef};
pub use store::database::{Database, PooledConnection};
pub use store::dialect::HostConnection;
pub use store::migrations::Migration;
pub use telemetry::{METRICS, Metric, MetricKind};
pub use web::active::{ActiveSubscription, RequireActive};
pub use web::health::HealthRoutes;
pub use worker::{RunningWorker, Worker};

/// The guide's programs, compiled with the documentation: one chapter each.
#[cfg(doctest)]
mod guide {
    #[cfg(feature = "sqlite")]
    #[doc = include_str!("../README.md")]
    mod readme {}

    #[cfg(feature = "sqlite")]
    #[doc = include_str!("../docs/start.md")]
    mod start {}

    #[doc = include_str!("../docs/existing-app.md")]
    mod existing_app {}

    #[cfg(feature = "sqlite")]
    #[doc = include_str!("../docs/subscriptions.md")]
    mod subscriptions {}

    #[cfg(feature = "sqlite")]
    #[doc = include_str!("../docs/how-to.md")]
    mod how_to {}

    #[doc = include_str!("../docs/gateways.md")]
    mod gateways {}

    #[doc = include_str!("../docs/admin.md")]
    mod admin {}

    #[cfg(all(feature = "sqlite", feature = "postgres"))]
    #[doc = include_str!("../docs/deploy.md")]
    mod deploy {}

    #[doc = include_str!("../docs/operations.md")]
    mod operations {}

    #[doc = include_str!("../docs/errors.md")]
    mod errors {}
}
