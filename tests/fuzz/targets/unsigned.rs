//! Is anything believed that nobody signed, or does anything that a stranger sends make a gateway panic? The input is
//! the gateway's number as a digit, header fields a line each, an empty line, and a body; a field that is called `?` is
//! what the address ends in. All of it goes to the gateway's own page as well, as a challenge does.

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
    let fields = head.split(|byte| *byte == b'\n').filter_map(field);
    let (queries, headers): (Vec<_>, Vec<_>) = fields.partition(|(name, _)| name == "?");
    let query = queries.first().map(|(_, query)| String::from_utf8_lossy(query).into_owned()).unwrap_or_default();
    let delivery = Delivery::new(body.to_vec()).with_headers(headers).with_query(query);
    let now = Timestamp::from_unix_timestamp(gateways::NOW).expect("a time");
    // What would be fetched is another test's.
    if let Verification::Ready(answer) = gateway.verify(&delivery, now) {
        assert!(answer.is_err(), "{delivery:?}");
    }
    let text = String::from_utf8_lossy(body).into_owned();
    let path = if number % 3 == 0 { text.clone() } else { String::new() };
    let mut request = PageRequest::get("/payments/x", path, now);
    request.post = number % 2 == 0;
    request.query = ["bt_challenge", "token"].map(|name| (name.to_owned(), text.clone())).into();
    request.form = vec![("outcome".to_owned(), text)];
    gateways::ready(gateway.page(&request));
});
