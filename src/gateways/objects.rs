//! Listing a gateway's objects, to find what no event reported: a trait of its own, for gateways that have such lists.

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

/// Which objects to list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectQuery {
    /// Created at this moment or later, by the gateway's clock.
    pub since: Timestamp,
    /// Created at this moment or earlier. Newer objects may still be in processing here.
    pub until: Timestamp,
    /// Where the list continues, from the previous page; `None` for the first page. It may be hours old.
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
    /// Where the list continues; `None` on the last page. At most 200 characters.
    pub next: Option<String>,
}

impl ObjectPage {
    /// A page, and where the list continues.
    pub fn new(objects: Vec<ListedObject>, next: Option<String>) -> Self {
        Self { objects, next }
    }
}

/// A listed object.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedObject {
    /// The object, as it is passed to [`Gateway::fetch`](super::Gateway::fetch).
    pub object: NamedObject,
    /// Its current state, as the events that a refresh would return. They are compared and never stored.
    pub events: Vec<Envelope>,
}

impl ListedObject {
    /// An object with its current state.
    pub fn new(object: NamedObject, events: Vec<Envelope>) -> Self {
        Self { object, events }
    }
}
