//! Reads the fields of an event that are needed to store it once (fields:
//! <https://developer.paypal.com/docs/api/webhooks/v1/#webhooks-events_get>).

use bytes::Bytes;

use crate::domain::delivery::Rejection;
use crate::domain::event::{Envelope, storable};
use crate::domain::parse_rfc3339;
use crate::gateways::json::{self, Members};

/// Reads the event's own fields. Only id and kind are required. PayPal's events do not say whether they are of the live
/// mode, so `live` does.
pub(super) fn read(body: &Bytes, live: bool) -> Result<Envelope, Rejection> {
    let text = std::str::from_utf8(body).map_err(|_| Rejection::BodyMalformed)?;
    let (mut id, mut kind, mut occurred_at, mut api_version) = (None, None, None, None);
    let mut members = Members::of(text);
    while let Some((key, value)) = members.next().map_err(|_| Rejection::BodyMalformed)? {
        let short_text = || json::text(value).filter(|text| storable(text)).map(|text| text.into_owned());
        match json::text(key).as_deref() {
            Some("id") => id = short_text(),
            Some("event_type") => kind = short_text(),
            Some("resource_version") => api_version = short_text(),
            Some("create_time") => occurred_at = short_text().and_then(|text| parse_rfc3339(&text)),
            _ => {}
        }
    }
    let (Some(id), Some(kind)) = (id, kind) else { return Err(Rejection::BodyMalformed) };
    Ok(Envelope { id, kind, occurred_at, livemode: Some(live), account: None, api_version, body: body.clone() })
}
