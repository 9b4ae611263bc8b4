//! Variants that a host's function configures by name at run time: how it is asked, and how long what it gave is kept.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use super::Builder;
use crate::domain::identifier::VariantName;
use crate::engine::Variant;
use crate::store::dialect::HostConnection;

impl<C: HostConnection> Builder<C> {
    /// Adds a function that configures variants by name at run time, in addition to those of [`Builder::variant`]. A
    /// marketplace can so serve each merchant at `/payments/{merchant}/` with the merchant's own keys. A variant of the
    /// builder wins over one of the function with the same name. Default: no function.
    ///
    /// It returns `Ok(None)` if there is no variant with this name; it is called only with names that a variant can
    /// have. If it fails, takes longer than [`Builder::variants_timeout`] or returns a gateway that can't work, the log
    /// says so, deliveries are answered 503, so that the gateway resends them, and stored events wait. The error's text
    /// is logged, so it must not contain a secret. All processes that receive or work need the same function.
    ///
    /// ```no_run
    /// # use actix_payments::{Builder, Error, HostConnection, Variant, VariantName, gateways::stripe::Stripe};
    /// # async fn keys_of(merchant: &str) -> Result<Option<(String, String)>, std::io::Error> { Ok(None) }
    /// # fn example<C: HostConnection>(builder: Builder<C>) -> Result<actix_payments::Payments, Error> {
    /// let payments = builder
    ///     .variants_from(|merchant: VariantName| async move {
    ///         let Some((secret, key)) = keys_of(&merchant).await? else { return Ok(None) };
    ///         Ok(Some(Variant::new(Stripe::new(secret).api_key(key))))
    ///     })
    ///     .build()?;
    /// # Ok(payments) }
    /// ```
    pub fn variants_from<F, R>(mut self, configure: F) -> Self
    where
        F: Fn(VariantName) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Option<Variant>, Box<dyn StdError + Send + Sync>>> + Send + 'static,
    {
        self.source = Some(Arc::new(move |name| Box::pin(configure(name))));
        self
    }

    /// For how long, and for how many variants, a process caches the results of [`Builder::variants_from`]; beyond that
    /// number the oldest are dropped. Default 60 seconds and 1,000 variants: a changed secret takes effect within a
    /// minute, and a busy merchant costs one call a minute. After that time a configuration is dropped, used or not;
    /// only a call that is under way keeps it until it ends.
    pub fn variants_cache(mut self, time: Duration, variants: usize) -> Self {
        (self.source_limits.kept, self.source_limits.most) = (time, variants);
        self
    }

    /// How long the function of [`Builder::variants_from`] may take. Default 5 seconds, so that the gateway still gets
    /// the answer 503 and resends its delivery.
    pub fn variants_timeout(mut self, timeout: Duration) -> Self {
        self.source_limits.timeout = timeout;
        self
    }

    /// For how many names that were never seen one client may have the function of [`Builder::variants_from`] asked in a
    /// minute; ten times as many for all clients together. Default 600, ten a second: a gateway may deliver first events of
    /// many new merchants at once, and whoever makes names up costs the function no more than that. What is over it is
    /// answered 429, so that a gateway sends it again. Names that were loaded before, or that there are rows of, don't
    /// count. A process looks in the database for the rows of 64 names at once; of more, all count.
    pub fn variants_never_seen(mut self, names_per_minute: u32) -> Self {
        self.source_limits.never_seen = names_per_minute;
        self
    }
}
