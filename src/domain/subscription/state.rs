//! The state of a subscription, as it follows from the set of its facts.

use serde::{Deserialize, Serialize};

use super::content::{BillingPeriod, CollectionPause, SubscriptionContent, SubscriptionItem};
use super::invoice::SubscriptionInvoice;
use super::kept::maybe_time;
use super::status::SubscriptionStatus;
use crate::domain::Timestamp;
use crate::domain::identifier::GatewayRef;

/// The state of a subscription. Times are the gateway's, in UTC.
///
/// See [`SubscriptionFacts`](super::SubscriptionFacts) for an example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SubscriptionState {
    /// The status.
    pub status: SubscriptionStatus,
    /// The gateway's own word for the status; `None` until an event has shown the subscription itself.
    #[serde(default)]
    pub gateway_status: Option<String>,
    /// The host's own id of the owner.
    #[serde(default)]
    pub owner: Option<String>,
    /// The customer's email address, if an event had it.
    #[serde(default)]
    pub customer: Option<String>,
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
    #[serde(default, with = "maybe_time")]
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
    /// The gateway's id of the schedule that controls it.
    #[serde(default)]
    pub schedule: Option<GatewayRef>,
    /// The newest invoice that an event has reported. It may be an earlier one than `latest_invoice`.
    #[serde(default)]
    pub last_invoice: Option<SubscriptionInvoice>,
    /// Since when it has been past due without a break, as far as events show.
    #[serde(default, with = "maybe_time")]
    pub past_due_since: Option<Timestamp>,
    /// When an event last showed it trialing or active; `None` unless it is past due.
    #[serde(default, with = "maybe_time")]
    pub last_good_at: Option<Timestamp>,
    /// The time of this state, by the gateway's clock; `None` until an event has shown the subscription itself.
    #[serde(default, with = "maybe_time")]
    pub as_of: Option<Timestamp>,
    /// The gateway's id of the event that showed this state.
    #[serde(default)]
    pub as_of_event: Option<String>,
    /// Why this state is not certain, one sentence; `None` if it is.
    #[serde(default)]
    pub doubt: Option<String>,
}

impl SubscriptionState {
    /// Nothing is known yet.
    pub(super) fn unknown() -> Self {
        Self {
            status: SubscriptionStatus::Incomplete,
            gateway_status: None,
            owner: None,
            customer: None,
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
            last_invoice: None,
            past_due_since: None,
            last_good_at: None,
            as_of: None,
            as_of_event: None,
            doubt: Some("no event has shown the subscription itself yet".to_owned()),
        }
    }

    /// As this snapshot shows it.
    pub(super) fn shown(content: SubscriptionContent) -> Self {
        let SubscriptionContent { status, gateway_status, owner, customer_ref, items, period, trial_end, .. } = content;
        let SubscriptionContent { started_at, cancel_at, cancel_at_period_end, canceled_at, ended_at, pause, .. } =
            content;
        Self {
            status,
            gateway_status: Some(gateway_status),
            owner,
            customer_ref,
            items,
            started_at,
            period,
            trial_end,
            cancel_at,
            cancel_at_period_end,
            canceled_at,
            ended_at,
            pause,
            renews_at: content.renews_at,
            latest_invoice: content.latest_invoice,
            schedule: content.schedule,
            ..Self::unknown()
        }
    }

    /// Whether handlers run for the change from `before` to this: of status, owner, items, period, trial, end or pause.
    pub fn differs(&self, before: &Self) -> bool {
        let seen = |state: &Self| {
            let Self { status, gateway_status, owner, items, period, trial_end, .. } = state.clone();
            let Self { cancel_at, cancel_at_period_end, ended_at, pause, .. } = state.clone();
            let status = (status, gateway_status.filter(|_| status == SubscriptionStatus::Unknown));
            (status, owner, items, period, trial_end, cancel_at, cancel_at_period_end, ended_at, pause)
        };
        seen(self) != seen(before)
    }
}
