//! The state of a payment: its status, the amounts that moved, and what a person should review. It is a pure function
//! of the payment's terms and its ledger.

use crate::domain::money::Money;

/// The status of a payment.
///
/// ```
/// use actix_payments::domain::payment::Status;
///
/// let status: Status = "partially_refunded".parse()?;
/// assert!(status.was_paid());
/// assert!(!Status::Authorized.was_paid());
/// # Ok::<(), actix_payments::domain::word::ParseWordError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// Started; nothing is authorized and nothing has failed.
    Pending,
    /// The money is guaranteed and can be captured.
    Authorized,
    /// Money moved to the merchant.
    Paid,
    /// A part of the captured money was refunded.
    PartiallyRefunded,
    /// All of the captured money was refunded.
    Refunded,
    /// The last attempt failed; a later one may succeed.
    Failed,
    /// Given up before money moved.
    Canceled,
    /// The time ran out before money moved.
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

    /// The status's name in tables and pages.
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

    /// The status with this name; the reverse of [`Status::as_str`].
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }

    /// Whether money moved, even if all of it was refunded since.
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
///
/// See the [module](crate::domain::payment) for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Terms {
    /// The host asked for this amount.
    Agreed(Money),
    /// The host did not create the payment: it was adopted from the gateway's events, which also state its amount.
    Adopted,
}

/// The state that follows from a payment's terms and its ledger.
///
/// See the [module](crate::domain::payment) for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PaymentState {
    /// The status.
    pub status: Status,
    /// The amount to pay: as agreed, or for an adopted payment as the gateway reports.
    pub amount: Money,
    /// The captured amount, in minor units of the payment's currency.
    pub captured: i64,
    /// The refunded amount, in minor units of the payment's currency.
    pub refunded: i64,
    /// The amount that was lost to disputes, in minor units of the payment's currency: neither refunded nor kept.
    pub lost: i64,
    /// Whether a dispute is open or was lost.
    pub disputed: bool,
    /// The reasons why a person should review the payment, each a sentence, in a fixed order. Empty if there are none.
    pub concerns: Vec<String>,
}

impl PaymentState {
    /// Whether a person should review the payment.
    pub fn needs_review(&self) -> bool {
        !self.concerns.is_empty()
    }

    /// The amount that the merchant still has, and that can still be refunded, in minor units of the payment's
    /// currency.
    pub fn remaining(&self) -> i64 {
        self.captured.saturating_sub(self.refunded).saturating_sub(self.lost).max(0)
    }
}
