//! How does an answer of Stripe's become an event? The object goes in unchanged, in an envelope like that of
//! Stripe's own events, so that one interpreter reads both. Its kind ends in `answered`, which no kind of Stripe's
//! does: only the object's own state counts.

use bytes::Bytes;

use crate::domain::Timestamp;
use crate::domain::event::Envelope;
use crate::gateways::GatewayError;
use crate::gateways::json::Object;
use crate::gateways::stripe::interpret::ANSWERED;

/// The event that says what `object`, the raw text of one, is now.
pub(super) fn event(id: String, object: &str, at: Timestamp) -> Result<Envelope, GatewayError> {
    let malformed = |bad: crate::domain::event::Malformed| GatewayError::Malformed(bad.to_string());
    let read = Object::read(object, "an answer").map_err(malformed)?;
    let name = read.need_text("object").map_err(malformed)?;
    if !name.bytes().all(|byte| byte.is_ascii_lowercase() || b"._".contains(&byte)) {
        return Err(GatewayError::Malformed("expected an object with a plain name".to_owned()));
    }
    let livemode = read.truth("livemode").map_err(malformed)?;
    let kind = format!("{name}.{ANSWERED}");
    let mode = livemode.map(|live| format!(",\"livemode\":{live}")).unwrap_or_default();
    let created = at.unix_timestamp();
    let body = format!(
        r#"{{"id":"{id}","object":"event","type":"{kind}","created":{created}{mode},"data":{{"object":{object}}}}}"#
    );
    Ok(Envelope {
        id,
        kind,
        occurred_at: Some(at),
        livemode,
        account: None,
        api_version: Some(super::VERSION.to_owned()),
        body: Bytes::from(body),
    })
}
