//! Does any event make a gateway panic, or break what its readings promise? The input is the gateway's number as a
//! digit, a kind up to the end of its line, and a body.

#![no_main]

mod gateways;
mod promises;

use actix_payments::domain::Timestamp;
use actix_payments::domain::event::Recorded;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    let Some(end) = rest.iter().position(|byte| *byte == b'\n') else { return };
    let Ok(kind) = std::str::from_utf8(&rest[..end]) else { return };
    let (_, gateway) = gateways::named(*first);
    let event = Recorded::new("evt_1", kind, Timestamp::UNIX_EPOCH, &rest[end + 1..]);
    promises::kept(gateway, &event);
});
