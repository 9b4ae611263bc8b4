//! How many unsigned hints are taken: each may have a gateway asked, and anybody can send them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::budget::{Budget, ClientBudgets};
use crate::domain::Timestamp;

/// How many hints of a variant are taken in a minute at objects of payments that are here: ten a second, which a large
/// shop does not reach.
const KNOWN: u32 = 600;
/// The same at objects that nobody here has heard of: payments that were made elsewhere on the account, and whatever
/// strangers make up. Half of what is taken at known ones: less than a worker asks a gateway for.
const UNKNOWN: u32 = 300;
/// How many of those one client may send: one a second, so that it takes five strangers to use up what is for all. A
/// gateway that sends more than that sends its hints again.
const OF_CLIENT: u32 = 60;

/// What is left of the bounds, for each variant of this process.
#[derive(Default)]
pub(crate) struct HintBudgets(Mutex<HashMap<String, Budgets>>);

/// What is left of a variant's bounds.
struct Budgets {
    known: Budget,
    unknown: ClientBudgets,
}

impl HintBudgets {
    /// Whether another hint at an object of a payment that is here is to be taken; takes it from the bound.
    pub(crate) fn allow_known(&self, variant: &str, now: Timestamp) -> bool {
        self.of(variant, now, |budgets| budgets.known.take(now))
    }

    /// The same for an object that nobody here has heard of, and a hint that came from `client`.
    pub(crate) fn allow_unknown(&self, variant: &str, client: &str, now: Timestamp) -> bool {
        self.of(variant, now, |budgets| budgets.unknown.take(client, now))
    }

    fn of(&self, variant: &str, now: Timestamp, allow: impl FnOnce(&mut Budgets) -> bool) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        allow(all.entry(variant.to_owned()).or_insert_with(|| Budgets {
            known: Budget::full(KNOWN, now),
            unknown: ClientBudgets::full(UNKNOWN, OF_CLIENT, now),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + time::Duration::seconds(second)
    }

    #[test]
    fn clients_are_forgotten_once_they_count_for_nothing_and_are_no_more_than_the_bound_for_all() {
        let budgets = HintBudgets::default();
        let taken = (0..10_000).filter(|number| budgets.allow_unknown("mollie", &format!("client {number}"), at(0)));
        assert_eq!(taken.count(), 300);
        let remembered = || budgets.0.lock().expect("no poison")["mollie"].unknown.remembered();
        assert_eq!(remembered(), 300);
        assert!(budgets.allow_unknown("mollie", "client 0", at(120)));
        assert_eq!(remembered(), 1);
    }
}
