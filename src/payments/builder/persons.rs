//! By what persons who were erased are recognised.

use super::Builder;
use crate::engine::Erasures;
use crate::gateways::signature::Secret;
use crate::store::dialect::HostConnection;

impl<C: HostConnection> Builder<C> {
    /// The key under which it is remembered who was erased, so that what comes of them later is reduced before it is
    /// stored: at least 16 bytes that nobody can guess, the same in every process. The database keeps hashes under this
    /// key and no names, so a key that is lost or changed recognises nobody who was erased before; erase them again then.
    /// Default none: [`Payments::erase`](crate::Payments::erase) refuses.
    pub fn erasure_key(mut self, key: impl Into<String>) -> Self {
        self.erasures = Erasures::new(Some(Secret::new(key)));
        self
    }
}
