//! Is Stripe read as Stripe's own libraries read it, and are its events understood?

use std::path::PathBuf;

use actix_payments::domain::Timestamp;
use actix_payments::domain::delivery::{Delivery, Rejection};
use actix_payments::domain::event::{Interpretation, Malformed, Recorded, Verified};
use actix_payments::gateways::stripe::{Stripe, sign_delivery};
use actix_payments::gateways::{Gateway, Verification};

mod calls;
mod connect;
mod counterpart;
mod customers;
mod deliveries;
mod downtime;
mod facts;
pub(crate) mod fake;
mod interpretation;
pub(crate) mod listener;
mod money;
pub(crate) mod objects;
mod operations;
pub(crate) mod recorded;
mod storm;
mod subscribed;
mod thin;
mod vectors;

const SECRET: &str = "whsec_test";
const NOW: i64 = 1_791_800_000;

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// Every event fixture, by file name and in its order.
fn events() -> Vec<(String, Vec<u8>)> {
    let mut events: Vec<_> = std::fs::read_dir(fixtures().join("events/stripe"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .collect();
    events.sort();
    events
}

fn event(name: &str) -> Vec<u8> {
    std::fs::read(fixtures().join("events/stripe").join(name)).unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_timestamp(seconds).unwrap()
}

fn delivery(header: &str, body: impl Into<Vec<u8>>) -> Delivery {
    let headers = vec![("stripe-signature".to_owned(), header.as_bytes().to_vec())];
    Delivery::new(body.into()).with_headers(headers)
}

fn verify(stripe: &Stripe, delivery: &Delivery, now: Timestamp) -> Result<Verified, Rejection> {
    match stripe.verify(delivery, now) {
        Verification::Ready(answer) => answer,
        _ => panic!("Stripe's signatures need nobody else"),
    }
}

/// Signs `body` and hands it in at once.
fn deliver(body: impl Into<Vec<u8>>) -> Result<Verified, Rejection> {
    let body = body.into();
    let header = sign_delivery(SECRET, NOW, &body);
    verify(&Stripe::new(SECRET), &delivery(&header, body), at(NOW))
}

pub(crate) fn interpret(kind: &str, body: &[u8]) -> Result<Interpretation, Malformed> {
    Stripe::new(SECRET).interpret(&Recorded::new("evt_1", kind, at(NOW), body))
}
