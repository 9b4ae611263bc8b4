//! What if several processes share the database?

use super::process::{Client, Place};
use super::story::{Told, completed};
use crate::app::on_both_databases;

const ORDERS: usize = 80;

fn send(client: &Client, events: &[Told]) {
    for event in events {
        let answer = client.stripe(&event.body).unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (200, "ok"));
    }
}

on_both_databases! {
    async fn two_shops_on_one_database_do_everything_once_between_them(kind) {
        let place = Place::fresh(kind);
        // Opened at the same time, on a database without any table.
        let (left, right) = std::thread::scope(|scope| {
            let left = scope.spawn(|| place.open());
            let right = scope.spawn(|| place.open());
            (left.join().unwrap(), right.join().unwrap())
        });
        let clients = [left.client(), right.client()];
        let buy = |number: usize| completed(&clients[number % 2].buy().unwrap().token);
        let events: Vec<Told> = (0..ORDERS).map(buy).collect();
        // Both get every event; they begin at different ends and meet in the middle.
        let mirrored: Vec<Told> = events.iter().rev().cloned().collect();
        std::thread::scope(|scope| {
            for (client, events) in clients.iter().zip([&events, &mirrored]) {
                for part in events.chunks(ORDERS / 4) {
                    scope.spawn(|| send(client, part));
                }
            }
        });
        place.settled();

        let orders = i64::try_from(ORDERS).unwrap();
        let twice = place.number("SELECT count(*) FROM pay_events WHERE deliveries = 2");
        // Postgres keeps no delivery waiting to count one of an event that is being processed.
        assert!(twice == orders || kind == Kind::Postgres, "{twice} of {orders}");
        assert_eq!(place.number("SELECT count(*) FROM pay_events WHERE deliveries > 2"), 0);
        assert_eq!(place.number("SELECT count(*) FROM pay_events"), orders);
        assert_eq!(place.number("SELECT count(*) FROM pay_events WHERE attempts <> 1"), 0);
        assert_eq!(place.number("SELECT count(*) FROM pay_transitions"), orders);
        assert_eq!(place.number("SELECT count(*) FROM pay_attempts"), orders);
        assert_eq!(place.number("SELECT count(*) FROM shop_orders WHERE status = 'paid' AND receipts = 1"), orders);
        let worked = [&left, &right].map(|shop| shop.log().matches("sending a receipt").count());
        eprintln!("{kind:?}: receipts sent by each of the two: {worked:?}");
        assert_eq!(worked.iter().sum::<usize>(), ORDERS);
        // SQLite has one writer at a time and promises nobody a turn.
        assert!(kind == Kind::Sqlite || worked.iter().all(|one| *one > 0), "{worked:?}");
    }
}
