//! What a step did, in memory: to its payment, to its subscription, and how its event ends.

use super::failure::Failure;
use super::interpret::Understood;
use super::subscription_change::SubscriptionChange;
use crate::domain::fact::Fact;
use crate::domain::id::{PaymentId, SubscriptionId};
use crate::domain::ledger::Effect;
use crate::domain::payment::PaymentState;
use crate::store::rows::{Claimed, PaymentRow, TransitionRow, Verdict};

/// What an event did, before anybody is told.
pub(crate) struct Stepped {
    /// How the event ends, unless a handler fails.
    pub(crate) verdict: Verdict,
    pub(crate) matched: Option<(PaymentId, String)>,
    /// What it did to its payment, if it is about one.
    pub(crate) change: Option<Change>,
    /// What it did to its subscription, if it is about one.
    pub(crate) subscription: Option<SubscriptionChange>,
    /// The subscription that the gateway showed, where the event only names it.
    pub(crate) shown_subscription: Option<SubscriptionId>,
    /// Whether handlers may want it: not when it waits or is to be ignored.
    pub(crate) is_told: bool,
}

impl Stepped {
    /// The same of an event about a subscription that is none of ours, where such events are to be ignored.
    pub(super) fn of_ignored_subscription(mut self, gateway_ref: &str) -> Self {
        let why = format!("; no subscription here is {gateway_ref}, and such events are to be ignored");
        self.verdict.outcome.push_str(&why);
        if self.verdict.code == "nothing_to_do" {
            self.verdict.code = "unmatched";
        }
        self
    }
}

/// What an event did to its payment.
pub(crate) struct Change {
    /// The payment as it was after this event.
    pub(crate) payment: PaymentRow,
    pub(crate) before: PaymentState,
    pub(crate) after: PaymentState,
    /// The transitions that earlier attempts of this event caused.
    pub(crate) earlier: Vec<TransitionRow>,
    /// The transition that it causes now, by its place among those of the batch.
    pub(crate) step: Option<usize>,
    /// Its facts, and what the ledger made of each.
    pub(crate) effects: Vec<(Fact, Effect)>,
    /// The tokens of adopted payments that turned out to be this one.
    pub(crate) absorbed: Vec<String>,
}

/// One event of the batch with what came of it.
pub(super) struct Done<'a> {
    pub(super) event: &'a Claimed,
    pub(super) read: Option<&'a Understood>,
    pub(super) outcome: Result<Stepped, &'a Failure>,
}
