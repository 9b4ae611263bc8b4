//! What if Stripe sends everything many times, at once, and in any order?

use std::sync::Mutex;

use super::process::{Place, Shop};
use super::story::{Told, told};
use crate::app::on_both_databases;

const THREADS: usize = 16;
/// Each event of a paid checkout, and one that comes too late, with how often it is sent.
const SENT: [(&str, i64); 4] = [
    ("checkout.session.completed", 50),
    ("payment_intent.succeeded", 5),
    ("charge.succeeded", 5),
    ("checkout.session.expired", 5),
];

/// Sends all at once; each is acknowledged.
fn send(shop: &Shop, deliveries: Vec<Told>) {
    let deliveries = Mutex::new(deliveries);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let client = shop.client();
                loop {
                    let Some(event) = deliveries.lock().unwrap().pop() else { return };
                    let answer = client.stripe(&event.body).unwrap();
                    assert_eq!((answer.status, answer.body.as_str()), (200, "ok"));
                }
            });
        }
    });
}

/// The same every time for the same seed.
fn shuffle<T>(all: &mut [T], seed: u64) {
    let mut random = seed;
    for last in (1..all.len()).rev() {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        all.swap(last, (random >> 33) as usize % (last + 1));
    }
}

on_both_databases! {
    async fn fifty_copies_at_once_in_any_order_pay_once(kind) {
        let place = Place::fresh(kind);
        let shop = place.open();
        for seed in 0..4 {
            let bought = shop.client().buy().unwrap();
            let sent: Vec<(Told, i64)> = SENT.iter().map(|(name, times)| (told(name, &bought.token), *times)).collect();
            let copies = sent.iter().flat_map(|(event, times)| (0..*times).map(|_| event.clone()));
            let mut deliveries: Vec<Told> = copies.collect();
            shuffle(&mut deliveries, seed);
            send(&shop, deliveries);
            place.settled();

            let order = format!("FROM shop_orders WHERE id = '{}'", bought.order);
            assert_eq!(place.texts(&format!("SELECT status AS t {order}")), ["paid"], "seed {seed}");
            assert_eq!(place.number(&format!("SELECT receipts {order}")), 1, "seed {seed}");
            let payment = format!("(SELECT id FROM pay_payments WHERE token = '{}')", bought.token);
            let paid = format!("FROM pay_transitions WHERE payment_id = {payment} AND to_status = 'paid'");
            assert_eq!(place.number(&format!("SELECT count(*) {paid}")), 1, "seed {seed}");
            for (event, times) in &sent {
                let row = format!("FROM pay_events WHERE gateway_event_id = '{}' AND payment_id = {payment}", event.id);
                assert_eq!(place.number(&format!("SELECT count(*) {row}")), 1, "seed {seed}: {}", event.id);
                let counted = place.number(&format!("SELECT deliveries {row}"));
                // Postgres keeps no delivery waiting to count one of an event that is being processed.
                let is_right = match kind {
                    Kind::Sqlite => counted == *times,
                    Kind::Postgres => (1..=*times).contains(&counted),
                };
                assert!(is_right, "seed {seed}: {counted} of {times} of {}", event.id);
            }
            let twice = "SELECT count(*) FROM (SELECT event_id, handler FROM pay_attempts \
                         GROUP BY event_id, handler HAVING count(*) > 1) AS twice";
            assert_eq!(place.number(twice), 0, "seed {seed}");
        }
        assert_eq!(place.number("SELECT count(*) FROM pay_payments"), 4);
        assert_eq!(place.number("SELECT count(*) FROM pay_payments WHERE needs_review"), 0);
    }
}
