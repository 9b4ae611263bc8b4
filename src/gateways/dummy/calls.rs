//! The dummy gateway's answers to calls. It does everything at once and without a network, and answers with the event
//! that it would have sent. It keeps no state: the answer is made of the call alone, so the same call makes the same
//! event.

use super::event::{DummyEvent, Kind};
use super::verify::envelope;
use crate::domain::event::Envelope;
use crate::gateways::{Call, GatewayError, Verb};

/// Why [`Verb::Complete`] is not supported.
pub(super) const COMPLETES_BY_ITSELF: &str = "The dummy gateway completes a payment by itself.";

/// Carries out the call.
pub(super) fn answer(call: &Call) -> Result<Vec<Envelope>, GatewayError> {
    let id = call.idempotency_key.as_str();
    let total = call.total;
    let part = call.amount.map_or(total.minor, |amount| amount.minor);
    let event = match call.verb {
        Verb::Capture => DummyEvent::part_capture(id, &call.token, total, part),
        Verb::Cancel => DummyEvent::new(id, Kind::Canceled, &call.token, total),
        Verb::Refund => DummyEvent::refund(id, &call.token, total, format!("dr_{}", call.idempotency_key), part),
        // Without state there is nothing to add to the events that were sent.
        Verb::Refresh => return Ok(Vec::new()),
        Verb::Complete => return Err(GatewayError::Unsupported(COMPLETES_BY_ITSELF.to_owned())),
    };
    let event = match call.gateway_refs.first() {
        Some(object) => event.object(object),
        None => event,
    };
    let event = envelope(&event.body(call.requested_at).into());
    event.map(|event| vec![event]).ok_or_else(|| GatewayError::Malformed("an event of its own".to_owned()))
}
