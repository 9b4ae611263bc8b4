//! What a gateway can be asked to do with subscriptions: a trait of its own, for gateways that have them.

use super::call::{BoxFuture, GatewayError, Started};
use crate::domain::Timestamp;
use crate::domain::event::Envelope;
pub use crate::domain::operation::SubscriptionVerb;

/// A gateway that can be asked to do something with subscriptions.
pub trait SubscriptionGateway: Send + Sync {
    /// Whether it supports this verb in its current configuration.
    ///
    /// # Errors
    /// Why not, as a sentence for an operator.
    fn supports(&self, verb: SubscriptionVerb) -> Result<(), String>;

    /// Starts a subscription on a page of the gateway's. Its events must contain the request's token.
    ///
    /// # Errors
    /// See [`GatewayError`].
    fn subscribe<'a>(&'a self, request: &'a SubscriptionRequest) -> BoxFuture<'a, Result<Started, GatewayError>>;

    /// Does something with a subscription, or asks for its current state. Returns the resulting state as events, which
    /// are stored and processed like all others. Their ids are derived from the call's idempotency key.
    ///
    /// # Errors
    /// See [`GatewayError`].
    fn call<'a>(&'a self, call: &'a SubscriptionCall) -> BoxFuture<'a, Result<Vec<Envelope>, GatewayError>>;
}

/// A subscription to be started at a gateway.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SubscriptionRequest {
    /// Our public id of the subscription.
    pub token: String,
    /// The gateway's id of the price or plan.
    pub price: String,
    /// How many.
    pub quantity: u32,
    /// The host's own id of whom it belongs to.
    pub owner: Option<String>,
    /// The customer's email address.
    pub customer: Option<String>,
    /// How many days the first ones are free.
    pub trial_days: Option<u32>,
    /// The language of the checkout page, an IETF language tag: `de`, `pt-BR`.
    pub locale: Option<String>,
    /// Where the customer returns to afterwards.
    pub return_url: Option<String>,
    /// Where the customer returns to after giving up.
    pub cancel_url: Option<String>,
}

/// A call about one subscription.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SubscriptionCall {
    /// What to do.
    pub verb: SubscriptionVerb,
    /// The gateway's id of the subscription.
    pub gateway_ref: String,
    /// The idempotency key, the same for every try of a call: at most 60 letters, digits and underscores.
    pub idempotency_key: String,
    /// The number of this try, from 1.
    pub tries: u32,
    /// When the call was first requested, by our clock.
    pub requested_at: Timestamp,
}
