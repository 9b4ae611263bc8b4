//! Does PayPal itself say that it sent this delivery? It is asked with the delivery's own bytes
//! (<https://developer.paypal.com/docs/api/webhooks/v1/#verify-webhook-signature_post>): an event that was written anew
//! would be another one. Whoever posts anything makes us ask, so that little is spent on it: few questions at a time, one
//! short try each, and a pause where PayPal does not answer.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::Semaphore;

use super::{Api, Ask, answer};
use crate::domain::delivery::{Delivery, Rejection};
use crate::gateways::GatewayError;
use crate::gateways::http::{Client, Response};
use crate::gateways::json::Object;
use crate::gateways::paypal::verify;

/// How long PayPal may take, all in all.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many questions wait for an answer at the same time.
const AT_ONCE: usize = 8;
/// How many more deliveries wait for their turn, and how long.
const WAITING: usize = 56;
const TURN: Duration = Duration::from_secs(3);
/// After how long without an answer PayPal is not asked for a while, and for how long: who waits then waits in vain.
const SLOW: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_secs(5);

/// What asking about deliveries may spend.
#[derive(Debug)]
pub(super) struct Doubts {
    client: Client,
    places: Semaphore,
    turns: Semaphore,
    /// Until when PayPal is not asked.
    paused: Mutex<Option<Instant>>,
}

impl Default for Doubts {
    fn default() -> Self {
        Self {
            client: Client::new(PATIENCE),
            places: Semaphore::new(AT_ONCE + WAITING),
            turns: Semaphore::new(AT_ONCE),
            paused: Mutex::default(),
        }
    }
}

impl Doubts {
    fn is_paused(&self) -> bool {
        let until = *self.paused.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        until.is_some_and(|until| Instant::now() < until)
    }

    fn pause(&self) {
        *self.paused.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(Instant::now() + PAUSE);
    }
}

impl Api {
    /// Asks PayPal. As long as it gives no answer, nothing is known.
    pub(in crate::gateways::paypal) async fn vouches(
        &self,
        delivery: &Delivery,
        webhook: &str,
    ) -> Result<(), Rejection> {
        let body = question(delivery, webhook)?;
        let answer = self.ask_briefly(body).await.map_err(|error| {
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

    async fn ask_briefly(&self, body: String) -> Result<Response, GatewayError> {
        let not_asked = |why: &str| GatewayError::Unavailable(format!("not asked, {why}"));
        let many = || not_asked("as many others are asked about already");
        let _place = self.doubts.places.try_acquire().map_err(|_| many())?;
        let _turn = tokio::time::timeout(TURN, self.doubts.turns.acquire()).await.map_err(|_| many())?;
        if self.doubts.is_paused() {
            return Err(not_asked("as it did not answer just now"));
        }
        let path = "/v1/notifications/verify-webhook-signature".to_owned();
        let brief = Self { client: self.doubts.client.clone(), retries: 0, ..self.clone() };
        let begun = Instant::now();
        let asking = brief.send(Ask { post: true, path, body, request_id: None });
        let late = |_| Err(GatewayError::Unavailable("it takes long to answer".to_owned()));
        let answer = tokio::time::timeout(PATIENCE, asking).await.unwrap_or_else(late);
        if answer.is_err() && begun.elapsed() >= SLOW {
            self.doubts.pause();
        }
        answer
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
