//! Variants that a host's function configures by name at run time: how it is asked, and how long what it gave is kept.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use super::Builder;
use crate::engine::Variant;
use crate::store::dialect::HostConnection;

impl<C: HostConnection> Builder<C> {
    /// Has a function of the host's configure variants by name at run time, beside those of [`Builder::variant`]: a
    /// marketplace then serves each merchant at `/payments/{merchant}/` under the merchant's own keys. A variant of the
    /// builder's wins over one of the function's. Default: there is no function.
    ///
    /// It answers `Ok(None)` where there is no variant of this name; it is asked only for names that can be one's. Where it
    /// fails, takes longer than [`Builder::variants_timeout`] or gives a gateway that can't work, the log says so,
    /// deliveries are answered 503, so that the gateway sends them again, and what waits in the database waits on. What
    /// its error says is logged, so no secret may be in it. All processes that receive or work need the same function.
    ///
    /// ```no_run
    /// # use actix_payments::{Builder, Error, Variant, gateways::stripe::Stripe};
    /// # async fn keys_of(merchant: &str) -> Result<Option<(String, String)>, std::io::Error> { Ok(None) }
    /// # fn example(builder: Builder<diesel::SqliteConnection>) -> Result<actix_payments::Payments, Error> {
    /// let payments = builder
    ///     .variants_from(|merchant: String| async move {
    ///         let Some((secret, key)) = keys_of(&merchant).await? else { return Ok(None) };
    ///         Ok(Some(Variant::new(Stripe::new(secret).api_key(key))))
    ///     })
    ///     .build()?;
    /// # Ok(payments) }
    /// ```
    pub fn variants_from<F, R>(mut self, configure: F) -> Self
    where
        F: Fn(String) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Option<Variant>, Box<dyn StdError + Send + Sync>>> + Send + 'static,
    {
        self.source = Some(Arc::new(move |name| Box::pin(configure(name))));
        self
    }

    /// For how long a process keeps what the function of [`Builder::variants_from`] gave, and of how many variants; the
    /// oldest give way. Default 60 seconds and 1,000 variants: a changed secret counts within a minute, and a busy merchant
    /// costs one question a minute. After that time a configuration is dropped, whether or not anybody asks; only a call
    /// that is under way has it until its end.
    pub fn variants_cache(mut self, time: Duration, variants: usize) -> Self {
        (self.source_limits.kept, self.source_limits.most) = (time, variants);
        self
    }

    /// How long the function of [`Builder::variants_from`] may take. Default 5 seconds, so that a gateway still hears that
    /// it is to send its delivery again.
    pub fn variants_timeout(mut self, timeout: Duration) -> Self {
        self.source_limits.timeout = timeout;
        self
    }
}
