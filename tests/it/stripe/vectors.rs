//! Do we answer every recorded delivery as Stripe's libraries for Node and Python do?

use std::time::Duration;

use actix_payments::domain::Timestamp;
use actix_payments::domain::delivery::{Delivery, Rejection};
use actix_payments::gateways::Gateway;
use actix_payments::gateways::stripe::Stripe;
use base64::Engine;
use serde_json::Value;

use super::{fixtures, verify};

/// These are signed as they should be and carry no event that could be stored.
const NO_EVENT: [&str; 8] = [
    "body_array",
    "body_empty",
    "body_empty_object",
    "body_eventbridge",
    "body_form",
    "body_null",
    "body_number",
    "body_trailing_comma",
];

#[test]
fn every_recorded_delivery_is_answered_as_stripes_libraries_do() {
    let text = std::fs::read_to_string(fixtures().join("vectors/stripe.json")).unwrap();
    let vectors: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(vectors.len(), 151);
    let wrong: Vec<_> = vectors.iter().filter_map(mismatch).collect();
    assert!(wrong.is_empty(), "{} of 151 are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn mismatch(vector: &Value) -> Option<String> {
    let name = vector["name"].as_str().unwrap();
    let stripe = Stripe::new(vector["secret"].as_str().unwrap())
        .tolerance(Duration::from_secs(vector["tolerance"].as_u64().unwrap()));
    let answer = verify(&stripe, &delivery(vector), now(vector));
    let right = match (vector["expect_signature"].as_str().unwrap(), &answer) {
        ("ok", Ok(verified)) => !NO_EVENT.contains(&name) && verified.events.len() == 1,
        ("ok", Err(Rejection::BodyMalformed)) => NO_EVENT.contains(&name),
        ("reject", Err(_)) => true,
        _ => false,
    };
    // A secret with white space around it is refused before it can be wrong.
    let blank = matches!(name, "secret_empty" | "secret_blank")
        || name.starts_with("secret_trailing_")
        || name == "secret_whitespace_both";
    let right = right && stripe.check().is_err() == blank;
    (!right).then(|| format!("{name} ({}): {answer:?}, check {:?}", vector["why"], stripe.check()))
}

fn now(vector: &Value) -> Timestamp {
    let millis = vector["now_ms"].as_i64().unwrap_or(vector["now"].as_i64().unwrap() * 1000);
    Timestamp::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000).unwrap()
}

/// A field that came several times is handed over line by line, without the blanks around a value that every
/// server strips.
fn delivery(vector: &Value) -> Delivery {
    let field = |name: &Value, value: &Value| {
        let value = value.as_str().unwrap();
        (name.as_str().unwrap().to_lowercase(), value.trim_matches([' ', '\t']).as_bytes().to_vec())
    };
    let headers = match vector["header_lines"].as_array() {
        Some(lines) => lines.iter().map(|line| field(&line[0], &line[1])).collect(),
        None => {
            let headers = vector["headers"].as_object().unwrap();
            headers.iter().map(|(n, v)| (n.clone(), v.as_str().unwrap().as_bytes().to_vec())).collect()
        }
    };
    let body = match (&vector["body"], &vector["body_base64"]) {
        (Value::String(body), _) => body.clone().into_bytes(),
        (_, coded) => base64::engine::general_purpose::STANDARD.decode(coded.as_str().unwrap()).unwrap(),
    };
    Delivery::new(body).with_headers(headers)
}
