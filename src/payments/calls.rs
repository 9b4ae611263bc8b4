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
    pub async fn capture(&self, token: &Token, part: Option<Money>) -> Result<Outcome, Error> {
        self.0.operate(token, Wanted { amount: part, ..Wanted::by_host(Verb::Capture) }).await
    }

    /// Cancels a payment: closes its checkout, or releases the authorized money.
    ///
    /// # Errors
    /// `NotFound` for an unknown token; `Refused` when money has moved or the gateway can't; `Gateway` when the gateway
    /// said no; and what the database says.
    pub async fn cancel(&self, token: &Token) -> Result<Outcome, Error> {
        self.0.operate(token, Wanted::by_host(Verb::Cancel)).await
    }

    /// Returns money of a paid payment.
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
