//! A gateway of the host's own, for Acme Pay, an invented company. It signs `<seconds>.<body>` with HMAC-SHA256 and sends
//! events about payments and refunds as JSON.

use actix_payments::domain::Timestamp;
use actix_payments::domain::delivery::{Delivery, Rejection};
use actix_payments::domain::event::{Envelope, Interpretation, Malformed, Recorded, References, Verified};
use actix_payments::domain::fact::{Aspect, Fact, State};
use actix_payments::domain::money::{Currency, Decimal, Money};
use actix_payments::gateways::{Gateway, SecretStatus, Setup, Verification};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

/// How far a signature's time may be from ours, in seconds.
const TOLERANCE: u64 = 300;

/// One webhook of an Acme account.
pub(crate) struct Acme {
    secret: String,
}

impl Acme {
    /// The webhook with its signing secret.
    pub(crate) fn new(secret: impl Into<String>) -> Self {
        Self { secret: secret.into() }
    }

    /// The MAC of a body at a time, for signing or verifying.
    fn mac(&self, time: &str, body: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()).ok()?;
        mac.update(time.as_bytes());
        mac.update(b".");
        mac.update(body);
        Some(mac)
    }

    fn verified(&self, delivery: &Delivery, now: Timestamp) -> Result<Verified, Rejection> {
        let header = |name| delivery.header(name).filter(|text| !text.is_empty()).ok_or(Rejection::SignatureMissing);
        let (time, given) = (header("acme-time")?, header("acme-signature")?);
        let given = unhex(&given).ok_or(Rejection::SignatureMalformed)?;
        // `verify_slice` compares in constant time. A blank secret never matches, since anybody could sign with it.
        let mac = self.mac(&time, &delivery.body).filter(|_| !self.secret.trim().is_empty());
        mac.and_then(|mac| mac.verify_slice(&given).ok()).ok_or(Rejection::SignatureMismatch)?;
        let signed_at: i64 = time.parse().map_err(|_| Rejection::SignatureMalformed)?;
        let skew_seconds = now.unix_timestamp().saturating_sub(signed_at);
        if skew_seconds.unsigned_abs() > TOLERANCE {
            return Err(Rejection::SignatureStale);
        }
        let event = envelope(delivery).ok_or(Rejection::BodyMalformed)?;
        Ok(Verified::new(vec![event]).with_secret("primary").with_skew(skew_seconds))
    }
}

impl Gateway for Acme {
    fn name(&self) -> &'static str {
        "Acme Pay"
    }

    fn check(&self) -> Result<(), String> {
        if self.secret.trim().is_empty() {
            return Err("expected Acme's signing secret, got a blank text".to_owned());
        }
        Ok(())
    }

    fn verify<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> Verification<'a> {
        Verification::Ready(self.verified(delivery, now))
    }

    fn interpret(&self, event: &Recorded<'_>) -> Result<Interpretation, Malformed> {
        let (aspect, state, words) = match event.kind {
            "payment.authorized" => (Aspect::Authorization, State::Authorized, "authorized"),
            "payment.paid" => (Aspect::Capture, State::Succeeded, "paid"),
            "payment.failed" => (Aspect::Capture, State::Failed, "failed"),
            "refund.done" => (Aspect::Refund, State::Succeeded, "refunded"),
            // An unknown kind is no error: the event is kept and changes nothing.
            _ => return Ok(Interpretation::new("nothing about a payment")),
        };
        let missing = |what: &str| Malformed(format!("expected {what} in the event's object, got none"));
        let body: Value = serde_json::from_slice(event.body).map_err(|_| Malformed("expected JSON".to_owned()))?;
        let text = |name: &str| body["object"][name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let id = text("id").ok_or_else(|| missing("an id"))?;
        let currency =
            Currency::parse(&text("currency").unwrap_or_default()).map_err(|error| Malformed(error.to_string()))?;
        let amount =
            Decimal::parse(&text("amount").unwrap_or_default()).map_err(|error| Malformed(error.to_string()))?;
        let minor = amount.exact(currency).ok_or_else(|| missing("an amount that its currency can express"))?;
        let payment = text("payment").filter(|_| aspect == Aspect::Refund);
        let fact = Fact::new(aspect, id.as_str(), state, event.occurred_at, event.id)
            .with_amount(minor, currency)
            .with_parent(payment.clone());
        let mut found = Interpretation::new(format!("{words}: {}", Money::new(minor, currency)));
        found.references = References::new(text("merchant_reference"), payment.into_iter().chain([id]));
        found.facts = vec![fact];
        found.customer = text("email");
        Ok(found)
    }

    fn setup(&self) -> Setup {
        let mut setup = Setup::default();
        setup.steps = vec![
            "In Acme's settings, add a webhook and paste {address} as its address.".to_owned(),
            "Pass the payment's token to Acme as merchant_reference.".to_owned(),
        ];
        setup.kinds = vec!["payment.authorized", "payment.paid", "payment.failed", "refund.done"];
        setup.secrets = vec![SecretStatus::of("primary", &self.secret)];
        setup
    }

    fn sign(&self, body: &[u8], now: Timestamp) -> Option<Vec<(String, String)>> {
        let time = now.unix_timestamp().to_string();
        let signature = self.mac(&time, body)?.finalize().into_bytes();
        let signature = signature.iter().map(|byte| format!("{byte:02x}")).collect();
        Some(vec![("acme-time".to_owned(), time), ("acme-signature".to_owned(), signature)])
    }
}

/// Reads the fields that are needed to store the event once.
fn envelope(delivery: &Delivery) -> Option<Envelope> {
    let body: Value = serde_json::from_slice(&delivery.body).ok()?;
    let mut event = Envelope::new(body["id"].as_str()?, body["kind"].as_str()?, delivery.body.clone());
    event.occurred_at = body["at"].as_i64().and_then(|at| Timestamp::from_unix_timestamp(at).ok());
    event.livemode = body["live"].as_bool();
    Some(event)
}

/// Decodes lower-case hex. Upper case is refused, so that a signature has only one form.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let is_hex = text.len().is_multiple_of(2) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let pairs = (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok());
    pairs.collect::<Option<Vec<_>>>().filter(|_| is_hex)
}
