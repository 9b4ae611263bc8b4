//! The gateway for Standard Webhooks (<https://www.standardwebhooks.com>): Svix and the companies that send through it,
//! Polar, and many more. [`StandardWebhooks`] is one configured endpoint. The standard defines signatures but nothing
//! about payments, so the events are for the host's [`on_event`](crate::Builder::on_event) handlers.
//!
//! The crate of the standard's authors is not used because it reads the system's clock: neither a test nor the time at
//! which the delivery was received could replace it. All that it does is the function in `verify`.
//!
//! See [`StandardWebhooks`] for an example of a variant's configuration.

mod envelope;
mod verify;

use super::signature::Secret;
use super::{Gateway, SecretStatus, Setup, TEST_KIND, Verification, test_interpretation};
use crate::domain::Timestamp;
use crate::domain::delivery::{Delivery, Rejection};
use crate::domain::event::{Interpretation, Malformed, Recorded, Verified};
use verify::{Endpoint, KeyRule, Names};

/// One endpoint that accepts Standard Webhooks.
///
/// ```
/// use actix_payments::gateways::{Gateway, standard_webhooks::StandardWebhooks};
///
/// let endpoint = StandardWebhooks::new("whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=");
/// assert_eq!(endpoint.check(), Ok(()));
/// ```
#[derive(Debug, Clone)]
pub struct StandardWebhooks {
    endpoint: Endpoint,
}

impl StandardWebhooks {
    /// An endpoint with its signing secret, `whsec_` and base64, which gets the label `primary`.
    pub fn new(secret: impl Into<String>) -> Self {
        Self::with(KeyRule::Decoded, secret)
    }

    /// An endpoint whose sender uses the bytes of the secret's text as the key, including its prefix. Polar does, but see
    /// [`StandardWebhooks::polar`].
    pub fn text_key(secret: impl Into<String>) -> Self {
        Self::with(KeyRule::Text, secret)
    }

    /// An endpoint of Polar's (`polar_whs_…` or `whsec_…`). Polar's libraries use and accept two keys: the bytes of the
    /// secret's text, or the bytes that its base64, after the prefix, stands for.
    pub fn polar(secret: impl Into<String>) -> Self {
        Self::with(KeyRule::Either, secret)
    }

    fn with(rule: KeyRule, secret: impl Into<String>) -> Self {
        let secrets = vec![("primary".to_owned(), Secret::new(secret))];
        Self { endpoint: Endpoint { rule, names: Names::Standard, secrets } }
    }

    /// Adds another signing secret, such as the next one during a rotation. The label shows which secret matched.
    /// Default: none.
    pub fn secret(mut self, label: impl Into<String>, secret: impl Into<String>) -> Self {
        self.endpoint.secrets.push((label.into(), Secret::new(secret)));
        self
    }

    /// Accepts Svix's own header names (`svix-id` and so on) as well. Default: only the standard's. If a delivery has
    /// any of them, only these are used to verify it, as in Svix's libraries.
    pub fn svix(mut self) -> Self {
        self.endpoint.names = Names::Svix;
        self
    }

    /// Verifies a delivery, and reads which event it carries.
    pub(in crate::gateways) fn verified(&self, delivery: &Delivery, now: Timestamp) -> Result<Verified, Rejection> {
        let matched = verify::verify(&self.endpoint, delivery, now)?;
        Ok(Verified {
            events: vec![envelope::read(matched.id, &delivery.body)?],
            secret: Some(matched.label.to_owned()),
            skew_seconds: Some(matched.skew_seconds),
        })
    }
}

impl Gateway for StandardWebhooks {
    fn name(&self) -> &'static str {
        "Standard Webhooks"
    }

    fn check(&self) -> Result<(), String> {
        let secrets = &self.endpoint.secrets;
        for (at, (label, secret)) in secrets.iter().enumerate() {
            if label.trim().is_empty() {
                return Err("expected a label for every signing secret, got a blank one".to_owned());
            }
            if secrets[..at].iter().any(|(earlier, _)| earlier == label) {
                return Err(format!("expected a label of its own for every signing secret, got {label:?} twice"));
            }
            if let Some(where_blank) = secret.surrounding_blank() {
                return Err(format!("expected a signing secret as {label:?}, got one that {where_blank}"));
            }
            if self.endpoint.rule.keys(secret).is_empty() {
                let expected = match self.endpoint.rule {
                    KeyRule::Decoded => "whsec_ and base64",
                    KeyRule::Text | KeyRule::Either => "any text",
                };
                return Err(format!("expected a signing secret ({expected}) as {label:?}, got none that can be read"));
            }
        }
        Ok(())
    }

    fn verify<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> Verification<'a> {
        Verification::Ready(self.verified(delivery, now))
    }

    fn interpret(&self, event: &Recorded<'_>) -> Result<Interpretation, Malformed> {
        if event.kind == TEST_KIND {
            return Ok(test_interpretation());
        }
        let summary = "a standard webhook: kept for the handlers of its kind, which know its meaning".to_owned();
        Ok(Interpretation { summary, ..Interpretation::default() })
    }

    fn setup(&self) -> Setup {
        let steps = [
            "In the sender's settings, add a webhook endpoint and paste {address} as its address.",
            "Select the events that you have handlers for.",
            "Copy the endpoint's signing secret, give it to this variant and restart the app.",
        ];
        let status = |(label, secret): &(String, Secret)| {
            let is_set = !self.endpoint.rule.keys(secret).is_empty();
            SecretStatus { label: label.clone(), is_set }
        };
        Setup {
            steps: steps.map(str::to_owned).into(),
            secrets: self.endpoint.secrets.iter().map(status).collect(),
            docs: vec![("The standard", "https://www.standardwebhooks.com")],
            ..Setup::default()
        }
    }

    fn signed_delivery(&self, id: &str, event: &[u8], now: Timestamp) -> Option<Delivery> {
        let (_, secret) = self.endpoint.secrets.first()?;
        let time = now.unix_timestamp().to_string();
        let signature = verify::sign(self.endpoint.rule.keys(secret).first()?, id, &time, event);
        let [id_name, time_name, signature_name] = verify::STANDARD;
        let fields = [
            ("content-type", "application/json".to_owned()),
            (id_name, id.to_owned()),
            (time_name, time),
            (signature_name, format!("v1,{signature}")),
        ];
        let headers = fields.map(|(name, value)| (name.to_owned(), value.into_bytes())).into();
        Some(Delivery { headers, query: String::new(), body: event.to_vec().into() })
    }

    fn test_delivery(&self, id: &str, now: Timestamp) -> Option<Delivery> {
        self.signed_delivery(id, &envelope::test_event(now), now)
    }
}
