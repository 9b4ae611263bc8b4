//! Where pages read from.

use super::Builder;
use crate::store::database::Database;
use crate::store::dialect::HostConnection;

impl<C: HostConnection> Builder<C> {
    /// A replica of the database, which may be behind. The admin pages and the command line read lists, timelines and
    /// sums from it, and each page says how far it is behind. Writes, checks before an action, and all methods of
    /// [`Payments`](crate::Payments) use the builder's database. While the replica does not answer, pages read from the
    /// primary and say so. Default: none; pages read from the builder's database.
    ///
    /// Meant for a streaming standby of Postgres with `hot_standby`. Opening it fails if it does not answer; an app
    /// that should start all the same must then do without it.
    pub fn read_replica(mut self, replica: Database<C>) -> Self {
        self.replica = Some(replica);
        self
    }
}
