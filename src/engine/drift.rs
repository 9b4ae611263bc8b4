//! What comparing with gateways goes by: what of a gateway can be compared, which span, at which pace, under which name.

use std::time::Duration;

use super::Variant;
use crate::domain::operation::{SubscriptionVerb, Verb};

/// How far back is compared, unless somebody says otherwise: three times as far as Stripe lists its events.
pub(crate) const SPAN: time::Duration = time::Duration::days(90);
/// What is younger at the gateway may still be under way here.
pub(crate) const UNDER_WAY: Duration = Duration::from_secs(600);
/// How many requests a second: gateways allow 25 and more.
pub(crate) const PER_SECOND: u32 = 10;

/// The name of the chore that compares a variant with its gateway.
pub(crate) fn chore(variant: &str) -> String {
    format!("drift:{variant}")
}

/// What of a gateway can be compared.
pub(crate) struct Comparable {
    /// Whether it lists its objects.
    pub(crate) lists: bool,
    /// Whether it can be asked about one of ours.
    pub(crate) payments: bool,
    pub(crate) subscriptions: bool,
}

impl Comparable {
    /// What can be compared of this variant.
    ///
    /// # Errors
    /// Why nothing can, a sentence.
    pub(crate) fn of(variant: &Variant) -> Result<Self, String> {
        let gateway = &variant.gateway;
        let can = gateway.supports(Verb::Refresh);
        let subscriptions = gateway.subscriptions().map(|it| it.supports(SubscriptionVerb::Refresh).is_ok());
        let able = Self {
            lists: gateway.objects().is_some(),
            payments: can.is_ok(),
            subscriptions: subscriptions.unwrap_or(false),
        };
        match can {
            Err(why) if !able.lists && !able.subscriptions => Err(why),
            _ => Ok(able),
        }
    }
}
