//! How many unsigned hints are taken: each may have a gateway asked, and anybody can send them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::domain::Timestamp;

/// How many hints of a variant are taken in a minute at objects of payments that are here: ten a second, which a large
/// shop does not reach.
const KNOWN: u32 = 600;
/// The same at objects that nobody here has heard of: payments that were made elsewhere on the account, and whatever
/// strangers make up.
const UNKNOWN: u32 = 60;

/// What is left of both bounds, for each variant of this process.
#[derive(Default)]
pub(crate) struct HintBudgets(Mutex<HashMap<String, [Budget; 2]>>);

/// A bound that fills up again evenly: a minute's worth at the most.
#[derive(Clone, Copy)]
struct Budget {
    /// Thousandths of hints.
    left: u64,
    at: Timestamp,
}

impl HintBudgets {
    /// Whether another hint is to be taken; takes it from the bound.
    pub(crate) fn allow(&self, variant: &str, is_known: bool, now: Timestamp) -> bool {
        let mut budgets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |per_minute: u32| Budget { left: u64::from(per_minute) * 1_000, at: now };
        let of_variant = budgets.entry(variant.to_owned()).or_insert_with(|| [full(KNOWN), full(UNKNOWN)]);
        let [known, unknown] = of_variant;
        if is_known { known.take(KNOWN, now) } else { unknown.take(UNKNOWN, now) }
    }
}

impl Budget {
    fn take(&mut self, per_minute: u32, now: Timestamp) -> bool {
        let milliseconds = u64::try_from((now - self.at).whole_milliseconds()).unwrap_or(0);
        let full = u64::from(per_minute) * 1_000;
        let come_back = milliseconds.saturating_mul(u64::from(per_minute)) / 60;
        if come_back > 0 || now < self.at {
            self.left = self.left.saturating_add(come_back).min(full);
            self.at = now;
        }
        let taken = self.left.checked_sub(1_000);
        self.left = taken.unwrap_or(self.left);
        taken.is_some()
    }
}
