//! What is agreed of a payment, and what is known of it: its terms, its status and its amounts.

use crate::domain::money::Money;

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// Begun; no money is promised and nothing has failed.
    Pending,
    /// Money is promised and can be captured.
    Authorized,
    /// Money moved to the merchant.
    Paid,
    /// A part of what moved went back.
    PartiallyRefunded,
    /// All that moved went back.
    Refunded,
    /// The last attempt failed; a later one may succeed.
    Failed,
    /// Given up before money moved.
    Canceled,
    /// Time ran out before money moved.
    Expired,
}

impl Status {
    /// Every status, in the order of a payment's life.
    pub const ALL: [Status; 8] = [
        Self::Pending,
        Self::Authorized,
        Self::Paid,
        Self::PartiallyRefunded,
        Self::Refunded,
        Self::Failed,
        Self::Canceled,
        Self::Expired,
    ];

    /// The word in tables and pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Authorized => "authorized",
            Self::Paid => "paid",
            Self::PartiallyRefunded => "partially_refunded",
            Self::Refunded => "refunded",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Expired => "expired",
        }
    }

    /// The status of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }

    /// Whether money moved, be it all returned since.
    pub fn was_paid(self) -> bool {
        matches!(self, Self::Paid | Self::PartiallyRefunded | Self::Refunded)
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What was agreed when the payment was created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Terms {
    /// The host asked for this amount.
    Agreed(Money),
    /// Nobody asked: the payment was adopted from what the gateway reported, and its amount is the gateway's word.
    Adopted,
}

/// All that follows from a payment's terms and its ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentState {
    /// Where it stands.
    pub status: Status,
    /// What is to be paid: as agreed, or for an adopted payment as the gateway reports.
    pub amount: Money,
    /// What moved to the merchant, in minor units of the payment's currency.
    pub captured: i64,
    /// What went back, in minor units of the payment's currency.
    pub refunded: i64,
    /// A dispute is open or was lost.
    pub disputed: bool,
    /// Why a person should look at it, a sentence each, in a fixed order; empty when nobody need.
    pub concerns: Vec<String>,
}

impl PaymentState {
    /// Whether a person should look at it.
    pub fn needs_review(&self) -> bool {
        !self.concerns.is_empty()
    }

    /// What can still be refunded, in minor units of the payment's currency.
    pub fn remaining(&self) -> i64 {
        self.captured.saturating_sub(self.refunded).max(0)
    }
}
