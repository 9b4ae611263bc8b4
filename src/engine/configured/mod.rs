//! The variants that an engine has: those of the builder, and what a host's function gave at run time.

mod kept;
pub(super) mod missed;
mod shelf;
mod source;

use crate::domain::identifier::VariantName;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) use shelf::Moment;
pub(crate) use source::{AskHost, Source, SourceLimits};

use super::variant::Variant;

/// The variants of an engine.
pub(crate) struct Configured {
    pub(super) fixed: BTreeMap<VariantName, Arc<Variant>>,
    pub(super) source: Option<Source>,
}

impl Configured {
    pub(crate) fn new(fixed: BTreeMap<VariantName, Variant>, source: Option<Source>) -> Self {
        Self { fixed: fixed.into_iter().map(|(name, variant)| (name, Arc::new(variant))).collect(), source }
    }
}
