//! The key by which erased people are recognised.

use super::Builder;
use crate::engine::Erasures;
use crate::gateways::signature::Secret;
use crate::store::dialect::HostConnection;

impl<C: HostConnection> Builder<C> {
    /// The key by which erased people are recognised, so that their data is removed from what comes later before it is
    /// stored. At least 16 bytes that nobody can guess, the same in every process. The database has hashes under this
    /// key and no names. So after the key is lost or changed, nobody who was erased before is recognised; erase them
    /// again. Default: none, and [`Payments::erase`](crate::Payments::erase) refuses.
    pub fn erasure_key(mut self, key: impl Into<String>) -> Self {
        self.erasures = Erasures::new(Some(Secret::new(key)));
        self
    }
}
