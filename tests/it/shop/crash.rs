//! What if the process is killed in the middle of everything?

use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::process::{PATIENCE, Place, Shop};
use super::story::completed;
use crate::app::{Kind, on_both_databases};

const THREADS: usize = 8;

/// Buys and pays from all threads; kills the shop when `enough` deliveries were acknowledged and some handlers are
/// running, and answers the event and the order of each delivery.
fn kill_under_load(kind: Kind, place: &Place, shop: Shop, enough: usize) -> Vec<(String, String)> {
    let acknowledged = Mutex::new(Vec::new());
    let clients: Vec<_> = (0..THREADS).map(|_| shop.client()).collect();
    std::thread::scope(|scope| {
        for client in clients {
            let acknowledged = &acknowledged;
            scope.spawn(move || {
                while let Ok(bought) = client.buy() {
                    let event = completed(&bought.token);
                    let Ok(answer) = client.stripe(&event.body) else { return };
                    assert_eq!(answer.status, 200, "{answer:?}");
                    acknowledged.lock().unwrap().push((event.id, bought.order));
                }
            });
        }
        let begun = Instant::now();
        let running = || place.number(&format!("SELECT count(*) {}", in_hand(kind))) > 0;
        while acknowledged.lock().unwrap().len() < enough || !running() {
            assert!(
                begun.elapsed() < PATIENCE,
                "the shop is too slow: {} acknowledged, handlers running: {}",
                acknowledged.lock().unwrap().len(),
                running()
            );
            std::thread::sleep(Duration::from_millis(1));
        }
        shop.kill();
    });
    acknowledged.into_inner().unwrap()
}

/// How many of these are not in the database, by a query of one column named `t` for all that are.
fn missing<'a>(place: &Place, there: &str, expected: impl Iterator<Item = &'a String>) -> usize {
    let there: std::collections::HashSet<String> = place.texts(there).into_iter().collect();
    expected.filter(|id| !there.contains(*id)).count()
}

/// Now and some seconds, as the database writes it.
fn later(kind: Kind, seconds: u32) -> String {
    match kind {
        Kind::Sqlite => format!("strftime('%Y-%m-%d %H:%M:%f', 'now', '{seconds} seconds')"),
        Kind::Postgres => format!("now() + interval '{seconds} seconds'"),
    }
}

/// The events whose handlers run, or did when the process was killed.
fn in_hand(kind: Kind) -> String {
    format!("FROM pay_events WHERE state = 'running' AND due_at > {}", later(kind, 30))
}

on_both_databases! {
    async fn whatever_was_acknowledged_outlives_a_kill(kind) {
        let place = Place::fresh(kind);
        let mut acknowledged = Vec::new();
        let mut leased = 0;
        for enough in [40, 15, 60] {
            let this_time = kill_under_load(kind, &place, place.open(), enough);
            assert!(this_time.len() >= enough);
            let count = |state: &str| place.number(&format!("SELECT count(*) FROM pay_events WHERE state = '{state}'"));
            eprintln!(
                "{kind:?}: killed after {} acknowledged events; {} available, {} running, {} completed",
                this_time.len(), count("available"), count("running"), count("completed"),
            );
            acknowledged.extend(this_time);

            let stored = "SELECT gateway_event_id AS t FROM pay_events";
            assert_eq!(missing(&place, stored, acknowledged.iter().map(|(event, _)| event)), 0);
            let apart = "SELECT count(*) FROM shop_orders o JOIN pay_payments p ON p.reference = o.id WHERE p.status <> o.status";
            assert_eq!(place.number(apart), 0, "what a handler in the transaction wrote and the payment disagree");
            // Whatever was in hand has a lease that ends by itself. The test does not wait for it.
            leased += place.number(&format!("SELECT count(*) {}", in_hand(kind)));
            let stuck = format!("due_at IS NULL OR due_at > {}", later(kind, 80));
            let stuck = format!("SELECT count(*) FROM pay_events WHERE state = 'running' AND ({stuck})");
            assert_eq!(place.number(&stuck), 0);
            place.execute(&format!("UPDATE pay_events SET due_at = {} WHERE state = 'running'", later(kind, 0)));
        }
        assert!(leased > 0, "no handler was running when the shop was killed, so nothing is known of leases");

        let shop = place.open();
        place.settled();
        let paid = "SELECT id AS t FROM shop_orders WHERE status = 'paid' AND receipts >= 1";
        assert_eq!(missing(&place, paid, acknowledged.iter().map(|(_, order)| order)), 0);
        let completed = "SELECT gateway_event_id AS t FROM pay_events WHERE state = 'completed'";
        assert_eq!(missing(&place, completed, acknowledged.iter().map(|(event, _)| event)), 0);
        let steps = "SELECT count(*) FROM pay_transitions";
        assert_eq!(place.number(steps), place.number("SELECT count(*) FROM pay_payments WHERE status = 'paid'"));
        drop(shop);
    }
}
