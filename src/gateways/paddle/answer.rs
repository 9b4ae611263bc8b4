//! Turns Paddle's answers (<https://developer.paddle.com/api-reference/about/success-responses>) into events in Paddle's
//! own format, so that the interpreter reads both. The object is put into the event unchanged.

use bytes::Bytes;
use time::format_description::well_known::Rfc3339;

use crate::domain::Timestamp;
use crate::domain::event::{Envelope, Malformed};
use crate::gateways::GatewayError;
use crate::gateways::http::Response;
use crate::gateways::json::Object;
use crate::gateways::reading::ANSWERED;

pub(super) fn malformed(Malformed(why): Malformed) -> GatewayError {
    GatewayError::Malformed(why)
}

/// The raw JSON text of the object or list that an answer is about.
pub(super) fn data(answer: &Response) -> Result<&str, GatewayError> {
    let whole = Object::read(answer.text()?, "an answer").map_err(malformed)?;
    whole.raw("data").ok_or_else(|| GatewayError::Malformed("expected `data` in an answer, got nothing".to_owned()))
}

/// The event that reports the current state of `object`, a transaction, an adjustment or a subscription.
pub(super) fn event(id: String, family: &str, object: &str, at: Timestamp) -> Result<Envelope, GatewayError> {
    Object::read(object, "an answer").map_err(malformed)?;
    let kind = format!("{family}{ANSWERED}");
    let time = at.format(&Rfc3339).map_err(|bad| GatewayError::Malformed(bad.to_string()))?;
    let body = format!(r#"{{"event_id":"{id}","event_type":"{kind}","occurred_at":"{time}","data":{object}}}"#);
    let (livemode, account, api_version) = (None, None, None);
    Ok(Envelope { id, kind, occurred_at: Some(at), livemode, account, api_version, body: Bytes::from(body) })
}
