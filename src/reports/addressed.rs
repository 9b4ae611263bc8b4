//! Of which variant is what an address names?

use std::sync::Arc;

use crate::domain::id::EventId;
use crate::engine::{Engine, find};
use crate::error::Error;

/// What an address names.
#[derive(Debug, Clone)]
pub(crate) enum Addressed {
    /// The payment with this token.
    Payment(String),
    /// The subscription with this token.
    Subscription(String),
    /// The event with this number.
    Event(String),
}

impl Engine {
    /// The variant of a row; `None` where there is no such row. It is read from the primary, so that what was just made
    /// is there.
    pub(crate) async fn variant_of(self: &Arc<Self>, of: Addressed) -> Result<Option<String>, Error> {
        self.read(move |tx| {
            Ok(match &of {
                Addressed::Payment(token) => find::by_token(tx, token)?.map(|row| row.variant),
                Addressed::Subscription(token) => find::subscription_by_token(tx, token)?.map(|row| row.variant),
                Addressed::Event(id) => match id.parse() {
                    Ok(id) => tx.event(EventId(id))?.map(|row| row.variant),
                    Err(_) => None,
                },
            })
        })
        .await
    }
}
