//! What a host can ask of subscriptions.

use super::Payments;
use crate::domain::identifier::{GatewayRef, Token, VariantName, searchable};
use crate::domain::operation::SubscriptionVerb;
use crate::domain::subscription::PlanChange;
use crate::engine::Subscription;
use crate::engine::request::Requester;
use crate::error::Error;
use crate::operations::{NewSubscription, Outcome, Subscribed, SubscriptionOrder};
use crate::reports::{SubscriptionList, SubscriptionQuery};

/// Reading subscriptions.
impl Payments {
    /// The subscription with this token of ours.
    ///
    /// # Errors
    /// What the database says.
    pub async fn subscription(&self, token: &Token) -> Result<Option<Subscription>, Error> {
        self.0.subscription(token).await
    }

    /// The subscription that this variant's gateway calls so (Stripe: `sub_…`).
    ///
    /// # Errors
    /// What the database says.
    pub async fn subscription_at(
        &self,
        variant: impl Into<VariantName>,
        gateway_ref: impl Into<GatewayRef>,
    ) -> Result<Option<Subscription>, Error> {
        let (variant, gateway_ref) = (variant.into(), gateway_ref.into());
        if ![&*variant, &*gateway_ref].into_iter().all(searchable) {
            return Ok(None);
        }
        let key = (variant.into(), gateway_ref.into());
        let read = move |tx: &mut dyn crate::store::Tx| {
            tx.subscriptions_of(std::slice::from_ref(&key), &[])?.first().map(Subscription::of).transpose()
        };
        self.0.read(read).await
    }

    /// The subscriptions that match, newest first.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/docs/shop.rs"));
    /// # fn main() { shop(async |payments| {
    /// use actix_payments::SubscriptionQuery;
    ///
    /// let list = payments.subscriptions(SubscriptionQuery::new().owner("user-42").limit(20)).await?;
    /// for subscription in &list.subscriptions {
    ///     let period = subscription.state.period;
    ///     println!("{}: {}, until {:?}", subscription.token, subscription.status(), period.map(|period| period.end));
    /// }
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    /// What the database says.
    pub async fn subscriptions(&self, query: SubscriptionQuery) -> Result<SubscriptionList, Error> {
        self.0.subscriptions(query).await
    }

    /// Whether any subscription of this owner is active now: trialing or active and not past its end, or past due for
    /// [`Builder::grace`](super::Builder::grace) at the most. A test does not count beside real money, see
    /// [`Variant::mode`](crate::Variant::mode). Always asks the database; [`RequireActive`](crate::RequireActive)
    /// remembers the answer for some seconds.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/docs/shop.rs"));
    /// # fn main() { shop(async |payments| {
    /// # use actix_payments::domain::Timestamp;
    /// # use actix_payments::domain::subscription::SubscriptionStatus;
    /// # use actix_payments::gateways::dummy::DummySubscription;
    /// # let now = Timestamp::now_utc().replace_nanosecond(0)?;
    /// # let event = DummySubscription::new("de_1", "ds_1", SubscriptionStatus::Active).owner("user-42").price("tea");
    /// # let event = event.period(now, now + std::time::Duration::from_secs(86_400));
    /// # payments.receive("dummy", dummy().subscription_delivery(&event, now)).await?;
    /// # payments.worker().drain().await?;
    /// assert!(payments.active("user-42").await?);
    /// assert!(!payments.active("user-43").await?);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    /// What the database says.
    pub async fn active(&self, owner: &str) -> Result<bool, Error> {
        self.0.is_active_now(owner).await
    }

    /// Sets a subscription's owner, by the host's own id; it outranks the owner in the gateway's objects. A worker runs
    /// the handlers of subscriptions.
    ///
    /// # Errors
    /// `NotFound` for an unknown token, `Refused` for an owner that can't be stored or a subscription that the gateway
    /// has not made yet, and what the database says.
    pub async fn give_owner(&self, token: &Token, owner: &str) -> Result<Subscription, Error> {
        self.0.give_owner(token, owner, Requester::Host).await
    }
}

/// Asking gateways to act on subscriptions. Each call is stored with its idempotency key before it is sent, and happens
/// once.
impl Payments {
    /// Starts a subscription at its gateway, on a page of the gateway's.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/docs/shop.rs"));
    /// # fn main() { shop(async |payments| {
    /// use actix_payments::{NewSubscription, Next};
    ///
    /// let new = NewSubscription::new("dummy", "tea").owner("user-42").return_url("https://shop.example/account");
    /// let started = payments.subscribe(new).await?;
    /// if let Next::Redirect(page) = &started.next {
    ///     println!("send the customer to {page}");
    /// }
    /// assert_eq!(started.subscription.owner(), Some("user-42"));
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    /// `NotFound` for an unknown variant, `Refused` for a text that can't be stored or a gateway without subscriptions,
    /// `Gateway` when the gateway did not start it (the row stays, incomplete), and what the database says.
    pub async fn subscribe(&self, new: NewSubscription) -> Result<Subscribed, Error> {
        self.0.subscribe(new).await
    }

    /// Ends a subscription now. Nothing is refunded by that.
    ///
    /// # Errors
    /// `NotFound` for an unknown token; `Refused` when it has ended, something else is underway or the gateway can't;
    /// `Gateway` when the gateway said no; and what the database says.
    pub async fn cancel_subscription(&self, token: &Token) -> Result<Outcome, Error> {
        self.0.operate_subscription(token, SubscriptionOrder::by_host(SubscriptionVerb::Cancel)).await
    }

    /// Lets a subscription end with the current period, which is paid for.
    ///
    /// # Errors
    /// As [`Payments::cancel_subscription`], and `Refused` when its end is decided already.
    pub async fn cancel_subscription_at_end(&self, token: &Token) -> Result<Outcome, Error> {
        self.0.operate_subscription(token, SubscriptionOrder::by_host(SubscriptionVerb::CancelAtEnd)).await
    }

    /// Lets a subscription continue whose end is scheduled but has not come yet.
    ///
    /// # Errors
    /// As [`Payments::cancel_subscription`], and `Refused` when no end is decided.
    pub async fn resume_subscription(&self, token: &Token) -> Result<Outcome, Error> {
        self.0.operate_subscription(token, SubscriptionOrder::by_host(SubscriptionVerb::Resume)).await
    }

    /// Pauses a subscription: nothing is charged until it is unpaused. Stripe leaves its status as it is and voids the
    /// invoices of the pause, so that an active one still counts as active; PayPal suspends it, and what is suspended
    /// ([`SubscriptionStatus::Paused`](crate::domain::subscription::SubscriptionStatus::Paused)) does not.
    ///
    /// # Errors
    /// As [`Payments::cancel_subscription`], and `Refused` when it is paused already or its first payment is to come.
    pub async fn pause_subscription(&self, token: &Token) -> Result<Outcome, Error> {
        self.0.operate_subscription(token, SubscriptionOrder::by_host(SubscriptionVerb::Pause)).await
    }

    /// Ends a subscription's pause. It is charged for the next period. If the subscription was paused as a whole (its
    /// status is `Paused`) and its period is over, a new period begins, for which Stripe charges at once.
    ///
    /// # Errors
    /// As [`Payments::cancel_subscription`], and `Refused` when it is not paused.
    pub async fn unpause_subscription(&self, token: &Token) -> Result<Outcome, Error> {
        self.0.operate_subscription(token, SubscriptionOrder::by_host(SubscriptionVerb::Unpause)).await
    }

    /// Changes a subscription's price, its quantity or both.
    ///
    /// ```no_run
    /// use actix_payments::{Payments, PlanChange, Proration, Token};
    ///
    /// # async fn example(payments: &Payments, token: &Token) -> Result<(), actix_payments::Error> {
    /// let more_seats = PlanChange::new().quantity(5).proration(Proration::InvoiceNow);
    /// payments.change_subscription(token, more_seats).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Payments::cancel_subscription`], and `Refused` for a change of nothing and where a schedule of the gateway's
    /// decides what becomes of the subscription.
    pub async fn change_subscription(&self, token: &Token, change: PlanChange) -> Result<Outcome, Error> {
        let order = SubscriptionOrder { change: Some(change), ..SubscriptionOrder::by_host(SubscriptionVerb::Change) };
        self.0.operate_subscription(token, order).await
    }

    /// Creates a page at the gateway on which customers manage their subscription themselves (Stripe's billing portal),
    /// and returns its address. Redirect at once: the address is short-lived, and whoever has it may act for the
    /// customer. `{token}` in `return_url`, where the customer goes afterwards, becomes the subscription's token.
    ///
    /// # Errors
    /// `NotFound` for an unknown token; `Refused` when the gateway has no such page or has not made the subscription
    /// yet; `Gateway` when it did not make the page; and what the database says.
    pub async fn portal_link(&self, token: &Token, return_url: &str) -> Result<String, Error> {
        self.0.portal_link(token, return_url).await
    }

    /// Asks the gateway for a subscription's current state; the answer is processed like every event.
    ///
    /// # Errors
    /// `NotFound` for an unknown token; `Refused` when the gateway can't be asked; `Gateway` when it did not say; and
    /// what the database says.
    pub async fn refresh_subscription(&self, token: &Token) -> Result<Outcome, Error> {
        self.0.operate_subscription(token, SubscriptionOrder::by_host(SubscriptionVerb::Refresh)).await
    }
}
