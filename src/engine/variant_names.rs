//! Which variants there are: those of the builder, and those that the host's function gave and that there are rows of.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Engine;
#[cfg(feature = "cli")]
use super::{Variant, due::AT_LEISURE};
use crate::domain::scope::Scope;
use crate::error::Error;
use crate::store::Tx;

/// How many names of variants are read at the most, where all are wanted.
const MOST: i64 = 100_000;
/// How many are loaded at a time.
#[cfg(feature = "cli")]
const AT_ONCE: usize = 100;

impl Engine {
    /// The names of the variants that this process has or that there are rows of, in alphabetical order.
    pub(crate) async fn names_of_rows(self: &Arc<Self>) -> Result<Vec<String>, Error> {
        if !self.has_source() {
            return Ok(self.fixed_names());
        }
        let engine = self.clone();
        self.look(move |tx| engine.names_in(tx)).await
    }

    /// The variants that a list is read by. Where a function configures them they are thousands, and none is needed but to
    /// look for an id among all of them: whoever may see some only, or has chosen one, looks among those.
    pub(crate) fn names_to_list(
        &self,
        tx: &mut dyn Tx,
        (scope, chosen): (&Scope, Option<&str>),
        search: Option<&str>,
    ) -> Result<Vec<String>, Error> {
        let is_among_all = search.is_some() && chosen.is_none() && scope.is_all();
        if self.has_source() && !is_among_all { Ok(Vec::new()) } else { self.names_in(tx) }
    }

    /// The variants that are shown one by one to somebody who may see these: those of the builder, or where some are
    /// hidden the others, whether or not they are configured yet.
    pub(crate) fn names_seen(&self, scope: &Scope) -> Vec<String> {
        scope.names().map_or_else(|| self.fixed_names(), |names| names.iter().cloned().collect())
    }

    /// The same as [`Engine::names_of_rows`], inside a transaction.
    pub(crate) fn names_in(&self, tx: &mut dyn Tx) -> Result<Vec<String>, Error> {
        let mut names: BTreeSet<String> = self.fixed_names().into_iter().collect();
        if self.has_source() {
            names.extend(tx.variants_from("", MOST)?);
        }
        Ok(names.into_iter().collect())
    }

    /// The variants of which this is so. Those that can't be loaded are left out; the log says so.
    #[cfg(feature = "cli")]
    pub(crate) async fn able_variants(
        self: &Arc<Self>,
        is_able: impl Fn(&Variant) -> bool,
    ) -> Result<Vec<String>, Error> {
        let mut able = Vec::new();
        for names in self.names_of_rows().await?.chunks(AT_ONCE) {
            let held = self.load_all(names, AT_LEISURE).await;
            able.extend(held.into_iter().filter(|(_, variant)| is_able(variant)).map(|(name, _)| name));
        }
        able.sort_unstable();
        Ok(able)
    }
}
