//! The status of a subscription, in the same words for all gateways.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// The status of a subscription.
///
/// See [`SubscriptionFacts`](super::SubscriptionFacts) for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SubscriptionStatus {
    /// The first payment is still to come.
    Incomplete,
    /// In its trial.
    Trialing,
    /// Paid for.
    Active,
    /// A renewal was not paid; the gateway tries again.
    PastDue,
    /// A renewal was not paid, and the gateway gave up trying.
    Unpaid,
    /// Paused as a whole: nothing is charged until it goes on, and it does not count as active.
    Paused,
    /// Ended by choice.
    Canceled,
    /// Never came to be, or ran out.
    Expired,
    /// The gateway's word for it is not known to this release.
    Unknown,
}

impl SubscriptionStatus {
    /// Every status, in the order of a subscription's life.
    pub const ALL: [SubscriptionStatus; 9] = [
        Self::Incomplete,
        Self::Trialing,
        Self::Active,
        Self::PastDue,
        Self::Unpaid,
        Self::Paused,
        Self::Canceled,
        Self::Expired,
        Self::Unknown,
    ];

    /// The status's name in tables and pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::Trialing => "trialing",
            Self::Active => "active",
            Self::PastDue => "past_due",
            Self::Unpaid => "unpaid",
            Self::Paused => "paused",
            Self::Canceled => "canceled",
            Self::Expired => "expired",
            Self::Unknown => "unknown",
        }
    }

    /// The status with this name; the reverse of [`SubscriptionStatus::as_str`].
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

impl std::fmt::Display for SubscriptionStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for SubscriptionStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for SubscriptionStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Self::parse(&word).ok_or_else(|| D::Error::custom(format_args!("expected a status, got {word:?}")))
    }
}
