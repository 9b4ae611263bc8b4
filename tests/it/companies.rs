//! Does each company's gateway answer recorded deliveries as its SDK does, end every story in what is true, and ask for
//! what its SDK asks for? What the gateways' tests share; a file a company.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use actix_payments::domain::Timestamp;
use actix_payments::domain::delivery::{Delivery, Rejection};
use actix_payments::domain::event::{Envelope, Interpretation, Recorded, Verified};
use actix_payments::domain::ledger::Ledger;
use actix_payments::domain::money::Money;
use actix_payments::domain::payment::Status;
use actix_payments::gateways::conformance::Conformance;
use actix_payments::gateways::{Gateway, TEST_KIND, Verification};
use actix_payments::{AnyConnection, Builder, NewPayment, Payment, Subscription};
use actix_web::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;

use crate::app::{App, Kind, NOW};

mod adyen;
mod asked;
mod believed;
mod erased;
mod faults;
mod fees;
mod kinds;
mod lemon_squeezy;
mod links;
mod mercado_pago;
mod orders;
mod paddle;
mod polar;
mod razorpay;
mod reasons;
mod recorded;
mod setups;
mod square;
mod storm;
mod whole;

use asked::{assert_as_recorded, call, ok, order, subscription_call, subscription_request};

/// A company, as its tests need it.
pub trait Company {
    type Gateway: Gateway;
    /// The folder of its fixtures, and with hyphens the name of its variant.
    const NAME: &'static str;
    /// Its signing secret.
    const SECRET: &'static str;

    fn gateway() -> Self::Gateway;

    /// The header fields of a genuine delivery of this body at [`NOW`], and the body; `id` is for companies that put
    /// the event's id into the header.
    fn signed(body: &str, id: &str) -> (Vec<(&'static str, String)>, String);

    /// What the address of a delivery ends in after its `?`.
    fn query(_: &str) -> String {
        String::new()
    }

    /// A fixture, changed to name the payment with this token.
    fn of(body: &str, token: &str) -> String;
}

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_timestamp(seconds).unwrap()
}

pub fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn base64(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// Every event fixture of a company, by its name and in order.
pub fn events<C: Company>() -> BTreeMap<String, String> {
    let files = std::fs::read_dir(fixtures().join("events").join(C::NAME)).unwrap().map(|entry| entry.unwrap().path());
    let named = |path: PathBuf| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path);
    files.map(named).map(|(name, path)| (name, std::fs::read_to_string(path).unwrap())).collect()
}

pub fn delivery<C: Company>(body: &str, id: &str) -> Delivery {
    let (query, (headers, body)) = (C::query(body), C::signed(body, id));
    let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())).collect();
    Delivery::new(body).with_headers(headers).with_query(query)
}

pub fn verify(gateway: &dyn Gateway, delivery: &Delivery, now: i64) -> Result<Verified, Rejection> {
    match gateway.verify(delivery, at(now)) {
        Verification::Ready(answer) => answer,
        _ => panic!("it can be decided from the delivery"),
    }
}

/// The events of a genuine delivery of this body.
pub fn received<C: Company>(name: &str, body: &str) -> Vec<Envelope> {
    let verified = verify(&C::gateway(), &delivery::<C>(body, &format!("evt_{name}")), NOW);
    verified.unwrap_or_else(|refused| panic!("{name}: {refused}")).events
}

pub fn interpret(gateway: &dyn Gateway, event: &Envelope) -> Interpretation {
    let occurred_at = event.occurred_at.unwrap_or(at(NOW));
    let recorded = Recorded::new(&event.id, &event.kind, occurred_at, &event.body);
    gateway.interpret(&recorded).unwrap_or_else(|wrong| panic!("{}: {wrong}", event.id))
}

/// What a genuine delivery of one event with this body says.
pub fn understand<C: Company>(name: &str, body: &str) -> Interpretation {
    interpret(&C::gateway(), &received::<C>(name, body)[0])
}

pub fn vectors(file: &str) -> Vec<Value> {
    let path = fixtures().join("vectors").join(format!("{file}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Asserts that each recorded delivery is answered as the company's SDKs do, but for the named cases. A genuine
/// delivery that carries no event is refused for its body.
pub fn answers_as_recorded<G: Gateway>(file: &str, count: usize, but_for: &[&str], gateway: impl Fn(&Value) -> G) {
    let vectors = vectors(file);
    assert_eq!(vectors.len(), count, "{file}");
    let mismatch = |vector: &Value| {
        let headers = vector["headers"].as_object().unwrap().iter();
        let headers = headers.map(|(name, value)| (name.clone(), value.as_str().unwrap().as_bytes().to_vec()));
        let body = match (&vector["body"], &vector["body_base64"]) {
            (Value::String(body), _) => body.clone().into_bytes(),
            (_, coded) => BASE64.decode(coded.as_str().unwrap()).unwrap(),
        };
        let query = vector["query"].as_object().into_iter().flatten();
        let query: Vec<_> = query.map(|(name, value)| format!("{name}={}", value.as_str().unwrap())).collect();
        let delivery = Delivery::new(body).with_headers(headers.collect()).with_query(query.join("&"));
        let answer = verify(&gateway(vector), &delivery, vector["now"].as_i64().unwrap_or(NOW));
        let expected = vector["expect_signature"].as_str().unwrap_or_else(|| vector["expect"].as_str().unwrap());
        let name = vector["name"].as_str().unwrap();
        let right = match &answer {
            Ok(_) => expected == "ok",
            Err(Rejection::BodyMalformed) => name.contains("body_"),
            Err(_) => expected != "ok",
        };
        (right == but_for.contains(&name)).then(|| format!("{name} ({}): {answer:?}", vector["why"]))
    };
    let wrong: Vec<_> = vectors.iter().filter_map(mismatch).collect();
    assert!(wrong.is_empty(), "{file}: {} of {count} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Asserts that every fixture says what is written beside the fixtures.
pub fn every_fixture_states_its_facts<C: Company>() {
    let path = fixtures().join("events").join(format!("{}.expected", C::NAME));
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    let mut given = String::new();
    for (name, body) in events::<C>() {
        for event in received::<C>(&name, &body) {
            let said = interpret(&C::gateway(), &event);
            writeln!(given, "{name}: {} {}\n  says {}", event.kind, event.id, said.summary).unwrap();
            for fact in &said.facts {
                let money = |minor: Option<i64>| minor.zip(fact.currency).map(|(minor, of)| Money::new(minor, of));
                let shown = |money: Option<Money>| money.map_or("-".to_owned(), |money| money.to_string());
                let (amount, face) = (money(fact.amount), money(fact.face));
                let face = if face == amount { String::new() } else { format!(" of {}", shown(face)) };
                let (aspect, state) = (fact.aspect.as_str(), fact.state.as_str());
                let parent = fact.parent.as_deref().unwrap_or("-");
                writeln!(given, "  fact {aspect} {} {state} {}{face} in {parent}", fact.gateway_ref, shown(amount))
                    .unwrap();
            }
            if let Some(statement) = &said.subscription {
                writeln!(given, "  subscription {}: {} facts", statement.gateway_ref, statement.facts.len()).unwrap();
            }
            writeln!(given, "  refs {:?} tokens {:?}", said.references.gateway_refs, said.references.tokens).unwrap();
        }
    }
    assert_eq!(given.lines().collect::<Vec<_>>(), expected.lines().collect::<Vec<_>>(), "{given}");
}

/// Asserts that the kinds of the set-up page are those that say something of a payment or a subscription; `made` are
/// events that no fixture shows.
pub fn the_kinds_to_tick_state_facts<C: Company>(made: &[(String, String)]) {
    let mut stating = stating_kinds::<C>();
    for (name, body) in made {
        let events = received::<C>(name, body).into_iter();
        stating.extend(events.filter(states::<C>).map(|event| event.kind));
    }
    stating.sort();
    let mut kinds = C::gateway().setup().kinds;
    kinds.sort_unstable();
    assert_eq!(stating, kinds);
}

/// Whether an event says something of a payment or a subscription.
fn states<C: Company>(event: &Envelope) -> bool {
    let said = interpret(&C::gateway(), event);
    !said.facts.is_empty() || said.subscription.is_some()
}

/// The kinds of the fixtures that say something of a payment or a subscription.
pub fn stating_kinds<C: Company>() -> Vec<String> {
    let mut stating = Vec::new();
    for (name, body) in events::<C>() {
        let events = received::<C>(&name, &body).into_iter();
        stating.extend(events.filter(states::<C>).map(|event| event.kind));
    }
    stating.sort();
    stating.dedup();
    stating
}

/// Asserts that the fixtures' facts make one ledger in the order of `by`, and however often they come.
pub fn no_order_makes_another_ledger<C: Company>(by: u64) {
    let gateway = C::gateway();
    let all: Vec<_> = events::<C>().into_iter().flat_map(|(name, body)| received::<C>(&name, &body)).collect();
    let facts: Vec<_> = all.iter().map(|event| interpret(&gateway, event).facts).collect();
    let mut order: Vec<usize> = (0..facts.len()).chain(0..facts.len()).collect();
    order.sort_by_key(|at| (*at as u64 + 1).wrapping_mul(by | 1).rotate_left(17));
    let straight = Ledger::from_facts(facts.iter().flatten().cloned());
    let shuffled = Ledger::from_facts(order.iter().flat_map(|at| facts[*at].clone()));
    assert_eq!(shuffled.facts().collect::<Vec<_>>(), straight.facts().collect::<Vec<_>>());
}

/// Asserts that no bytes make it panic: those of a stranger, and the fixtures' cut off anywhere under any kind.
pub fn no_bytes_make_it_panic<C: Company>(body: &[u8], cut: usize, seed: usize) {
    let (gateway, events) = (C::gateway(), events::<C>());
    let nth = |n: usize| events.iter().nth(n % events.len()).unwrap();
    let ((_, text), (name, other)) = (nth(seed), nth(seed / 64));
    let kind = &received::<C>(name, other)[0].kind;
    let broken = &text.as_bytes()[..cut.min(text.len())];
    for body in [body, broken, text.as_bytes()] {
        let recorded = Recorded::new("1", kind, at(NOW), body);
        let _ = gateway.interpret(&recorded);
        let _ = gateway.references(&recorded);
        let delivery = Delivery::new(body.to_vec());
        assert!(verify(&gateway, &delivery, NOW).is_err());
    }
}

/// Puts the gateway through the suite, with every fixture.
pub async fn keeps_the_promises<C: Company>() {
    let gateway = C::gateway();
    let deliveries = events::<C>().into_iter().map(|(name, body)| delivery::<C>(&body, &format!("evt_{name}")));
    let suite = Conformance::new(&gateway).secret(C::SECRET);
    let suite = deliveries.fold(suite, |suite, delivery| suite.delivery(delivery, at(NOW)));
    suite.check().await.unwrap_or_else(|broken| panic!("{}: {broken}", gateway.name()));
}

/// Asserts that a test event of the admin is genuine and says nothing.
pub fn a_test_event_is_genuine<C: Company>() {
    let delivery = C::gateway().test_delivery("evt_test", at(NOW)).unwrap();
    let event = verify(&C::gateway(), &delivery, NOW).unwrap().events.remove(0);
    assert_eq!((event.id.as_str(), event.kind.as_str()), ("evt_test", TEST_KIND));
    assert_eq!(interpret(&C::gateway(), &event).facts, []);
}

/// Delivers an event twice and has it processed.
pub async fn tell<C: Company>(app: &App, name: &str, body: &str) {
    tell_variant::<C>(app, &variant::<C>(0), name, body, 2).await;
}

async fn tell_variant<C: Company>(app: &App, variant: &str, name: &str, body: &str, times: usize) {
    for _ in 0..times {
        post::<C>(app, variant, &format!("evt_{name}"), body).await;
    }
    app.drain().await;
}

/// Delivers an event; `id` is for companies that put the event's id into the header.
pub async fn post<C: Company>(app: &App, variant: &str, id: &str, body: &str) {
    let (query, (headers, body)) = (C::query(body), C::signed(body, id));
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let path = format!("/payments/{variant}/?{query}");
    let answer = app.request(Method::POST, path.trim_end_matches('?'), &headers, body.as_bytes()).await;
    assert_eq!(answer.status, 200, "{id}: {}", answer.body);
}

/// Tells events of a new payment in their order, and says how it stands.
async fn told_variant<C: Company>(
    app: &App,
    variant: &str,
    due: Money,
    story: &[(String, String)],
    times: usize,
) -> Payment {
    let order = NewPayment::new(variant, due).reference("10042");
    let token = app.payments.create(order).await.unwrap().payment.token;
    for (name, body) in story {
        tell_variant::<C>(app, variant, name, &C::of(body, &token), times).await;
    }
    let payment = app.payments.payment(&token).await.unwrap().unwrap();
    assert!(!payment.needs_review(), "{payment:?}");
    payment
}

/// An app with as many variants of the company, each of which knows nothing of the others' events.
async fn app<C: Company>(kind: Kind, variants: usize) -> App {
    let add = |builder: Builder<AnyConnection>, n| builder.variant(variant::<C>(n), C::gateway());
    App::bare(kind, |builder| (0..variants).fold(builder, add)).await
}

fn variant<C: Company>(n: usize) -> String {
    let name = C::NAME.replace('_', "-");
    if n == 0 { name } else { format!("{name}-{n}") }
}

/// Tells events of a new payment in their order, each twice, and says how it stands; its page says the same.
pub async fn told<C: Company>(kind: Kind, due: Money, story: &[(String, String)]) -> (App, Payment) {
    let app = app::<C>(kind, 1).await;
    let payment = told_variant::<C>(&app, &variant::<C>(0), due, story, 2).await;
    is_shown_and_rebuilt(&app, &payment).await;
    (app, payment)
}

/// Asserts that a payment's page says how it stands, and that its events make it once more.
async fn is_shown_and_rebuilt(app: &App, payment: &Payment) {
    assert!(app.payments.rebuild(&payment.token).await.unwrap().same);
    let page = app.get(&format!("/payments/admin/payments/{}", payment.token)).await.text();
    assert!(page.contains(&payment.status.as_str().replace('_', " ")), "{page}");
    assert!(page.contains("disputed") || !payment.disputed, "{page}");
}

/// How a payment stands: its status, what was captured, refunded, and whether it is disputed.
pub type Stands = (Status, i64, i64, bool);

/// The orders in which a story is told: from the first to the last, from the last to the first, and from the middle on.
fn orders(story: &[(String, String)]) -> [Vec<(String, String)>; 3] {
    let count = story.len();
    let middle = story.iter().cycle().skip(count / 2).take(count).cloned().collect();
    [story.to_vec(), story.iter().rev().cloned().collect(), middle]
}

/// Asserts that these events end in this state in each order. In the first one, each event comes twice.
pub async fn ends<C: Company>(kind: Kind, due: Money, story: Vec<(String, String)>, expected: Stands) {
    let count = if story.len() == 1 { 1 } else { 3 };
    let app = app::<C>(kind, count).await;
    for (order, n) in orders(&story).iter().zip(0..count) {
        let names: Vec<_> = order.iter().map(|(name, _)| name.as_str()).collect();
        let times = if n == 0 { 2 } else { 1 };
        let payment = told_variant::<C>(&app, &variant::<C>(n), due, order, times).await;
        let given = (payment.status, payment.captured.minor, payment.refunded.minor, payment.disputed);
        assert_eq!(given, expected, "{names:?}");
        if n == 0 {
            is_shown_and_rebuilt(&app, &payment).await;
        }
    }
}

/// Fixtures as a story.
pub fn story<C: Company>(names: &[&str]) -> Vec<(String, String)> {
    names.iter().map(|name| ((*name).to_owned(), events::<C>()[*name].clone())).collect()
}

/// Tells events of a subscription in a few orders, and says how it stands in each.
pub async fn subscribed<C: Company>(kind: Kind, gateway_ref: &str, story: &[(String, String)]) -> Vec<Subscription> {
    let (app, mut all) = (app::<C>(kind, 3).await, Vec::new());
    for (order, n) in orders(story).iter().zip(0..) {
        let variant = variant::<C>(n);
        for (name, body) in order {
            tell_variant::<C>(&app, &variant, name, body, 1).await;
        }
        all.push(app.payments.subscription_at(&variant, gateway_ref).await.unwrap().unwrap());
    }
    all
}
