//! How does money go back?

use super::Payments;
use super::operate::{Outcome, Wanted};
use crate::domain::money::Money;
use crate::error::Error;
use crate::gateways::Verb;

/// What is to go back, and why.
#[derive(Debug, Clone, Default)]
pub struct Refund {
    amount: Option<Money>,
    reason: Option<String>,
}

impl Refund {
    /// All that is left.
    pub fn all() -> Self {
        Self::default()
    }

    /// A part of it.
    pub fn part(amount: Money) -> Self {
        Self { amount: Some(amount), reason: None }
    }

    /// Why, by a word of the gateway's; Stripe knows `duplicate`, `fraudulent` and `requested_by_customer`. Default
    /// none.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}

impl Payments {
    /// Returns money of a paid payment.
    ///
    /// # Errors
    /// `NotFound` for an unknown token; `Refused` when nothing is left to refund, the part is more than what is left or
    /// of another currency, or the gateway can't; `Gateway` when the gateway said no; and what the database says.
    pub async fn refund(&self, token: &str, refund: Refund) -> Result<Outcome, Error> {
        let Refund { amount, reason } = refund;
        self.operate(token, Wanted { amount, reason, ..Wanted::by_host(Verb::Refund) }).await
    }
}
