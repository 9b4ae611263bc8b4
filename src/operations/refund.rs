//! How does money go back?

use sha2::{Digest, Sha256};

use crate::domain::hex::hex;
use crate::domain::money::Money;
use crate::engine::request::Wanted;
use crate::gateways::Verb;

/// How much to refund, and why.
///
/// ```
/// use actix_payments::Refund;
/// use actix_payments::domain::money::{Currency, Money};
///
/// let part = Refund::part(Money::new(10_00, Currency::EUR)).reason("requested_by_customer").key("return-7");
/// let everything = Refund::all();
/// # drop((part, everything));
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "money is given back by `Payments::refund`"]
pub struct Refund {
    amount: Option<Money>,
    reason: Option<String>,
    key: Option<String>,
}

impl Refund {
    /// Everything that is left of one capture. A payment that was paid twice has two captures: the one with the most
    /// left is refunded first, and the other needs a refund of its own.
    pub fn all() -> Self {
        Self::default()
    }

    /// A part, of the capture with the most left.
    pub fn part(amount: Money) -> Self {
        Self { amount: Some(amount), ..Self::default() }
    }

    /// The reason, as one of the gateway's codes; Stripe has `duplicate`, `fraudulent` and `requested_by_customer`.
    /// Default: none.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// A key for this refund, unique within its payment. A second call with the same key makes no second refund: it
    /// returns what is known about the first. **Set a key in a handler**, since handlers run at least once. A worker
    /// repeats a call whose outcome is unknown; after it was given up (20 hours) or declined, use another key. Default:
    /// none, and each call is a refund of its own.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }
}

impl Refund {
    /// What is asked for of the payment with this token.
    pub(crate) fn wanted(self, token: &str) -> Wanted {
        let Self { amount, reason, key } = self;
        let key = key.map(|key| named_key(token, &key));
        Wanted { amount, reason, key, ..Wanted::by_host(Verb::Refund) }
    }
}

/// The idempotency key of the refund that the host calls so.
fn named_key(token: &str, key: &str) -> String {
    let digest = Sha256::new().chain_update(token).chain_update([0]).chain_update(key).finalize();
    format!("op_{}", hex(&digest[..20]))
}
