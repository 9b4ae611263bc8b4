//! How many deliveries, and how many bytes of them, may wait before more are sent away.

use super::Builder;
use crate::store::dialect::HostConnection;

impl<C: HostConnection> Builder<C> {
    /// How many deliveries may wait for the database before more are answered 503. Default 1024.
    pub fn queue(mut self, deliveries: usize) -> Self {
        self.limits.waiting = deliveries;
        self
    }

    /// How large all tables and their indexes may become together, in bytes; on SQLite the whole file. The data page
    /// and `doctor` predict when this size will be reached at the pace of the last month, and `doctor` warns 30 days
    /// before. Nothing is refused when it is reached. Default: none.
    pub fn growth_bound(mut self, bytes: u64) -> Self {
        self.growth_bound = Some(bytes);
        self
    }

    /// A limit in bytes for the bodies of requests that are still arriving, and the same limit for deliveries that wait
    /// for the database. Beyond it, deliveries are answered 503. Default 64 MiB. A body counts from 4 KiB on. When the
    /// limit for arriving bodies is reached, those that have been arriving for over a second are dropped in favour of
    /// new ones.
    pub fn queue_bytes(mut self, bytes: usize) -> Self {
        self.limits.bytes = bytes;
        self
    }
}
