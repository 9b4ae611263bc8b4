//! Turns PayPal's answers into events. The object becomes the resource, unchanged, of an event in PayPal's own format,
//! so that the interpreter reads both. Its kind ends in `ANSWERED`, which no kind of PayPal's does, because an answer
//! shows the current state of an object and not what happened to it.

use bytes::Bytes;
use time::format_description::well_known::Rfc3339;

use crate::domain::event::{Envelope, Malformed};
use crate::gateways::GatewayError;
use crate::gateways::http::Response;
use crate::gateways::json::Object;
use crate::gateways::paypal::answered::ObjectType;

/// Parses the object in an answer.
pub(super) fn read(answer: &Response) -> Result<Object<'_>, GatewayError> {
    Object::read(answer.text()?, "an answer").map_err(|Malformed(why)| GatewayError::Malformed(why))
}

/// The event that reports the current state of the object in the answer.
pub(super) fn event(id: String, object_type: ObjectType, answer: &Response) -> Result<Envelope, GatewayError> {
    part_event(id, object_type, answer, None)
}

/// Like [`event`], for an object that is a part on purpose. `whole` is the amount that it is a part of, in PayPal's
/// format.
pub(super) fn part_event(
    id: String,
    object_type: ObjectType,
    answer: &Response,
    whole: Option<&serde_json::Value>,
) -> Result<Envelope, GatewayError> {
    // The event would be unreadable if the answer were not an object.
    read(answer)?;
    let (kind, resource_type) = (object_type.kind(), object_type.resource_type());
    let at = answer.answered_at();
    let time = at.format(&Rfc3339).map_err(|bad| GatewayError::Malformed(bad.to_string()))?;
    let resource = answer.text()?;
    let whole = whole.map(|amount| format!(r#","part_of":{amount}"#)).unwrap_or_default();
    let body = format!(
        r#"{{"id":"{id}","event_type":"{kind}","create_time":"{time}","resource_type":"{resource_type}","resource_version":"2.0","resource":{resource}{whole}}}"#
    );
    Ok(Envelope {
        id,
        kind: kind.to_owned(),
        occurred_at: Some(at),
        livemode: None,
        account: None,
        api_version: Some("2.0".to_owned()),
        body: Bytes::from(body),
    })
}

/// Whether an id is safe to insert into a path.
pub(super) fn is_plain(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// The error for a call about a payment that PayPal has no suitable object of.
pub(super) fn no_object() -> GatewayError {
    GatewayError::Declined("PayPal has no object of this payment yet that this could be done with".to_owned())
}
