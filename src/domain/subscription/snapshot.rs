//! A snapshot: the whole subscription, as one event shows it, and what tells it from others of the same moment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::content::SubscriptionContent;
use super::kept::time;
use super::status::SubscriptionStatus;
use crate::domain::Timestamp;

/// The whole subscription, as one event shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionSnapshot {
    /// What it shows.
    pub content: SubscriptionContent,
    /// Whether it shows the end: a subscription that ended does not come back under the same id.
    pub is_end: bool,
    /// Whether it shows the beginning, so that every other one of the same moment is later.
    #[serde(default)]
    pub is_first: bool,
    /// The gateway's fields by their names, each in a few words that are the same exactly when the field is.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
    /// Those of these fields that this event changed, with their values before; empty if the event does not say.
    #[serde(default)]
    pub previous: BTreeMap<String, String>,
    /// How far the subscription had come, as text that is greater the further it is; `None` if the gateway does not
    /// say. Of snapshots of one moment, one with less is the earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<String>,
    /// When it was so, by the gateway's clock.
    #[serde(with = "time")]
    pub occurred_at: Timestamp,
    /// The gateway's id of the event.
    pub event_id: String,
}

impl SubscriptionSnapshot {
    /// By what one outranks another where nothing tells which is later; it covers every field.
    pub(super) fn precedence(&self) -> impl Ord + use<> {
        let rank = match self.content.status {
            SubscriptionStatus::Unknown => 0,
            SubscriptionStatus::Incomplete => 1,
            SubscriptionStatus::Trialing => 2,
            SubscriptionStatus::Paused => 3,
            SubscriptionStatus::Active => 4,
            SubscriptionStatus::PastDue => 5,
            SubscriptionStatus::Unpaid => 6,
            SubscriptionStatus::Expired => 7,
            SubscriptionStatus::Canceled => 8,
        };
        (rank, serde_json::to_string(self).unwrap_or_default())
    }

    /// What decides which of two counts, the end above all.
    pub(super) fn moment(&self) -> (bool, Timestamp) {
        (self.is_end, self.occurred_at)
    }
}
