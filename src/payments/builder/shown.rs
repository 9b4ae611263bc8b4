//! What debug output shows of a configuration: names, never a secret.

use std::fmt;

use super::Builder;
use crate::domain::identifier::VariantName;
use crate::payments::Payments;
use crate::store::dialect::HostConnection;

impl<C: HostConnection> fmt::Debug for Builder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variants: Vec<&VariantName> = self.variants.iter().map(|(name, _)| name).collect();
        f.debug_struct("Builder").field("variants", &variants).finish_non_exhaustive()
    }
}

impl fmt::Debug for Payments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variants: Vec<&VariantName> = self.variants().collect();
        f.debug_struct("Payments").field("variants", &variants).finish_non_exhaustive()
    }
}
