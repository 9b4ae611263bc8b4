//! Does any event make a gateway panic, answer in two ways, or name something that can't be stored? The input is the
//! gateway's number as a digit, a kind up to the end of its line, and a body.

#![no_main]

mod gateways;

use actix_payments::domain::Timestamp;
use actix_payments::domain::event::Recorded;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    let Some(end) = rest.iter().position(|byte| *byte == b'\n') else { return };
    let Ok(kind) = std::str::from_utf8(&rest[..end]) else { return };
    let (_, gateway) = gateways::named(*first);
    let event = Recorded { id: "evt_1", kind, occurred_at: Timestamp::UNIX_EPOCH, body: &rest[end + 1..] };
    let said = gateway.interpret(&event);
    assert_eq!(said, gateway.interpret(&event), "the same bytes say the same");
    for fact in said.into_iter().flat_map(|said| said.facts) {
        assert!(gateways::storable(&fact.gateway_ref), "{fact:?}");
        assert!(fact.parent.as_deref().is_none_or(gateways::storable), "{fact:?}");
        assert_eq!(fact.amount.is_some(), fact.currency.is_some(), "{fact:?}");
    }
});
