//! A variant: a gateway under a name, and what is to happen to its events.

use std::fmt;
use std::time::Duration;

use crate::gateways::{Gateway, Mode};

/// A configured gateway, and what happens to its events. A gateway becomes one by `.into()`.
///
/// ```
/// use std::time::Duration;
///
/// use actix_payments::gateways::{Mode, stripe::Stripe};
/// use actix_payments::{ModePolicy, Unmatched, Variant};
///
/// let variant = Variant::new(Stripe::new("whsec_live"))
///     .mode(Mode::Live, ModePolicy::Ignore)
///     .unmatched(Unmatched::Park)
///     .grace(Duration::from_secs(300));
/// # drop(variant);
/// ```
#[must_use = "a variant is added by `Builder::variant`"]
pub struct Variant {
    pub(crate) gateway: Box<dyn Gateway>,
    pub(crate) unmatched: Unmatched,
    pub(crate) grace: Duration,
    pub(crate) live: Option<bool>,
    pub(crate) mode: ModePolicy,
}

/// What happens to events that match no payment, since the money was not requested here (Payment Links, the gateway's
/// own dashboard, another app on the same account).
///
/// See [`Variant`] for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unmatched {
    /// After the grace time a payment is made from the event. A subscription is made at once, also under
    /// [`Unmatched::Park`], since every event shows the whole subscription.
    Adopt,
    /// They wait until a payment has one of their references, however long that takes. Money of subscriptions that were
    /// started here does not wait, also not under [`Unmatched::Ignore`]: payments are made from its events at once.
    Park,
    /// They are stored and nothing more happens; the same holds for events of subscriptions that were not started here.
    /// If a payment has one of their references later, they are processed then, as long as their bodies are kept.
    Ignore,
}

/// What happens to events of the other mode: test events on a live variant, or live events on a test variant.
///
/// See [`Variant`] for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModePolicy {
    /// They count like any other.
    Accept,
    /// They count, and their payment needs review. A subscription from such events does not count as active.
    Flag,
    /// They are kept and change nothing.
    Ignore,
}

impl<G: Gateway> From<G> for Variant {
    fn from(gateway: G) -> Self {
        Self {
            gateway: Box::new(gateway),
            unmatched: Unmatched::Adopt,
            grace: Duration::from_secs(60),
            live: None,
            mode: ModePolicy::Flag,
        }
    }
}

impl Variant {
    /// A variant of this gateway.
    pub fn new(gateway: impl Gateway) -> Self {
        gateway.into()
    }

    /// What happens to events that match no payment. Default [`Unmatched::Adopt`], so that the admin lists everything
    /// that the account received.
    pub fn unmatched(mut self, policy: Unmatched) -> Self {
        self.unmatched = policy;
        self
    }

    /// How long an event waits for its payment before one is made from it. Default 60 seconds: longer than the host
    /// takes to create a payment, shorter than a person takes to ask.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Says which mode this variant is for, and what happens to events of the other one. Default: both modes, since
    /// each signing secret belongs to one mode anyway. A test subscription then counts as active only as long as no
    /// variant has a subscription with real money.
    pub fn mode(mut self, mode: Mode, others: ModePolicy) -> Self {
        self.live = Some(mode == Mode::Live);
        self.mode = others;
        self
    }
}

impl fmt::Debug for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variant")
            .field("gateway", &self.gateway.name())
            .field("unmatched", &self.unmatched)
            .field("grace", &self.grace)
            .finish_non_exhaustive()
    }
}
