//! Does the dummy gateway send what it says, believe nobody else, and lead customers nowhere strange?

use actix_payments::domain::Timestamp;
use actix_payments::domain::delivery::{Delivery, Rejection};
use actix_payments::domain::event::{Interpretation, Malformed, Recorded, Verified};
use actix_payments::domain::money::{Currency, Money};
use actix_payments::gateways::dummy::{Dummy, sign_delivery};
use actix_payments::gateways::{Gateway, Verification};

mod checkout;
mod endpoint;
mod events;

const SECRET: &str = "a signing secret of the tests";
const NOW: i64 = 1_791_800_000;

fn dummy() -> Dummy {
    Dummy::new(SECRET)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_timestamp(seconds).unwrap()
}

fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::parse("EUR").unwrap())
}

fn delivery(header: &str, body: impl Into<Vec<u8>>) -> Delivery {
    let headers = vec![("dummy-signature".to_owned(), header.as_bytes().to_vec())];
    Delivery::new(body.into()).with_headers(headers)
}

fn signed(body: &[u8]) -> Delivery {
    delivery(&sign_delivery(SECRET, NOW, body), body)
}

fn verify(delivery: &Delivery, now: i64) -> Result<Verified, Rejection> {
    match dummy().verify(delivery, at(now)) {
        Verification::Ready(answer) => answer,
        _ => panic!("the dummy gateway needs nobody else"),
    }
}

/// Verifies the delivery and interprets the event in it.
fn understand(delivery: &Delivery) -> Result<Interpretation, Malformed> {
    let event = verify(delivery, NOW).unwrap().events.remove(0);
    let occurred_at = event.occurred_at.unwrap();
    dummy().interpret(&Recorded::new(&event.id, &event.kind, occurred_at, &event.body))
}
