//! Batches that fail again and again although the database answers others: from when on are their events to be taken
//! one by one?

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::id::EventId;

/// How often a batch may fail as a whole. A database that is away for a while fails it before it has any event.
const TIMES: u32 = 3;
/// How many batches are remembered.
const MOST: usize = 64;

/// How often batches failed, by their first event.
#[derive(Default)]
pub(crate) struct Stubborn(Mutex<HashMap<EventId, u32>>);

impl Stubborn {
    /// Notes that the batch which begins with this event failed; answers whether it did so too often.
    pub(crate) fn failed(&self, first: EventId) -> bool {
        let mut known = self.known();
        if known.len() >= MOST {
            known.clear();
        }
        let times = known.entry(first).or_default();
        *times += 1;
        *times > TIMES
    }

    /// Forgets it, when its events got on.
    pub(crate) fn got_on(&self, first: EventId) {
        self.known().remove(&first);
    }

    fn known(&self) -> MutexGuard<'_, HashMap<EventId, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
