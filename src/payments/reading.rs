//! What a host reads of payments and events.

use bytes::Bytes;

use super::Payments;
use crate::domain::identifier::{GatewayRef, Reference, Token, VariantName};
use crate::engine::Payment;
use crate::error::Error;
use crate::reports::reading::{EventList, EventQuery, PaymentHistory, PaymentList, PaymentQuery, StoredEvent, Walk};

/// Reading lists and stories.
impl Payments {
    /// A part of the payments that match, for a page of your own.
    ///
    /// ```no_run
    /// use actix_payments::domain::payment::Status;
    /// use actix_payments::{PaymentQuery, Payments};
    ///
    /// # async fn example(payments: &Payments) -> Result<(), actix_payments::Error> {
    /// let paid = PaymentQuery::new().customer("mia@shop.example").status(Status::Paid).limit(20);
    /// for payment in payments.list(paid).await?.payments {
    ///     println!("{} of {:?}", payment.captured, payment.created_at.date());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What the database says; also `Storage` if a row of the list can't be read, since a list without it would look
    /// complete.
    pub async fn list(&self, query: PaymentQuery) -> Result<PaymentList, Error> {
        self.0.list_payments(query).await
    }

    /// All payments that match, however many, for an export or a nightly comparison.
    ///
    /// ```no_run
    /// use actix_payments::{PaymentQuery, Payments};
    ///
    /// # async fn example(payments: &Payments) -> Result<(), actix_payments::Error> {
    /// let mut all = payments.walk(PaymentQuery::new().variant("stripe").oldest_first());
    /// while let Some(payment) = all.next().await? {
    ///     println!("{};{};{}", payment.token, payment.status, payment.captured.minor);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn walk(&self, query: PaymentQuery) -> Walk<Payment> {
        self.0.walk_payments(query)
    }

    /// The payments that bear this reference of the host's, newest first; a hundred at the most. Usually it is one: a
    /// customer who tried again through another payment makes two.
    ///
    /// # Errors
    /// What the database says.
    pub async fn payments_with_reference(&self, reference: &Reference) -> Result<Vec<Payment>, Error> {
        self.0.payments_with_reference(reference).await
    }

    /// The payment to which this object of the gateway's belongs: a checkout, an intent, a charge, a refund, a dispute,
    /// by the gateway's id.
    ///
    /// # Errors
    /// What the database says.
    pub async fn payment_at(
        &self,
        variant: impl Into<VariantName>,
        gateway_ref: impl Into<GatewayRef>,
    ) -> Result<Option<Payment>, Error> {
        let (variant, gateway_ref) = (variant.into(), gateway_ref.into());
        self.0.payment_at(&variant, &gateway_ref).await
    }

    /// What became of one payment, and when: its transitions, refunds, disputes, movements and events, and the
    /// gateway's ids; `None` for an unknown token.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/docs/shop.rs"));
    /// # fn main() { shop(async |payments| {
    /// # use actix_payments::Refund;
    /// # use actix_payments::gateways::dummy::Kind;
    /// # let token = order(&payments, Kind::Paid).await?.token;
    /// # payments.refund(&token, Refund::all()).await?;
    /// # payments.worker().drain().await?;
    /// let history = payments.history(&token).await?.unwrap();
    /// for step in &history.transitions {
    ///     println!("{}: {} became {}, since {}", step.at, step.from, step.to, step.cause);
    /// }
    /// for refund in &history.refunds {
    ///     println!("{} is {}: {:?}", refund.gateway_ref, refund.state, refund.amount);
    /// }
    /// for dispute in &history.disputes {
    ///     println!("{} is {}, to be answered by {:?}", dispute.gateway_ref, dispute.state, dispute.until);
    /// }
    /// for movement in &history.movements {
    ///     println!("{} {} minor units of {}", movement.kind, movement.amount, movement.currency);
    /// }
    /// # assert_eq!((history.transitions.len(), history.refunds.len(), history.movements.len()), (2, 1, 2));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    /// What the database says.
    pub async fn history(&self, token: &Token) -> Result<Option<PaymentHistory>, Error> {
        self.0.payment_history(token).await
    }

    /// A part of the events that match, newest first.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/docs/shop.rs"));
    /// # fn main() { shop(async |payments| {
    /// # use actix_payments::gateways::dummy::Kind;
    /// use actix_payments::EventQuery;
    /// use actix_payments::domain::event::EventState;
    ///
    /// # order(&payments, Kind::Paid).await?;
    /// let query = EventQuery::new().variant("dummy").kind("payment.paid").state(EventState::Completed).limit(50);
    /// let page = payments.events(query.clone()).await?;
    /// for event in &page.events {
    ///     println!("{} ({}): {}", event.id, event.source, event.outcome.as_deref().unwrap_or("no outcome yet"));
    /// }
    /// if let Some(next) = page.next {
    ///     let older = payments.events(query.after(next)).await?;
    ///     println!("{} more", older.events.len());
    /// }
    /// # assert_eq!(page.events.len(), 1);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    /// As [`Payments::list`].
    pub async fn events(&self, query: EventQuery) -> Result<EventList, Error> {
        self.0.list_events(query).await
    }

    /// All events that match, newest first, however many.
    pub fn walk_events(&self, query: EventQuery) -> Walk<StoredEvent> {
        self.0.walk_events(query)
    }

    /// The event that the gateway of this variant knows by this id, and its body, unless that was pruned.
    ///
    /// # Errors
    /// What the database says.
    pub async fn event(
        &self,
        variant: impl Into<VariantName>,
        id: &str,
    ) -> Result<Option<(StoredEvent, Option<Bytes>)>, Error> {
        let variant = variant.into();
        self.0.stored_event(&variant, id).await
    }
}
