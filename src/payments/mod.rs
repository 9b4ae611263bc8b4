//! [`Payments`], the handle that a host clones into its app: a table of contents of all that a host can do.

mod bounds;
mod builder;
mod handed;
mod persons;
mod reading;
mod subscriptions;

use std::sync::Arc;

pub use builder::Builder;
pub use handed::{Event, SubscriptionTransition, Transition};

use crate::domain::delivery::{Delivery, Rejection};
use crate::domain::money::Money;
use crate::engine::request::{Requester, Wanted};
use crate::engine::{Engine, Payment, Readiness, ReadyChecks, find};
use crate::error::Error;
use crate::gateways::Verb;
use crate::operations::{self, Created, Drift, DriftQuery, NewPayment, Outcome, Reconciled, Refund, Resolution};
use crate::pipeline::Received;
use crate::reports::{Differing, Rebuilt};
use crate::store::migrations::Migration;

/// The handle to everything: clone it freely, it is one reference-counted pointer.
#[derive(Clone)]
pub struct Payments(Arc<Engine>);

/// Setting up.
impl Payments {
    /// Creates or upgrades the `pay_` tables. Changes nothing when they are up to date, so a role that may only read and
    /// write rows can call it then. Safe to call at every start and by several processes at once; the
    /// host's own diesel migrations are not touched.
    ///
    /// # Errors
    /// `Storage` or `Unavailable` when the database refuses or doesn't answer.
    pub async fn migrate(&self) -> Result<(), Error> {
        // However long that takes: a large table may be rewritten.
        self.0.patiently(|engine| engine.store.migrate()).await
    }

    /// The names of the steps that [`Payments::migrate`] would take; none when the tables are up to date. It only
    /// reads, so any role may ask that may read `pay_migrations`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn migrations_pending(&self) -> Result<Vec<&'static str>, Error> {
        let steps = self.migrations().await?.into_iter();
        Ok(steps.filter(|step| step.is_pending).map(|step| step.name).collect())
    }

    /// Every step that makes the `pay_` tables, in order, with its SQL: for those who have a DBA change tables. Each is
    /// to be run in a transaction of its own, and notes itself in `pay_migrations`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn migrations(&self) -> Result<Vec<Migration>, Error> {
        self.0.blocking(|engine| engine.store.migrations()).await
    }

    /// The names of the variants of [`Builder::variant`], in alphabetical order; not of those that
    /// [`Builder::variants_from`] gives.
    pub fn variants(&self) -> impl Iterator<Item = &str> {
        self.0.fixed().map(|(name, _)| name.as_str())
    }

    /// Where a variant's events are to be sent, as far as this process knows; see [`Builder::address`].
    pub fn address_of(&self, variant: &str) -> String {
        self.0.address_of(variant)
    }

    /// Prunes the bodies and kept headers that are old enough by [`Builder::retention`], all of them, in small
    /// transactions; answers how many events lost theirs. A worker does so by itself, hourly; this is for those who run
    /// none, and for scripts.
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
    /// Whether this process can do its work without being started anew: asks no database, so an outage of that changes
    /// nothing. False once the thread that writes the inbox has ended.
    pub fn live(&self) -> bool {
        self.0.is_live()
    }

    /// Which parts are ready, within [`ReadyChecks::patience`]. As routes: [`Payments::health`].
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
    /// whatever happens to this process. All unsigned hints that come this way count as one client's.
    ///
    /// # Errors
    /// The rejection that the gateway is to be told; it is counted here.
    pub async fn receive(&self, variant: &str, delivery: Delivery) -> Result<Received, Rejection> {
        self.0.receive(variant, delivery, None).await
    }

    /// Like [`receive`](Self::receive), for a delivery that came from the IP address `client`, by which unsigned hints
    /// are bounded.
    ///
    /// # Errors
    /// The rejection that the gateway is to be told; it is counted here.
    pub async fn receive_from(&self, variant: &str, delivery: Delivery, client: &str) -> Result<Received, Rejection> {
        self.0.receive(variant, delivery, Some(client)).await
    }
}

/// Reading payments.
impl Payments {
    /// The payment with this token; one that was absorbed answers as the payment that it turned out to be.
    ///
    /// # Errors
    /// What the database says.
    pub async fn payment(&self, token: &str) -> Result<Option<Payment>, Error> {
        let token = token.to_owned();
        self.0.read(move |tx| Ok(find::by_token(tx, &token)?.as_ref().map(Payment::of))).await
    }

    /// The payment as it stands, for the page that a customer returns to: while it is pending, the gateway is asked,
    /// and its answer is processed before this returns, unless it takes longer than 5 seconds. What is still pending
    /// then has half a second for an event that waits for a worker here. The gateway is asked about one payment every
    /// two seconds at the most, by all processes together. Safe to call at any time and as often as one likes; an event
    /// that tells the same comes to nothing, whichever is first.
    ///
    /// A gateway that can't be asked, or does not answer, is no error: the payment is pending then, and its event
    /// will come.
    ///
    /// # Errors
    /// `NotFound` for an unknown token; `Configuration` for a pending payment whose variant is not configured here, so
    /// that nobody can ask and no event of it is processed; and what the database says.
    pub async fn catch_up(&self, token: &str) -> Result<Payment, Error> {
        self.0.catch_up(token).await
    }

    /// Rebuilds a payment from its stored events, beside the stored one. Changes nothing.
    ///
    /// # Errors
    /// `NotFound` for an unknown token, and what the database says.
    pub async fn rebuild(&self, token: &str) -> Result<Rebuilt, Error> {
        self.0.rebuild(token).await
    }

    /// Compares some payments with what their events make of them, from the newest on, or after where an earlier
    /// answer said to go on. Changes nothing; a payment that changes meanwhile may be reported although it is right.
    ///
    /// # Errors
    /// What the database says.
    pub async fn differing(&self, after: Option<i64>) -> Result<Differing, Error> {
        self.0.differing(after).await
    }
}

/// Deciding about payments that need review.
impl Payments {
    /// Decides about a payment that needs review, and answers how it stands then. The decision is an event of the
    /// payment: handlers hear of what it changes, and a rebuild keeps it.
    ///
    /// ```no_run
    /// # use actix_payments::{Error, Payments, Resolution};
    /// # async fn example(payments: Payments, token: &str) -> Result<(), Error> {
    /// let payment = payments.resolve_review(token, Resolution::accept("we had quoted the lower price").by("mia")).await?;
    /// assert!(payment.status.was_paid());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `NotFound` for an unknown token; `Refused` for a note or name that can't be kept, a payment that needs no review or
    /// has changed since it was [seen](Resolution::seen), and an acceptance that would change nothing; and what the
    /// database says.
    pub async fn resolve_review(&self, token: &str, resolution: Resolution) -> Result<Payment, Error> {
        self.0.resolve_review(token, resolution, Requester::Host).await
    }
}

/// Asking gateways to act. Each call is stored with its idempotency key before it is sent, and happens once.
impl Payments {
    /// Creates a payment and starts it at its gateway.
    ///
    /// # Errors
    /// `NotFound` for an unknown variant, `Refused` for an amount below zero or a text that can't be stored,
    /// `Gateway` when the gateway did not start it (the payment stays, pending), and what the database says.
    pub async fn create(&self, new: NewPayment) -> Result<Created, Error> {
        self.0.create(new).await
    }

    /// Takes the money of an authorized payment: all of it, or `part`; what is left is released.
    ///
    /// # Errors
    /// `NotFound` for an unknown token; `Refused` when the payment is not authorized, the part is more than it, or
    /// the gateway can't; `Gateway` when the gateway said no; and what the database says.
    pub async fn capture(&self, token: &str, part: Option<Money>) -> Result<Outcome, Error> {
        self.0.operate(token, Wanted { amount: part, ..Wanted::by_host(Verb::Capture) }).await
    }

    /// Gives a payment up: closes its checkout, or releases what is authorized, whichever it is in.
    ///
    /// # Errors
    /// `NotFound` for an unknown token; `Refused` when money has moved or the gateway can't; `Gateway` when the gateway
    /// said no; and what the database says.
    pub async fn cancel(&self, token: &str) -> Result<Outcome, Error> {
        self.0.operate(token, Wanted::by_host(Verb::Cancel)).await
    }

    /// Returns money of a paid payment.
    ///
    /// # Errors
    /// `NotFound` for an unknown token; `Refused` when nothing is left to refund, the part is more than what is left or
    /// of another currency, or the gateway can't; `Gateway` when the gateway said no; and what the database says.
    pub async fn refund(&self, token: &str, refund: Refund) -> Result<Outcome, Error> {
        self.0.operate(token, refund.wanted(token)).await
    }

    /// Has the gateway take, or authorize, what the customer agreed to. A worker does that by itself as soon as an
    /// event says that the gateway waits for it, and so does [`Payments::catch_up`]: this is for those who know it
    /// earlier, and for payments that need a review, which nobody but a person completes.
    ///
    /// # Errors
    /// `NotFound` for an unknown token; `Refused` when the payment is not pending or failed, its money is on the way
    /// already or may be, or the gateway goes on by itself; `Gateway` when the gateway said no, as when nobody agreed;
    /// and what the database says.
    pub async fn complete(&self, token: &str) -> Result<Outcome, Error> {
        self.0.operate(token, Wanted::by_host(Verb::Complete)).await
    }
}

/// Asking gateways to tell. Changes nothing at the gateway.
impl Payments {
    /// Asks the gateway what is true now; the answer is processed like every event.
    ///
    /// # Errors
    /// `NotFound` for an unknown token; `Refused` when the gateway can't be asked; `Gateway` when it did not say; and
    /// what the database says.
    pub async fn refresh(&self, token: &str) -> Result<Outcome, Error> {
        self.0.operate(token, Wanted::by_host(Verb::Refresh)).await
    }

    /// Fetches the events of the variant that this database has not heard of, since the last time that this was done;
    /// the first time, of the last day. Only kinds that say something of payments or that a handler is for are taken.
    ///
    /// # Errors
    /// `NotFound` for an unknown variant; `Gateway` when the gateway has no list or did not say; and what the database
    /// says.
    pub async fn reconcile(&self, variant: &str) -> Result<Reconciled, Error> {
        self.0.reconcile(variant).await
    }

    /// Compares payments and subscriptions with their gateway, by its lists and by asking one by one; finds what neither
    /// deliveries nor the gateway's list of events can tell any more, and objects that nothing here is about. Changes
    /// nothing. What is still in the inbox is not known yet, so let a worker process it first.
    ///
    /// # Errors
    /// `NotFound` for an unknown variant; `Refused` where its gateway can't be asked; `Gateway` when it does not answer;
    /// and what the database says.
    pub async fn drift(&self, query: DriftQuery) -> Result<Drift, Error> {
        self.0.drift(query, None).await
    }

    /// The same, and repairs what differs by a refresh of each; objects that nothing here is about are adopted, where
    /// the variant [adopts](crate::Unmatched::Adopt) what nobody here asked for. What could not be repaired says why.
    ///
    /// # Errors
    /// As those of [`Payments::drift`]; what was repaired before stays repaired.
    pub async fn repair_drift(&self, query: DriftQuery) -> Result<Drift, Error> {
        self.0.drift(query, Some(Requester::Host)).await
    }

    /// Has the gateway of this variant send an event again, by the gateway's own id of it. It comes as a signed
    /// delivery like the first time; one that is in the inbox already is a duplicate and is not processed anew. For
    /// what was missed, [`Payments::reconcile`] needs no ids.
    ///
    /// # Errors
    /// `NotFound` for an unknown variant; `Gateway` when the gateway can't, or said no.
    pub async fn resend(&self, variant: &str, event_id: &str) -> Result<(), Error> {
        operations::resend(&self.0, variant, event_id).await
    }
}
