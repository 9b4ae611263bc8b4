//! Does PayPal itself say that it sent this delivery? It is asked with the delivery's own bytes
//! (<https://developer.paypal.com/docs/api/webhooks/v1/#verify-webhook-signature_post>): an event that was written anew
//! would be another one.

use serde_json::json;

use super::{Api, Ask, answer};
use crate::domain::delivery::{Delivery, Rejection};
use crate::gateways::json::Object;
use crate::gateways::paypal::verify;

impl Api {
    /// Asks PayPal. As long as it gives no answer, nothing is known.
    pub(in crate::gateways::paypal) async fn vouches(
        &self,
        delivery: &Delivery,
        webhook: &str,
    ) -> Result<(), Rejection> {
        let body = question(delivery, webhook)?;
        let path = "/v1/notifications/verify-webhook-signature".to_owned();
        let answer = self.send(Ask { post: true, path, body, request_id: None }).await;
        let answer = answer.map_err(|error| {
            log::warn!("payments: PayPal did not say whether it sent a delivery: {error}");
            Rejection::Unverifiable
        })?;
        let read = answer::read(&answer).map_err(|_| Rejection::Unverifiable)?;
        match read.text("verification_status").ok().flatten().as_deref() {
            Some("SUCCESS") => Ok(()),
            Some("FAILURE") => Err(Rejection::SignatureMismatch),
            _ => Err(Rejection::Unverifiable),
        }
    }
}

/// What PayPal is asked. The event is the last field, so that nothing in it can stand for another.
fn question(delivery: &Delivery, webhook: &str) -> Result<String, Rejection> {
    let fields = verify::fields(delivery)?;
    let event = std::str::from_utf8(&delivery.body).map_err(|_| Rejection::BodyMalformed)?;
    // One whole object and nothing after it.
    Object::read(event, "an event").map_err(|_| Rejection::BodyMalformed)?;
    let asked = json!({
        "auth_algo": fields.algorithm,
        "cert_url": fields.address,
        "transmission_id": fields.id,
        "transmission_sig": fields.signature,
        "transmission_time": fields.time,
        "webhook_id": webhook,
    });
    let asked = asked.to_string();
    let open = asked.strip_suffix('}').unwrap_or(&asked);
    Ok(format!("{open},\"webhook_event\":{event}}}"))
}
