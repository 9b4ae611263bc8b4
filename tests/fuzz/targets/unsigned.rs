//! Is anything believed that nobody signed, or does anything that a stranger sends make a gateway panic? The input is
//! the gateway's number as a digit, header fields a line each, an empty line, and a body; all of it goes to the
//! gateway's own page as well, as a challenge does.

#![no_main]

mod gateways;

use actix_payments::domain::Timestamp;
use actix_payments::domain::delivery::Delivery;
use actix_payments::gateways::{PageRequest, Verification};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((number, rest)) = data.split_first() else { return };
    let (_, gateway) = gateways::named(*number);
    let (head, body) = match rest.windows(2).position(|two| two == b"\n\n") {
        Some(end) => (&rest[..end], &rest[end + 2..]),
        None => (&rest[..0], rest),
    };
    let field = |line: &[u8]| {
        let at = line.windows(2).position(|two| two == b": ")?;
        Some((String::from_utf8(line[..at].to_vec()).ok()?, line[at + 2..].to_vec()))
    };
    let headers: Vec<_> = head.split(|byte| *byte == b'\n').filter_map(field).collect();
    let delivery = Delivery { headers, query: String::new(), body: body.to_vec().into() };
    let now = Timestamp::from_unix_timestamp(gateways::NOW).expect("a time");
    // What would be fetched is another test's.
    if let Verification::Ready(answer) = gateway.verify(&delivery, now) {
        assert!(answer.is_err(), "{delivery:?}");
    }
    let text = String::from_utf8_lossy(body).into_owned();
    let request = PageRequest {
        post: number % 2 == 0,
        path: if number % 3 == 0 { text.clone() } else { String::new() },
        address: "/payments/x".to_owned(),
        endpoint: String::new(),
        query: vec![("bt_challenge".to_owned(), text.clone()), ("token".to_owned(), text.clone())],
        form: vec![("outcome".to_owned(), text)],
        now,
    };
    gateways::ready(gateway.page(&request));
});
