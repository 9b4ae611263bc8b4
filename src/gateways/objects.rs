//! Listing a gateway's objects, to find what no event reported: a trait of its own, for gateways that have such lists.
//!
//! See [`ObjectSource`] for an example.

use super::call::{BoxFuture, GatewayError};
use crate::domain::Timestamp;
use crate::domain::event::Envelope;
use crate::domain::named::NamedObject;

/// A gateway whose objects can be listed.
///
/// ```
/// use actix_payments::domain::event::Envelope;
/// use actix_payments::gateways::objects::{ListedObject, ObjectPage, ObjectQuery, ObjectSource};
/// use actix_payments::gateways::{BoxFuture, GatewayError, NamedObject};
///
/// struct Acme;
///
/// impl ObjectSource for Acme {
///     fn page<'a>(&'a self, query: &'a ObjectQuery) -> BoxFuture<'a, Result<ObjectPage, GatewayError>> {
///         Box::pin(async move {
///             // A real gateway asks the company for what was created between `since` and `until`, from `cursor` on.
///             let shown = Envelope::new(format!("{}-1", query.key), "payment", r#"{"id": "pay_1"}"#);
///             let payment = ListedObject::new(NamedObject::new("payment", "pay_1"), vec![shown]);
///             Ok(ObjectPage::new(vec![payment], None))
///         })
///     }
/// }
/// ```
pub trait ObjectSource: Send + Sync {
    /// Lists a page of the objects of payments and subscriptions that were created within a span, as they are now.
    /// Changes nothing at the gateway.
    ///
    /// # Errors
    /// See [`GatewayError`].
    fn page<'a>(&'a self, query: &'a ObjectQuery) -> BoxFuture<'a, Result<ObjectPage, GatewayError>>;
}

/// Which objects to list.
///
/// See [`ObjectSource`] for an example.
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

impl ObjectQuery {
    /// The first page of what was created from `since` to `until`, whose events' ids begin with `key`.
    pub fn new(since: Timestamp, until: Timestamp, key: impl Into<String>) -> Self {
        Self { since, until, cursor: None, key: key.into() }
    }

    /// The page on which the list continues here.
    #[must_use]
    pub fn continued(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = Some(cursor.into());
        self
    }
}

/// A page of objects.
///
/// See [`ObjectSource`] for an example.
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
///
/// See [`ObjectSource`] for an example.
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
