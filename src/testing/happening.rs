//! What happens at a company, before it is written in the company's own format.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;
use time::format_description::well_known::Rfc3339;

use crate::domain::Timestamp;
use crate::domain::money::Money;

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
}

/// What happened to a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Started,
    Renewed,
    RenewalFailed,
    CancelScheduled,
    Ended,
}

/// A subscription as a company knows it when something happens to it.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// What the company's id of it ends in.
    pub(super) id: String,
    pub(super) owner: String,
    /// What it costs for each month.
    pub(super) price: Money,
    pub(super) at: Timestamp,
    pub(super) started: Timestamp,
    /// The billing period that it is in.
    pub(super) period: (Timestamp, Timestamp),
    /// The number of the period, from 1.
    pub(super) number: u32,
    /// How often its payment was tried.
    pub(super) attempts: u32,
}

impl Plan {
    /// An id of the company's, of which each period has one for each beginning.
    pub(super) fn of_period(&self, beginning: &str) -> String {
        format!("{beginning}{}{}", self.id, self.number)
    }
}

/// An event as the company writes it.
#[derive(Debug, Clone)]
pub(super) struct Written {
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
    Written { kind: kind.to_owned(), at, account: None, body: body.to_string().into_bytes() }
}
