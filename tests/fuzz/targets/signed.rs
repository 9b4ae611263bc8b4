//! Does a body of a genuine sender make a gateway panic, or does it carry an event that can't be stored? The input is the
//! gateway's number as a digit and a body, which is signed here.

#![no_main]

mod gateways;

use actix_payments::domain::Timestamp;
use actix_payments::domain::delivery::{Delivery, Rejection};
use actix_payments::domain::event::Recorded;
use actix_payments::gateways::Verification;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((number, body)) = data.split_first() else { return };
    let gateways = gateways::all();
    let number = usize::from(number.wrapping_sub(b'0')) % gateways.len();
    let gateway = &gateways[number];
    let now = Timestamp::from_unix_timestamp(gateways::NOW).expect("a time");
    let Some(delivery) = gateways::sign(number, gateway.as_ref(), body, now) else { return };
    let Verification::Ready(answer) = gateway.verify(&delivery, now) else { panic!("it can be decided here") };
    let verified = match answer {
        Ok(verified) => verified,
        Err(rejection) => return assert_eq!(rejection, Rejection::BodyMalformed, "it is signed as it should be"),
    };
    let unsigned = Delivery { headers: Vec::new(), query: String::new(), body: body.to_vec().into() };
    let Verification::Ready(answer) = gateway.verify(&unsigned, now) else { panic!("it can be decided here") };
    assert!(answer.is_err(), "without its signature nothing is believed");
    for event in verified.events {
        assert!(gateways::storable(&event.id) && gateways::storable(&event.kind), "{event:?}");
        let occurred_at = event.occurred_at.unwrap_or(now);
        let recorded = Recorded { id: &event.id, kind: &event.kind, occurred_at, body: &event.body };
        let _ = gateway.interpret(&recorded);
    }
});
