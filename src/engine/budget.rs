//! Bounds that fill up again evenly, for what strangers may ask for: one for each client, and one for all of them.

use std::collections::HashMap;

use crate::domain::Timestamp;

/// A bound that fills up again evenly: a minute's worth at the most.
#[derive(Clone, Copy)]
pub(super) struct Budget {
    per_minute: u32,
    /// Thousandths of one.
    left: u64,
    at: Timestamp,
}

/// A bound for all clients, and one for each of them.
pub(super) struct ClientBudgets {
    all: Budget,
    of_client: u32,
    /// By client, as far as the last minute counts: no more than were let in by the bound for all.
    clients: HashMap<String, Budget>,
}

impl Budget {
    pub(super) fn full(per_minute: u32, now: Timestamp) -> Self {
        Self { per_minute, left: u64::from(per_minute) * 1_000, at: now }
    }

    fn refill(&mut self, now: Timestamp) {
        let milliseconds = u64::try_from((now - self.at).whole_milliseconds()).unwrap_or(0);
        let come_back = milliseconds.saturating_mul(u64::from(self.per_minute)) / 60;
        if come_back > 0 || now < self.at {
            self.left = self.left.saturating_add(come_back).min(Self::full(self.per_minute, now).left);
            self.at = now;
        }
    }

    fn is_full(&mut self, now: Timestamp) -> bool {
        self.refill(now);
        self.left == Self::full(self.per_minute, now).left
    }

    fn has_one(&mut self, now: Timestamp) -> bool {
        self.refill(now);
        self.left >= 1_000
    }

    pub(super) fn take(&mut self, now: Timestamp) -> bool {
        let has_one = self.has_one(now);
        if has_one {
            self.left -= 1_000;
        }
        has_one
    }
}

impl ClientBudgets {
    pub(super) fn full(all: u32, of_client: u32, now: Timestamp) -> Self {
        Self { all: Budget::full(all, now), of_client, clients: HashMap::new() }
    }

    /// Whether this client may have one more; takes it from both bounds.
    pub(super) fn take(&mut self, client: &str, now: Timestamp) -> bool {
        // First the bound for all, so that no more clients are remembered than it lets in.
        if !self.all.has_one(now) {
            return false;
        }
        self.clients.retain(|_, budget| !budget.is_full(now));
        let of_client = self.of_client;
        let budget = self.clients.entry(client.to_owned()).or_insert_with(|| Budget::full(of_client, now));
        budget.take(now) && self.all.take(now)
    }

    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.clients.len()
    }
}
