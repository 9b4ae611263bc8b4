//! What if the database or a sender holds things up: does the shop still answer others, and does it end when asked to?

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::process::Place;
use crate::app::{Kind, on_both_databases};
use crate::scenes::execute;

on_both_databases! {
    async fn orders_that_wait_for_the_database_hold_up_no_other_request(kind) {
        let place = Place::fresh(kind);
        let shop = place.open();
        let mut holder = place.database.connection().unwrap();
        let hold: &[&str] = match kind {
            Kind::Sqlite => &["BEGIN IMMEDIATE"],
            Kind::Postgres => &["BEGIN", "LOCK TABLE shop_orders"],
        };
        hold.iter().for_each(|sql| { execute(holder.lent(), sql).unwrap(); });
        std::thread::scope(|scope| {
            for _ in 0..8 {
                let client = shop.client();
                scope.spawn(move || {
                    let fields = [("item", "kettle"), ("variant", "stripe")];
                    client.form("/orders", "application/json", &fields).unwrap()
                });
            }
            std::thread::sleep(Duration::from_millis(500));
            let begun = Instant::now();
            assert_eq!(shop.client().get("/shop.css", "*/*").status, 200);
            assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
            let ping = r#"{"id":"evt_ping","type":"ping"}"#;
            let answer = shop.client().stripe(ping).unwrap();
            match kind {
                Kind::Postgres => assert_eq!(answer.status, 200, "its tables are free"),
                Kind::Sqlite => assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5"))),
            }
            assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
            execute(holder.lent(), "ROLLBACK").unwrap();
        });
        assert_eq!(shop.client().stripe(r#"{"id":"evt_pong","type":"ping"}"#).unwrap().status, 200);
    }
}

#[test]
fn a_sender_that_is_slow_does_not_keep_the_shop_from_ending() {
    let place = Place::fresh(Kind::Sqlite);
    let shop = place.open();
    assert_eq!(shop.client().get("/shop.css", "*/*").status, 200, "it listens to signals once it serves");
    let mut slow = TcpStream::connect(shop.root.trim_start_matches("http://")).unwrap();
    let head = "POST /payments/stripe/ HTTP/1.1\r\nhost: shop.example\r\ncontent-length: 1000\r\n\r\nx";
    slow.write_all(head.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let begun = Instant::now();
    assert!(shop.stop("TERM").success());
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}
