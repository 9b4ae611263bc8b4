//! Does a body of a genuine sender make a gateway panic, is anything but that body believed under its signature, or
//! does it carry an event that can't be stored? The input is the gateway's number as a digit and a body, which is
//! signed here; where the sender has ids beside the body, the body's first line is the id.

#![no_main]

mod gateways;
mod genuine;
mod macs;
mod promises;

use actix_payments::domain::Timestamp;
use actix_payments::domain::delivery::{Delivery, Rejection};
use actix_payments::domain::event::{Envelope, Recorded, Verified};
use actix_payments::gateways::Gateway;
use genuine::Genuine;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((first, input)) = data.split_first() else { return };
    let (number, gateway) = gateways::named(*first);
    let now = Timestamp::from_unix_timestamp(gateways::NOW).expect("a time");
    let genuine = genuine::delivery(number, input);
    let answer = gateways::verify(gateway, &genuine.delivery, now);
    assert_eq!(answer, gateways::verify(gateway, &genuine.delivery, now), "it is answered in two ways");
    signs_alike(gateway, &genuine.delivery, now);
    // Adyen's is within the body.
    if number != gateways::ADYEN {
        let bare = gateways::verify(gateway, &Delivery::new(genuine.content.to_vec()), now);
        assert!(bare.is_err(), "without its signature nothing is believed");
    }
    if let Some(changed) = another_bit(&genuine.delivery, crc32fast::hash(data)) {
        let other = gateways::verify(gateway, &changed, now);
        // A form can be written in several ways: `%0a` for `%0A`. Of Mercado Pago's body nothing is believed, and of
        // Adyen's what is signed: it says which events they are.
        let same = match number {
            gateways::BRAINTREE => other == answer,
            gateways::MERCADO_PAGO => true,
            gateways::ADYEN => are_the_same(&answer, &other),
            _ => false,
        };
        assert!(same || is_forgery(&other), "{other:?} for {changed:?}");
    }
    match answer {
        Ok(verified) => carries(number, &genuine, &verified, gateway, now),
        // Members that nobody signed may say the signed ones once more, or end the notification early.
        Err(_) if number == gateways::ADYEN && !genuine::is_plain_notification(input) => {}
        Err(rejection) => assert_eq!(rejection, Rejection::BodyMalformed, "it is signed as it should be"),
    }
});

/// Where the gateway signs for a developer, it does so as the company does.
fn signs_alike(gateway: &dyn Gateway, delivery: &Delivery, now: Timestamp) {
    let Some(fields) = gateway.sign(&delivery.body, now) else { return };
    for (name, value) in &delivery.headers {
        assert!(fields.iter().any(|(given, own)| given == name && own.as_bytes() == value), "{fields:?}");
    }
}

/// Whether two deliveries that are both believed carry the same events.
fn are_the_same(one: &Result<Verified, Rejection>, other: &Result<Verified, Rejection>) -> bool {
    let named = |verified: &Verified| -> Vec<_> {
        verified.events.iter().map(|event| (event.id.clone(), event.kind.clone(), event.account.clone())).collect()
    };
    one.as_ref().ok().zip(other.as_ref().ok()).is_some_and(|(one, other)| named(one) == named(other))
}

/// The delivery with one bit of its body changed, at a place that the input decides.
fn another_bit(delivery: &Delivery, place: u32) -> Option<Delivery> {
    let (mut body, place) = (delivery.body.to_vec(), usize::try_from(place).expect("of 64 bits"));
    let at = (place / 8).checked_rem(body.len())?;
    body[at] ^= 1 << (place % 8);
    let mut changed = delivery.clone();
    changed.body = body.into();
    Some(changed)
}

fn is_forgery(answer: &Result<Verified, Rejection>) -> bool {
    use Rejection::{SignatureMalformed, SignatureMismatch, SignatureMissing};
    matches!(answer, Err(SignatureMissing | SignatureMalformed | SignatureMismatch))
}

/// Every event can be stored, keeps its promises, and its body is what was sent.
fn carries(number: usize, genuine: &Genuine<'_>, verified: &Verified, gateway: &dyn Gateway, now: Timestamp) {
    let mut rest = &genuine.content[..];
    for event in &verified.events {
        assert!(promises::storable(&event.id) && promises::storable(&event.kind), "{event:?}");
        rest = behind(rest, &event.body).unwrap_or_else(|| panic!("nobody sent the body of {event:?}"));
        let recorded = Recorded::new(&event.id, &event.kind, stored(event, now), &event.body);
        promises::kept(gateway, &recorded);
    }
    if !gateways::cuts(number) {
        let bodies: Vec<_> = verified.events.iter().map(|event| &event.body[..]).collect();
        assert_eq!(bodies, [&genuine.content[..]], "the one event has all of it");
    }
    if let (Some(id), Some(event)) = (genuine.id, verified.events.first()) {
        assert_eq!(event.id, id, "the id is the one beside the body");
    }
}

/// What follows `part` where it first stands in `whole`, which need not be text.
fn behind<'a>(whole: &'a [u8], part: &[u8]) -> Option<&'a [u8]> {
    let at = if part.is_empty() { Some(0) } else { whole.windows(part.len()).position(|window| window == part) };
    at.map(|at| &whole[at + part.len()..])
}

/// When an event happened, as an inbox has it.
fn stored(event: &Envelope, now: Timestamp) -> Timestamp {
    event.occurred_at.filter(|at| (1970..=9999).contains(&at.year())).unwrap_or(now)
}
