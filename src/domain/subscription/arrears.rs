//! Since when a subscription has been past due without a break, whatever billing cycles passed meanwhile: each makes an
//! invoice of its own, so neither the newest invoice nor the period tells.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::kept::time::{from_micros, to_micros};
use crate::domain::Timestamp;

/// How many moments are kept: the earliest counts, and after a later payment one of the last does.
const KEPT: usize = 64;

/// When a subscription was in good standing and when past due, in microseconds since 1970. Notes may come in any order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Arrears {
    /// When it was in good standing last.
    #[serde(default)]
    good: Option<i64>,
    /// When it was past due after that.
    #[serde(default)]
    bad: BTreeSet<i64>,
}

impl Arrears {
    /// Notes that it was in good standing.
    pub(super) fn note_good(&mut self, at: Timestamp) {
        let at = to_micros(at);
        if self.good < Some(at) {
            self.good = Some(at);
            self.bad.retain(|bad| *bad > at);
        }
    }

    /// Notes that it was past due.
    pub(super) fn note_past_due(&mut self, at: Timestamp) {
        let at = to_micros(at);
        if self.good < Some(at) {
            self.bad.insert(at);
            if self.bad.len() > KEPT {
                let middle = self.bad.iter().nth(KEPT / 2).copied();
                middle.map(|at| self.bad.remove(&at));
            }
        }
    }

    /// Adds the notes of another.
    pub(super) fn join(&mut self, other: Self) {
        other.good.and_then(from_micros).into_iter().for_each(|at| self.note_good(at));
        other.bad.into_iter().filter_map(from_micros).for_each(|at| self.note_past_due(at));
    }

    /// When it was in good standing last.
    pub(super) fn last_good(&self) -> Option<Timestamp> {
        self.good.and_then(from_micros)
    }

    /// Since when it has been past due, if what was due was paid at `paid`.
    pub(super) fn since(&self, paid: Option<Timestamp>) -> Option<Timestamp> {
        let paid = paid.map(to_micros);
        self.bad.iter().copied().find(|bad| paid < Some(*bad)).and_then(from_micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix_timestamp(second).expect("a time")
    }

    #[test]
    fn it_begins_with_the_first_moment_after_the_last_good_one_in_any_order() {
        let notes = [(true, 10), (false, 5), (false, 20), (false, 50), (true, 3), (false, 80)];
        for first in 0..notes.len() {
            let mut arrears = Arrears::default();
            for (is_good, second) in notes.iter().cycle().skip(first).take(notes.len() * 2) {
                if *is_good { arrears.note_good(at(*second)) } else { arrears.note_past_due(at(*second)) }
            }
            assert_eq!(arrears.since(None), Some(at(20)));
            assert_eq!(arrears.since(Some(at(20))), Some(at(50)));
            arrears.note_good(at(60));
            assert_eq!(arrears.since(None), Some(at(80)));
            arrears.note_good(at(80));
            assert_eq!(arrears.since(None), None);
        }
    }

    #[test]
    fn of_too_many_moments_the_first_and_the_last_stay() {
        let mut arrears = Arrears::default();
        (1..=100).for_each(|second| arrears.note_past_due(at(second)));
        assert_eq!((arrears.since(None), arrears.bad.len()), (Some(at(1)), KEPT));
        arrears.note_good(at(99));
        assert_eq!(arrears.since(None), Some(at(100)));
    }
}
