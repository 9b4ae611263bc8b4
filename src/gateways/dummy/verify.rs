//! Signs and verifies deliveries with the `Dummy-Signature` header, and reads the fields of an event that are needed to
//! store it once.

use bytes::Bytes;
use serde_json::Value;

use crate::domain::delivery::{Delivery, Rejection};
use crate::domain::event::{Envelope, Verified, storable};
use crate::domain::{Timestamp, from_unix_seconds};
use crate::gateways::signature::{self, Secret};

/// The name of the header field that carries the signature.
const HEADER: &str = "dummy-signature";

/// The label of the only secret.
pub(super) const LABEL: &str = "primary";

/// How old a signature may be, in seconds: long enough for clocks that are off, short enough to limit replays.
const TOLERANCE: i64 = 300;

/// Checks, in this order, the header's format, the signature, its age and the body. The age comes after the signature,
/// so that an old forgery is reported as a forgery.
pub(super) fn verify(secret: &Secret, delivery: &Delivery, now: Timestamp) -> Result<Verified, Rejection> {
    let header = delivery.header(HEADER).filter(|text| !text.trim().is_empty()).ok_or(Rejection::SignatureMissing)?;
    let (time, given) = parse(&header).ok_or(Rejection::SignatureMalformed)?;
    // A blank secret is no secret: anybody could sign with it.
    if secret.is_blank()
        || !signature::constant_time_eq(&signature::sign(secret, time, &delivery.body), given.as_bytes())
    {
        return Err(Rejection::SignatureMismatch);
    }
    // The time is parsed after the signature was checked, and may still be out of range.
    let signed_at: i64 = time.parse().map_err(|_| Rejection::SignatureMalformed)?;
    let skew_seconds = now.unix_timestamp().saturating_sub(signed_at);
    // A time in the future is accepted: it is signed too, and a slow clock here must not refuse a genuine delivery.
    if skew_seconds > TOLERANCE {
        return Err(Rejection::SignatureStale);
    }
    let event = envelope(&delivery.body).ok_or(Rejection::BodyMalformed)?;
    Ok(Verified { events: vec![event], secret: Some(LABEL.to_owned()), skew_seconds: Some(skew_seconds) })
}

/// The body as this gateway would deliver it at `now`.
pub(super) fn delivery(secret: &Secret, body: Vec<u8>, now: Timestamp) -> Delivery {
    let headers = headers(secret, &body, now).into_iter();
    let headers = headers.map(|(name, value)| (name, value.into_bytes())).collect();
    Delivery { headers, query: String::new(), body: body.into() }
}

/// The header fields of a delivery of `body` at `now`.
pub(super) fn headers(secret: &Secret, body: &[u8], now: Timestamp) -> Vec<(String, String)> {
    let signature = header(secret, now.unix_timestamp(), body);
    let headers = [("content-type", "application/json".to_owned()), (HEADER, signature)];
    headers.map(|(name, value)| (name.to_owned(), value)).into()
}

/// The signature header's value for `body` at `timestamp` (Unix seconds).
pub(super) fn header(secret: &Secret, timestamp: i64, body: &[u8]) -> String {
    format!("t={timestamp},v1={}", signature::sign(secret, &timestamp.to_string(), body))
}

/// Parses `t=<digits>,v1=<64 lower-case hex digits>` and nothing else: with a single way to write a header, no two
/// parsers can read it differently.
fn parse(header: &str) -> Option<(&str, &str)> {
    let (time, signature) = header.split_once(',')?;
    let (time, signature) = (time.strip_prefix("t=")?, signature.strip_prefix("v1=")?);
    let is_time = !time.is_empty() && time.bytes().all(|b| b.is_ascii_digit());
    let is_signature = signature.len() == 64 && signature.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (is_time && is_signature).then_some((time, signature))
}

/// Reads the event's own fields. The `object` is not checked here: an event with an odd object is better stored and
/// shown to an operator than refused until the gateway gives up.
pub(super) fn envelope(body: &Bytes) -> Option<Envelope> {
    let event: Value = serde_json::from_slice(body).ok()?;
    let text = |name: &str| event.get(name)?.as_str().filter(|text| storable(text)).map(str::to_owned);
    let created = event.get("created")?.as_u64()?;
    Some(Envelope {
        id: text("id")?,
        kind: text("kind")?,
        occurred_at: Some(from_unix_seconds(created.try_into().ok()?)?),
        livemode: Some(false),
        account: None,
        api_version: None,
        body: body.clone(),
    })
}
