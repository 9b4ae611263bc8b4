//! Does a gateway's own page answer what it must not, or hand on what a link's values hide? The input is the page's
//! number as a digit, and for 0 a challenge to Braintree's webhook, for 1 and 2 the fields of a link to the dummy's
//! checkout, a line each, opened and posted; the link is signed here, as only the dummy itself does.

#![no_main]

mod gateways;
mod macs;

use actix_payments::domain::Timestamp;
use actix_payments::domain::delivery::Delivery;
use actix_payments::domain::money::Currency;
use actix_payments::gateways::{PageRequest, PageResponse};
use libfuzzer_sys::fuzz_target;
use macs::{hex, sha1, sha256};
use sha1::{Digest, Sha1};

/// The fields under a link's signature, in the order in which they are signed.
const SIGNED: [&str; 7] = ["payment", "reference", "amount", "currency", "return", "cancel", "capture"];

type Fields = Vec<(String, String)>;

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    match first.wrapping_sub(b'0') % 3 {
        0 => challenge(text),
        1 => checkout(text, false),
        _ => checkout(text, true),
    }
});

/// Only 20 to 32 hex digits are signed, and what is signed is no notification.
fn challenge(text: &str) {
    let query = vec![("bt_challenge".to_owned(), text.to_owned())];
    let answer = ask(gateways::BRAINTREE, false, "", query.clone());
    let digits = text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let made = hex(&sha1(&Sha1::digest(gateways::SECRET), &[text.as_bytes()]));
    match (20..=32).contains(&text.len()) && digits {
        true => assert_eq!(answer, Some(PageResponse::Text(format!("public|{made}")))),
        false => assert!(matches!(answer, Some(PageResponse::Error(400, _))), "{answer:?}"),
    }
    assert_eq!(ask(gateways::BRAINTREE, true, "", query.clone()), None, "a challenge comes by GET");
    assert_eq!(ask(gateways::BRAINTREE, false, "checkout", query), None, "a challenge comes to the address itself");
    if let Some(PageResponse::Text(signature)) = answer {
        let body = format!("bt_signature={}&bt_payload={text}", signature.replace('|', "%7C"));
        let delivery = Delivery::new(body);
        let believed = gateways::verify(gateways::all()[gateways::BRAINTREE].as_ref(), &delivery, now());
        assert!(believed.is_err(), "a notification was signed for a stranger: {believed:?}");
    }
}

/// A signed link is answered as its fields say, an altered one not at all.
fn checkout(text: &str, post: bool) {
    let given: Fields = text.lines().filter_map(|line| line.split_once('=')).map(owned).collect();
    let signed = link(&given);
    // What isn't signed stands behind: the choice.
    let unsigned = given.iter().filter(|(name, _)| !SIGNED.contains(&name.as_str()) && name != "signature");
    let fields: Fields = signed.iter().chain(unsigned).cloned().collect();
    let answer = ask(gateways::DUMMY, post, "checkout", fields.clone());
    assert_eq!(is_refused(&answer), !readable(&signed), "{answer:?}");
    for at in 0..signed.len() {
        let mut altered = fields.clone();
        altered[at].1.push('0');
        assert!(is_refused(&ask(gateways::DUMMY, post, "checkout", altered)), "{at} altered in {fields:?}");
    }
    match answer {
        Some(PageResponse::Html(page)) => {
            let tame: Fields =
                signed[..signed.len() - 1].iter().map(|(name, value)| (name.clone(), plain(value))).collect();
            let tame = link(&tame).into_iter().chain(fields[signed.len()..].iter().cloned()).collect();
            let Some(PageResponse::Html(tame)) = ask(gateways::DUMMY, post, "checkout", tame) else {
                panic!("no page")
            };
            assert_eq!(markup(&page), markup(&tame), "a value became markup in {page}");
        }
        Some(PageResponse::Redirect(address)) => {
            assert_eq!(value(&signed, "cancel"), Some(address.as_str()), "nobody named the address");
            let elsewhere = address.starts_with("//") || address.contains('\\');
            let web = ["http://", "https://"].iter().any(|scheme| address.to_lowercase().starts_with(scheme));
            assert!(!elsewhere && (address.starts_with('/') || web), "{address:?}");
            assert!(address.bytes().all(|byte| byte.is_ascii_graphic()), "{address:?}");
        }
        // The event that a choice sends has nowhere to go here.
        Some(PageResponse::Error(400 | 502, _)) => {}
        other => panic!("{other:?}"),
    }
}

/// The fields of a link with the dummy's signature behind them.
fn link(given: &Fields) -> Fields {
    let named = |name: &str| Some((name.to_owned(), value(given, name)?.to_owned()));
    let mut fields: Fields = SIGNED.into_iter().filter_map(named).collect();
    let pairs: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
    let made = hex(&sha256(gateways::SECRET.as_bytes(), &[b"checkout.", pairs.join("&").as_bytes()]));
    fields.push(("signature".to_owned(), made));
    fields
}

/// Whether a link has what a checkout needs.
fn readable(fields: &Fields) -> bool {
    let amount = value(fields, "amount").is_some_and(|amount| amount.parse::<i64>().is_ok());
    let currency = value(fields, "currency").is_some_and(|code| Currency::parse(code).is_ok());
    value(fields, "payment").is_some() && amount && currency
}

fn ask(number: usize, post: bool, path: &str, fields: Fields) -> Option<PageResponse> {
    let mut request = PageRequest::get("/payments/x", path, now());
    request.post = post;
    *(if post && number == gateways::DUMMY { &mut request.form } else { &mut request.query }) = fields;
    gateways::ready(gateways::all()[number].page(&request))
}

fn now() -> Timestamp {
    Timestamp::from_unix_timestamp(gateways::NOW).expect("a time")
}

fn is_refused(answer: &Option<PageResponse>) -> bool {
    matches!(answer, Some(PageResponse::Error(400, _)))
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn value<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
}

/// Percent-encodes all but the unreserved characters (RFC 3986 §2.3).
fn escaped(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

/// The text with nothing that could be markup or an address.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_alphanumeric() || c == '+' || c == '-' { c } else { '.' }).collect()
}

/// The characters that markup is made of.
fn markup(page: &str) -> String {
    page.chars().filter(|c| "<>\"'".contains(*c)).collect()
}
