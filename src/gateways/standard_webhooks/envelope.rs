//! Which event does a genuine body carry? Its `type` and `timestamp` are members of the body (format:
//! <https://www.standardwebhooks.com>, "Payload structure"); its id came in the header.

use bytes::Bytes;
use serde_json::json;
use time::format_description::well_known::Rfc3339;

use crate::domain::delivery::Rejection;
use crate::domain::event::{Envelope, storable};
use crate::domain::{Timestamp, moment_of};
use crate::gateways::TEST_KIND;
use crate::gateways::json::{self, Members};

/// Reads the event's own fields. Answers [`Rejection::BodyMalformed`] when the body is no UTF-8, no JSON object, or
/// has no `type`, or its header no id, that can be stored: a genuine event is refused for nothing else, since the sender
/// would send the very same bytes again.
pub(super) fn read(id: String, body: &Bytes) -> Result<Envelope, Rejection> {
    if !storable(&id) {
        return Err(Rejection::BodyMalformed);
    }
    let text = std::str::from_utf8(body).map_err(|_| Rejection::BodyMalformed)?;
    let (mut kind, mut occurred_at) = (None, None);
    let mut members = Members::of(text);
    while let Some((key, value)) = members.next().map_err(|_| Rejection::BodyMalformed)? {
        match json::text(key).as_deref() {
            Some("type") => kind = json::text(value).filter(|kind| storable(kind)),
            Some("timestamp") => occurred_at = json::text(value).and_then(|text| moment_of(&text)),
            _ => {}
        }
    }
    let kind = kind.ok_or(Rejection::BodyMalformed)?.into_owned();
    let (livemode, account, api_version) = (None, None, None);
    Ok(Envelope { id, kind, occurred_at, livemode, account, api_version, body: body.clone() })
}

/// An event about nothing.
pub(super) fn test_event(now: Timestamp) -> Vec<u8> {
    let timestamp = now.format(&Rfc3339).unwrap_or_default();
    json!({"type": TEST_KIND, "timestamp": timestamp, "data": {}}).to_string().into_bytes()
}
