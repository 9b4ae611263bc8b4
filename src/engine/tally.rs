//! What is counted, and when does it count? Events when they are settled, in memory and after the commit, so that
//! nobody waits for a counter; money in the very transaction that moved it, so that it is counted exactly once.

use std::collections::BTreeMap;

use super::Engine;
use crate::domain::Timestamp;
use crate::domain::event::EventState;
use crate::domain::subscription::{SubscriptionState, SubscriptionStatus};
use crate::error::Error;
use crate::store::Tx;
use crate::store::rows::{Count, Counter, PaymentRow};

/// A delivery brought an event. What became of the event is counted by the word of its state.
pub(crate) const RECEIVED: &str = "received";
/// A delivery brought an event that is known.
pub(crate) const DUPLICATE: &str = "duplicate";
/// The gateway listed an event that it had not delivered.
pub(crate) const MISSED: &str = "missed";
/// How the outcome begins of deliveries that were refused; the reason's code follows.
pub(crate) const REJECTED: &str = "rejected:";
/// Money moved to the merchant, went back, and was lost to disputes.
pub(crate) const PAID: &str = "paid";
pub(crate) const REFUNDED: &str = "refunded";
pub(crate) const LOST: &str = "lost";
/// A subscription began, ended, or became past due, by the gateway's time.
pub(crate) const STARTED: &str = "subscription_started";
pub(crate) const ENDED: &str = "subscription_ended";
pub(crate) const PAST_DUE: &str = "subscription_past_due";
/// Follows on the word of a state where the event had begun anew: it was counted when it was settled at first.
pub(crate) const AGAIN: &str = ":again";
/// Follows on these for what is of a test mode: its money is no money.
pub(crate) const TEST: &str = ":test";

/// The largest amount that is added up, in minor units: ten trillion of most currencies. More is somebody's mistake,
/// and sums of it would leave the range of the column.
const LARGEST: i64 = 1_000_000_000_000_000;

/// The beginning of the hour.
pub(crate) fn hour(at: Timestamp) -> Timestamp {
    let at = at.to_offset(time::UtcOffset::UTC);
    at.replace_time(time::Time::from_hms(at.hour(), 0, 0).unwrap_or(time::Time::MIDNIGHT))
}

impl Engine {
    /// Counts an event that is settled, soon; one that began anew apart from those that are settled at first.
    pub(crate) fn count_event(&self, variant: &str, state: EventState, requeued_at: Option<Timestamp>) {
        let again = if requeued_at.is_some() { AGAIN } else { "" };
        self.count(variant, &format!("{}{again}", state.as_str()), 1);
    }

    /// Counts one `outcome`, soon.
    pub(crate) fn count(&self, variant: &str, outcome: &str, times: usize) {
        let last_at = self.now();
        let counter = Counter {
            hour: hour(last_at),
            variant: variant.to_owned(),
            outcome: outcome.to_owned(),
            currency: String::new(),
        };
        let count = i64::try_from(times).unwrap_or(i64::MAX);
        if count > 0 {
            self.writer.count(counter, Count { count, amount: 0, last_at });
        }
    }
}

/// The money that an event moved, or all events of a transaction: what the payments have less what they had.
#[derive(Debug, Default)]
pub(crate) struct Moved(BTreeMap<Counter, Count>);

impl Moved {
    /// A payment had this.
    pub(crate) fn take(&mut self, row: &PaymentRow, now: Timestamp) {
        self.add(row, -1, now);
    }

    /// A payment has this now.
    pub(crate) fn put(&mut self, row: &PaymentRow, now: Timestamp) {
        self.add(row, 1, now);
    }

    fn add(&mut self, row: &PaymentRow, sign: i64, now: Timestamp) {
        let mode = if row.livemode == Some(false) { TEST } else { "" };
        for (outcome, amount) in [(PAID, row.captured_amount), (REFUNDED, row.refunded_amount), (LOST, row.lost_amount)]
        {
            if !(1..=LARGEST).contains(&amount) {
                continue;
            }
            let counter = Counter {
                hour: hour(now),
                variant: row.variant.clone(),
                outcome: format!("{outcome}{mode}"),
                currency: row.currency.to_string(),
            };
            let add = Count { count: 1, amount: sign * amount, last_at: now };
            self.0.entry(counter).and_modify(|known| known.join(add)).or_insert(add);
        }
    }

    /// Adds what one event moved.
    pub(crate) fn join(&mut self, event: Self) {
        for (counter, add) in event.0.into_iter().filter(|(_, add)| add.amount != 0) {
            let add = Count { count: 1, ..add };
            self.0.entry(counter).and_modify(|known| known.join(add)).or_insert(add);
        }
    }

    /// A subscription went from one state to another. What expired without having been seen otherwise never came to be,
    /// as far as anybody knows.
    pub(crate) fn subscription(
        &mut self,
        (variant, livemode): (&str, Option<bool>),
        (before, after): (&SubscriptionState, &SubscriptionState),
        now: Timestamp,
    ) {
        let [was_begun, is_begun] = [before, after].map(|state| state.status != SubscriptionStatus::Incomplete);
        let [was_due, is_due] = [before, after].map(|state| state.status == SubscriptionStatus::PastDue);
        let is_new = !was_begun && is_begun && after.status != SubscriptionStatus::Expired;
        let is_end = (was_begun || is_new) && !before.is_over() && after.is_over();
        let happened = [
            (STARTED, is_new, after.started_at),
            (ENDED, is_end, after.ended_at.filter(|end| Some(*end) <= after.as_of)),
            (PAST_DUE, !was_due && is_due, after.past_due_since),
        ];
        let mode = if livemode == Some(false) { TEST } else { "" };
        for (outcome, _, at) in happened.into_iter().filter(|(_, happened, _)| *happened) {
            let counter = Counter {
                hour: hour(at.or(after.as_of).unwrap_or(now)),
                variant: variant.to_owned(),
                outcome: format!("{outcome}{mode}"),
                currency: String::new(),
            };
            let add = Count { count: 1, amount: 0, last_at: now };
            self.0.entry(counter).and_modify(|known| known.join(add)).or_insert(add);
        }
    }

    /// Writes it down, in one order for all workers. Last in the transaction: its rows are everybody's, so they are
    /// held for the commit and no longer.
    pub(crate) fn write(self, tx: &mut dyn Tx) -> Result<(), Error> {
        tx.count(&self.0.into_iter().collect::<Vec<_>>())
    }
}
