//! Reads the event in a genuine body. The body has the `type` and `timestamp`, the header the id (format:
//! <https://www.standardwebhooks.com>, "Payload structure").

use bytes::Bytes;
use serde_json::json;
use time::format_description::well_known::Rfc3339;

use crate::domain::delivery::Rejection;
use crate::domain::event::{Envelope, storable};
use crate::domain::{Timestamp, parse_rfc3339};
use crate::gateways::TEST_KIND;
use crate::gateways::json::{self, Members};

/// Reads the event's own fields. [`Rejection::BodyMalformed`] if the body is not a UTF-8 JSON object, or if the `type`
/// or the header's id is missing or not [`storable`]. A genuine event is refused for no other reason, since the sender
/// would send the same bytes again.
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
            Some("timestamp") => occurred_at = json::text(value).and_then(|text| parse_rfc3339(&text)),
            _ => {}
        }
    }
    let kind = kind.ok_or(Rejection::BodyMalformed)?.into_owned();
    let (livemode, account, api_version) = (None, None, None);
    Ok(Envelope { id, kind, occurred_at, livemode, account, api_version, body: body.clone() })
}

/// The body of a test event.
pub(super) fn test_event(now: Timestamp) -> Vec<u8> {
    let timestamp = now.format(&Rfc3339).unwrap_or_default();
    json!({"type": TEST_KIND, "timestamp": timestamp, "data": {}}).to_string().into_bytes()
}
