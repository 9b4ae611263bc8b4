//! Asks PayPal whether it sent a delivery
//! (<https://developer.paypal.com/docs/api/webhooks/v1/#verify-webhook-signature_post>). The question contains the
//! delivery's own bytes: PayPal would not recognize an event that was parsed and written again.

use std::time::Instant;

use serde_json::json;

use super::limits::{SLOW, TIMEOUT, TURN};
use super::{Api, ApiRequest, answer};
use crate::domain::delivery::{Delivery, Rejection};
use crate::error::repeated;
use crate::gateways::GatewayError;
use crate::gateways::http::Response;
use crate::gateways::json::Object;
use crate::gateways::paypal::verify;

impl Api {
    /// Asks PayPal whether it sent the delivery. [`Rejection::Unverifiable`] when PayPal gives no answer.
    pub(in crate::gateways::paypal) async fn verify_online(
        &self,
        delivery: &Delivery,
        webhook: &str,
    ) -> Result<(), Rejection> {
        let body = question(delivery, webhook)?;
        let answer = self.send_within_limits(body).await.map_err(|error| {
            let line = format_args!("PayPal did not say whether it sent a delivery: {error}");
            repeated::log(log::Level::Warn, "PayPal's word on a delivery", line);
            Rejection::Unverifiable
        })?;
        let object = answer::read(&answer).map_err(|_| Rejection::Unverifiable)?;
        match object.text("verification_status").ok().flatten().as_deref() {
            Some("SUCCESS") => Ok(()),
            Some("FAILURE") => Err(Rejection::SignatureMismatch),
            _ => Err(Rejection::Unverifiable),
        }
    }

    /// Sends the question without retries, if the limits allow it.
    async fn send_within_limits(&self, body: String) -> Result<Response, GatewayError> {
        let not_asked = |why: &str| GatewayError::Unavailable(format!("not asked, {why}"));
        let too_many = || not_asked("because too many deliveries are being asked about already");
        let limits = &self.postback_limits;
        let _place = limits.places.try_acquire().map_err(|_| too_many())?;
        let _turn = tokio::time::timeout(TURN, limits.turns.acquire()).await.map_err(|_| too_many())?;
        if limits.is_paused() {
            return Err(not_asked("because it did not answer just now"));
        }
        let path = "/v1/notifications/verify-webhook-signature".to_owned();
        let api = Self { client: limits.client.clone(), retries: 0, ..self.clone() };
        let started = Instant::now();
        let sending = api.send(ApiRequest { post: true, path, body, request_id: None });
        let timed_out = |_| Err(GatewayError::Unavailable("it takes too long to answer".to_owned()));
        let answer = tokio::time::timeout(TIMEOUT, sending).await.unwrap_or_else(timed_out);
        if answer.is_err() && started.elapsed() >= SLOW {
            limits.pause();
        }
        answer
    }
}

/// The body of the question. The event is the last field, so that nothing in it can override another field.
fn question(delivery: &Delivery, webhook: &str) -> Result<String, Rejection> {
    let headers = verify::signature_headers(delivery)?;
    let event = std::str::from_utf8(&delivery.body).map_err(|_| Rejection::BodyMalformed)?;
    // The event must be one whole object with nothing after it, since it is inserted as text.
    Object::read(event, "an event").map_err(|_| Rejection::BodyMalformed)?;
    let fields = json!({
        "auth_algo": headers.algorithm,
        "cert_url": headers.address,
        "transmission_id": headers.id,
        "transmission_sig": headers.signature,
        "transmission_time": headers.time,
        "webhook_id": webhook,
    });
    let fields = fields.to_string();
    let open = fields.strip_suffix('}').unwrap_or(&fields);
    Ok(format!("{open},\"webhook_event\":{event}}}"))
}
