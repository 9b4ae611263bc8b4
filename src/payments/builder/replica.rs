//! Where pages read from.

use super::Builder;
use crate::store::database::Database;
use crate::store::dialect::HostConnection;

impl<C: HostConnection> Builder<C> {
    /// A replica of the database, which may be behind: the lists, stories and sums of the admin pages and of the command
    /// line are read from it, and each page says how far it is behind. All else stays with the database of the builder:
    /// what is written, what decides whether something may be done, and all that the host asks for by
    /// [`Payments`](crate::Payments). While the replica does not answer, pages read from the primary and say so.
    /// Default: none; pages read from the builder's database.
    ///
    /// Meant for a streaming standby of Postgres with `hot_standby`. Opening it fails where it does not answer; a host
    /// that is to start all the same goes without it then.
    pub fn read_replica(mut self, replica: Database<C>) -> Self {
        self.replica = Some(replica);
        self
    }
}
