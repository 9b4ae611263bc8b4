//! Names in addresses that anybody can make up: whose they are, and how many of them the host's function is asked for.

use std::sync::Arc;

use super::configured::{Moment, Source};
use super::{Engine, Variant};
use crate::domain::delivery::Rejection;
use crate::domain::identifier::VariantName;
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
        let was_seen = |source: &Source| source.has_seen(name, Moment::now(self.now()));
        self.is_fixed(name) || self.configured.source.as_ref().is_some_and(was_seen) || self.has_rows_of(name).await
    }

    /// Names that are known use up nothing of what is left for others, and don't depend on it, unless more names are looked
    /// for than there is room for.
    async fn may_ask_for(self: &Arc<Self>, name: &str, client: Option<&str>) -> bool {
        let (Some(source), now) = (&self.configured.source, self.now()) else { return true };
        if self.is_fixed(name) || !source.is_news(name, Moment::now(now)) {
            return true;
        }
        self.has_rows_of(name).await || source.allow_stranger(&client_network(client.unwrap_or_default()), now)
    }

    /// Whether there are rows of this name, which then is a known one. It counts as having none where too many others are
    /// being looked for, or there were none lately.
    async fn has_rows_of(self: &Arc<Self>, name: &str) -> bool {
        let Some(source) = &self.configured.source else { return false };
        if VariantName::from(name).check().is_err() || source.was_without_rows(name, Moment::now(self.now())) {
            return false;
        }
        let Some(place) = source.place() else { return false };
        let _turn = place.turn().await;
        let wanted = name.to_owned();
        let Ok(found) = self.read(move |tx| tx.variants_from(&wanted, 1)).await else { return false };
        let has_rows = found.first().is_some_and(|found| found == name);
        if has_rows {
            source.see(name, Moment::now(self.now()));
        } else {
            source.note_without_rows(name, Moment::now(self.now()));
        }
        has_rows
    }
}
