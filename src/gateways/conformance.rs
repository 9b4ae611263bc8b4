//! A test suite for gateways. It checks that a gateway, of this crate or of your own, keeps the promises of the
//! [`Gateway`] trait: you give it genuine deliveries, it alters them in many ways, and it reports the broken promises.
//!
//! See [`Conformance`] for an example.

mod altered;
mod reduced;

use std::fmt;

use self::altered::{SplitMix64, TRIES, alterations};
use super::{Gateway, HINT_KIND, PageRequest, TEST_KIND, Verification};
use crate::domain::delivery::{Delivery, Rejection};
use crate::domain::event::{Envelope, Interpretation, Malformed, Recorded, Verified, storable};
use crate::domain::fact::Fact;
use crate::domain::ledger::Ledger;
use crate::domain::{Timestamp, to_micros};

/// The suite for one gateway.
///
/// ```
/// use actix_payments::gateways::conformance::Conformance;
/// use actix_payments::gateways::{Gateway, stripe::Stripe};
/// # use actix_payments::domain::Timestamp;
/// # actix_web::rt::System::new().block_on(async {
///
/// let (stripe, now) = (Stripe::new("whsec_hidden"), Timestamp::UNIX_EPOCH);
/// let genuine = stripe.test_delivery("evt_1", now).expect("a signing secret is set");
/// let suite = Conformance::new(&stripe).secret("whsec_hidden").delivery(genuine, now);
/// suite.check().await.expect("all promises are kept");
/// # });
/// ```
pub struct Conformance<'a> {
    gateway: &'a dyn Gateway,
    secrets: Vec<String>,
    genuine: Vec<(Delivery, Timestamp)>,
    signs_some: bool,
    answers: Vec<(Envelope, Timestamp)>,
}

/// The promises that a gateway breaks, each as a sentence.
///
/// See [`Conformance`], whose check returns it, for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenPromises(pub Vec<String>);

impl fmt::Display for BrokenPromises {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} broken promises:\n{}", self.0.len(), self.0.join("\n"))
    }
}

impl std::error::Error for BrokenPromises {}

impl<'a> Conformance<'a> {
    /// The suite for a configured gateway.
    pub fn new(gateway: &'a dyn Gateway) -> Self {
        Self { gateway, secrets: Vec::new(), genuine: Vec::new(), signs_some: false, answers: Vec::new() }
    }

    /// Adds a secret of the configuration. Nothing that the gateway returns may contain it. Default: none.
    pub fn secret(mut self, secret: impl Into<String>) -> Self {
        self.secrets.push(secret.into());
        self
    }

    /// Adds a genuine delivery and the time at which it arrives. Default: none, but the suite needs at least one. Add
    /// one of every kind that states facts, if possible all about one payment.
    pub fn delivery(mut self, delivery: Delivery, now: Timestamp) -> Self {
        self.genuine.push((delivery, now));
        self
    }

    /// Declares that the company signs only some fields of its deliveries, or nothing of the body. An altered delivery
    /// may then contain events that differ from the genuine ones in unsigned fields. But they must have the same ids
    /// and kinds, and state the same facts and references; their time may differ. Default: an altered delivery contains
    /// the genuine events or none.
    pub fn signs_some_fields(mut self) -> Self {
        self.signs_some = true;
        self
    }

    /// Adds an event that the gateway makes from an answer to a call, and when the answer came. Default: none. Add some
    /// if the gateway makes calls, if possible about the payment of the deliveries.
    pub fn event(mut self, event: Envelope, now: Timestamp) -> Self {
        self.answers.push((event, now));
        self
    }

    /// Runs the suite. A panic in the gateway is not caught; it is a broken promise as well.
    ///
    /// # Errors
    /// The broken promises.
    pub async fn check(self) -> Result<(), BrokenPromises> {
        let mut run = Run { suite: self, broken: Vec::new(), events: Vec::new() };
        run.configuration();
        run.test_delivery().await;
        for at in 0..run.suite.genuine.len() {
            let (delivery, now) = run.suite.genuine[at].clone();
            run.accepts(&delivery, now).await;
            run.refuses_alterations(&delivery, now).await;
            run.survives_noise(&delivery, now).await;
        }
        run.events.append(&mut run.suite.answers);
        run.ids_are_unique();
        run.interprets();
        run.survives_erasure();
        run.order_does_not_matter();
        if run.broken.is_empty() { Ok(()) } else { Err(BrokenPromises(run.broken)) }
    }
}

struct Run<'a> {
    suite: Conformance<'a>,
    broken: Vec<String>,
    /// The events of the genuine deliveries, with the times at which they arrived.
    events: Vec<(Envelope, Timestamp)>,
}

impl Run<'_> {
    fn claim(&mut self, kept: bool, sentence: impl FnOnce() -> String) {
        if !kept {
            self.broken.push(sentence());
        }
    }

    fn claim_without_secrets(&mut self, what: &str, text: &str) {
        let leaks = self.suite.secrets.iter().any(|secret| text.contains(secret.as_str()));
        self.claim(!leaks, || format!("{what} contains a secret"));
    }

    fn configuration(&mut self) {
        let (gateway, given) = (self.suite.gateway, !self.suite.genuine.is_empty());
        self.claim(given, || "the suite was given no genuine delivery".to_owned());
        let check = gateway.check();
        self.claim(check.is_ok(), || "check() refuses the configuration".to_owned());
        self.claim(!gateway.name().trim().is_empty(), || "name() is blank".to_owned());
        self.claim_without_secrets("the error of check()", &check.err().unwrap_or_default());
        let setup = gateway.setup();
        self.claim_without_secrets("setup()", &format!("{setup:?}"));
        self.claim(!setup.kinds.contains(&TEST_KIND), || "setup() lists the kind of test events".to_owned());
    }

    async fn test_delivery(&mut self) {
        let now = self.suite.genuine.first().map_or(Timestamp::UNIX_EPOCH, |(_, now)| *now);
        let Some(delivery) = self.suite.gateway.test_delivery("evt_of_the_suite", now) else { return };
        let events = verify(self.suite.gateway, &delivery, now).await.map(|verified| verified.events);
        let Ok([event]) = events.as_deref() else {
            return self.broken.push(format!("the test delivery is refused or is not one event: {events:?}"));
        };
        self.claim(event.id == "evt_of_the_suite" && event.kind == TEST_KIND, || {
            format!("the test delivery has the id {} and the kind {}, not the expected ones", event.id, event.kind)
        });
        let read = interpret(self.suite.gateway, event, now);
        let is_empty = read.is_ok_and(|read| read.facts.is_empty() && read.references == Default::default());
        self.claim(is_empty, || "the test delivery says something about a payment".to_owned());
    }

    /// A genuine delivery is accepted each time, with the same events.
    async fn accepts(&mut self, delivery: &Delivery, now: Timestamp) {
        let first = verify(self.suite.gateway, delivery, now).await;
        let again = verify(self.suite.gateway, delivery, now).await;
        self.claim(first == again, || "the same delivery is verified with two results".to_owned());
        match first {
            Ok(verified) => {
                self.claim(!verified.events.is_empty(), || "a genuine delivery carries no event".to_owned());
                self.events.extend(verified.events.into_iter().map(|event| (event, now)));
            }
            Err(rejection) => self.broken.push(format!("a genuine delivery is refused: {rejection}")),
        }
    }

    /// An altered delivery is refused, still carries exactly the same events, or is an unsigned hint in which nothing
    /// but an object to fetch is found.
    async fn refuses_alterations(&mut self, delivery: &Delivery, now: Timestamp) {
        let Ok(genuine) = verify(self.suite.gateway, delivery, now).await else { return };
        for altered in alterations(delivery) {
            let verified = verify(self.suite.gateway, &altered.delivery, now).await;
            let harmless = match verified {
                Err(_) => true,
                Ok(verified) if verified.events == genuine.events => true,
                Ok(verified) if self.says_the_same(&verified, &genuine, now) => true,
                Ok(verified) => verified.events.iter().all(|event| self.states_nothing(event, now)),
            };
            self.claim(harmless, || format!("a delivery with {} is accepted", altered.how));
        }
        let bare = Delivery { headers: Vec::new(), query: String::new(), body: Default::default() };
        let refused = verify(self.suite.gateway, &bare, now).await.is_err();
        self.claim(refused, || "an empty delivery is accepted".to_owned());
    }

    /// Whether the events of two deliveries are the same but for fields that are not signed.
    fn says_the_same(&self, one: &Verified, other: &Verified, now: Timestamp) -> bool {
        let said = |verified: &Verified| -> Vec<_> {
            let of = |event: &Envelope| {
                let read = interpret(self.suite.gateway, event, now).ok()?;
                let timeless = read.facts.into_iter().map(|fact| Fact { occurred_at: now, since: None, ..fact });
                Some((event.id.clone(), event.kind.clone(), timeless.collect::<Vec<_>>(), read.references))
            };
            verified.events.iter().map(of).collect()
        };
        self.suite.signs_some && said(one) == said(other)
    }

    /// Whether the event is a hint, of which nothing is believed.
    fn states_nothing(&self, event: &Envelope, now: Timestamp) -> bool {
        let nothing = |read: Interpretation| {
            let object_to_fetch = read.object_to_fetch.clone();
            let (summary, references) = (read.summary.clone(), read.references.clone());
            let only = Interpretation { object_to_fetch, summary, references, ..Interpretation::default() };
            read.references.tokens.is_empty() && read == only
        };
        event.kind == HINT_KIND && interpret(self.suite.gateway, event, now).map_or(true, nothing)
    }

    /// Random input neither causes a panic nor is accepted, unless nothing of the body is signed and nothing read.
    async fn survives_noise(&mut self, delivery: &Delivery, now: Timestamp) {
        let mut random = SplitMix64(delivery.body.len() as u64 + 1);
        let genuine = verify(self.suite.gateway, delivery, now).await;
        for _ in 0..TRIES {
            let body = random.bytes(delivery.body.len().min(300));
            let garbled = Delivery { body: body.clone().into(), ..delivery.clone() };
            let harmless = match (verify(self.suite.gateway, &garbled, now).await, &genuine) {
                (Ok(garbled), Ok(genuine)) => self.says_the_same(&garbled, genuine, now),
                (garbled, _) => garbled.is_err(),
            };
            self.claim(harmless || delivery.body.is_empty(), || "a body of random bytes is accepted".to_owned());
            let kind = match self.events.len() {
                0 => TEST_KIND.to_owned(),
                known => self.events[random.below(known)].0.kind.clone(),
            };
            let truncated = &delivery.body[..random.below(delivery.body.len() + 1)];
            for body in [&body[..], truncated] {
                let recorded = Recorded { id: "1", kind: &kind, occurred_at: now, body };
                if let Err(Malformed(why)) = self.suite.gateway.interpret(&recorded) {
                    self.claim_without_secrets("an error of interpret()", &why);
                }
            }
            let challenge = String::from_utf8_lossy(&random.bytes(24)).into_owned();
            let query = vec![("challenge".to_owned(), challenge.clone())];
            let (address, endpoint) = (String::new(), String::new());
            let request = PageRequest { post: false, path: challenge, address, endpoint, query, form: Vec::new(), now };
            drop(self.suite.gateway.page(&request).await);
        }
    }

    /// An id belongs to one event only, and can be stored.
    fn ids_are_unique(&mut self) {
        let events = self.events.clone();
        for (at, (event, _)) in events.iter().enumerate() {
            let storable = storable(&event.id) && storable(&event.kind);
            self.claim(storable, || format!("id {:?} or kind {:?} can't be stored", event.id, event.kind));
            let other = events[..at].iter().find(|(other, _)| other.id == event.id && other.body != event.body);
            self.claim(other.is_none(), || format!("two events have the id {:?}", event.id));
        }
    }

    /// The same bytes have one interpretation, and facts name their event.
    fn interprets(&mut self) {
        for (event, now) in self.events.clone() {
            let read = interpret(self.suite.gateway, &event, now);
            self.claim(read == interpret(self.suite.gateway, &event, now), || {
                format!("{} is interpreted in two ways", event.id)
            });
            match read {
                Err(Malformed(why)) => self.broken.push(format!("{} can't be interpreted: {why}", event.id)),
                Ok(read) => {
                    let is_own = read.facts.iter().all(|fact| fact.event_id == event.id);
                    self.claim(is_own, || format!("a fact of {} names another event", event.id));
                    self.claim(!read.summary.trim().is_empty(), || format!("{} has no summary", event.id));
                    self.claim_without_secrets("a summary", &read.summary);
                }
            }
        }
        if let Some((event, now)) = self.events.first().cloned() {
            let event = Envelope { kind: "no.such.kind.of.event".to_owned(), ..event };
            let is_ignored = interpret(self.suite.gateway, &event, now).is_ok_and(|read| read.facts.is_empty());
            self.claim(is_ignored, || "an unknown kind is refused, or states facts".to_owned());
        }
    }

    /// An event says the same when what is personal in its body is gone.
    fn survives_erasure(&mut self) {
        for (event, now) in self.events.clone() {
            let read = |event: &Envelope| interpret(self.suite.gateway, event, now);
            if let Some(how) = reduced::difference(&event, read) {
                self.broken.push(format!("{} says something else once its person was erased: {how}", event.id));
            }
        }
    }

    /// The facts of all events make the same ledger in any order and with any repetition.
    fn order_does_not_matter(&mut self) {
        let facts: Vec<Vec<Fact>> = self
            .events
            .iter()
            .filter_map(|(event, now)| Some(interpret(self.suite.gateway, event, *now).ok()?.facts))
            .collect();
        let ledger = |order: &[usize]| Ledger::from_facts(order.iter().flat_map(|at| facts[*at].clone()));
        let in_order: Vec<usize> = (0..facts.len()).collect();
        let (expected, mut random) = (ledger(&in_order), SplitMix64(7));
        let expected: Vec<_> = expected.facts().cloned().collect();
        for _ in 0..TRIES {
            let mut order = [in_order.clone(), in_order.clone()].concat();
            (1..order.len()).rev().for_each(|at| order.swap(at, random.below(at + 1)));
            let same = ledger(&order).facts().cloned().collect::<Vec<_>>() == expected;
            self.claim(same, || "the order of the events makes a difference".to_owned());
        }
        self.broken.dedup();
    }
}

async fn verify(gateway: &dyn Gateway, delivery: &Delivery, now: Timestamp) -> Result<Verified, Rejection> {
    match gateway.verify(delivery, now) {
        Verification::Ready(answer) => answer,
        Verification::Later(answer) => answer.await,
        Verification::Hint(hint) => {
            let events = vec![hint?.event(delivery, "1")];
            Ok(Verified { events, secret: None, skew_seconds: None })
        }
    }
}

fn interpret(gateway: &dyn Gateway, event: &Envelope, now: Timestamp) -> Result<Interpretation, Malformed> {
    let occurred_at = event.occurred_at.unwrap_or(to_micros(now));
    gateway.interpret(&Recorded { id: &event.id, kind: &event.kind, occurred_at, body: &event.body })
}

impl fmt::Debug for Conformance<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conformance").field("gateway", &self.gateway.name()).finish_non_exhaustive()
    }
}
