//! What does the dummy company do when it is asked for something? All of it, at once, without a network: the answer is the
//! event that it would have sent. It remembers nothing, so an answer is made of the call alone, and the same call makes
//! the same event.

use super::event::{Event, Kind};
use super::verify::envelope;
use crate::domain::event::Envelope;
use crate::gateways::{Call, GatewayError, Verb};

/// Why there is nothing to complete.
pub(super) const COMPLETE: &str = "The dummy gateway completes a payment by itself.";

/// Does what the call says.
pub(super) fn answer(call: &Call) -> Result<Vec<Envelope>, GatewayError> {
    let id = call.idempotency_key.as_str();
    let total = call.total;
    let part = call.amount.map_or(total.minor, |amount| amount.minor);
    let event = match call.verb {
        Verb::Capture => Event::part_capture(id, &call.token, total, part),
        Verb::Cancel => Event::new(id, Kind::Canceled, &call.token, total),
        Verb::Refund => Event::refund(id, &call.token, total, format!("dr_{}", call.idempotency_key), part),
        // Whoever remembers nothing has nothing to add to what was sent.
        Verb::Refresh => return Ok(Vec::new()),
        Verb::Complete => return Err(GatewayError::Unsupported(COMPLETE.to_owned())),
    };
    let event = match call.gateway_refs.first() {
        Some(object) => event.object(object),
        None => event,
    };
    let event = envelope(&event.body(call.asked_at).into());
    event.map(|event| vec![event]).ok_or_else(|| GatewayError::Malformed("an event of its own".to_owned()))
}
