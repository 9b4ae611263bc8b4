//! A configurable gateway for any sender that signs with HMAC. The configuration of [`HmacWebhooks`] says how the
//! sender signs and where its events have their id and kind. The host interprets them, with a function or with
//! `on_event` handlers.
//!
//! See [`HmacWebhooks`] for an example.

mod envelope;
mod named;
mod scheme;
mod sign;
mod verify;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::signature::Secret;
use super::{Gateway, Reply, SecretStatus, Setup, Verification};
use crate::domain::Timestamp;
use crate::domain::delivery::{Delivery, Rejection};
use crate::domain::event::{Interpretation, Malformed, Recorded, Verified};
use envelope::{EventPaths, IdSource};
use scheme::Scheme;
pub use scheme::{Algorithm, Encoding, HeaderField, KeyEncoding, SignedPart, TimestampUnit};

type Reader = dyn Fn(&Recorded<'_>) -> Result<Interpretation, Malformed> + Send + Sync;

/// One webhook of a sender that signs with HMAC. The defaults are the most common scheme: HMAC-SHA256 over the body in
/// lower-case hex, without a time; the id is the body's `id` and the kind its `type`.
///
/// ```
/// use std::time::Duration;
/// use actix_payments::gateways::{Gateway, hmac_webhooks::{HeaderField, HmacWebhooks, SignedPart}};
///
/// let header = |name| HeaderField::part("paddle-signature", ';', name);
/// let paddle = HmacWebhooks::new("Paddle", header("h1"), "pdl_ntfset_…")
///     .timestamp(header("ts"), Duration::from_secs(5))
///     .signed([SignedPart::Timestamp, SignedPart::text(":"), SignedPart::Body])
///     .id("/event_id")
///     .kind("/event_type");
/// assert_eq!(paddle.check(), Ok(()));
/// ```
#[derive(Clone)]
pub struct HmacWebhooks {
    name: &'static str,
    scheme: Scheme,
    paths: EventPaths,
    reader: Option<Arc<Reader>>,
    accepted: Option<Reply>,
    refused: Option<Reply>,
}

impl HmacWebhooks {
    /// A sender, with its name as people write it, the header that contains the signature, and the signing secret,
    /// which gets the label `primary`. A secret with white space around it is refused: it is a file's last line break.
    pub fn new(name: &'static str, signature: HeaderField, secret: impl Into<String>) -> Self {
        let scheme = Scheme::new(signature, Secret::new(secret));
        Self { name, scheme, paths: EventPaths::default(), reader: None, accepted: None, refused: None }
    }

    /// Adds another signing secret, such as the next one during a rotation. The label shows which secret matched.
    /// Default: none.
    pub fn secret(mut self, label: impl Into<String>, secret: impl Into<String>) -> Self {
        self.scheme.secrets.push((label.into(), Secret::new(secret)));
        self
    }

    /// Sets the hash function. Default: SHA-256.
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.scheme.algorithm = algorithm;
        self
    }

    /// Sets the text form of the signature. Default: lower-case hex.
    pub fn encoding(mut self, encoding: Encoding) -> Self {
        self.scheme.encoding = encoding;
        self
    }

    /// Sets how a secret's text is turned into the key. Default: the bytes of the text are the key.
    pub fn key(mut self, key: KeyEncoding) -> Self {
        self.scheme.key = key;
        self
    }

    /// Sets a prefix of the signature, such as `sha256=`. Default: none. A signature without the prefix is accepted as
    /// well.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.scheme.prefix = prefix.into();
        self
    }

    /// Sets what is signed: the concatenation of these parts. Default: the body.
    pub fn signed(mut self, parts: impl IntoIterator<Item = SignedPart>) -> Self {
        self.scheme.signed = parts.into_iter().collect();
        self
    }

    /// Sets the header that contains the time of the signature, in Unix seconds unless
    /// [`timestamp_unit`](Self::timestamp_unit) says otherwise, and how far it may be from our clock
    /// in either direction. Default: none; a replayed delivery is then recognized only by its event's id. The time must
    /// be one of the [signed](Self::signed) parts, or `check` refuses the configuration: an unsigned time proves
    /// nothing.
    pub fn timestamp(mut self, field: HeaderField, tolerance: Duration) -> Self {
        self.scheme.timestamp = Some((field, tolerance));
        self
    }

    /// Sets the unit of the signature's time. Default: seconds.
    pub fn timestamp_unit(mut self, unit: TimestampUnit) -> Self {
        self.scheme.unit = unit;
        self
    }

    /// Sets where an event's id is: a JSON pointer into the event (RFC 6901, only members of objects). Default: `/id`.
    pub fn id(mut self, pointer: impl Into<String>) -> Self {
        self.paths.id = IdSource::Pointers(vec![pointer.into()]);
        self
    }

    /// Makes the id from several members, joined by colons, for senders whose events have no id. Choose members that
    /// stay the same when an event is sent again and differ between events.
    pub fn id_from<P: Into<String>>(mut self, pointers: impl IntoIterator<Item = P>) -> Self {
        self.paths.id = IdSource::Pointers(pointers.into_iter().map(Into::into).collect());
        self
    }

    /// Makes the id from the event's kind and the SHA-256 hash of its bytes, for senders that sign no id. If the sender
    /// sends an event again with other bytes, that is a second event.
    pub fn id_from_body(mut self) -> Self {
        self.paths.id = IdSource::Body;
        self
    }

    /// Reads the id from a header field. Use it only if the body has no id: headers are usually not signed, so a
    /// recorded delivery could be replayed with another id.
    pub fn id_header(mut self, field: HeaderField) -> Self {
        self.paths.id = IdSource::Header(field);
        self
    }

    /// Sets where an event's kind is: a JSON pointer into the event. Default: `/type`.
    pub fn kind(mut self, pointer: impl Into<String>) -> Self {
        self.paths.kind = vec![pointer.into()];
        self
    }

    /// Makes the kind from several members, joined by dots: `/resource_type` and `/action` give `payments.confirmed`.
    pub fn kind_from<P: Into<String>>(mut self, pointers: impl IntoIterator<Item = P>) -> Self {
        self.paths.kind = pointers.into_iter().map(Into::into).collect();
        self
    }

    /// Sets where an event has its time, as Unix seconds, milliseconds or RFC 3339: a JSON pointer into the event.
    /// Default: none; an event then has the time at which it was received.
    pub fn occurred_at(mut self, pointer: impl Into<String>) -> Self {
        self.paths.occurred_at = Some(pointer.into());
        self
    }

    /// Sets where an event names the sender's account that it belongs to: a JSON pointer into the event. Default: none.
    pub fn account(mut self, pointer: impl Into<String>) -> Self {
        self.paths.account = Some(pointer.into());
        self
    }

    /// Sets where the list of events is, for senders that deliver several at once: a JSON pointer into the body.
    /// Default: none; the body is one event.
    pub fn each(mut self, pointer: impl Into<String>) -> Self {
        self.paths.each = Some(pointer.into());
        self
    }

    /// Sets the answer to a delivery whose events are stored: a 2xx status and a text. Default: 200 and `ok`.
    pub fn accepted_with(mut self, status: u16, body: impl Into<String>) -> Self {
        self.accepted = Some(Reply { status, body: body.into() });
        self
    }

    /// Sets the answer to a delivery whose signature is missing, malformed, wrong or stale: a 4xx status and a text.
    /// Default: 400 and the reason code.
    pub fn refused_with(mut self, status: u16, body: impl Into<String>) -> Self {
        self.refused = Some(Reply { status, body: body.into() });
        self
    }

    /// Sets the function that reads facts from events. It must be pure and total, as [`Gateway::interpret`] requires.
    /// Default: none; the events are then only for [`on_event`](crate::Builder::on_event) handlers.
    ///
    /// ```
    /// use actix_payments::domain::event::{Interpretation, References};
    /// use actix_payments::domain::fact::{Aspect, Fact, State};
    /// use actix_payments::gateways::hmac_webhooks::{HeaderField, HmacWebhooks};
    ///
    /// let acme = HmacWebhooks::new("Acme", HeaderField::whole("acme-signature"), "secret").id("/id").kind("/type");
    /// let acme = acme.reader(|event| {
    ///     if event.kind != "order.paid" {
    ///         return Ok(Interpretation::new("nothing about a payment"));
    ///     }
    ///     let mut found = Interpretation::new("paid");
    ///     found.references = References::new(["tok_1"], ["ord_1"]); // A real reader takes them from `event.body`.
    ///     found.facts = vec![Fact::new(Aspect::Capture, "ord_1", State::Succeeded, event.occurred_at, event.id)];
    ///     Ok(found)
    /// });
    /// # drop(acme);
    /// ```
    pub fn reader<F>(mut self, read: F) -> Self
    where
        F: Fn(&Recorded<'_>) -> Result<Interpretation, Malformed> + Send + Sync + 'static,
    {
        self.reader = Some(Arc::new(read));
        self
    }

    /// Verifies a delivery, and reads which events it carries.
    pub(in crate::gateways) fn verified(&self, delivery: &Delivery, now: Timestamp) -> Result<Verified, Rejection> {
        let matched = verify::verify(&self.scheme, delivery, now)?;
        Ok(Verified {
            events: self.paths.events(delivery)?,
            secret: Some(matched.label.to_owned()),
            skew_seconds: matched.skew_seconds,
        })
    }

    /// The signing secrets, without their values.
    pub(in crate::gateways) fn secret_statuses(&self) -> Vec<SecretStatus> {
        let status = |(label, secret): &(String, Secret)| SecretStatus {
            label: label.clone(),
            is_set: self.scheme.key.decode(secret).is_some(),
        };
        self.scheme.secrets.iter().map(status).collect()
    }
}

impl Gateway for HmacWebhooks {
    fn name(&self) -> &'static str {
        self.name
    }

    fn check(&self) -> Result<(), String> {
        let has_status =
            |reply: &Option<Reply>, from: u16| reply.as_ref().is_none_or(|it| (from..from + 100).contains(&it.status));
        if !has_status(&self.accepted, 200) || !has_status(&self.refused, 400) {
            return Err("expected a 2xx status for accepted deliveries and a 4xx status for refused ones, got another"
                .to_owned());
        }
        self.scheme.check()?;
        self.paths.check()
    }

    fn reply(&self, outcome: Result<(), Rejection>) -> Option<Reply> {
        match outcome {
            Ok(()) => self.accepted.clone(),
            Err(
                Rejection::SignatureMissing
                | Rejection::SignatureMalformed
                | Rejection::SignatureMismatch
                | Rejection::SignatureStale
                | Rejection::TimestampUnit,
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
                let summary = "kept for the handlers of its kind, which know its meaning".to_owned();
                Ok(Interpretation { summary, ..Interpretation::default() })
            }
        }
    }

    fn setup(&self) -> Setup {
        let steps = [
            "In the sender's settings, add a webhook and paste {address} as its address.",
            "Select the events that you have handlers for.",
            "Copy the signing secret, give it to this variant and restart the app.",
        ];
        Setup { steps: steps.map(str::to_owned).into(), secrets: self.secret_statuses(), ..Setup::default() }
    }
}

impl fmt::Debug for HmacWebhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, scheme, paths, reader, .. } = self;
        f.debug_struct("HmacWebhooks")
            .field("name", name)
            .field("scheme", scheme)
            .field("paths", paths)
            .field("has_reader", &reader.is_some())
            .finish()
    }
}
