//! What happens at a company, before it is written in the company's own format.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};
use time::format_description::well_known::Rfc3339;

use crate::domain::Timestamp;
use crate::domain::delivery::Delivery;
use crate::domain::money::Money;

/// How long a billing period is.
pub(super) const PERIOD: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What happened to a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Authorized,
    Paid,
    Failed,
    Expired,
    Canceled,
    Captured,
    Refunded,
    RefundFailed,
    Disputed,
    DisputeWon,
    DisputeLost,
}

/// A payment as a company knows it when something happens to it.
#[derive(Debug, Clone)]
pub(super) struct Deal {
    /// Our public id of it.
    pub(super) token: String,
    /// The company's account whose payment it is, where that is another than the merchant's own.
    pub(super) account: Option<String>,
    pub(super) amount: Money,
    /// What was captured of it, if it was not all.
    pub(super) captured: Money,
    pub(super) customer: Option<String>,
    /// When it happened, in whole seconds.
    pub(super) at: Timestamp,
    /// What is captured or refunded now.
    pub(super) part: Money,
    /// What is refunded in all, with this part.
    pub(super) refunded: Money,
    /// The number of the refund that it is about, from 1.
    pub(super) refund: usize,
    /// When that was made.
    pub(super) refunded_at: Timestamp,
}

impl Deal {
    pub(super) fn seconds(&self) -> i64 {
        self.at.unix_timestamp()
    }

    /// An id of the company's, of which a payment has one for each beginning.
    pub(super) fn id(&self, beginning: &str) -> String {
        format!("{beginning}{}", self.token)
    }

    /// The id of the refund.
    pub(super) fn refund_id(&self, beginning: &str) -> String {
        format!("{beginning}{}{}", self.token, self.refund)
    }

    /// All of it was refunded.
    pub(super) fn is_refunded(&self) -> bool {
        self.refunded.minor >= self.captured.minor
    }
}

/// The number of an object at a company that numbers its objects, made of an id as other companies would give it.
pub(super) fn number(id: &str) -> u64 {
    const BELOW: u64 = 1_000_000_000_000;
    let first = Sha256::digest(id).iter().take(8).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    first % BELOW + 1
}

/// What happened to a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Started,
    Renewed,
    RenewalFailed,
    CancelScheduled,
    /// Its end is called off.
    Resumed,
    /// Its price or its quantity is another.
    Changed,
    Ended,
}

/// A subscription as a company knows it when something happens to it.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// What the company's id of it ends in.
    pub(super) id: String,
    /// Our public id of it, where it was started here.
    pub(super) token: Option<String>,
    pub(super) owner: Option<String>,
    /// The company's account whose subscription it is, where that is another than the merchant's own.
    pub(super) account: Option<String>,
    /// The company's id of the price.
    pub(super) price_id: String,
    /// What one of it costs for each month.
    pub(super) price: Money,
    pub(super) quantity: u32,
    pub(super) at: Timestamp,
    pub(super) started: Timestamp,
    /// The billing period that it is in.
    pub(super) period: (Timestamp, Timestamp),
    /// The number of the period, from 1.
    pub(super) number: u32,
    /// Whether its payment had failed before.
    pub(super) has_failed: bool,
    /// How often its payment was tried.
    pub(super) attempts: u32,
}

impl Plan {
    /// What it costs in all for each month.
    pub(super) fn cost(&self) -> Money {
        Money::new(self.price.minor.saturating_mul(i64::from(self.quantity)), self.price.currency)
    }

    /// What the host has a subscription bear.
    pub(super) fn metadata(&self) -> Value {
        let kept = [("owner", &self.owner), ("subscription_token", &self.token)];
        kept.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Value::from(value.as_deref()?)))).collect()
    }

    /// An id of the company's, of which each period has one for each beginning.
    pub(super) fn of_period(&self, beginning: &str) -> String {
        format!("{beginning}{}{}", self.id, self.number)
    }
}

/// An event as the company writes it.
#[derive(Debug, Clone)]
pub(super) struct Written {
    /// What its deliveries are called, where the company names them beside the event.
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) at: Timestamp,
    pub(super) account: Option<String>,
    pub(super) body: Vec<u8>,
}

/// How a company writes its events.
pub(super) trait Format: Send + Sync {
    /// The company's name.
    fn name(&self) -> &'static str;

    /// The events that it sends of a payment, in their order. `None`: it has none of this.
    fn payment(&self, step: Step, deal: &Deal) -> Option<Vec<Written>>;

    /// The events that it sends of a subscription, in their order. `None`: it has none of this.
    fn subscription(&self, turn: Turn, plan: &Plan) -> Option<Vec<Written>> {
        let _ = (turn, plan);
        None
    }

    /// The company's id of the subscription with this id. `None`: it has no subscriptions.
    fn subscription_ref(&self, id: &str) -> Option<String> {
        let _ = id;
        None
    }

    /// A delivery of an event at `now`, where it is not signed with a secret of the variant's. `None`: it is.
    fn delivery(&self, event: &Written, now: Timestamp) -> Option<Delivery> {
        let _ = (event, now);
        None
    }
}

/// An id that no other event of this process has, with the payment or subscription that it is about.
pub(super) fn event_id(beginning: &str, about: &str) -> String {
    static MADE: AtomicU64 = AtomicU64::new(0);
    format!("{beginning}{about}{}", MADE.fetch_add(1, Ordering::Relaxed) + 1)
}

/// A time as companies write it that don't count seconds.
pub(super) fn rfc3339(at: Timestamp) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}

/// An event whose body is JSON.
pub(super) fn written(kind: &str, at: Timestamp, body: &Value) -> Written {
    of_bytes(kind, at, body.to_string().into_bytes())
}

/// An event with this body.
pub(super) fn of_bytes(kind: &str, at: Timestamp, body: Vec<u8>) -> Written {
    Written { id: event_id("msg_", ""), kind: kind.to_owned(), at, account: None, body }
}
