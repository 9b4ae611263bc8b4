//! Counters in memory, until the writer takes them along.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::store::rows::{Count, Counter};

/// How many different counters are kept in memory; what is beyond is not counted.
const COUNTERS: usize = 1_000;

#[derive(Default)]
pub(super) struct Counts(Mutex<HashMap<Counter, Count>>);

impl Counts {
    /// Answers whether this is the first since they were taken.
    pub(super) fn add(&self, counter: Counter, add: Count) -> bool {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = counts.is_empty();
        if counts.len() < COUNTERS || counts.contains_key(&counter) {
            counts.entry(counter).and_modify(|known| known.join(add)).or_insert(add);
        }
        first
    }

    /// Adds what could not be written, for the next time.
    pub(super) fn put_back(&self, unwritten: Vec<(Counter, Count)>) {
        for (counter, add) in unwritten {
            self.add(counter, add);
        }
    }

    pub(super) fn take(&self) -> Vec<(Counter, Count)> {
        let taken = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut counts: Vec<_> = taken.into_iter().collect();
        // One order for all writers, so that two processes never wait for each other in a circle.
        counts.sort_by(|(a, _), (b, _)| a.cmp(b));
        counts
    }
}
