//! What a host can ask of gateways: to start and change payments, and to say how they stand.

use super::Payments;
use crate::domain::identifier::{Token, VariantName};
use crate::domain::money::Money;
use crate::engine::request::{Requester, Wanted};
use crate::error::Error;
use crate::gateways::Verb;
use crate::operations::{self, Created, Drift, DriftQuery, NewPayment, Outcome, Reconciled, Refund};

/// Asking gateways to act. Each call is stored with its idempotency key before it is sent, and happens once.
impl Payments {
    /// Creates a payment and starts it at its gateway.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/docs/shop.rs"));
    /// # fn main() { shop(async |payments| {
    /// use actix_payments::domain::money::{Currency, Money};
    /// use actix_payments::{NewPayment, Next};
    ///
    /// let order = NewPayment::new("dummy", Money::new(49_99, Currency::EUR))
    ///     .key("order-10042-1")
    ///     .reference("order-10042")
    ///     .customer("mia@shop.example")
    ///     .item("Teapot", 1, 49_99)
    ///     .return_url("https://shop.example/thanks/{token}");
    /// let created = payments.create(order).await?;
    /// match created.next {
    ///     Next::Redirect(page) => println!("send the customer of {} to {page}", created.payment.token),
    ///     _ => println!("there is no page: show the shop's own form"),
    /// }
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    /// `NotFound` for an unknown variant, `Refused` for an amount below zero, a text that can't be stored or a
    /// [`NewPayment::key`] of another payment, `Gateway` when the gateway did not start it (the payment stays,
    /// pending), and what the database says.
    pub async fn create(&self, new: NewPayment) -> Result<Created, Error> {
        self.0.create(new).await
    }

    /// Takes the money of an authorized payment: all of it, or `part`; what is left is released.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/docs/shop.rs"));
    /// # fn main() { shop(async |payments| {
    /// # use actix_payments::gateways::dummy::Kind;
    /// use actix_payments::Outcome;
    /// use actix_payments::domain::money::Money;
    ///
    /// # let payment = order(&payments, Kind::Authorized).await?;
    /// // Not all of it could be shipped.
    /// let part = Money::new(30_00, payment.amount.currency);
    /// match payments.capture(&payment.token, Some(part)).await? {
    ///     Outcome::Done => println!("{part} were captured"),
    ///     _ => println!("the gateway has not answered yet: a worker goes on asking"),
    /// }
    /// # payments.worker().drain().await?;
    /// # assert_eq!(payments.payment(&payment.token).await?.unwrap().captured, part);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    /// `NotFound` for an unknown token; `Refused` when the payment is not authorized, the part is more than it, or
    /// the gateway can't; `Gateway` when the gateway said no; and what the database says.
    pub async fn capture(&self, token: &Token, part: Option<Money>) -> Result<Outcome, Error> {
        self.0.operate(token, Wanted { amount: part, ..Wanted::by_host(Verb::Capture) }).await
    }

    /// Cancels a payment: closes its checkout, or releases the authorized money.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/docs/shop.rs"));
    /// # fn main() { shop(async |payments| {
    /// # use actix_payments::gateways::dummy::Kind;
    /// use actix_payments::domain::payment::Status;
    ///
    /// # let payment = order(&payments, Kind::Authorized).await?;
    /// payments.cancel(&payment.token).await?;
    /// # payments.worker().drain().await?;
    /// assert_eq!(payments.payment(&payment.token).await?.unwrap().status, Status::Canceled);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    /// `NotFound` for an unknown token; `Refused` when money has moved or the gateway can't; `Gateway` when the gateway
    /// said no; and what the database says.
    pub async fn cancel(&self, token: &Token) -> Result<Outcome, Error> {
        self.0.operate(token, Wanted::by_host(Verb::Cancel)).await
    }

    /// Returns money of a paid payment.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/docs/shop.rs"));
    /// # fn main() { shop(async |payments| {
    /// # use actix_payments::gateways::dummy::Kind;
    /// use actix_payments::Refund;
    /// use actix_payments::domain::money::{Currency, Money};
    ///
    /// # let payment = order(&payments, Kind::Paid).await?;
    /// // The key makes a second call, as after a click too many, find the first refund.
    /// let refund = Refund::part(Money::new(10_00, Currency::EUR)).key("return-7");
    /// payments.refund(&payment.token, refund).await?;
    /// # payments.worker().drain().await?;
    /// let payment = payments.payment(&payment.token).await?.unwrap();
    /// assert_eq!(payment.refunded.decimal(), "10.00");
    /// assert_eq!(payment.remaining().decimal(), "39.99");
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    /// `NotFound` for an unknown token; `Refused` when nothing is left to refund, the part is more than what is left or
    /// of another currency, or the gateway can't; `Gateway` when the gateway said no; and what the database says.
    pub async fn refund(&self, token: &Token, refund: Refund) -> Result<Outcome, Error> {
        self.0.operate(token, refund.wanted(token)).await
    }

    /// Has the gateway capture, or authorize, what the customer has approved. A worker does that as soon as an event
    /// says that the gateway waits for it, and so does [`Payments::catch_up`]. Call this if you know earlier, or for a
    /// payment that needs review, which is not completed automatically.
    ///
    /// # Errors
    /// `NotFound` for an unknown token; `Refused` when the payment is not pending or failed, its money is on the way
    /// already or may be, or the gateway goes on by itself; `Gateway` when the gateway said no, as when nobody agreed;
    /// and what the database says.
    pub async fn complete(&self, token: &Token) -> Result<Outcome, Error> {
        self.0.operate(token, Wanted::by_host(Verb::Complete)).await
    }
}

/// Asking gateways to tell. Changes nothing at the gateway.
impl Payments {
    /// Asks the gateway for the payment's current state; the answer is processed like every event.
    ///
    /// # Errors
    /// `NotFound` for an unknown token; `Refused` when the gateway can't be asked; `Gateway` when it did not say; and
    /// what the database says.
    pub async fn refresh(&self, token: &Token) -> Result<Outcome, Error> {
        self.0.operate(token, Wanted::by_host(Verb::Refresh)).await
    }

    /// Fetches the variant's missed events: those since the last run that are not in this database, and on the first
    /// run those of the last day. Only kinds that are about payments, or for which there is a handler, are stored.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/docs/shop.rs"));
    /// # fn main() { shop(async |payments| {
    /// let reconciled = payments.reconcile("dummy").await?;
    /// println!("{} of the gateway's {} events were missing", reconciled.found, reconciled.listed);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    /// `NotFound` for an unknown variant; `Gateway` when the gateway has no list or did not say; and what the database
    /// says.
    pub async fn reconcile(&self, variant: impl Into<VariantName>) -> Result<Reconciled, Error> {
        let variant = variant.into();
        self.0.reconcile(&variant).await
    }

    /// Compares payments and subscriptions with their gateway, by its lists and by asking about single ones. It finds
    /// differences that neither deliveries nor the gateway's list of events show any more, and objects that belong to
    /// nothing here. Changes nothing. Events in the inbox do not count yet, so let a worker process them first.
    ///
    /// ```no_run
    /// use actix_payments::{DriftQuery, Payments};
    ///
    /// # async fn example(payments: &Payments) -> Result<(), actix_payments::Error> {
    /// let drift = payments.drift(DriftQuery::new("stripe").per_second(2)).await?;
    /// for difference in &drift.differences {
    ///     for value in &difference.values {
    ///         println!("{} {}: here {}, there {}", difference.name, value.field, value.ours, value.theirs);
    ///     }
    /// }
    /// println!("{} compared, {} could not be asked about", drift.compared, drift.unanswered.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NotFound` for an unknown variant; `Refused` where its gateway can't be asked; `Gateway` when it does not answer;
    /// and what the database says.
    pub async fn drift(&self, query: DriftQuery) -> Result<Drift, Error> {
        self.0.drift(query, None).await
    }

    /// The same, and repairs each difference with a refresh. Objects that belong to nothing here are adopted, if the
    /// variant [adopts](crate::Unmatched::Adopt) unmatched events. A difference that could not be repaired says why.
    ///
    /// # Errors
    /// As those of [`Payments::drift`]; what was repaired before stays repaired.
    pub async fn repair_drift(&self, query: DriftQuery) -> Result<Drift, Error> {
        self.0.drift(query, Some(Requester::Host)).await
    }

    /// Has the gateway of this variant send the event with this gateway id again. It comes as a signed delivery, like
    /// the first time; an event that is in the inbox already is a duplicate and is not processed again. To fetch missed
    /// events without knowing their ids, use [`Payments::reconcile`].
    ///
    /// # Errors
    /// `NotFound` for an unknown variant; `Gateway` when the gateway can't, or said no.
    pub async fn resend(&self, variant: impl Into<VariantName>, event_id: &str) -> Result<(), Error> {
        let variant = variant.into();
        operations::resend(&self.0, &variant, event_id).await
    }
}
