//! Outgoing calls to a gateway: the verbs, the parameters of a call, and the errors. How a call is made is up to each
//! gateway.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use crate::domain::Timestamp;
use crate::domain::event::Envelope;
use crate::domain::fact::Aspect;
use crate::domain::identifier::{GatewayRef, Token};
use crate::domain::money::Money;
use crate::domain::named::NamedObject;
pub use crate::domain::operation::Verb;

/// A boxed future that can be sent between threads.
///
/// See [`SubscriptionGateway`](super::subscriptions::SubscriptionGateway) for an example.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The result of starting a payment.
///
/// See [`SubscriptionGateway`](super::subscriptions::SubscriptionGateway) for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Started {
    /// The customer continues on a page of the gateway's.
    Redirect {
        /// The address of the page.
        url: String,
        /// The gateway's ids of the objects that it created for this payment.
        gateway_refs: Vec<GatewayRef>,
    },
    /// The gateway has no page for the customer: the host does the rest, or there is nothing left to do.
    Done,
}

/// A call about one payment.
///
/// ```
/// use actix_payments::domain::Timestamp;
/// use actix_payments::domain::money::{Currency, Money};
/// use actix_payments::gateways::{Call, Gateway, Verb, dummy::Dummy};
/// # actix_web::rt::System::new().block_on(async {
///
/// let dummy = Dummy::new("a secret of your own");
/// let total = Money::new(49_99, Currency::EUR);
/// let call = Call::new(Verb::Cancel, "tok_1", total, "op_1", Timestamp::UNIX_EPOCH);
/// let events = dummy.call(&call).await?;
/// println!("the answer: {events:?}");
/// # Ok::<(), actix_payments::gateways::GatewayError>(()) }).unwrap();
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Call {
    /// What to do.
    pub verb: Verb,
    /// Our public id of the payment.
    pub token: Token,
    /// The account at the gateway to which the payment belongs, if that is not the merchant's own: at Stripe, a
    /// connected one.
    pub account: Option<String>,
    /// The gateway's ids of the payment's objects; the one that the verb is most likely about comes first. The same for
    /// every try of a call.
    pub gateway_refs: Vec<GatewayRef>,
    /// For [`Verb::Complete`]: the id of the object that waits, if an event named it. It is also the first of
    /// `gateway_refs`.
    pub awaited: Option<GatewayRef>,
    /// The aspect of the known fact of each id. An id without a fact is missing.
    pub aspects: BTreeMap<GatewayRef, Aspect>,
    /// The amount to capture or refund; `None` for everything that is left.
    pub amount: Option<Money>,
    /// Whether the amount to refund is the whole amount of its capture: see [`Call::part`]. The same for every try of a
    /// call.
    pub is_whole: bool,
    /// The payment's whole amount.
    pub total: Money,
    /// The reason for a refund, as a code of the gateway's: see
    /// [`Setup::refund_reasons`](super::Setup::refund_reasons).
    pub reason: Option<String>,
    /// The idempotency key, the same for every try of a call: at most 60 letters, digits and underscores.
    pub idempotency_key: String,
    /// The number of this try, from 1.
    pub tries: u32,
    /// When the call was first requested, by our clock.
    pub requested_at: Timestamp,
}

impl Call {
    /// The first try of a call about a payment without known objects.
    pub fn new(
        verb: Verb,
        token: impl Into<Token>,
        total: Money,
        idempotency_key: impl Into<String>,
        requested_at: Timestamp,
    ) -> Self {
        Self {
            verb,
            token: token.into(),
            account: None,
            gateway_refs: Vec::new(),
            awaited: None,
            aspects: BTreeMap::new(),
            amount: None,
            is_whole: false,
            total,
            reason: None,
            idempotency_key: idempotency_key.into(),
            tries: 1,
            requested_at,
        }
    }

    /// The amount to send to a company that refunds the whole capture if no amount is given; `None` for the whole.
    pub fn part(&self) -> Option<Money> {
        self.amount.filter(|_| !self.is_whole)
    }

    /// The ids with a known fact of this aspect, in the order of [`Call::gateway_refs`]; for `None`, the ids without a
    /// known fact.
    pub fn ids(&self, aspect: Option<Aspect>) -> impl Iterator<Item = &GatewayRef> {
        let refs = self.gateway_refs.iter();
        refs.filter(move |id| self.aspects.get(*id).copied() == aspect)
    }
}

/// A request for an object that an event names without showing it.
///
/// ```no_run
/// use actix_payments::gateways::{Fetch, Gateway, GatewayError, NamedObject};
///
/// # async fn example(gateway: &dyn Gateway) -> Result<(), GatewayError> {
/// let fetch = Fetch::new(NamedObject::new("payment", "tr_7UhSN1zuXS"), "fetch_1");
/// for event in gateway.fetch(&fetch).await? {
///     println!("{} is {}", event.id, event.kind);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fetch {
    /// The object.
    pub object: NamedObject,
    /// The same for every try of a request: at most 60 letters, digits and underscores. The ids of the answer's events
    /// are made from it.
    pub idempotency_key: String,
    /// The number of this try, from 1.
    pub tries: u32,
}

impl Fetch {
    /// The first try of a request.
    pub fn new(object: NamedObject, idempotency_key: impl Into<String>) -> Self {
        Self { object, idempotency_key: idempotency_key.into(), tries: 1 }
    }
}

/// A page of a gateway's list of events.
///
/// ```
/// use actix_payments::domain::event::Envelope;
/// use actix_payments::gateways::Listing;
///
/// /// What `Gateway::list` returns for a page of the company's list.
/// fn listing(events: Vec<Envelope>, has_more: bool) -> Listing {
///     if has_more { Listing::page(events) } else { Listing::last_page(events) }
/// }
/// # assert!(!listing(Vec::new(), false).more);
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Listing {
    /// The events, newest first.
    pub events: Vec<Envelope>,
    /// Whether there are older events on a further page.
    pub more: bool,
}

impl Listing {
    /// A page with older events behind it.
    pub fn page(events: Vec<Envelope>) -> Self {
        Self { events, more: true }
    }

    /// The last page.
    pub fn last_page(events: Vec<Envelope>) -> Self {
        Self { events, more: false }
    }
}

/// Why a call to a gateway failed. The texts are for operators and never contain a secret.
///
/// See [`SubscriptionGateway`](super::subscriptions::SubscriptionGateway) for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum GatewayError {
    /// The gateway refused, and would refuse again.
    Declined(String),
    /// Nothing was done. The call can safely be retried.
    Unavailable(String),
    /// It may have been done. The call may be retried only with the same idempotency key.
    OutcomeUnknown(String),
    /// The gateway does not support it, or not in this configuration.
    Unsupported(String),
    /// It was done, but the gateway's answer could not be read.
    Malformed(String),
}

impl std::fmt::Display for GatewayError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Declined(why) => write!(f, "the gateway declined: {why}"),
            Self::Unavailable(why) => write!(f, "the gateway did nothing: {why}"),
            Self::OutcomeUnknown(why) => write!(f, "the gateway did not answer, it may have acted: {why}"),
            Self::Unsupported(what) => write!(f, "this gateway does not support it: {what}"),
            Self::Malformed(why) => write!(f, "the gateway's answer is not understood: {why}"),
        }
    }
}

impl std::error::Error for GatewayError {}
