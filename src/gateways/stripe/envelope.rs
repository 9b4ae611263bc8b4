//! Reads the fields of an event that are needed to store it once (fields: <https://docs.stripe.com/api/events/object>).

use bytes::Bytes;

use crate::domain::delivery::Rejection;
use crate::domain::event::{Envelope, storable};
use crate::gateways::json::{self, Members};

/// What a thin event says that it is. It has the account in `context`
/// (<https://docs.stripe.com/api/v2/core/events/object>).
pub(super) const THIN: &str = "v2.core.event";

/// Reads the event's own fields. [`Rejection::BodyMalformed`] if the body is not a UTF-8 JSON object, or if the id or
/// the kind is missing or not [`storable`]. A genuine event is refused for no other reason: it would be lost, since
/// Stripe sends the same bytes again until it gives up.
pub(super) fn read(body: &Bytes) -> Result<Envelope, Rejection> {
    let text = std::str::from_utf8(body).map_err(|_| Rejection::BodyMalformed)?;
    let (mut id, mut kind, mut account, mut api_version) = (None, None, None, None);
    let (mut occurred_at, mut livemode, mut context, mut is_thin) = (None, None, None, false);
    let mut members = Members::of(text);
    while let Some((key, value)) = members.next().map_err(|_| Rejection::BodyMalformed)? {
        match json::text(key).as_deref() {
            Some("id") => id = short_text(value),
            Some("type") => kind = short_text(value),
            Some("object") => is_thin = short_text(value).as_deref() == Some(THIN),
            Some("context") => context = short_text(value),
            Some("account") => account = short_text(value),
            Some("api_version") => api_version = short_text(value),
            Some("created") => occurred_at = json::time(value),
            Some("livemode") => livemode = value.parse().ok(),
            _ => {}
        }
    }
    let (Some(id), Some(kind)) = (id, kind) else { return Err(Rejection::BodyMalformed) };
    let account = if is_thin { context } else { account };
    Ok(Envelope { id, kind, occurred_at, livemode, account, api_version, body: body.clone() })
}

fn short_text(raw: &str) -> Option<String> {
    json::text(raw).filter(|text| storable(text)).map(|text| text.into_owned())
}
