//! How many deliveries, and how many bytes of them, may wait before more are sent away.

use super::Builder;
use crate::store::dialect::HostConnection;

impl<C: HostConnection> Builder<C> {
    /// How many deliveries may wait for the database before more are answered 503. Default 1024.
    pub fn queue(mut self, deliveries: usize) -> Self {
        self.limits.waiting = deliveries;
        self
    }

    /// How large all tables together may become, in bytes, with their indexes; on SQLite the whole file. The data page and
    /// `doctor` say when that is met at the pace of the last month, and `doctor` warns 30 days before. Nothing is refused
    /// then. Default none.
    pub fn growth_bound(mut self, bytes: u64) -> Self {
        self.growth_bound = Some(bytes);
        self
    }

    /// How many bytes the bodies of requests may take that are still arriving, and how many again the deliveries that
    /// wait for the database, before more are answered 503. Default 64 MiB. A body is counted
    /// from 4 KiB on. When so much is arriving, bodies that have been arriving for over a second give way to new ones.
    pub fn queue_bytes(mut self, bytes: usize) -> Self {
        self.limits.bytes = bytes;
        self
    }
}
