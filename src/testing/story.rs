//! Events that a company sends, to be delivered in whatever order and as often as a test likes.

use std::fmt;
use std::sync::Arc;

use actix_web::test::TestRequest;

use crate::domain::delivery::{Delivery, Rejection};
use crate::domain::event::Envelope;
use crate::domain::identifier::VariantName;
use crate::payments::Payments;
use crate::testing::happening::{Format, Written};

/// The most events of which [`Story::orders`] makes every order: there are 720.
const MOST_ORDERED: usize = 6;

/// Events of one variant, in the order in which they happened. They are signed when they are delivered, at the time of
/// the builder's clock, as a company signs each attempt. You can deliver the same event any number of times: its id
/// stays the same.
///
/// See the [module](crate::testing) for an example.
#[derive(Clone)]
#[must_use = "nothing was delivered yet: `deliver` does"]
pub struct Story {
    payments: Payments,
    variant: VariantName,
    format: Arc<dyn Format>,
    events: Vec<Written>,
}

impl Story {
    pub(super) fn new(payments: Payments, variant: VariantName, format: Arc<dyn Format>, events: Vec<Written>) -> Self {
        Self { payments, variant, format, events }
    }

    /// Appends what happened next, at the same variant.
    ///
    /// # Panics
    /// When `next` is of another variant.
    pub fn then(mut self, next: Story) -> Self {
        assert_eq!(self.variant, next.variant, "a story is of one variant");
        self.events.extend(next.events);
        self
    }

    /// The kinds of its events, in their order.
    pub fn kinds(&self) -> Vec<&str> {
        self.events.iter().map(|event| event.kind.as_str()).collect()
    }

    /// Only the events of this kind: the others were lost on the way.
    pub fn only(mut self, kind: &str) -> Self {
        self.events.retain(|event| event.kind == kind);
        self
    }

    /// Without the events of this kind, which were lost on the way.
    pub fn without(mut self, kind: &str) -> Self {
        self.events.retain(|event| event.kind != kind);
        self
    }

    /// Each event twice in a row.
    pub fn twice(mut self) -> Self {
        self.events = self.events.into_iter().flat_map(|event| [event.clone(), event]).collect();
        self
    }

    /// In reverse order.
    pub fn reversed(mut self) -> Self {
        self.events.reverse();
        self
    }

    /// In a random order, which is always the same for the same seed.
    pub fn shuffled(mut self, seed: u64) -> Self {
        // xorshift64*, which needs a start other than zero.
        let mut state = seed | 1 << 63;
        for last in (1..self.events.len()).rev() {
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            let random = usize::try_from(state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).unwrap_or_default();
            self.events.swap(last, random % (last + 1));
        }
        self
    }

    /// The story in every possible order.
    ///
    /// # Panics
    /// For more than 6 events, which have too many orders: use [`Story::shuffled`] with some seeds.
    pub fn orders(self) -> Vec<Story> {
        let count = self.events.len();
        assert!(count <= MOST_ORDERED, "expected at most {MOST_ORDERED} events to put in every order, got {count}");
        let mut orders = vec![Vec::new()];
        for event in &self.events {
            let longer = |order: &Vec<Written>| {
                let at = |place| order[..place].iter().chain([event]).chain(&order[place..]).cloned().collect();
                (0..=order.len()).map(at).collect::<Vec<Vec<Written>>>()
            };
            orders = orders.iter().flat_map(longer).collect();
        }
        orders.into_iter().map(|events| Story { events, ..self.clone() }).collect()
    }

    /// Receives the events one after the other, as the webhook endpoint does, and returns how many were new. A worker
    /// processes them, or [`settle`](super::settle).
    ///
    /// # Errors
    /// Why the endpoint would refuse one.
    pub async fn deliver(&self) -> Result<usize, Rejection> {
        let mut new = 0;
        for delivery in self.deliveries().await {
            let received = self.payments.receive(&self.variant, delivery).await?;
            new += received.events - received.duplicates;
        }
        Ok(new)
    }

    /// The requests that the company sends, for `actix_web::test::call_service`: signed now, at the path of
    /// [`Builder::address`](crate::Builder::address), else of the first mount, or at `/payments` before there is one.
    /// If the app of the test has the mount elsewhere, such as in a scope, give each its path by `TestRequest::uri`.
    pub async fn requests(&self) -> Vec<TestRequest> {
        let address = self.payments.address_of(&self.variant);
        let path = address.find("://").and_then(|at| address[at + 3..].find('/').map(|slash| at + 3 + slash));
        let request = |delivery: Delivery| {
            let path = &address[path.unwrap_or(0)..];
            let question = if delivery.query.is_empty() { "" } else { "?" };
            let request = TestRequest::post().uri(&format!("{path}{question}{}", delivery.query));
            let mut request = request.set_payload(delivery.body);
            for (name, value) in delivery.headers {
                request = request.append_header((name, value));
            }
            request
        };
        self.deliveries().await.into_iter().map(request).collect()
    }

    /// The same as what [`Payments::receive`](crate::Payments::receive) takes, signed now.
    ///
    /// # Panics
    /// When the variant's gateway has no secret to sign with.
    pub async fn deliveries(&self) -> Vec<Delivery> {
        let mut signed = Vec::new();
        for event in &self.events {
            let engine = self.payments.engine();
            let delivery = match self.format.delivery(event, engine.now()) {
                Some(delivery) => Some(delivery),
                None => engine.signed_delivery(&self.variant, &event.id, &event.body).await,
            };
            signed.push(delivery.unwrap_or_else(|| {
                panic!("the gateway of the variant {:?} has no secret to sign a delivery with", self.variant)
            }));
        }
        signed
    }

    /// The events as a gateway's answer to a call has them.
    pub(super) fn envelopes(events: Vec<Written>, key: &str) -> Vec<Envelope> {
        let answered = |(at, event): (usize, Written)| {
            let id = if at == 0 { key.to_owned() } else { format!("{key}-{at}") };
            Envelope {
                occurred_at: Some(event.at),
                livemode: Some(false),
                account: event.account,
                ..Envelope::new(id, event.kind, event.body)
            }
        };
        events.into_iter().enumerate().map(answered).collect()
    }
}

impl fmt::Debug for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Story").field("variant", &self.variant).field("kinds", &self.kinds()).finish()
    }
}
