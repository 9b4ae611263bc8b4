//! Events, before and after they are interpreted: [`Envelope`] is an event in a verified delivery, [`Interpretation`]
//! what the gateway reads from it, and [`EventState`] its state in the inbox.
//!
//! See [`Gateway`](crate::gateways::Gateway) for an example.

mod words;

use bytes::Bytes;

use super::Timestamp;
use super::fact::Fact;
pub(crate) use super::identifier::storable;
use super::identifier::{GatewayRef, Token};
use super::named::NamedObject;
use super::payer::Payer;
use super::subscription::SubscriptionFact;
pub(crate) use words::AttemptOutcome;
pub use words::{EventState, Source};

/// An event as its gateway sent it, with the fields that are needed to store it once. It is not interpreted yet.
///
/// See [`Gateway`](crate::gateways::Gateway) for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Envelope {
    /// The gateway's id of the event, unique within the variant.
    pub id: String,
    /// The gateway's own name of the kind of event, verbatim: `charge.refunded`.
    pub kind: String,
    /// When it happened, by the gateway's clock.
    pub occurred_at: Option<Timestamp>,
    /// Whether it is about real money (`true`) or a test (`false`); `None` if the gateway does not say.
    pub livemode: Option<bool>,
    /// The gateway's account that the event belongs to, where the gateway says it. Stripe and Braintree name only those
    /// that are not the merchant's own.
    pub account: Option<String>,
    /// The version of the gateway's format that the body has.
    pub api_version: Option<String>,
    /// The event's own bytes, unchanged.
    pub body: Bytes,
}

impl Envelope {
    /// An event with its id, its kind and its body, and nothing else.
    pub fn new(id: impl Into<String>, kind: impl Into<String>, body: impl Into<Bytes>) -> Self {
        let (id, kind, body) = (id.into(), kind.into(), body.into());
        Self { id, kind, occurred_at: None, livemode: None, account: None, api_version: None, body }
    }
}

/// The candidates that are present, in order and without repetitions.
pub(crate) fn distinct<T, U: From<T> + PartialEq>(candidates: impl IntoIterator<Item = Option<T>>) -> Vec<U> {
    let mut found = Vec::new();
    for candidate in candidates.into_iter().flatten().map(U::from) {
        if !found.contains(&candidate) {
            found.push(candidate);
        }
    }
    found
}

/// A genuine delivery.
///
/// See [`Gateway`](crate::gateways::Gateway) for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// The events in the delivery. Most gateways send one at a time.
    pub events: Vec<Envelope>,
    /// The label of the signing secret that matched.
    pub secret: Option<String>,
    /// The age of the signature in seconds, by the time that it contains; negative for a time in the future.
    pub skew_seconds: Option<i64>,
}

impl Verified {
    /// The events of a delivery that is genuine.
    pub fn new(events: Vec<Envelope>) -> Self {
        Self { events, secret: None, skew_seconds: None }
    }

    /// Sets the label of the secret that matched.
    pub fn with_secret(mut self, label: impl Into<String>) -> Self {
        self.secret = Some(label.into());
        self
    }

    /// Sets the age of the signature, in seconds.
    pub fn with_skew(mut self, seconds: i64) -> Self {
        self.skew_seconds = Some(seconds);
        self
    }
}

/// An event from the inbox, to be interpreted.
///
/// See [`Gateway`](crate::gateways::Gateway) for an example.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Recorded<'a> {
    /// The gateway's id of the event.
    pub id: &'a str,
    /// The gateway's own name of the kind of event.
    pub kind: &'a str,
    /// When it happened by the gateway's clock, or when it was first received if the gateway does not say.
    pub occurred_at: Timestamp,
    /// The event's own bytes, unchanged.
    pub body: &'a [u8],
}

impl<'a> Recorded<'a> {
    /// An event as the inbox has it.
    pub fn new(id: &'a str, kind: &'a str, occurred_at: Timestamp, body: &'a [u8]) -> Self {
        Self { id, kind, occurred_at, body }
    }
}

/// The ids by which an event names its payment.
///
/// See [`Gateway`](crate::gateways::Gateway) for an example.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct References {
    /// Texts that may be a payment's token, as the merchant passed it to the gateway. A text that is no payment's token
    /// is ignored.
    pub tokens: Vec<Token>,
    /// The gateway's ids of the objects that make up one payment, such as a session, an intent and a charge. An id that
    /// several payments share (of a customer or a subscription) does not belong here.
    pub gateway_refs: Vec<GatewayRef>,
}

impl References {
    /// The texts that may be a payment's token, and the gateway's ids.
    pub fn new(
        tokens: impl IntoIterator<Item = impl Into<Token>>,
        gateway_refs: impl IntoIterator<Item = impl Into<GatewayRef>>,
    ) -> Self {
        let tokens = tokens.into_iter().map(Into::into).collect();
        Self { tokens, gateway_refs: gateway_refs.into_iter().map(Into::into).collect() }
    }
}

/// What a gateway reads from an event.
///
/// See [`Gateway`](crate::gateways::Gateway) for an example.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Interpretation {
    /// The payment that the event is about.
    pub references: References,
    /// The account at the gateway that gets the money: empty for the merchant's own, `None` if the gateway does not
    /// say. A payment or a subscription belongs to one account, and an event of another account does not match it by
    /// its token, since an account's owner can put any token into its objects.
    pub account: Option<String>,
    /// The facts that it states. An event without facts changes no payment.
    pub facts: Vec<Fact>,
    /// A summary for the timeline. Without facts it says why there is nothing to do.
    pub summary: String,
    /// The customer's email address, if the event has one.
    pub customer: Option<String>,
    /// Who paid, with which card, and why it was declined, as far as the event says.
    pub payer: Payer,
    /// Whether it only says that its references belong to one payment. Such an event waits, for three days at most,
    /// until a payment has one of them. But it makes the payment itself if it names an invoice of a subscription that
    /// was started here, or if it states money, the grace time is over, and unmatched events are adopted.
    pub is_link: bool,
    /// The object that waits to be completed, if the customer has approved the payment and the gateway does not
    /// continue by itself. A worker then makes a call with `Verb::Complete`, if the gateway supports it.
    pub awaits_completion: Option<Awaited>,
    /// What it states of a subscription, if it is about one.
    pub subscription: Option<SubscriptionStatement>,
    /// The object that the event names without showing it, if the gateway has to be asked for it. The event then waits
    /// for the answer. Facts of such an event are ignored.
    pub object_to_fetch: Option<NamedObject>,
}

impl Interpretation {
    /// An interpretation that says this and states nothing yet.
    pub fn new(summary: impl Into<String>) -> Self {
        Self { summary: summary.into(), ..Self::default() }
    }
}

/// What an event states of a subscription.
///
/// See [`SubscriptionFacts`](super::subscription::SubscriptionFacts) for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubscriptionStatement {
    /// The gateway's id of the subscription.
    pub gateway_ref: GatewayRef,
    /// Texts that may be the subscription's token, as the merchant passed it to the gateway. A text that is no
    /// subscription's token is ignored.
    pub tokens: Vec<Token>,
    /// The facts that it states.
    pub facts: Vec<SubscriptionFact>,
}

impl SubscriptionStatement {
    /// A statement of no facts yet.
    pub fn new(gateway_ref: impl Into<GatewayRef>) -> Self {
        Self { gateway_ref: gateway_ref.into(), tokens: Vec::new(), facts: Vec::new() }
    }
}

/// A gateway's object that waits to be completed.
///
/// ```
/// use actix_payments::domain::event::{Awaited, Interpretation};
///
/// let mut found = Interpretation::new("the customer approved the order");
/// found.awaits_completion = Some(Awaited::new("ORDER-1"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Awaited {
    /// The gateway's id of the object.
    pub gateway_ref: GatewayRef,
    /// Since when it has been waiting, by the gateway's clock. After a completion was declined, it is requested again
    /// only for an object that has been waiting since a later time. `None` if the gateway does not say.
    pub since: Option<Timestamp>,
}

impl Awaited {
    /// An object without the time since when it has been waiting.
    pub fn new(gateway_ref: impl Into<GatewayRef>) -> Self {
        Self { gateway_ref: gateway_ref.into(), since: None }
    }
}

/// The error for an event whose body cannot be interpreted. Says what was expected and what was given.
///
/// See [`Gateway`](crate::gateways::Gateway) for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed(pub String);

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Malformed {}
