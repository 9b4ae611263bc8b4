//! The result of verifying a delivery, and the answer to it.

use std::fmt;

use super::call::BoxFuture;
pub use super::hint::{HINT_KIND, Hint};
use crate::domain::delivery::Rejection;
use crate::domain::event::Verified;

/// The result of verifying a delivery: immediate for most gateways, later for those that must fetch something first.
///
/// ```
/// use actix_payments::domain::Timestamp;
/// use actix_payments::domain::delivery::Delivery;
/// use actix_payments::gateways::{Gateway, Verification, mollie::Mollie};
///
/// let (mollie, delivery) = (Mollie::new(), Delivery::new("id=tr_7UhSN1zuXS"));
/// match mollie.verify(&delivery, Timestamp::UNIX_EPOCH) {
///     Verification::Ready(result) => println!("decided: {result:?}"),
///     Verification::Hint(result) => assert_eq!(result.unwrap().gateway_ref, "tr_7UhSN1zuXS"),
///     _ => println!("wait for it"),
/// }
/// ```
#[non_exhaustive]
pub enum Verification<'a> {
    /// Decided from the delivery alone.
    Ready(Result<Verified, Rejection>),
    /// Has to wait for something: a certificate, or the company's confirmation of an unsigned notification. The company
    /// waits for the answer to its delivery meanwhile, so this should take no more than a few seconds. If it cannot be
    /// decided now, the result is [`Rejection::Unverifiable`], and the company sends the delivery again.
    Later(BoxFuture<'a, Result<Verified, Rejection>>),
    /// The delivery is unsigned and only names an object. It becomes an event of the kind
    /// [`HINT_KIND`](super::HINT_KIND) with the delivery's own body, in which
    /// [`Gateway::interpret`](super::Gateway::interpret) finds the object to fetch and nothing else. Such deliveries
    /// are rate-limited.
    Hint(Result<Hint, Rejection>),
}

/// An answer to a delivery, as plain text.
///
/// ```
/// use actix_payments::domain::delivery::Rejection;
/// use actix_payments::gateways::Reply;
///
/// /// What `Gateway::reply` returns for a company that expects a text of its own.
/// fn reply(outcome: Result<(), Rejection>) -> Option<Reply> {
///     outcome.is_ok().then(|| Reply::new(200, "[accepted]"))
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply {
    /// The HTTP status: 2xx or 4xx.
    pub status: u16,
    /// The whole body.
    pub body: String,
}

impl Reply {
    /// An answer of this status (2xx or 4xx) and this text.
    pub fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, body: body.into() }
    }
}

impl fmt::Debug for Verification<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready(result) => f.debug_tuple("Ready").field(result).finish(),
            Self::Later(_) => f.write_str("Later"),
            Self::Hint(result) => f.debug_tuple("Hint").field(result).finish(),
        }
    }
}
