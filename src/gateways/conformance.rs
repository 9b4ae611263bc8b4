//! Does a gateway keep the promises of the trait? A suite for whoever writes one, in this crate or outside: it is given
//! genuine deliveries, changes them in every way that it can think of, and says which promises broke.

use std::fmt;

use super::{Gateway, PageRequest, TEST_KIND, Verification};
use crate::domain::delivery::{Delivery, Rejection};
use crate::domain::event::{Envelope, Interpretation, Malformed, Recorded, Verified, storable};
use crate::domain::fact::Fact;
use crate::domain::ledger::Ledger;
use crate::domain::{Timestamp, to_micros};

/// How many changed bodies, changed headers and orders of events are tried for each delivery.
const TRIES: usize = 60;

/// The suite for one gateway.
///
/// ```
/// use actix_payments::gateways::conformance::Conformance;
/// use actix_payments::gateways::{Gateway, stripe::Stripe};
/// # use actix_payments::domain::Timestamp;
/// # actix_web::rt::System::new().block_on(async {
/// let now = Timestamp::UNIX_EPOCH;
/// let stripe = Stripe::new("whsec_hidden");
/// let genuine = stripe.test_delivery("evt_1", now).expect("Stripe's can be made here");
/// Conformance::new(&stripe).secret("whsec_hidden").delivery(genuine, now).check().await.expect("all promises kept");
/// # });
/// ```
pub struct Conformance<'a> {
    gateway: &'a dyn Gateway,
    secrets: Vec<String>,
    genuine: Vec<(Delivery, Timestamp)>,
}

/// The promises that broke, each a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken(pub Vec<String>);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} promises broke:\n{}", self.0.len(), self.0.join("\n"))
    }
}

impl std::error::Error for Broken {}

impl<'a> Conformance<'a> {
    /// The suite for this gateway, as it is configured.
    pub fn new(gateway: &'a dyn Gateway) -> Self {
        Self { gateway, secrets: Vec::new(), genuine: Vec::new() }
    }

    /// A secret of the configuration, which nothing that the gateway says may contain.
    pub fn secret(mut self, secret: impl Into<String>) -> Self {
        self.secrets.push(secret.into());
        self
    }

    /// A genuine delivery, and the moment at which it comes. The more of them, and the more they differ, the better:
    /// every kind that states facts, best of one payment.
    pub fn delivery(mut self, delivery: Delivery, now: Timestamp) -> Self {
        self.genuine.push((delivery, now));
        self
    }

    /// Runs the suite. A panic of the gateway's is let through: that is a broken promise as well.
    ///
    /// # Errors
    /// The promises that broke.
    pub async fn check(self) -> Result<(), Broken> {
        let mut run = Run { suite: self, broken: Vec::new(), events: Vec::new() };
        run.configuration();
        run.test_delivery().await;
        for at in 0..run.suite.genuine.len() {
            let (delivery, now) = run.suite.genuine[at].clone();
            run.accepts(&delivery, now).await;
            run.refuses_what_was_changed(&delivery, now).await;
            run.survives(&delivery, now).await;
        }
        run.ids_tell_events_apart();
        run.interprets();
        run.no_order_matters();
        match run.broken.is_empty() {
            true => Ok(()),
            false => Err(Broken(run.broken)),
        }
    }
}

struct Run<'a> {
    suite: Conformance<'a>,
    broken: Vec<String>,
    /// The genuine deliveries' events, with the moments at which they came.
    events: Vec<(Envelope, Timestamp)>,
}

impl Run<'_> {
    fn claim(&mut self, kept: bool, sentence: impl FnOnce() -> String) {
        if !kept {
            self.broken.push(sentence());
        }
    }

    fn tells_no_secret(&mut self, what: &str, text: &str) {
        let told = self.suite.secrets.iter().any(|secret| text.contains(secret.as_str()));
        self.claim(!told, || format!("{what} contains a secret"));
    }

    fn configuration(&mut self) {
        let (gateway, given) = (self.suite.gateway, !self.suite.genuine.is_empty());
        self.claim(given, || "the suite was given no genuine delivery".to_owned());
        let check = gateway.check();
        self.claim(check.is_ok(), || "check() refuses the configuration".to_owned());
        self.claim(!gateway.name().trim().is_empty(), || "name() is blank".to_owned());
        self.tells_no_secret("what check() says", &check.err().unwrap_or_default());
        let setup = gateway.setup();
        self.tells_no_secret("setup()", &format!("{setup:?}"));
        self.claim(!setup.kinds.contains(&TEST_KIND), || "setup() wants the test's kind ticked".to_owned());
    }

    async fn test_delivery(&mut self) {
        let now = self.suite.genuine.first().map_or(Timestamp::UNIX_EPOCH, |(_, now)| *now);
        let Some(delivery) = self.suite.gateway.test_delivery("evt_of_the_suite", now) else { return };
        let events = verify(self.suite.gateway, &delivery, now).await.map(|verified| verified.events);
        let Ok([event]) = events.as_deref() else {
            return self.broken.push(format!("the test delivery is refused or not one event: {events:?}"));
        };
        self.claim(event.id == "evt_of_the_suite" && event.kind == TEST_KIND, || {
            format!("the test delivery is {} of kind {}, not what was asked for", event.id, event.kind)
        });
        let said = interpret(self.suite.gateway, event, now);
        let silent = said.is_ok_and(|said| said.facts.is_empty() && said.references == Default::default());
        self.claim(silent, || "the test delivery says something of a payment".to_owned());
    }

    /// A genuine delivery is taken, as often as it comes, and its events are the same each time.
    async fn accepts(&mut self, delivery: &Delivery, now: Timestamp) {
        let first = verify(self.suite.gateway, delivery, now).await;
        let again = verify(self.suite.gateway, delivery, now).await;
        self.claim(first == again, || "the same delivery is answered in two ways".to_owned());
        match first {
            Ok(verified) => {
                self.claim(!verified.events.is_empty(), || "a genuine delivery carries no event".to_owned());
                self.events.extend(verified.events.into_iter().map(|event| (event, now)));
            }
            Err(rejection) => self.broken.push(format!("a genuine delivery is refused: {rejection}")),
        }
    }

    /// Whatever is changed, the delivery is refused, or carries the very same events.
    async fn refuses_what_was_changed(&mut self, delivery: &Delivery, now: Timestamp) {
        let Ok(genuine) = verify(self.suite.gateway, delivery, now).await else { return };
        for changed in changes(delivery) {
            let verified = verify(self.suite.gateway, &changed.delivery, now).await;
            let harmless = !verified.is_ok_and(|verified| verified.events != genuine.events);
            self.claim(harmless, || format!("a delivery is taken for genuine with {}", changed.how));
        }
        let bare = Delivery { headers: Vec::new(), query: String::new(), body: Default::default() };
        let refused = verify(self.suite.gateway, &bare, now).await.is_err();
        self.claim(refused, || "an empty delivery is taken for genuine".to_owned());
    }

    /// Nothing that comes makes it panic, nor is it believed.
    async fn survives(&mut self, delivery: &Delivery, now: Timestamp) {
        let mut noise = Noise(delivery.body.len() as u64 + 1);
        for _ in 0..TRIES {
            let body = noise.bytes(delivery.body.len().min(300));
            let garbled = Delivery { body: body.clone().into(), ..delivery.clone() };
            let believed = verify(self.suite.gateway, &garbled, now).await.is_ok();
            self.claim(!believed || delivery.body.is_empty(), || "random bytes are taken for genuine".to_owned());
            let kind = match self.events.len() {
                0 => TEST_KIND.to_owned(),
                known => self.events[noise.below(known)].0.kind.clone(),
            };
            let cut = &delivery.body[..noise.below(delivery.body.len() + 1)];
            for body in [&body[..], cut] {
                let recorded = Recorded { id: "1", kind: &kind, occurred_at: now, body };
                if let Err(Malformed(why)) = self.suite.gateway.interpret(&recorded) {
                    self.tells_no_secret("an error of interpret()", &why);
                }
            }
            let challenge = String::from_utf8_lossy(&noise.bytes(24)).into_owned();
            let query = vec![("challenge".to_owned(), challenge.clone())];
            let (address, endpoint) = (String::new(), String::new());
            let request = PageRequest { post: false, path: challenge, address, endpoint, query, form: Vec::new(), now };
            drop(self.suite.gateway.page(&request).await);
        }
    }

    /// An id names one event, and can be stored.
    fn ids_tell_events_apart(&mut self) {
        let events = self.events.clone();
        for (at, (event, _)) in events.iter().enumerate() {
            let storable = storable(&event.id) && storable(&event.kind);
            self.claim(storable, || format!("id {:?} or kind {:?} can't be stored", event.id, event.kind));
            let other = events[..at].iter().find(|(other, _)| other.id == event.id && other.body != event.body);
            self.claim(other.is_none(), || format!("two events have the id {:?}", event.id));
        }
    }

    /// The same bytes say the same, and facts name their event.
    fn interprets(&mut self) {
        for (event, now) in self.events.clone() {
            let said = interpret(self.suite.gateway, &event, now);
            self.claim(said == interpret(self.suite.gateway, &event, now), || {
                format!("{} is interpreted in two ways", event.id)
            });
            match said {
                Err(Malformed(why)) => self.broken.push(format!("{} can't be interpreted: {why}", event.id)),
                Ok(said) => {
                    let named = said.facts.iter().all(|fact| fact.event_id == event.id);
                    self.claim(named, || format!("a fact of {} names another event", event.id));
                    self.claim(!said.summary.trim().is_empty(), || format!("{} has no summary", event.id));
                    self.tells_no_secret("a summary", &said.summary);
                }
            }
        }
        let unknown = self.events.first().cloned();
        if let Some((event, now)) = unknown {
            let event = Envelope { kind: "no.such.kind.of.event".to_owned(), ..event };
            let said = interpret(self.suite.gateway, &event, now).is_ok_and(|said| said.facts.is_empty());
            self.claim(said, || "a kind that nobody knows is refused, or states facts".to_owned());
        }
    }

    /// The facts of all events make the same ledger in any order and repetition.
    fn no_order_matters(&mut self) {
        let facts: Vec<Vec<Fact>> = self
            .events
            .iter()
            .filter_map(|(event, now)| Some(interpret(self.suite.gateway, event, *now).ok()?.facts))
            .collect();
        let ledger = |order: &[usize]| Ledger::from_facts(order.iter().flat_map(|at| facts[*at].clone()));
        let straight: Vec<usize> = (0..facts.len()).collect();
        let (expected, mut noise) = (ledger(&straight), Noise(7));
        let expected: Vec<_> = expected.facts().cloned().collect();
        for _ in 0..TRIES {
            let mut order = [straight.clone(), straight.clone()].concat();
            (1..order.len()).rev().for_each(|at| order.swap(at, noise.below(at + 1)));
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
    }
}

fn interpret(gateway: &dyn Gateway, event: &Envelope, now: Timestamp) -> Result<Interpretation, Malformed> {
    let occurred_at = event.occurred_at.unwrap_or(to_micros(now));
    gateway.interpret(&Recorded { id: &event.id, kind: &event.kind, occurred_at, body: &event.body })
}

/// A delivery that is not what it was, and what was done to it.
struct Changed {
    delivery: Delivery,
    how: String,
}

/// Each header left out, and bytes of the body changed, added and left out.
fn changes(delivery: &Delivery) -> Vec<Changed> {
    let mut changes = Vec::new();
    for at in 0..delivery.headers.len() {
        let mut without = delivery.clone();
        let (name, _) = without.headers.remove(at);
        changes.push(Changed { delivery: without, how: format!("no header field {name}") });
    }
    let mut noise = Noise(delivery.body.len() as u64 + 3);
    for _ in 0..TRIES.min(delivery.body.len()) {
        let at = noise.below(delivery.body.len());
        let (mut other, mut longer, shorter) = (delivery.body.to_vec(), delivery.body.to_vec(), &delivery.body[..at]);
        other[at] ^= 1 << noise.below(8);
        longer.insert(at, delivery.body[at]);
        for (body, how) in [(other, "another bit at"), (longer, "a byte more at"), (shorter.to_vec(), "an end at")] {
            let how = format!("{how} byte {at} of its body");
            changes.push(Changed { delivery: Delivery { body: body.into(), ..delivery.clone() }, how });
        }
    }
    changes
}

/// Numbers that look random and are the same in each run (SplitMix64).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap_or_default()
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.below(most + 1)).map(|_| self.next().to_le_bytes()[0]).collect()
    }
}
