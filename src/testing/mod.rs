//! For your app's tests: genuine signed deliveries, a clock that the test moves, a database for each test, and a
//! gateway that answers as the test says. Feature `testing`, for `[dev-dependencies]`.
//!
//! ```
//! # #[cfg(not(feature = "sqlite"))]
//! # fn main() {}
//! # #[cfg(feature = "sqlite")]
//! # #[actix_web::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use actix_payments::domain::money::{Currency, Money};
//! use actix_payments::domain::payment::Status;
//! use actix_payments::gateways::stripe::Stripe;
//! use actix_payments::testing::{Clock, Company, TestDatabase, settle};
//! use actix_payments::{Database, NewPayment, Payments};
//!
//! let (test, clock) = (TestDatabase::sqlite()?, Clock::new());
//! let payments = Payments::builder(Database::sqlite(test.path())?)
//!     .variant("stripe", Stripe::new("whsec_test"))
//!     .clock(clock.source())
//!     .build()?;
//! payments.migrate().await?;
//! let stripe = Company::stripe(&payments, "stripe");
//!
//! let order = NewPayment::new("stripe", Money::new(49_99, Currency::EUR)).without_checkout();
//! let payment = payments.create(order).await?.payment;
//!
//! // In whatever order the events come, and twice, the payment ends alike.
//! let story = stripe.paid(&payment).then(stripe.refunded(&payment, 10_00)).twice();
//! story.shuffled(7).deliver().await?;
//! settle(&payments).await?;
//!
//! let payment = payments.payment(&payment.token).await?.expect("it was created");
//! assert_eq!((payment.status, payment.refunded.minor), (Status::PartiallyRefunded, 10_00));
//! # Ok(())
//! # }
//! ```
//!
//! Each test has a database of its own, so tests run side by side. If several tests share a Postgres database,
//! [`settle`] also waits for events that other tests hold. [`Story::requests`] makes requests for `actix_web::test` and
//! your own app instead.

mod clock;
mod companies;
mod company;
mod database;
mod handed;
mod happening;
mod served;
mod stand_in;
mod story;
mod subscribed;
mod verbs;

use std::time::Duration;

pub use clock::Clock;
#[cfg(feature = "paypal")]
pub use companies::paypal::paypal;
pub use company::{Company, Subscriber};
pub use database::TestDatabase;
pub use handed::{event, payment, subscription, subscription_transition, transition};
pub use served::ObjectServer;
pub use stand_in::{Answer, StandIn};
pub use story::Story;

use crate::error::Error;
use crate::payments::Payments;

/// Processes everything that is due by the builder's clock, and waits for the handlers, also for those of other workers
/// on the same database. Returns how many events it claimed itself. A failed event is due again later: move the
/// [`Clock`] on and settle again.
///
/// See the [module](self) for an example.
///
/// # Errors
/// `Unavailable` when something is still due or running after half a minute, and what the database says.
pub async fn settle(payments: &Payments) -> Result<usize, Error> {
    payments.worker().settle(Duration::from_secs(30)).await
}
