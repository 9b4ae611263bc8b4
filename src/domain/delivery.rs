//! Deliveries, the HTTP requests that reach a webhook endpoint, and the reasons to reject one. A delivery is untrusted
//! until its gateway has verified it.
//!
//! See [`Payments::receive`](crate::Payments::receive) for an example.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;

/// An HTTP request that reached a webhook endpoint, as it was received.
///
/// ```
/// use actix_payments::domain::delivery::Delivery;
///
/// let delivery = Delivery::new(r#"{"id": "evt_1"}"#).with_header("Acme-Signature", "00ff").with_query("source=acme");
/// assert_eq!(delivery.header("acme-signature").as_deref(), Some("00ff"));
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Delivery {
    /// The header fields in the order in which they were received: names in lower case, values unchanged.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The query string without its `?`; empty when there was none.
    pub query: String,
    /// The body, byte for byte.
    pub body: Bytes,
}

impl Delivery {
    /// A delivery of this body, without header fields and without a query string.
    pub fn new(body: impl Into<Bytes>) -> Self {
        Self { headers: Vec::new(), query: String::new(), body: body.into() }
    }

    /// With one more header field; its name is made lower case.
    pub fn with_header(mut self, name: impl AsRef<str>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.as_ref().to_ascii_lowercase(), value.into()));
        self
    }

    /// With these header fields besides.
    pub fn with_headers(self, fields: Vec<(String, Vec<u8>)>) -> Self {
        fields.into_iter().fold(self, |delivery, (name, value)| delivery.with_header(name, value))
    }

    /// With this query string, without its `?`.
    pub fn with_query(mut self, query: impl Into<String>) -> Self {
        self.query = query.into();
        self
    }

    /// The value of the header field `name`, which must be in lower case. If the field occurs several times its values
    /// are joined with `", "` (RFC 9110 §5.3). Invalid UTF-8 becomes U+FFFD, which no signature contains.
    pub fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut found = self.headers.iter().filter(|(n, _)| n == name).map(|(_, v)| String::from_utf8_lossy(v));
        let first = found.next()?;
        Some(found.fold(first, |all, next| Cow::Owned(format!("{all}, {next}"))))
    }
}

/// Without the values of fields that are secrets, and without the body, which may be of a person.
impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |(name, value): &(String, Vec<u8>)| match is_secret_header(name) {
            true => format!("{name}: …"),
            false => format!("{name}: {}", String::from_utf8_lossy(value)),
        };
        let headers: Vec<String> = self.headers.iter().map(shown).collect();
        f.debug_struct("Delivery").field("headers", &headers).field("body", &self.body.len()).finish_non_exhaustive()
    }
}

/// Whether the name of a header field says that its value is a secret, such as `x-webhook-token`: some senders have one
/// instead of a signature. Such a field is neither stored nor shown.
pub(crate) fn is_secret_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let words = ["secret", "token", "password", "passwd", "credential", "auth", "key", "cookie", "session", "jwt"];
    words.iter().any(|word| name.contains(word))
}

/// Why a delivery was refused. Its code is the response to the gateway, and the name of a counter.
///
/// See [`Payments::receive`](crate::Payments::receive) for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rejection {
    /// The header that should carry the signature is absent or empty.
    SignatureMissing,
    /// The signature header cannot be parsed.
    SignatureMalformed,
    /// No signature in the header was made over this body with a known secret.
    SignatureMismatch,
    /// The signature is valid, but older than the tolerance.
    SignatureStale,
    /// The signature is valid, but its time is evidently in the wrong unit: milliseconds instead of seconds, or the
    /// reverse.
    TimestampUnit,
    /// The header field with the event's id is missing. The signature is valid, but does not cover that field.
    EventIdMissing,
    /// The signature is valid, but the event has no readable id or kind.
    BodyMalformed,
    /// The body is longer than the mount's limit.
    TooLarge,
    /// The body did not arrive within the mount's time limit.
    TooSlow,
    /// The connection ended before the body was complete.
    BodyIncomplete,
    /// There is no variant with this name.
    UnknownVariant,
    /// The address does not answer this HTTP method.
    MethodNotAllowed,
    /// The delivery could not be verified now; the gateway should send it again.
    Unverifiable,
    /// The event could not be stored; the gateway should send it again.
    Unavailable,
    /// Too many unsigned hints came; the gateway should send it again.
    TooManyHints,
    /// So many names of variants that were never seen came from one client that no more are asked for now; the gateway
    /// should send it again.
    TooManyNames,
}

impl Rejection {
    /// Every rejection, for pages and counters that list them.
    pub const ALL: [Rejection; 16] = [
        Self::SignatureMissing,
        Self::SignatureMalformed,
        Self::SignatureMismatch,
        Self::SignatureStale,
        Self::TimestampUnit,
        Self::EventIdMissing,
        Self::BodyMalformed,
        Self::TooLarge,
        Self::TooSlow,
        Self::BodyIncomplete,
        Self::UnknownVariant,
        Self::MethodNotAllowed,
        Self::Unverifiable,
        Self::Unavailable,
        Self::TooManyHints,
        Self::TooManyNames,
    ];

    /// Whether the gateway is to send it again, because of something here.
    pub(crate) fn may_come_again(self) -> bool {
        matches!(self, Self::Unavailable | Self::Unverifiable)
    }

    /// The reason code: the whole body of the response, and the name of the counter.
    pub fn code(self) -> &'static str {
        match self {
            Self::SignatureMissing => "signature_missing",
            Self::SignatureMalformed => "signature_malformed",
            Self::SignatureMismatch => "signature_mismatch",
            Self::SignatureStale => "signature_stale",
            Self::TimestampUnit => "timestamp_unit",
            Self::EventIdMissing => "event_id_missing",
            Self::BodyMalformed => "body_malformed",
            Self::TooLarge => "too_large",
            Self::TooSlow => "too_slow",
            Self::BodyIncomplete => "body_incomplete",
            Self::UnknownVariant => "unknown_variant",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Unverifiable => "unverifiable",
            Self::Unavailable => "unavailable",
            Self::TooManyHints => "too_many_hints",
            Self::TooManyNames => "too_many_names",
        }
    }

    /// The likely cause, for the operator who has to fix it: a sentence without its full stop.
    pub fn likely_cause(self) -> &'static str {
        match self {
            Self::SignatureMissing => "something other than the gateway posts here, or a proxy drops the header",
            Self::SignatureMalformed => "something other than the gateway posts here, or a proxy changes the header",
            Self::SignatureMismatch => {
                "the signing secret belongs to another endpoint or mode, or a proxy changes the body"
            }
            Self::SignatureStale => "this machine's clock is wrong, or an old delivery is being replayed",
            Self::TimestampUnit => {
                "the sender signs its time in milliseconds and this variant reads seconds, or the reverse"
            }
            Self::EventIdMissing => {
                "a proxy drops the header that bears the event's id, or the sender has it elsewhere"
            }
            Self::BodyMalformed => "the gateway's payload format is not one that this variant reads",
            Self::TooLarge => "the mount's payload limit is too low for this gateway's events",
            Self::TooSlow => "a sender on a bad line, or one that holds connections open on purpose",
            Self::BodyIncomplete => "the connection broke before the body was complete",
            Self::UnknownVariant => "the address in the gateway's settings names a variant that is not configured",
            Self::MethodNotAllowed => "a browser or a scanner opened a webhook address",
            Self::Unverifiable => "what verification needs could not be fetched",
            Self::Unavailable => {
                "the database did not store the event in time, too many were waiting, or the variant's configuration could \
                 not be loaded"
            }
            Self::TooManyHints => {
                "somebody posts ids of objects, to have the gateway asked for them over and over; behind a proxy, all may \
                 count as one client"
            }
            Self::TooManyNames => {
                "somebody makes up names of variants, to have the host's function asked for them over and over; behind a \
                 proxy, all may count as one client"
            }
        }
    }

    /// The first thing to do about it, for the same operator: a sentence without its full stop.
    pub fn next_step(self) -> &'static str {
        match self {
            Self::SignatureMissing => {
                "find out who posts here; if it is the gateway, let the proxy pass all of its header fields"
            }
            Self::SignatureMalformed => {
                "find out who posts here; if it is the gateway, let the proxy leave its header fields alone"
            }
            Self::SignatureMismatch => {
                "compare the secret here with the one that the gateway shows for this address, in the same mode; if they \
                 are equal, find the proxy or middleware that decompresses or rewrites the body"
            }
            Self::SignatureStale => "set this machine's clock by NTP; if it is right, somebody has recorded deliveries",
            Self::TimestampUnit => "say the sender's unit with timestamp_unit",
            Self::EventIdMissing => {
                "let the proxy pass all header fields; if the sender's events have their id in the body, say so"
            }
            Self::BodyMalformed => {
                "send JSON events in the gateway's standard format to this address, and nothing else"
            }
            Self::TooLarge => "raise the mount's payload_limit, and any limit of a proxy in front of it",
            Self::TooSlow => {
                "nothing if it is rare, since the gateway sends it again; otherwise raise the mount's payload_timeout"
            }
            Self::BodyIncomplete => {
                "nothing if it is rare, since the gateway sends it again; otherwise look for a time-out in a proxy"
            }
            Self::UnknownVariant => "correct the address in the gateway's settings, or add the variant",
            Self::MethodNotAllowed => "nothing: deliveries are POST requests, and this was not one",
            Self::Unverifiable => {
                "let this machine reach the gateway's own address; the gateway sends the event again meanwhile"
            }
            Self::Unavailable => {
                "look for the database's or the configuration's error in the log; the gateway sends the event again meanwhile"
            }
            Self::TooManyHints => {
                "nothing: what is true is asked for, and the gateway sends its own hints again; behind a proxy, \
                 say client_address; if it goes on, let the proxy admit only the gateway's addresses"
            }
            Self::TooManyNames => {
                "nothing: deliveries to variants that were seen before are taken all the same; behind a proxy, say \
                 client_address; where many merchants begin at once, raise variants_never_seen"
            }
        }
    }

    /// The rejection with this reason code; the reverse of [`Rejection::code`].
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rejection| rejection.code() == code)
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl std::error::Error for Rejection {}
