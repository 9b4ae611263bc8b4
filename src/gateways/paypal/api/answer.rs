//! How does an answer of PayPal's become an event? The object goes in unchanged, as the resource of an event like PayPal's
//! own, so that one interpreter reads both. Its kind ends in `ANSWERED`, which no kind of PayPal's does: only the
//! object's own state counts.

use bytes::Bytes;
use time::format_description::well_known::Rfc3339;

use crate::domain::event::{Envelope, Malformed};
use crate::gateways::GatewayError;
use crate::gateways::http::Response;
use crate::gateways::json::Object;
use crate::gateways::paypal::answered::Named;

/// Reads the object of an answer.
pub(super) fn read(answer: &Response) -> Result<Object<'_>, GatewayError> {
    Object::read(answer.text()?, "an answer").map_err(|Malformed(why)| GatewayError::Malformed(why))
}

/// The event that says what the answer's object is now.
pub(super) fn event(id: String, named: Named, answer: &Response) -> Result<Envelope, GatewayError> {
    part(id, named, answer, None)
}

/// The same of an object that is a part on purpose: beside it stands what it is a part of, an amount as PayPal writes it.
pub(super) fn part(
    id: String,
    named: Named,
    answer: &Response,
    whole: Option<&serde_json::Value>,
) -> Result<Envelope, GatewayError> {
    // What is no object would not be an event either.
    read(answer)?;
    let (kind, of) = (named.kind(), named.resource_type());
    let at = answer.answered_at();
    let time = at.format(&Rfc3339).map_err(|bad| GatewayError::Malformed(bad.to_string()))?;
    let resource = answer.text()?;
    let whole = whole.map(|amount| format!(r#","part_of":{amount}"#)).unwrap_or_default();
    let body = format!(
        r#"{{"id":"{id}","event_type":"{kind}","create_time":"{time}","resource_type":"{of}","resource_version":"2.0","resource":{resource}{whole}}}"#
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

/// Whether an id can stand in a path.
pub(super) fn plain(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

pub(super) fn unknown() -> GatewayError {
    GatewayError::Declined("PayPal has nothing of this payment yet that this could be done with".to_owned())
}
