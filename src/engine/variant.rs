//! A variant: a gateway under a name, and what is to happen to its events.

use std::fmt;
use std::time::Duration;

use crate::gateways::{Gateway, Mode};

/// A configured gateway with what is to happen to its events. Made from a gateway by `.into()`.
#[must_use = "a variant is added by `Builder::variant`"]
pub struct Variant {
    pub(crate) gateway: Box<dyn Gateway>,
    pub(crate) unmatched: Unmatched,
    pub(crate) grace: Duration,
    pub(crate) live: Option<bool>,
    pub(crate) mode: ModePolicy,
}

/// What becomes of events for which no payment was created here (Payment Links, the gateway's own dashboard,
/// another app on the same account).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unmatched {
    /// After the grace time a payment is made from the event. A subscription is made at once, under
    /// [`Unmatched::Park`] too: an event shows it whole.
    Adopt,
    /// They wait until a payment bears one of their references, however long. The money of subscriptions that were
    /// started here does not wait, under [`Unmatched::Ignore`] either: payments are made from its events at once.
    Park,
    /// They are kept and nothing more happens, nor with events of subscriptions that were not started here. Where a
    /// payment bears one of their references later, they are taken up, as long as their bodies are kept.
    Ignore,
}

/// What becomes of events of the other mode: test events on a live variant, or live events on a test variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModePolicy {
    /// They count like any other.
    Accept,
    /// They count, and their payment needs review. Their subscription does not count as active.
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

    /// What becomes of events that match no payment. Default [`Unmatched::Adopt`], so that the admin lists all
    /// that the account took.
    pub fn unmatched(mut self, policy: Unmatched) -> Self {
        self.unmatched = policy;
        self
    }

    /// How long an event may wait for its payment before it is adopted. Default 60 seconds: longer than the host
    /// takes to create a payment, shorter than a person takes to ask.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Says which mode this variant is for, and what becomes of events of the other one. Default:
    /// it is for both, because a signing secret is of one mode already. Then a test subscription counts as active only
    /// as long as there is no subscription of real money, through whichever variant.
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
