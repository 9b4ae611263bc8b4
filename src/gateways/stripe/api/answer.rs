//! Turns Stripe's answers into events. The object is put unchanged into an event of Stripe's own format, so that the
//! interpreter reads both. Its kind ends in `answered`, which no kind of Stripe's does, because an answer shows the
//! current state of an object and not what happened to it.

use bytes::Bytes;

use crate::domain::Timestamp;
use crate::domain::event::{Envelope, Malformed};
use crate::gateways::GatewayError;
use crate::gateways::json::Object;
use crate::gateways::stripe::interpret::snapshot::ANSWERED;

/// The event that reports the current state of `object`, the raw JSON text of one.
pub(super) fn event(id: String, object: &str, at: Timestamp) -> Result<Envelope, GatewayError> {
    event_of(id, object, at, None)
}

/// The same of an object of a connected account.
pub(super) fn event_of(
    id: String,
    object: &str,
    at: Timestamp,
    account: Option<&str>,
) -> Result<Envelope, GatewayError> {
    let malformed = |error: Malformed| GatewayError::Malformed(error.to_string());
    let read = Object::read(object, "an answer").map_err(malformed)?;
    let name = read.need_text("object").map_err(malformed)?;
    if !name.bytes().all(|byte| byte.is_ascii_lowercase() || b"._".contains(&byte)) {
        return Err(GatewayError::Malformed("expected an object with a plain name".to_owned()));
    }
    let livemode = read.bool("livemode").map_err(malformed)?;
    let kind = format!("{name}.{ANSWERED}");
    let mode = livemode.map(|live| format!(",\"livemode\":{live}")).unwrap_or_default();
    let created = at.unix_timestamp();
    let of = account.map(|account| format!(",\"account\":{}", serde_json::Value::from(account))).unwrap_or_default();
    let body = format!(
        r#"{{"id":"{id}","object":"event","type":"{kind}","created":{created}{mode}{of},"data":{{"object":{object}}}}}"#
    );
    Ok(Envelope {
        id,
        kind,
        occurred_at: Some(at),
        livemode,
        account: account.map(str::to_owned),
        api_version: Some(super::VERSION.to_owned()),
        body: Bytes::from(body),
    })
}
