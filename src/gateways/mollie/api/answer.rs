//! Turns Mollie's answers into events: the body is the object as it came, and the kind is made of the object's name.

use crate::domain::event::{Envelope, Malformed};
use crate::gateways::GatewayError;
use crate::gateways::http::Response;
use crate::gateways::json::{Object, short};

/// The event that reports the object in this answer.
pub(super) fn event(id: String, kind: &str, answer: &Response) -> Result<Envelope, GatewayError> {
    let read = read(answer)?;
    let livemode = short(&read, "mode").map(|mode| mode == "live");
    Ok(Envelope {
        id,
        kind: kind.to_owned(),
        occurred_at: Some(answer.answered_at()),
        livemode,
        account: None,
        api_version: None,
        body: answer.body.clone(),
    })
}

/// The object in this answer.
pub(super) fn read(answer: &Response) -> Result<Object<'_>, GatewayError> {
    let malformed = |error: Malformed| GatewayError::Malformed(error.to_string());
    Object::read(answer.text()?, "an answer of Mollie's").map_err(malformed)
}
