//! What can a gateway be asked, and what does it say when it does not do it? Nothing here asks; each gateway does that
//! itself.

use std::collections::BTreeMap;

use crate::domain::Timestamp;
use crate::domain::event::Envelope;
use crate::domain::fact::Aspect;
use crate::domain::money::Money;
pub use crate::domain::operation::Verb;

/// A call about one payment.
#[derive(Debug, Clone)]
pub struct Call {
    /// What is to be done.
    pub verb: Verb,
    /// Our public id of the payment.
    pub token: String,
    /// The gateway's ids of the payment's objects, those first that the verb is most likely about. The same for every
    /// try of the same call.
    pub gateway_refs: Vec<String>,
    /// The id of what an event has told that waits to be completed; the first of the ids.
    pub awaited: Option<String>,
    /// What is known of these ids: which aspect a fact stated of each.
    pub aspects: BTreeMap<String, Aspect>,
    /// How much; `None` is all there is.
    pub amount: Option<Money>,
    /// What the payment is of.
    pub total: Money,
    /// Why, by a word of the gateway's (Stripe: `duplicate`, `fraudulent`, `requested_by_customer`).
    pub reason: Option<String>,
    /// The same for every try of the same call; at the most 60 letters, digits and underscores.
    pub idempotency_key: String,
    /// Which try of the call this is, from 1.
    pub tries: u32,
    /// When this was asked for first, by our clock.
    pub asked_at: Timestamp,
}

impl Call {
    /// The ids of which a fact stated this aspect, in the order of [`Call::gateway_refs`]; with `None` those of which no
    /// fact stated anything.
    pub fn ids(&self, aspect: Option<Aspect>) -> impl Iterator<Item = &str> {
        let refs = self.gateway_refs.iter().map(String::as_str);
        refs.filter(move |id| self.aspects.get(*id).copied() == aspect)
    }
}

/// A page of a gateway's list of events.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// The events, newest first.
    pub events: Vec<Envelope>,
    /// Whether there are older ones.
    pub more: bool,
}

/// Why a gateway did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum GatewayError {
    /// The gateway said no, and will say so again.
    Declined(String),
    /// Nothing happened; safe to try again.
    Unavailable(String),
    /// It may have happened; try again with the same idempotency key only.
    OutcomeUnknown(String),
    /// This gateway can't do that.
    Unsupported(String),
    /// It was done, and the gateway's answer could not be understood.
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
