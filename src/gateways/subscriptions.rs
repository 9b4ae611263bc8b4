//! Calls about subscriptions: a trait of its own, for gateways that have them.
//!
//! See [`SubscriptionGateway`] for an example.

use super::call::{BoxFuture, GatewayError, Started};
use crate::domain::Timestamp;
use crate::domain::event::Envelope;
use crate::domain::identifier::{GatewayRef, Token};
pub use crate::domain::operation::SubscriptionVerb;
pub use crate::domain::subscription::{PlanChange, Proration};
use crate::domain::subscription::{SubscriptionFacts, SubscriptionState};

/// A gateway that can be asked to do something with subscriptions.
///
/// ```
/// use actix_payments::domain::event::Envelope;
/// use actix_payments::gateways::subscriptions::{
///     PortalRequest, SubscriptionCall, SubscriptionGateway, SubscriptionRequest, SubscriptionVerb,
/// };
/// use actix_payments::gateways::{BoxFuture, GatewayError, Started};
///
/// struct Acme;
///
/// impl SubscriptionGateway for Acme {
///     fn supports(&self, verb: SubscriptionVerb) -> Result<(), String> {
///         match verb {
///             SubscriptionVerb::Cancel => Ok(()),
///             _ => Err(format!("Acme can't {} a subscription", verb.words())),
///         }
///     }
///
///     fn subscribe<'a>(&'a self, request: &'a SubscriptionRequest) -> BoxFuture<'a, Result<Started, GatewayError>> {
///         let url = format!("https://acme.example/{}?for={}", request.price, request.token);
///         Box::pin(async move { Ok(Started::Redirect { url, gateway_refs: Vec::new() }) })
///     }
///
///     fn call<'a>(&'a self, call: &'a SubscriptionCall) -> BoxFuture<'a, Result<Vec<Envelope>, GatewayError>> {
///         Box::pin(async move {
///             self.supports(call.verb).map_err(GatewayError::Unsupported)?;
///             // A real gateway asks the company here.
///             Ok(vec![Envelope::new(format!("{}-1", call.idempotency_key), "ended", call.gateway_ref.to_string())])
///         })
///     }
///
///     fn portal<'a>(&'a self, request: &'a PortalRequest) -> BoxFuture<'a, Result<String, GatewayError>> {
///         let url = format!("https://acme.example/manage/{}?then={}", request.gateway_ref, request.return_url);
///         Box::pin(async move { Ok(url) })
///     }
/// }
/// ```
pub trait SubscriptionGateway: Send + Sync {
    /// Whether it supports this verb in its current configuration.
    ///
    /// # Errors
    /// Why not, as a sentence for an operator.
    fn supports(&self, verb: SubscriptionVerb) -> Result<(), String>;

    /// Whether it can start a subscription in its current configuration. Default: it can.
    ///
    /// # Errors
    /// Why not, as a sentence for a developer.
    fn can_subscribe(&self) -> Result<(), String> {
        Ok(())
    }

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

    /// Creates a page at the gateway on which customers manage their subscription themselves (Stripe's billing portal),
    /// and returns its address. Whoever has the address may act for the customer, so it is not stored. Default:
    /// unsupported.
    ///
    /// # Errors
    /// See [`GatewayError`].
    fn portal<'a>(&'a self, request: &'a PortalRequest) -> BoxFuture<'a, Result<String, GatewayError>> {
        let _ = request;
        let why = "it has no page on which customers manage their subscriptions";
        Box::pin(std::future::ready(Err(GatewayError::Unsupported(why.to_owned()))))
    }
}

/// A page on which a customer manages a subscription.
///
/// See [`SubscriptionGateway`] for an example.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PortalRequest {
    /// The gateway's id of the subscription.
    pub gateway_ref: GatewayRef,
    /// The account that its events name, as in [`SubscriptionCall::account`].
    pub account: Option<String>,
    /// The gateway's id of the customer, as far as it is known.
    pub customer_ref: Option<GatewayRef>,
    /// How the subscription stands as far as events have shown it.
    pub state: SubscriptionState,
    /// The path at which the variant is mounted, as in [`SubscriptionRequest::address`].
    pub address: Option<String>,
    /// Where the customer returns to afterwards.
    pub return_url: String,
}

impl PortalRequest {
    /// A page for the subscription with this id, which stands so. Its fields say the rest.
    pub fn new(gateway_ref: impl Into<GatewayRef>, state: SubscriptionState, return_url: impl Into<String>) -> Self {
        let (gateway_ref, return_url) = (gateway_ref.into(), return_url.into());
        Self { gateway_ref, account: None, customer_ref: None, state, address: None, return_url }
    }
}

/// A subscription to be started at a gateway.
///
/// See [`SubscriptionGateway`] for an example.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SubscriptionRequest {
    /// Our public id of the subscription.
    pub token: Token,
    /// The account at the gateway for which it is started, as in
    /// [`PaymentRequest::account`](super::PaymentRequest::account).
    pub account: Option<String>,
    /// The gateway's id of the price or plan.
    pub price: String,
    /// How many.
    pub quantity: u32,
    /// The host's own id of the owner.
    pub owner: Option<String>,
    /// The customer's email address.
    pub customer: Option<String>,
    /// How many days are free at the beginning.
    pub trial_days: Option<u32>,
    /// The language of the checkout page, an IETF language tag: `de`, `pt-BR`.
    pub locale: Option<String>,
    /// The path at which the variant is mounted, from the host's root and without a trailing slash: `/payments/dummy`.
    /// `None` if it is not mounted.
    pub address: Option<String>,
    /// Where the customer returns to afterwards.
    pub return_url: Option<String>,
    /// Where the customer returns to after giving up.
    pub cancel_url: Option<String>,
}

/// A call about one subscription.
///
/// See [`SubscriptionGateway`] for an example.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SubscriptionCall {
    /// What to do.
    pub verb: SubscriptionVerb,
    /// The gateway's id of the subscription.
    pub gateway_ref: GatewayRef,
    /// The account that its events name, if that is not the merchant's own: at Stripe, a connected one.
    pub account: Option<String>,
    /// For [`SubscriptionVerb::Change`]: what is to change. The same for every try of a call.
    pub change: Option<PlanChange>,
    /// How the subscription stands as far as events have shown it, at this try.
    pub state: SubscriptionState,
    /// The idempotency key, the same for every try of a call: at most 60 letters, digits and underscores.
    pub idempotency_key: String,
    /// The number of this try, from 1.
    pub tries: u32,
    /// When the call was first requested, by our clock.
    pub requested_at: Timestamp,
}

impl SubscriptionRequest {
    /// A request with a token and a price, one of it; all other fields are empty.
    pub fn new(token: impl Into<Token>, price: impl Into<String>) -> Self {
        Self {
            token: token.into(),
            account: None,
            price: price.into(),
            quantity: 1,
            owner: None,
            customer: None,
            trial_days: None,
            locale: None,
            address: None,
            return_url: None,
            cancel_url: None,
        }
    }
}

impl SubscriptionCall {
    /// The first try of a call about the subscription with this id, without a known state.
    pub fn new(verb: SubscriptionVerb, gateway_ref: impl Into<GatewayRef>, idempotency_key: impl Into<String>) -> Self {
        Self {
            verb,
            gateway_ref: gateway_ref.into(),
            account: None,
            change: None,
            state: SubscriptionFacts::default().state(),
            idempotency_key: idempotency_key.into(),
            tries: 1,
            requested_at: Timestamp::UNIX_EPOCH,
        }
    }
}

/// Refuses, for a gateway whose subscriptions this crate starts and ends only, to pause or change one.
pub(crate) fn never_paused_nor_changed(company: &str, verb: SubscriptionVerb) -> Result<(), String> {
    match verb {
        SubscriptionVerb::Pause | SubscriptionVerb::Unpause | SubscriptionVerb::Change => {
            Err(format!("{company} can't be asked from here to pause or change a subscription: use its dashboard."))
        }
        _ => Ok(()),
    }
}
