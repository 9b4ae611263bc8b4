//! What the benches work on: payments with an order each, and the events that say that they are paid, one a payment.

use std::fmt::Write;
use std::sync::LazyLock;

use actix_payments::domain::delivery::Delivery;
use actix_payments::gateways::stripe::sign_delivery;
use actix_payments::{AnyConnection, Payments};
use time::OffsetDateTime;
use tokio::task::{JoinSet, LocalSet};

use crate::databases::{Scratch, Server, execute, number};
use crate::load::block_on;
use crate::shop::{self, Handlers, Seen};

pub(crate) const SECRET: &str = "whsec_bench";

/// How many events are taken in side by side.
const TOGETHER: u64 = 256;

/// 32 letters and digits in which neighbours have nothing in common, as in real tokens.
pub(crate) fn token(number: u64) -> String {
    // The finalizer of SplitMix64.
    let mixed = |mut z: u64| {
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let (high, low) = (mixed(number.wrapping_add(0x9e37_79b9_7f4a_7c15)), mixed(!number));
    format!("{high:016x}{low:016x}")
}

/// The ids of a payment's event, checkout session and payment intent.
pub(crate) fn ids(number: u64) -> [String; 3] {
    let token = token(number);
    [format!("evt_1S{}{number}", &token[..16]), format!("cs_test_a1{token}"), format!("pi_3S{}", &token[8..])]
}

/// The number of the payment whose event has this id.
pub(crate) fn number_of(event: &str) -> u64 {
    event[22..].parse().expect("an event of this bench")
}

/// A `checkout.session.completed` of the size that Stripe sends, and the value of its signature's header field.
pub(crate) fn event(number: u64) -> (Vec<u8>, String) {
    // Lines as Stripe sends them: one a field.
    static TEMPLATE: LazyLock<&str> = LazyLock::new(|| include_str!("event.json").trim_end());
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let [event, session, intent] = ids(number);
    let body = TEMPLATE
        .replace("@event@", &event)
        .replace("@session@", &session)
        .replace("@intent@", &intent)
        .replace("@token@", &token(number))
        .replace("@now@", &now.to_string())
        .into_bytes();
    let signature = sign_delivery(SECRET, now, &body);
    (body, signature)
}

/// A database in which `payments` payments are pending and the events of the first `events` are in the inbox.
pub(crate) fn filled(server: &Server, payments: u64, events: u64) -> Scratch {
    let scratch = server.scratch();
    let shop = shop::build(&scratch.url(), Handlers::None, &Seen::new());
    block_on(shop.migrate()).expect("tables");
    let mut conn = scratch.connection();
    execute(&mut conn, "CREATE TABLE bench_orders (number TEXT PRIMARY KEY, status TEXT NOT NULL)");
    add_payments(&mut conn, payments);
    // What an upgrade does once is no part of a day: indexing, and filling the books.
    for chore in ["words:payments:absorbed", "words:subscriptions", "groups:failures", "sums:subscriptions", "books"] {
        let done = format!("INSERT INTO pay_chores (name, due_at) VALUES ('{chore}', '2100-01-01 00:00:00+00:00')");
        execute(&mut conn, &done);
    }
    block_on(LocalSet::new().run_until(take_in(&shop, events)));
    assert_eq!(number(&mut conn, "(SELECT count(*) FROM pay_events)"), events as i64);
    if matches!(server, Server::Postgres(_)) {
        // What autovacuum does in a shop that has been open for an hour.
        execute(&mut conn, "VACUUM ANALYZE");
    }
    scratch
}

fn add_payments(conn: &mut AnyConnection, payments: u64) {
    const CHUNK: u64 = 500;
    let columns = "token, reference, variant, status, amount, currency, created_at, updated_at";
    let created = "2026-11-01 00:00:00+00:00";
    execute(conn, "BEGIN");
    for first in (0..payments).step_by(CHUNK as usize) {
        let (mut rows, mut orders) = (String::new(), String::new());
        for number in first..payments.min(first + CHUNK) {
            let comma = if number == first { "" } else { "," };
            let token = token(number);
            let (variant, amount) = ("'stripe', 'pending'", "4999, 'EUR'");
            write!(rows, "{comma}('{token}', 'W-{number}', {variant}, {amount}, '{created}', '{created}')")
                .expect("memory");
            write!(orders, "{comma}('W-{number}', 'pending')").expect("memory");
        }
        execute(conn, &format!("INSERT INTO pay_payments ({columns}) VALUES {rows}"));
        execute(conn, &format!("INSERT INTO bench_orders (number, status) VALUES {orders}"));
    }
    execute(conn, "COMMIT");
}

async fn take_in(shop: &Payments, events: u64) {
    for first in (0..events).step_by(TOGETHER as usize) {
        let mut all = JoinSet::new();
        for number in first..events.min(first + TOGETHER) {
            let shop = shop.clone();
            all.spawn_local(async move { receive(&shop, number).await });
        }
        all.join_all().await;
    }
}

/// Hands the event of a payment over as a request would.
pub(crate) async fn receive(shop: &Payments, number: u64) {
    let (body, signature) = event(number);
    let headers = [
        ("content-type", "application/json; charset=utf-8".to_owned()),
        ("user-agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)".to_owned()),
        ("stripe-signature", signature),
    ];
    let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())).collect();
    let delivery = Delivery::new(body).with_headers(headers);
    let received = shop.receive("stripe", delivery).await.expect("the delivery is taken");
    assert_eq!(received.duplicates, 0);
}
