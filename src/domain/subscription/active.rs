//! Whether a subscription counts as active at a moment. It depends on the clock, so it is computed and never stored.

use std::time::Duration;

use super::state::SubscriptionState;
use super::status::SubscriptionStatus;
use crate::domain::{Timestamp, later};

impl SubscriptionState {
    /// Whether the subscription counts as active at `now`. It does while it is trialing or active and no end has
    /// passed. A past due subscription counts for `grace` at most, from [`SubscriptionState::due_since`] on, and longer
    /// if its newest invoice was paid since. One that is [`SubscriptionStatus::Paused`] does not count; a
    /// [`pause`](SubscriptionState::pause) in charging that leaves the status active does not matter. One that was
    /// canceled or ran out counts until the end of the time that is paid for, if the gateway shows that this is later.
    /// A status that this release does not know does not count.
    pub fn is_active(&self, now: Timestamp, grace: Duration) -> bool {
        if self.ends_at().is_some_and(|end| end <= now) {
            return false;
        }
        match self.status {
            SubscriptionStatus::Trialing | SubscriptionStatus::Active => true,
            SubscriptionStatus::PastDue if self.is_paid_since() => true,
            SubscriptionStatus::Canceled | SubscriptionStatus::Expired => self.ended_at > self.as_of,
            SubscriptionStatus::PastDue => self.due_since().is_some_and(|since| now < later(since, grace)),
            _ => false,
        }
    }

    /// Whether it ended. An ended subscription does not come back.
    pub fn is_over(&self) -> bool {
        self.ended_at.is_some() || matches!(self.status, SubscriptionStatus::Canceled | SubscriptionStatus::Expired)
    }

    /// Whether what is due was paid after it was last shown: PayPal tells of a sale, and of nothing else then.
    pub(super) fn is_paid_since(&self) -> bool {
        self.as_of.zip(self.paid_at()).is_some_and(|(as_of, paid)| as_of < paid)
    }

    /// When its newest invoice was paid. Not one of nothing, nor another than the gateway calls its latest: an invoice
    /// of the host's own, or of a change within the period, may be paid while that of the period is due.
    pub(super) fn paid_at(&self) -> Option<Timestamp> {
        let invoice = self.last_invoice.as_ref().filter(|invoice| invoice.paid)?;
        let is_of_something = invoice.due.is_some_and(|due| due.minor > 0);
        let is_latest = self.latest_invoice.as_ref().is_none_or(|latest| *latest == invoice.gateway_ref);
        (is_of_something && is_latest).then(|| invoice.paid_since()).flatten()
    }

    /// When it ended or, as far as that is decided, will end.
    pub fn ends_at(&self) -> Option<Timestamp> {
        let with_period = self.period.filter(|_| self.cancel_at_period_end).map(|period| period.end);
        self.ended_at.or(self.cancel_at).or(with_period)
    }

    /// Since when money has been due, if it is past due: since it became past due, or, if that is earlier, since its
    /// unpaid invoice was due or the paid period ended. It is never a time before an event last showed the subscription
    /// in good standing. Further unpaid cycles do not restart it.
    pub fn due_since(&self) -> Option<Timestamp> {
        let unpaid = self.last_invoice.as_ref().filter(|invoice| invoice.is_open());
        let unpaid = unpaid.map(|invoice| invoice.due_at.unwrap_or(invoice.created_at));
        let paid_until = self.period.map(|period| {
            let is_over = self.as_of.is_some_and(|as_of| period.end <= as_of);
            if is_over { period.end } else { period.start }
        });
        let newest = unpaid.or(paid_until).or(self.as_of).max(self.last_good_at);
        self.past_due_since.into_iter().chain(newest).min()
    }
}
