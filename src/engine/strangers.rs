//! Names in addresses that anybody can make up: whose they are, and how many of them the host's function is asked for.

use std::sync::Arc;

use super::configured::Moment;
use super::{Engine, Variant};
use crate::domain::delivery::Rejection;
use crate::domain::network::client_network;

impl Engine {
    /// The variant that a request from outside names in its address; `client` is where the request came from.
    ///
    /// # Errors
    /// `UnknownVariant` and `TooManyNames`; `Unavailable` while the variant's configuration can't be loaded.
    pub(crate) async fn addressed(
        self: &Arc<Self>,
        name: &str,
        client: Option<&str>,
    ) -> Result<Arc<Variant>, Rejection> {
        if !self.may_ask_for(name, client).await {
            return Err(Rejection::TooManyNames);
        }
        self.load(name).await.map_err(|_| Rejection::Unavailable)?.ok_or(Rejection::UnknownVariant)
    }

    /// Whether this is a variant's name for sure: one of the builder's, one that was loaded before, or one that there are
    /// rows of.
    pub(crate) async fn is_known_name(self: &Arc<Self>, name: &str) -> bool {
        if self.is_fixed(name) {
            return true;
        }
        let Some(source) = &self.configured.source else { return false };
        source.has_seen(name, Moment::now(self.now())) || self.has_rows_of(name).await
    }

    /// Names that are known never use up what is left for others, and don't depend on it.
    async fn may_ask_for(self: &Arc<Self>, name: &str, client: Option<&str>) -> bool {
        let (Some(source), now) = (&self.configured.source, self.now()) else { return true };
        if self.is_fixed(name) || !source.is_news(name, Moment::now(now)) {
            return true;
        }
        source.allow_stranger(&client_network(client.unwrap_or_default()), now) || self.has_rows_of(name).await
    }

    /// Whether there are rows of this name, which then is a known one.
    async fn has_rows_of(self: &Arc<Self>, name: &str) -> bool {
        let wanted = name.to_owned();
        let found = self.read(move |tx| tx.variants_from(&wanted, 1)).await.unwrap_or_default();
        let has_rows = found.first().is_some_and(|found| found == name);
        if let Some(source) = self.configured.source.as_ref().filter(|_| has_rows) {
            source.see(name, Moment::now(self.now()));
        }
        has_rows
    }
}
