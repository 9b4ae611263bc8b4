//! [`Payments`], the handle that a host clones into its app: a table of contents of all that a host can do.

mod bounds;
mod builder;
mod calls;
mod handed;
mod persons;
mod reading;
mod subscriptions;

use std::sync::Arc;

pub use builder::Builder;
pub use handed::{Event, SubscriptionTransition, Transition};

use crate::domain::delivery::{Delivery, Rejection};
use crate::domain::identifier::{Token, VariantName};
use crate::engine::request::Requester;
use crate::engine::{Engine, Payment, Readiness, ReadyChecks, find};
use crate::error::Error;
use crate::operations::Resolution;
use crate::pipeline::Received;
use crate::reports::{Differing, Rebuilt};
use crate::store::migrations::Migration;

/// The handle to everything: clone it freely, it is one reference-counted pointer.
#[derive(Clone)]
pub struct Payments(Arc<Engine>);

/// Setting up.
impl Payments {
    /// Creates or upgrades the `pay_` tables. If they are up to date it changes nothing, so that a role that may only
    /// read and write rows can call it, too. Safe to call at every start and by several processes at once; the host's
    /// own diesel migrations are not touched.
    ///
    /// # Errors
    /// `Storage` or `Unavailable` when the database refuses or doesn't answer.
    pub async fn migrate(&self) -> Result<(), Error> {
        // However long that takes: a large table may be rewritten.
        self.0.patiently(|engine| engine.store.migrate()).await
    }

    /// The names of the migrations that [`Payments::migrate`] would run; none if the tables are up to date. It only
    /// reads, so any role that may read `pay_migrations` can call it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn migrations_pending(&self) -> Result<Vec<&'static str>, Error> {
        let steps = self.migrations().await?.into_iter();
        Ok(steps.filter(|step| step.is_pending).map(|step| step.name).collect())
    }

    /// Every migration of the `pay_` tables, in order, with its SQL, for a database administrator to run. Run each in a
    /// transaction of its own; it records itself in `pay_migrations`.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/docs/shop.rs"));
    /// # fn main() { shop(async |payments| {
    /// for migration in payments.migrations().await? {
    ///     println!("{}: {} bytes of SQL, pending: {}", migration.name, migration.sql.len(), migration.is_pending);
    /// }
    /// assert!(payments.migrations_pending().await?.is_empty());
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    /// What the database says.
    pub async fn migrations(&self) -> Result<Vec<Migration>, Error> {
        self.0.blocking(|engine| engine.store.migrations()).await
    }

    /// The names of the variants of [`Builder::variant`], in alphabetical order; not of those that
    /// [`Builder::variants_from`] gives.
    pub fn variants(&self) -> impl Iterator<Item = &VariantName> {
        self.0.fixed().map(|(name, _)| name)
    }

    /// Where a variant's events are to be sent, as far as this process knows; see [`Builder::address`].
    pub fn address_of(&self, variant: impl Into<VariantName>) -> String {
        self.0.address_of(&variant.into())
    }

    /// Prunes all bodies and stored headers that are old enough by [`Builder::retention`], in small transactions, and
    /// returns the number of events that lost theirs. A worker does so every hour; this is for scripts and for apps
    /// without a worker.
    ///
    /// # Errors
    /// What the database says; what was pruned before that stays pruned.
    pub async fn prune(&self) -> Result<u64, Error> {
        self.0.prune().await
    }

    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.0
    }

    /// Takes note of where it is mounted.
    pub(crate) fn mounted_at(&self, path: &str) {
        self.0.address.get_or_init(|| path.to_owned());
    }
}

/// Health.
impl Payments {
    /// Whether this process can do its work without a restart. It does not ask the database, so an outage of the
    /// database changes nothing. False once the thread that writes the inbox has ended.
    pub fn live(&self) -> bool {
        self.0.is_live()
    }

    /// Which parts are ready, within [`ReadyChecks::patience`]. As routes: [`Payments::health`].
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/docs/shop.rs"));
    /// # fn main() { shop(async |payments| {
    /// use actix_payments::ReadyChecks;
    ///
    /// let readiness = payments.ready(&ReadyChecks::new()).await;
    /// for part in &readiness.parts {
    ///     println!("{}: {}", part.name, part.problem.as_deref().unwrap_or("ready"));
    /// }
    /// assert!(readiness.is_ready());
    /// # Ok(()) }) }
    /// ```
    pub async fn ready(&self, checks: &ReadyChecks) -> Readiness {
        self.0.ready(checks).await
    }
}

/// Measuring.
#[cfg(feature = "metrics")]
impl Payments {
    /// Sets the gauges that the database knows: `pay_events` and `pay_oldest_event_seconds`. A worker does so every 15
    /// seconds; this is for processes without one, and for those that want the numbers of this very moment.
    ///
    /// # Errors
    /// What the database says.
    pub async fn measure(&self) -> Result<(), Error> {
        self.0.measure().await
    }
}

/// Taking deliveries in.
impl Payments {
    /// Takes in a delivery for `variant`. Once this returns `Ok`, its events are committed and will be processed,
    /// whatever happens to this process. All unsigned hints, and all names of variants that were
    /// never seen, that come this way count as one client's.
    ///
    /// [`Mount`](crate::Mount) does this for a request. Call it for deliveries that come in another way, such as a
    /// queue:
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/docs/shop.rs"));
    /// # fn main() { shop(async |payments| {
    /// use actix_payments::domain::Timestamp;
    /// use actix_payments::domain::delivery::{Delivery, Rejection};
    /// # use actix_payments::domain::money::{Currency, Money};
    /// # use actix_payments::gateways::dummy::{DummyEvent, Kind};
    ///
    /// # let event = DummyEvent::new("de_1", Kind::Paid, "tok_1", Money::new(49_99, Currency::EUR));
    /// # let delivery = dummy().delivery(&event, Timestamp::now_utc());
    /// let received = payments.receive("dummy", delivery.clone()).await?;
    /// assert_eq!((received.events, received.duplicates), (1, 0));
    ///
    /// let unsigned = Delivery::new(delivery.body).with_header("content-type", "application/json");
    /// let rejection = payments.receive("dummy", unsigned).await.unwrap_err();
    /// assert_eq!(rejection, Rejection::SignatureMissing);
    /// println!("{}: {}", rejection.code(), rejection.likely_cause());
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    /// The rejection to answer the gateway with; it has been counted.
    pub async fn receive(&self, variant: impl Into<VariantName>, delivery: Delivery) -> Result<Received, Rejection> {
        let variant = variant.into();
        self.0.receive(&variant, delivery, None).await
    }

    /// Like [`receive`](Self::receive), for a delivery that came from the IP address `client`, by which unsigned hints
    /// and names of variants that were never seen are bounded.
    ///
    /// # Errors
    /// The rejection to answer the gateway with; it has been counted.
    pub async fn receive_from(
        &self,
        variant: impl Into<VariantName>,
        delivery: Delivery,
        client: &str,
    ) -> Result<Received, Rejection> {
        let variant = variant.into();
        self.0.receive(&variant, delivery, Some(client)).await
    }
}

/// Reading payments.
impl Payments {
    /// The payment with this token. For a payment that was absorbed, it is the one that absorbed it.
    ///
    /// `web::Path` reads a token from an address:
    ///
    /// ```no_run
    /// use actix_payments::{Payments, Token};
    /// use actix_web::{HttpResponse, Result, error, web};
    ///
    /// /// `GET /orders/{token}`.
    /// async fn order(payments: Payments, token: web::Path<Token>) -> Result<HttpResponse> {
    ///     let payment = payments.payment(&token).await?;
    ///     payment.map(|payment| HttpResponse::Ok().body(payment.status.as_str())).ok_or_else(|| error::ErrorNotFound(""))
    /// }
    /// ```
    ///
    /// Another name where a token belongs is refused by the compiler:
    ///
    /// ```compile_fail,E0308
    /// # async fn example(payments: &actix_payments::Payments, payment: &actix_payments::Payment) {
    /// payments.payment(&payment.variant).await;
    /// # }
    /// ```
    ///
    /// # Errors
    /// What the database says.
    pub async fn payment(&self, token: &Token) -> Result<Option<Payment>, Error> {
        let token = token.to_owned();
        self.0.read(move |tx| Ok(find::by_token(tx, &token)?.as_ref().map(Payment::of))).await
    }

    /// The payment in its current state, for the page to which a customer returns. If it is pending, the gateway is
    /// asked, and its answer is processed before this returns, unless that takes longer than 5 seconds. If it is still
    /// pending then, this waits half a second for a worker to process an event that is already here. All processes
    /// together ask the gateway about one payment at most every two seconds. Safe to call at any time and any number of
    /// times: the answer and an event that says the same have one effect, whichever comes first.
    ///
    /// It is no error if the gateway can't be asked or does not answer: the payment is then pending, and its event will
    /// come.
    ///
    /// ```no_run
    /// use actix_payments::{Payments, Token};
    /// use actix_web::{HttpResponse, Result, web};
    ///
    /// /// `GET /thanks/{token}`, the `return_url` of the payment.
    /// async fn thanks(payments: Payments, token: web::Path<Token>) -> Result<HttpResponse> {
    ///     let payment = payments.catch_up(&token).await?;
    ///     let text = if payment.status.was_paid() { "Thank you!" } else { "We wait for your bank." };
    ///     Ok(HttpResponse::Ok().body(text))
    /// }
    /// ```
    ///
    /// # Errors
    /// `NotFound` for an unknown token; `Configuration` for a pending payment whose variant is not configured here, so
    /// that nobody can ask and no event of it is processed; and what the database says.
    pub async fn catch_up(&self, token: &Token) -> Result<Payment, Error> {
        self.0.catch_up(token).await
    }

    /// Rebuilds a payment from its stored events, beside the stored one. Changes nothing.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/docs/shop.rs"));
    /// # fn main() { shop(async |payments| {
    /// # use actix_payments::gateways::dummy::Kind;
    /// # let payment = order(&payments, Kind::Paid).await?;
    /// let rebuilt = payments.rebuild(&payment.token).await?;
    /// assert!(rebuilt.same, "{:?} instead of {:?}", rebuilt.rebuilt, rebuilt.stored);
    ///
    /// // All payments, a part at a time.
    /// let mut after = None;
    /// loop {
    ///     let differing = payments.differing(after).await?;
    ///     println!("{} of {} differ", differing.found.len(), differing.compared);
    ///     after = differing.next;
    ///     if after.is_none() { break }
    /// }
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    /// `NotFound` for an unknown token, and what the database says.
    pub async fn rebuild(&self, token: &Token) -> Result<Rebuilt, Error> {
        self.0.rebuild(token).await
    }

    /// Compares some payments with what follows from their events, beginning with the newest, or where an earlier call
    /// stopped. Changes nothing. A payment that changes meanwhile may be reported although it is right, and so may one
    /// whose events' bodies were pruned or erased: [`Rebuilt::refusal`] says so.
    ///
    /// # Errors
    /// What the database says.
    pub async fn differing(&self, after: Option<i64>) -> Result<Differing, Error> {
        self.0.differing(after).await
    }
}

/// Deciding about payments that need review.
impl Payments {
    /// Decides about a payment that needs review, and returns the payment afterwards. The decision is an event of the
    /// payment: handlers run for what it changes, and a rebuild keeps it.
    ///
    /// ```no_run
    /// # use actix_payments::{Error, Payments, Resolution};
    /// # async fn example(payments: Payments, token: &actix_payments::Token) -> Result<(), Error> {
    /// let payment = payments.resolve_review(token, Resolution::accept("we had quoted the lower price").by("mia")).await?;
    /// assert!(payment.status.was_paid());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `NotFound` for an unknown token; `Refused` for a note or name that can't be kept, a payment that needs no review or
    /// has changed since it was [seen](Resolution::seen), and an acceptance that would change nothing; and what the
    /// database says.
    pub async fn resolve_review(&self, token: &Token, resolution: Resolution) -> Result<Payment, Error> {
        self.0.resolve_review(token, resolution, Requester::Host).await
    }
}
