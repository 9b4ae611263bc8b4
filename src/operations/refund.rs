//! How does money go back?

use sha2::{Digest, Sha256};

use crate::domain::hex::hex;
use crate::domain::money::Money;
use crate::engine::request::Wanted;
use crate::gateways::Verb;

/// What is to go back, and why.
#[derive(Debug, Clone, Default)]
#[must_use = "money is given back by `Payments::refund`"]
pub struct Refund {
    amount: Option<Money>,
    reason: Option<String>,
    key: Option<String>,
}

impl Refund {
    /// All that is left of one capture. A payment that was paid twice has two: the one of which the most is left is
    /// refunded first, and the other takes a refund of its own.
    pub fn all() -> Self {
        Self::default()
    }

    /// A part of it: of the capture of which the most is left.
    pub fn part(amount: Money) -> Self {
        Self { amount: Some(amount), ..Self::default() }
    }

    /// Why, by a word of the gateway's; Stripe knows `duplicate`, `fraudulent` and `requested_by_customer`. Default
    /// none.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// A name for this refund, unique within its payment. Asking for it again is the same refund and does nothing more:
    /// it answers what is known of the first. **Give one in a handler**, which runs at least once. A try that does not
    /// get through is repeated by a worker; what is given up after 20 hours, or was declined, needs another name.
    /// Default none: each call is a refund of its own.
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
