//! A change of a subscription's price or quantity, and how a change within a period is billed.

use serde::{Deserialize, Serialize};

/// A change of a subscription's price or quantity. Whatever is not set stays as it is.
///
/// See [`Payments::change_subscription`](crate::Payments::change_subscription) for an example.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[must_use = "a plan changes by `Payments::change_subscription`"]
pub struct PlanChange {
    /// The gateway's id of the new price or plan.
    #[serde(default)]
    pub price: Option<String>,
    /// How many of it.
    #[serde(default)]
    pub quantity: Option<u32>,
    /// The gateway's id of the price that is changed; `None` if the subscription has only one.
    #[serde(default)]
    pub of: Option<String>,
    /// How the rest of the period is billed; `None` for the gateway's own default.
    #[serde(default)]
    pub proration: Option<Proration>,
}

/// How the rest of a period is billed when a subscription changes within it.
///
/// See [`Payments::change_subscription`](crate::Payments::change_subscription) for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Proration {
    /// The difference is on the next invoice.
    NextInvoice,
    /// The difference is invoiced and charged at once.
    InvoiceNow,
    /// The current period stays as it was billed.
    None,
}

impl PlanChange {
    /// An empty change.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the price or plan, the gateway's id of it. Default: the price stays.
    pub fn price(mut self, price: impl Into<String>) -> Self {
        self.price = Some(price.into());
        self
    }

    /// Sets how many. Default: the quantity stays.
    pub fn quantity(mut self, quantity: u32) -> Self {
        self.quantity = Some(quantity);
        self
    }

    /// Names the price that is changed, where the subscription has several. Default: its only one.
    pub fn of(mut self, price: impl Into<String>) -> Self {
        self.of = Some(price.into());
        self
    }

    /// Sets how the rest of the period is billed. Default: as the gateway does by itself; Stripe puts the difference on
    /// the next invoice.
    pub fn proration(mut self, proration: Proration) -> Self {
        self.proration = Some(proration);
        self
    }

    /// The change in words: `price_2, quantity 3`.
    pub(crate) fn words(&self) -> String {
        let quantity = self.quantity.map(|quantity| format!("quantity {quantity}"));
        let parts: Vec<String> = self.price.iter().cloned().chain(quantity).collect();
        parts.join(", ")
    }
}
