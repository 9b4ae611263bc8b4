//! A snapshot: the whole subscription, as one event shows it, with what orders it among others of the same moment.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::content::SubscriptionContent;
use super::kept::time;
use super::status::SubscriptionStatus;
use crate::domain::{Timestamp, later};

/// How much earlier than its time an answer may have been found out.
const VAGUE: Duration = Duration::from_secs(1);

/// The whole subscription, as one event shows it.
///
/// See [`SubscriptionFacts`](super::SubscriptionFacts) for an example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SubscriptionSnapshot {
    /// What it shows.
    pub content: SubscriptionContent,
    /// Whether it shows the end: a subscription that ended does not come back under the same id.
    pub is_end: bool,
    /// Whether it shows the beginning, so that all others of the same moment are later.
    #[serde(default)]
    pub is_first: bool,
    /// The gateway's fields by name, each as a short text; two texts are equal exactly if the fields are.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
    /// Those of these fields that this event changed, with their values before; empty if the event does not say.
    #[serde(default)]
    pub previous: BTreeMap<String, String>,
    /// How far the subscription had come, as text that is greater the further it is; `None` if the gateway does not
    /// say. Of snapshots of one moment, one with less is the earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<String>,
    /// Whether it is an answer to a call. An answer has the time at which it was given, in whole seconds; its data may
    /// be up to a second older.
    #[serde(default)]
    pub is_answer: bool,
    /// When it was so, by the gateway's clock.
    #[serde(with = "time")]
    pub occurred_at: Timestamp,
    /// The gateway's id of the event.
    pub event_id: String,
}

impl SubscriptionSnapshot {
    /// A snapshot that is neither the beginning nor an answer; it is the end exactly if the status says so.
    pub fn new(content: SubscriptionContent, occurred_at: Timestamp, event_id: impl Into<String>) -> Self {
        Self {
            is_end: matches!(content.status, SubscriptionStatus::Canceled | SubscriptionStatus::Expired),
            is_first: false,
            values: BTreeMap::new(),
            previous: BTreeMap::new(),
            progress: None,
            is_answer: false,
            content,
            occurred_at,
            event_id: event_id.into(),
        }
    }

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

    /// Whether the times leave no doubt that this one comes before the other. Those of two answers, or of two events,
    /// compare as they are. An answer may have been found out up to a second before its time or within that second, and
    /// an event of whole seconds may be younger than it says.
    pub(super) fn is_surely_before(&self, other: &Self) -> bool {
        match (self.is_answer, other.is_answer) {
            (true, false) => later(self.occurred_at, VAGUE) <= other.occurred_at,
            (false, true) => later(self.occurred_at, VAGUE) < other.occurred_at,
            _ => self.occurred_at < other.occurred_at,
        }
    }

    /// Which of two counts for now where nothing tells which is the later one.
    pub(super) fn likelihood(&self) -> impl Ord + use<> {
        (self.occurred_at, self.is_answer, self.precedence())
    }
}
