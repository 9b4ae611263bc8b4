//! What a gateway says of a subscription as a whole, in one event.

use serde::{Deserialize, Serialize};

use super::kept::{maybe_money, maybe_time, time};
use super::status::SubscriptionStatus;
use crate::domain::Timestamp;
use crate::domain::identifier::GatewayRef;
use crate::domain::money::Money;

/// A subscription as one event shows it.
///
/// See [`SubscriptionFacts`](super::SubscriptionFacts) for an example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SubscriptionContent {
    /// The status.
    pub status: SubscriptionStatus,
    /// The gateway's own word for the status, verbatim.
    pub gateway_status: String,
    /// The host's own id of the owner, if the host attached it to the gateway's object.
    #[serde(default)]
    pub owner: Option<String>,
    /// The gateway's id of the customer.
    #[serde(default)]
    pub customer_ref: Option<GatewayRef>,
    /// What is subscribed to.
    #[serde(default)]
    pub items: Vec<SubscriptionItem>,
    /// When it began, if the gateway says.
    #[serde(default, with = "maybe_time")]
    pub started_at: Option<Timestamp>,
    /// The billing period that is under way.
    #[serde(default)]
    pub period: Option<BillingPeriod>,
    /// When it renews next, where the gateway says that instead of a billing period.
    #[serde(default, with = "maybe_time", skip_serializing_if = "Option::is_none")]
    pub renews_at: Option<Timestamp>,
    /// When the trial ends or ended.
    #[serde(default, with = "maybe_time")]
    pub trial_end: Option<Timestamp>,
    /// When it will end, if that is decided.
    #[serde(default, with = "maybe_time")]
    pub cancel_at: Option<Timestamp>,
    /// Whether it ends with the period that is under way.
    #[serde(default)]
    pub cancel_at_period_end: bool,
    /// When somebody decided that it ends.
    #[serde(default, with = "maybe_time")]
    pub canceled_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, with = "maybe_time")]
    pub ended_at: Option<Timestamp>,
    /// How charging is paused, if the gateway keeps that separate from the status.
    #[serde(default)]
    pub pause: Option<CollectionPause>,
    /// The gateway's id of the newest invoice.
    #[serde(default)]
    pub latest_invoice: Option<GatewayRef>,
    /// The gateway's id of the schedule that controls it (Stripe: `sub_sched_…`).
    #[serde(default)]
    pub schedule: Option<GatewayRef>,
}

impl SubscriptionContent {
    /// A subscription of which nothing but the status is known; `gateway_status` is the gateway's own word for it.
    pub fn new(status: SubscriptionStatus, gateway_status: impl Into<String>) -> Self {
        Self {
            status,
            gateway_status: gateway_status.into(),
            owner: None,
            customer_ref: None,
            items: Vec::new(),
            started_at: None,
            period: None,
            renews_at: None,
            trial_end: None,
            cancel_at: None,
            cancel_at_period_end: false,
            canceled_at: None,
            ended_at: None,
            pause: None,
            latest_invoice: None,
            schedule: None,
        }
    }
}

/// One price that is subscribed to.
///
/// See [`SubscriptionFacts`](super::SubscriptionFacts) for an example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SubscriptionItem {
    /// The gateway's id of the price or plan.
    pub price: String,
    /// The gateway's id of the product.
    #[serde(default)]
    pub product: Option<String>,
    /// How many; `None` if it is billed by use.
    #[serde(default)]
    pub quantity: Option<i64>,
    /// The price of one for each interval; `None` if the gateway does not say one amount (tiers,
    /// packages).
    #[serde(default, with = "maybe_money")]
    pub amount: Option<Money>,
    /// The unit of the interval, in the gateway's words: `day`, `week`, `month`, `year`.
    #[serde(default)]
    pub interval: Option<String>,
    /// How many of these units an interval has.
    #[serde(default)]
    pub interval_count: Option<i64>,
}

impl SubscriptionItem {
    /// A price with the gateway's id, and nothing else.
    pub fn new(price: impl Into<String>) -> Self {
        Self { price: price.into(), product: None, quantity: None, amount: None, interval: None, interval_count: None }
    }
}

/// A span of time that is billed as one.
///
/// See [`SubscriptionFacts`](super::SubscriptionFacts) for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BillingPeriod {
    /// When it began.
    #[serde(with = "time")]
    pub start: Timestamp,
    /// When it ends (exclusive).
    #[serde(with = "time")]
    pub end: Timestamp,
}

impl BillingPeriod {
    /// From `start` until before `end`.
    pub fn new(start: Timestamp, end: Timestamp) -> Self {
        Self { start, end }
    }
}

/// A pause in charging that leaves the status as it is.
///
/// See [`SubscriptionFacts`](super::SubscriptionFacts) for an example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CollectionPause {
    /// What happens to invoices meanwhile, in the gateway's words (Stripe: `keep_as_draft`, `mark_uncollectible`,
    /// `void`).
    pub behavior: String,
    /// When charging continues by itself.
    #[serde(default, with = "maybe_time")]
    pub resumes_at: Option<Timestamp>,
}

impl CollectionPause {
    /// A pause without an end; `behavior` in the gateway's words.
    pub fn new(behavior: impl Into<String>) -> Self {
        Self { behavior: behavior.into(), resumes_at: None }
    }
}
