//! How is a gateway taken in that nobody wrote yet? [`HmacWebhooks`] is told how the sender signs and where its events
//! say who they are; what they mean is the host's answer, by a function or by `on_event` handlers.

mod envelope;
mod scheme;
mod verify;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::signature::Secret;
use super::{Gateway, Reply, SecretStatus, Setup, Verification};
use crate::domain::Timestamp;
use crate::domain::delivery::{Delivery, Rejection};
use crate::domain::event::{Interpretation, Malformed, Recorded, Verified};
use envelope::Places;
use scheme::Scheme;
pub use scheme::{Algorithm, Encoding, Field, KeyText, Part};

type Reader = dyn Fn(&Recorded<'_>) -> Result<Interpretation, Malformed> + Send + Sync;

/// One webhook of a sender that signs with HMAC. The defaults are the commonest scheme: lower-case hex of HMAC-SHA256
/// over the body, no time, the id in the body's `id` and the kind in its `type`.
///
/// ```
/// use std::time::Duration;
/// use actix_payments::gateways::{Gateway, hmac_webhooks::{Field, HmacWebhooks, Part}};
///
/// let header = |name| Field::part("paddle-signature", ';', name);
/// let paddle = HmacWebhooks::new("Paddle", header("h1"), "pdl_ntfset_…")
///     .timestamp(header("ts"), Duration::from_secs(5))
///     .signed([Part::Timestamp, Part::text(":"), Part::Body])
///     .id("/event_id")
///     .kind("/event_type");
/// assert_eq!(paddle.check(), Ok(()));
/// ```
#[derive(Clone)]
pub struct HmacWebhooks {
    name: &'static str,
    scheme: Scheme,
    places: Places,
    reader: Option<Arc<Reader>>,
    accepted: Option<Reply>,
    refused: Option<Reply>,
}

impl HmacWebhooks {
    /// A sender by its name as people write it, where its signature is, and the signing secret, which gets the label
    /// `primary`. White space at the secret's ends is not trimmed.
    pub fn new(name: &'static str, signature: Field, secret: impl Into<String>) -> Self {
        let scheme = Scheme::new(signature, Secret::new(secret));
        Self { name, scheme, places: Places::default(), reader: None, accepted: None, refused: None }
    }

    /// Adds a further signing secret under a label that shows which one matched. Default none.
    pub fn secret(mut self, label: impl Into<String>, secret: impl Into<String>) -> Self {
        self.scheme.secrets.push((label.into(), Secret::new(secret)));
        self
    }

    /// The hash. Default SHA-256.
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.scheme.algorithm = algorithm;
        self
    }

    /// How the signature is written. Default lower-case hex.
    pub fn encoding(mut self, encoding: Encoding) -> Self {
        self.scheme.encoding = encoding;
        self
    }

    /// How a secret's text becomes the key. Default the text as it stands.
    pub fn key(mut self, key: KeyText) -> Self {
        self.scheme.key = key;
        self
    }

    /// What stands before the signature, `sha256=`. Default nothing. A signature without it is read as well.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.scheme.prefix = prefix.into();
        self
    }

    /// What is signed, piece by piece. Default the body.
    pub fn signed(mut self, parts: impl IntoIterator<Item = Part>) -> Self {
        self.scheme.signed = parts.into_iter().collect();
        self
    }

    /// Where the time of the signature is (Unix seconds), and how far it may be from ours, either way. Default none: a
    /// recorded delivery can then be sent again, and is told apart by its event's id alone. A time that is not among the
    /// [signed](Self::signed) parts proves nothing and is refused by `check`.
    pub fn timestamp(mut self, field: Field, tolerance: Duration) -> Self {
        self.scheme.timestamp = Some((field, tolerance));
        self
    }

    /// Where an event's id is: a JSON pointer into the event (RFC 6901, members of objects only). Default `/id`.
    pub fn id(mut self, pointer: impl Into<String>) -> Self {
        self.places.id = envelope::Id::Pointers(vec![pointer.into()]);
        self
    }

    /// Makes the id of several members, for senders that give none: those that stay the same when an event is sent
    /// again, and differ from event to event.
    pub fn id_from<P: Into<String>>(mut self, pointers: impl IntoIterator<Item = P>) -> Self {
        self.places.id = envelope::Id::Pointers(pointers.into_iter().map(Into::into).collect());
        self
    }

    /// Reads the id in a header field. A sender signs no header: whoever recorded a delivery can send it again under
    /// another id, so take it only where the body has none.
    pub fn id_header(mut self, field: Field) -> Self {
        self.places.id = envelope::Id::Header(field);
        self
    }

    /// Where an event's kind is: a JSON pointer. Default `/type`.
    pub fn kind(mut self, pointer: impl Into<String>) -> Self {
        self.places.kind = vec![pointer.into()];
        self
    }

    /// Makes the kind of several members, joined by dots: `payments.confirmed` of `/resource_type` and `/action`.
    pub fn kind_from<P: Into<String>>(mut self, pointers: impl IntoIterator<Item = P>) -> Self {
        self.places.kind = pointers.into_iter().map(Into::into).collect();
        self
    }

    /// Where an event says when it happened, Unix seconds or RFC 3339. Default nowhere: when it came.
    pub fn occurred_at(mut self, pointer: impl Into<String>) -> Self {
        self.places.occurred_at = Some(pointer.into());
        self
    }

    /// Where the list of events is, for senders that deliver several at once. Default the body is one event.
    pub fn each(mut self, pointer: impl Into<String>) -> Self {
        self.places.each = Some(pointer.into());
        self
    }

    /// What the sender wants to hear of a delivery that is safe: a status of 2xx and a text. Default 200 and `ok`.
    pub fn accepted_with(mut self, status: u16, body: impl Into<String>) -> Self {
        self.accepted = Some(Reply { status, body: body.into() });
        self
    }

    /// What the sender wants to hear of a delivery whose signature is missing, malformed, wrong or stale: a status of 4xx
    /// and a text. Default 400 and the reason's code.
    pub fn refused_with(mut self, status: u16, body: impl Into<String>) -> Self {
        self.refused = Some(Reply { status, body: body.into() });
        self
    }

    /// Reads facts out of events: pure and total, as [`Gateway::interpret`] says. Default none: the events are for
    /// [`on_event`](crate::Builder::on_event) handlers.
    pub fn reader<F>(mut self, read: F) -> Self
    where
        F: Fn(&Recorded<'_>) -> Result<Interpretation, Malformed> + Send + Sync + 'static,
    {
        self.reader = Some(Arc::new(read));
        self
    }

    fn verified(&self, delivery: &Delivery, now: Timestamp) -> Result<Verified, Rejection> {
        let genuine = verify::verify(&self.scheme, delivery, now)?;
        Ok(Verified {
            events: self.places.events(delivery)?,
            secret: Some(genuine.label.to_owned()),
            skew_seconds: genuine.skew_seconds,
        })
    }
}

impl Gateway for HmacWebhooks {
    fn name(&self) -> &'static str {
        self.name
    }

    fn check(&self) -> Result<(), String> {
        let within =
            |reply: &Option<Reply>, from: u16| reply.as_ref().is_none_or(|it| (from..from + 100).contains(&it.status));
        if !within(&self.accepted, 200) || !within(&self.refused, 400) {
            return Err(
                "expected a status of 2xx for what is accepted and of 4xx for what is refused, got another".to_owned()
            );
        }
        self.scheme.check()?;
        self.places.check()
    }

    fn reply(&self, end: Result<(), Rejection>) -> Option<Reply> {
        match end {
            Ok(()) => self.accepted.clone(),
            Err(
                Rejection::SignatureMissing
                | Rejection::SignatureMalformed
                | Rejection::SignatureMismatch
                | Rejection::SignatureStale,
            ) => self.refused.clone(),
            Err(_) => None,
        }
    }

    fn verify<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> Verification<'a> {
        Verification::Ready(self.verified(delivery, now))
    }

    fn interpret(&self, event: &Recorded<'_>) -> Result<Interpretation, Malformed> {
        match &self.reader {
            Some(read) => read(event),
            None => {
                let summary = "what it means is for the handlers of its kind".to_owned();
                Ok(Interpretation { summary, ..Interpretation::default() })
            }
        }
    }

    fn setup(&self) -> Setup {
        let steps = [
            "In the sender's settings, add a webhook and paste {address} as its address.",
            "Select the events that your handlers are for.",
            "Copy the signing secret, give it to this variant and restart the app.",
        ];
        let status = |(label, secret): &(String, Secret)| SecretStatus {
            label: label.clone(),
            is_set: self.scheme.key.read(secret).is_some(),
        };
        Setup {
            steps: steps.map(str::to_owned).into(),
            secrets: self.scheme.secrets.iter().map(status).collect(),
            ..Setup::default()
        }
    }
}

impl fmt::Debug for HmacWebhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, scheme, places, reader, .. } = self;
        let reads = reader.is_some();
        f.debug_struct("HmacWebhooks")
            .field("name", name)
            .field("scheme", scheme)
            .field("places", places)
            .field("reads", &reads)
            .finish()
    }
}
