//! Listing a gateway's objects, to find what no event has told: a trait of its own, for gateways that have such lists.

use super::call::{BoxFuture, GatewayError};
use crate::domain::Timestamp;
use crate::domain::event::Envelope;
use crate::domain::named::NamedObject;

/// A gateway whose objects can be listed.
pub trait ObjectSource: Send + Sync {
    /// Lists a page of the objects of payments and subscriptions that were created within a span, as they are now.
    /// Changes nothing at the gateway.
    ///
    /// # Errors
    /// See [`GatewayError`].
    fn page<'a>(&'a self, query: &'a ObjectQuery) -> BoxFuture<'a, Result<ObjectPage, GatewayError>>;
}

/// Which objects are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectQuery {
    /// Created at this moment or later, by the gateway's clock.
    pub since: Timestamp,
    /// Created at this moment or earlier: what is younger may still be under way here.
    pub until: Timestamp,
    /// Where the list goes on, as the page before said; `None` for its first page. It may be hours old.
    pub cursor: Option<String>,
    /// The ids of the events begin with it: `<key>-1`, `<key>-2` and so on.
    pub key: String,
}

/// A page of objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectPage {
    /// The objects, in any order.
    pub objects: Vec<ListedObject>,
    /// Where the list goes on; `None` on its last page. At most 200 characters.
    pub next: Option<String>,
}

impl ObjectPage {
    /// A page, and where the list goes on.
    pub fn new(objects: Vec<ListedObject>, next: Option<String>) -> Self {
        Self { objects, next }
    }
}

/// A listed object.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedObject {
    /// Which object it is, as [`Gateway::fetch`](super::Gateway::fetch) is asked for it.
    pub object: NamedObject,
    /// How it is now, as the events that a refresh would answer with. They are compared and never stored.
    pub events: Vec<Envelope>,
}

impl ListedObject {
    /// An object, and how it is now.
    pub fn new(object: NamedObject, events: Vec<Envelope>) -> Self {
        Self { object, events }
    }
}
