//! What if the process is asked to end while it works?

use super::process::{Place, Shop};
use super::story::completed;
use crate::app::on_both_databases;

const ORDERS: i64 = 60;

/// Leaves the shop with more events than it can have handled.
fn load(shop: &Shop) {
    let client = shop.client();
    let events: Vec<_> = (0..ORDERS).map(|_| completed(&client.buy().unwrap().token)).collect();
    std::thread::scope(|scope| {
        for part in events.chunks(10) {
            let client = shop.client();
            scope.spawn(move || {
                part.iter().for_each(|event| assert_eq!(client.stripe(&event.body).unwrap().status, 200))
            });
        }
    });
}

on_both_databases! {
    async fn a_shop_that_is_asked_to_end_leaves_nothing_half_done(kind) {
        for signal in ["TERM", "INT"] {
            let place = Place::fresh(kind);
            let shop = place.open();
            load(&shop);
            let begun = std::time::Instant::now();
            let status = shop.stop(signal);
            let count = |state: &str| place.number(&format!("SELECT count(*) FROM pay_events WHERE state = '{state}'"));
            let (available, completed) = (count("available"), count("completed"));
            eprintln!("{kind:?}: {status} {:?} after {signal}: {available} available, {completed} completed", begun.elapsed());
            assert!(status.success(), "{status}");
            assert_eq!((count("running"), available + completed), (0, ORDERS));
            // Who has a receipt is done, and who is done has one: a clean end repeats nothing.
            assert_eq!(place.number("SELECT count(*) FROM shop_orders WHERE receipts = 1"), completed);

            let shop = place.open();
            place.settled();
            assert_eq!(place.number("SELECT count(*) FROM shop_orders WHERE status = 'paid' AND receipts = 1"), ORDERS);
            drop(shop);
        }
    }
}
