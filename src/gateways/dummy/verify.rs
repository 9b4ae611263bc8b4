//! Is a delivery genuine, and which event does it carry? Checks the `Dummy-Signature` header, then reads as much of
//! the body as it takes to store the event once; what the event says of a payment is `interpret`'s answer.
//! What goes out is signed here as well.

use bytes::Bytes;
use serde_json::Value;

use crate::domain::delivery::{Delivery, Rejection};
use crate::domain::event::{Envelope, Verified, storable};
use crate::domain::{Timestamp, moment_at};
use crate::gateways::signature::{self, Secret};

/// The name of the header field that carries the signature.
const HEADER: &str = "dummy-signature";

/// What the one secret is called on events.
pub(super) const LABEL: &str = "primary";

/// How old a signature may be, in seconds: longer than any clock should be off, shorter than a thief of a recorded
/// delivery would like.
const TOLERANCE: i64 = 300;

/// Believes a delivery in this order: a readable header, a signature over exactly these bytes, a recent one, a
/// body with an event in it. The age comes after the signature, so that an old forgery is called a forgery.
pub(super) fn verify(secret: &Secret, delivery: &Delivery, now: Timestamp) -> Result<Verified, Rejection> {
    let header = delivery.header(HEADER).filter(|text| !text.trim().is_empty()).ok_or(Rejection::SignatureMissing)?;
    let (time, given) = parse(&header).ok_or(Rejection::SignatureMalformed)?;
    // Anybody could sign with a blank secret.
    if secret.is_blank() || !signature::same(&signature::sign(secret, time, &delivery.body), given.as_bytes()) {
        return Err(Rejection::SignatureMismatch);
    }
    // Only what was signed is read as a number, and the number may still be any.
    let signed_at: i64 = time.parse().map_err(|_| Rejection::SignatureMalformed)?;
    let skew_seconds = now.unix_timestamp().saturating_sub(signed_at);
    // There is no upper bound: a time ahead of ours is signed as well, and a clock that is late must not refuse
    // what is genuine.
    if skew_seconds > TOLERANCE {
        return Err(Rejection::SignatureStale);
    }
    let event = envelope(&delivery.body).ok_or(Rejection::BodyMalformed)?;
    Ok(Verified { events: vec![event], secret: Some(LABEL.to_owned()), skew_seconds: Some(skew_seconds) })
}

/// The header's value for `body` at `timestamp` (Unix seconds).
pub(super) fn header(secret: &Secret, timestamp: i64, body: &[u8]) -> String {
    format!("t={timestamp},v1={}", signature::sign(secret, &timestamp.to_string(), body))
}

/// The header fields that go along with `body` at `now`, the signature among them.
pub(super) fn headers(secret: &Secret, body: &[u8], now: Timestamp) -> Vec<(String, String)> {
    let signature = header(secret, now.unix_timestamp(), body);
    let headers = [("content-type", "application/json".to_owned()), (HEADER, signature)];
    headers.map(|(name, value)| (name.to_owned(), value)).into()
}

/// `body` as this gateway delivers it at `now`.
pub(super) fn signed(secret: &Secret, body: Vec<u8>, now: Timestamp) -> Delivery {
    let headers = headers(secret, &body, now).into_iter();
    let headers = headers.map(|(name, value)| (name, value.into_bytes())).collect();
    Delivery { headers, query: String::new(), body: body.into() }
}

/// Reads `t=<digits>,v1=<64 lower-case hex digits>` and nothing else. What could be read in two ways will be,
/// by somebody, so there is one way to write it.
fn parse(header: &str) -> Option<(&str, &str)> {
    let (time, signature) = header.split_once(',')?;
    let (time, signature) = (time.strip_prefix("t=")?, signature.strip_prefix("v1=")?);
    let is_time = !time.is_empty() && time.bytes().all(|b| b.is_ascii_digit());
    let is_signature = signature.len() == 64 && signature.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (is_time && is_signature).then_some((time, signature))
}

/// The event's own fields. The body's `object` is left alone: an event whose object is odd is better stored and
/// shown to a person than refused until the gateway gives up.
pub(super) fn envelope(body: &Bytes) -> Option<Envelope> {
    let event: Value = serde_json::from_slice(body).ok()?;
    let text = |name: &str| event.get(name)?.as_str().filter(|text| storable(text)).map(str::to_owned);
    let created = event.get("created")?.as_u64()?;
    Some(Envelope {
        id: text("id")?,
        kind: text("kind")?,
        occurred_at: Some(moment_at(created.try_into().ok()?)?),
        livemode: Some(false),
        account: None,
        api_version: None,
        body: body.clone(),
    })
}
