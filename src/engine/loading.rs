//! Finding a variant by its name: at hand for database work, which waits for nothing, or loaded for all else. Work that
//! looks for a variant which is not loaded runs again once it is.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::configured::missed;
use super::configured::{Moment, Source};
use super::due::AT_LEISURE;
use super::{Engine, Variant};
use crate::domain::identifier::VariantName;
use crate::error::{Error, ErrorKind};
use crate::store::Tx;

/// How often work is run again for variants that it missed: each time names others, which is seldom.
const ROUNDS: usize = 8;

/// What is measured of variants that are configured at run time bears this name, which no variant has.
pub(crate) const AT_RUN_TIME: &str = "*";

impl Engine {
    /// The variants that the builder has, by name.
    pub(crate) fn fixed(&self) -> impl Iterator<Item = (&VariantName, &Variant)> {
        self.configured.fixed.iter().map(|(name, variant)| (name, &**variant))
    }

    /// The names of the variants that the builder has, in alphabetical order.
    pub(crate) fn fixed_names(&self) -> Vec<String> {
        self.configured.fixed.keys().map(String::from).collect()
    }

    pub(crate) fn is_fixed(&self, name: &str) -> bool {
        self.configured.fixed.contains_key(name)
    }

    /// Whether this process may have the variant, or the host's function was not asked yet.
    pub(crate) fn may_have(&self, name: &str) -> bool {
        self.has_source() || self.is_fixed(name)
    }

    /// Whether a function of the host's configures variants at run time.
    pub(crate) fn has_source(&self) -> bool {
        self.configured.source.is_some()
    }

    /// A variant that is at hand, for work that waits for nothing. One that is to be loaded first is noted, and whoever
    /// runs the work as [`Engine::read`] and [`Engine::write`] do loads it and runs the work again.
    pub(crate) fn variant(&self, name: &str) -> Option<Arc<Variant>> {
        if let Some(variant) = self.configured.fixed.get(name) {
            return Some(variant.clone());
        }
        let source = self.configured.source.as_ref()?;
        let held = source.held(name, Moment::now(self.now()));
        if held.is_none() {
            missed::miss(name);
        }
        held
    }

    /// A variant that needs no loading: one of the builder's, or one whose configuration is not over.
    pub(crate) fn at_hand(&self, name: &str) -> Option<Arc<Variant>> {
        let fixed = self.configured.fixed.get(name).cloned();
        fixed.or_else(|| self.configured.source.as_ref()?.at_hand(name, Moment::now(self.now())))
    }

    /// The variant of this name: of the builder's or, where there is none, of the host's function.
    ///
    /// # Errors
    /// `Unavailable` where the function fails, takes too long, or gives what can't work.
    pub(crate) async fn load(&self, name: &str) -> Result<Option<Arc<Variant>>, Error> {
        match (self.configured.fixed.get(name), &self.configured.source) {
            (Some(variant), _) => Ok(Some(variant.clone())),
            (None, Some(source)) => source.load(name, || self.now()).await,
            (None, None) => Ok(None),
        }
    }

    /// The same where it must be there.
    ///
    /// # Errors
    /// `NotFound` for an unknown variant.
    pub(crate) async fn known_variant(&self, name: &str) -> Result<Arc<Variant>, Error> {
        let unknown = || Error::new(ErrorKind::NotFound, format!("there is no variant {name:?}"));
        self.load(name).await?.ok_or_else(unknown)
    }

    /// The names that something waits for, and for which the host's function said lately that there is none, or failed.
    pub(super) fn lacking_names(&self) -> Vec<String> {
        self.configured.source.as_ref().map_or_else(Vec::new, |source| source.lacking(Moment::now(self.now())))
    }

    /// Those of them that count as such until they are loaded.
    pub(super) fn unserved_names(&self) -> Vec<String> {
        self.configured.source.as_ref().map_or_else(Vec::new, |source| source.unserved(Moment::now(self.now())))
    }

    /// A variant's name in what is measured: one for all that are configured at run time, who may be thousands.
    pub(crate) fn label<'a>(&self, name: &'a str) -> &'a str {
        if self.has_source() && !self.is_fixed(name) { AT_RUN_TIME } else { name }
    }

    /// Which variants could have been named, for a developer.
    pub(crate) fn expected_variants(&self) -> String {
        let fixed = format!("one of the variants {}", self.fixed_names().join(", "));
        match (self.has_source(), self.configured.fixed.is_empty()) {
            (false, _) => fixed,
            (true, true) => "a variant that the host's function gives".to_owned(),
            (true, false) => format!("{fixed}, or one that the host's function gives"),
        }
    }

    /// Whether the host's function said of this name lately that there is no such variant.
    #[cfg(feature = "cli")]
    pub(crate) fn has_none(&self, name: &str) -> bool {
        self.configured.source.as_ref().is_some_and(|source| source.has_none(name, Moment::now(self.now())))
    }

    /// Why there is no variant of this name at hand, for people.
    pub(crate) fn why_lacking(&self, name: &str) -> String {
        let known = |source: &Source| source.failed(name, Moment::now(self.now()));
        if self.configured.source.as_ref().is_some_and(known) {
            return format!("the configuration of variant {name:?} could not be loaded; the log says why");
        }
        format!("no variant {name:?} is configured here")
    }

    /// Reads, off the async threads; what `work` reads is not one snapshot. It runs again where it looked for a variant
    /// that was to be loaded first.
    pub(crate) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnMut(&mut dyn Tx) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.with_variants(work, ask).await
    }

    /// Runs `work` in one transaction, off the async threads. It may run again when a concurrent change came first, or where
    /// it looked for a variant that was to be loaded first.
    pub(crate) async fn write<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnMut(&mut dyn Tx) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.with_variants(work, transaction).await
    }

    /// Runs this database work, off the async threads. Where it misses variants, they are loaded, and it is run again
    /// while they are held.
    async fn with_variants<T: Send + 'static, W>(
        self: &Arc<Self>,
        work: W,
        run: fn(&Self, &mut W) -> Result<T, Error>,
    ) -> Result<T, Error>
    where
        W: FnMut(&mut dyn Tx) -> Result<T, Error> + Send + 'static,
    {
        let work = Arc::new(Mutex::new(work));
        let (mut tried, mut held) = (BTreeSet::new(), Vec::new());
        for _ in 0..ROUNDS {
            let (work, except) = (work.clone(), tried.clone());
            let noted = self.blocking(move |engine| {
                let mut work = work.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(missed::noting(except, || run(engine, &mut work)))
            });
            let (done, missed) = noted.await?;
            if missed.is_empty() {
                return done;
            }
            held.extend(self.load_missed(&missed).await);
            tried.extend(missed);
        }
        Err(Error::new(ErrorKind::Unavailable, "the configurations of variants are over before they are used"))
    }

    /// The same for one read elsewhere, which says what it missed besides those that were tried before.
    pub(super) fn noting<T>(except: &BTreeSet<String>, work: impl FnOnce() -> T) -> (T, BTreeSet<String>) {
        missed::noting(except.clone(), work)
    }

    /// Loads what was missed. What can't be had is no failure of the work: it says what it lacks.
    pub(super) async fn load_missed(self: &Arc<Self>, missed: &BTreeSet<String>) -> Vec<Arc<Variant>> {
        let names: Vec<String> = missed.iter().cloned().collect();
        self.load_all(&names, AT_LEISURE).await.into_iter().map(|(_, variant)| variant).collect()
    }
}

/// Reads.
fn ask<T, W: FnMut(&mut dyn Tx) -> Result<T, Error>>(engine: &Engine, work: &mut W) -> Result<T, Error> {
    engine.store.ask(work)
}

/// Runs one transaction, which is rolled back where a variant was missed.
fn transaction<T, W: FnMut(&mut dyn Tx) -> Result<T, Error>>(engine: &Engine, work: &mut W) -> Result<T, Error> {
    engine.store.transaction(|tx| {
        let done = work(tx)?;
        if missed::is_one_missed() {
            return Err(Error::new(ErrorKind::Refused, "a variant is to be loaded first"));
        }
        Ok(done)
    })
}
