//! The description of a sender's signature scheme, and the check for mistakes in it.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::domain::delivery::Delivery;
use crate::gateways::signature::Secret;

/// A value in a delivery's header: a whole header field, or a part of one.
///
/// See [`HmacWebhooks`](super::HmacWebhooks) for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderField {
    /// The whole value of the header field with this name, in lower case.
    Whole(String),
    /// One part of a header field whose value is a list of `name=value`.
    Part {
        /// The header field's name, in lower case.
        header: String,
        /// The character between the parts.
        separator: char,
        /// The part's name.
        name: String,
    },
}

/// A part of the signed message.
///
/// See [`HmacWebhooks`](super::HmacWebhooks) for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignedPart {
    /// The body, byte for byte.
    Body,
    /// The time of the signature, as the header has it.
    Timestamp,
    /// The value of another header field.
    Header(HeaderField),
    /// A constant text, such as a full stop, or the webhook's address as it is in the sender's settings.
    Text(String),
}

/// The hash function of the HMAC.
///
/// ```
/// use std::time::Duration;
///
/// use actix_payments::gateways::Gateway;
/// use actix_payments::gateways::hmac_webhooks::{
///     Algorithm, Encoding, HeaderField, HmacWebhooks, KeyEncoding, SignedPart, TimestampUnit,
/// };
///
/// let acme = HmacWebhooks::new("Acme", HeaderField::whole("acme-signature"), "c2VjcmV0IG9mIEFjbWU=")
///     .key(KeyEncoding::Base64)
///     .algorithm(Algorithm::Sha512)
///     .encoding(Encoding::Base64)
///     .timestamp(HeaderField::whole("acme-time"), Duration::from_secs(300))
///     .timestamp_unit(TimestampUnit::Milliseconds)
///     .signed([SignedPart::Timestamp, SignedPart::text("."), SignedPart::Body])
///     .id("/id")
///     .kind("/type");
/// assert_eq!(acme.check(), Ok(()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC-SHA1, which is still secure as a signature.
    #[cfg(feature = "sha1")]
    Sha1,
    /// HMAC-SHA256.
    Sha256,
    /// HMAC-SHA512.
    Sha512,
}

/// The text form of a signature. Any other form is refused.
///
/// See [`Algorithm`] for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding {
    /// Lower-case hex.
    Hex,
    /// Upper-case hex.
    HexUpper,
    /// Base64 with the standard alphabet and padding.
    Base64,
}

/// How a secret's text is turned into the key.
///
/// See [`Algorithm`] for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyEncoding {
    /// The bytes of the text are the key.
    Plain,
    /// The text is hex, in either case.
    Hex,
    /// The text is base64 with the standard alphabet and padding.
    Base64,
}

/// The unit of the time in a signature.
///
/// See [`Algorithm`] for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimestampUnit {
    /// Unix seconds.
    Seconds,
    /// Milliseconds since the Unix epoch.
    Milliseconds,
}

/// A sender's whole signature scheme.
#[derive(Debug, Clone)]
pub(super) struct Scheme {
    pub(super) signature: HeaderField,
    pub(super) secrets: Vec<(String, Secret)>,
    pub(super) algorithm: Algorithm,
    pub(super) encoding: Encoding,
    pub(super) key: KeyEncoding,
    pub(super) prefix: String,
    pub(super) signed: Vec<SignedPart>,
    pub(super) timestamp: Option<(HeaderField, Duration)>,
    pub(super) unit: TimestampUnit,
}

/// What may stand around the parts of a list in a header field (RFC 9110 §5.6.3).
const BLANKS: [char; 2] = [' ', '\t'];

/// From here on a number of seconds is after the year 5000, and below it a number of milliseconds is before 1974.
const SECONDS_END: u64 = 100_000_000_000;

impl TimestampUnit {
    /// Whether a time can only be in the other unit.
    pub(super) fn is_other(self, time: i64) -> bool {
        (time.unsigned_abs() >= SECONDS_END) == (self == Self::Seconds)
    }

    pub(super) fn in_milliseconds(self, time: i64) -> i64 {
        match self {
            Self::Seconds => time.saturating_mul(1_000),
            Self::Milliseconds => time,
        }
    }
}

impl HeaderField {
    /// The whole value of the header field `name`, in lower case.
    pub fn whole(name: impl Into<String>) -> Self {
        Self::Whole(name.into())
    }

    /// The part `name` of a header field whose value is a list of `name=value`, separated by `separator` and optional
    /// blanks.
    pub fn part(header: impl Into<String>, separator: char, name: impl Into<String>) -> Self {
        Self::Part { header: header.into(), separator, name: name.into() }
    }

    /// Its non-empty values in the delivery: at most one of a whole header, possibly several of a part.
    pub(super) fn texts(&self, delivery: &Delivery) -> Vec<String> {
        let text = delivery.header(self.header_name()).unwrap_or_default();
        let texts: Vec<&str> = match self {
            Self::Whole(_) => vec![&text],
            Self::Part { separator, name, .. } => {
                let parts = text.split(*separator).filter_map(|part| part.split_once('='));
                let parts = parts.map(|(name, value)| (name.trim_matches(BLANKS), value.trim_matches(BLANKS)));
                parts.filter(|(given, _)| given == name).map(|(_, value)| value).collect()
            }
        };
        texts.into_iter().filter(|text| !text.is_empty()).map(str::to_owned).collect()
    }

    fn header_name(&self) -> &str {
        let (Self::Whole(header) | Self::Part { header, .. }) = self;
        header
    }
}

impl SignedPart {
    /// A constant text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

impl KeyEncoding {
    /// The key of a secret; `None` if the secret is blank or cannot be decoded.
    pub(super) fn decode(self, secret: &Secret) -> Option<Vec<u8>> {
        let text = std::str::from_utf8(secret.expose()).ok().filter(|_| !secret.is_blank())?;
        let key = match self {
            Self::Plain => text.as_bytes().to_vec(),
            Self::Hex => hex(text)?,
            Self::Base64 => BASE64.decode(text).ok()?,
        };
        (!key.is_empty()).then_some(key)
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let is_hex = text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let pairs = (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok());
    pairs.collect::<Option<_>>().filter(|_| is_hex)
}

impl Scheme {
    pub(super) fn new(signature: HeaderField, secret: Secret) -> Self {
        Self {
            signature,
            secrets: vec![("primary".to_owned(), secret)],
            algorithm: Algorithm::Sha256,
            encoding: Encoding::Hex,
            key: KeyEncoding::Plain,
            prefix: String::new(),
            signed: vec![SignedPart::Body],
            timestamp: None,
            unit: TimestampUnit::Seconds,
        }
    }

    /// Checks that the parts of the scheme fit together.
    pub(super) fn check(&self) -> Result<(), String> {
        for (at, (label, secret)) in self.secrets.iter().enumerate() {
            if label.trim().is_empty() || self.secrets[..at].iter().any(|(earlier, _)| earlier == label) {
                return Err(format!("expected a label of its own for every signing secret, got {label:?}"));
            }
            if let Some(where_blank) = secret.surrounding_blank() {
                return Err(format!("expected a signing secret as {label:?}, got one that {where_blank}"));
            }
            if self.key.decode(secret).is_none() {
                return Err(format!(
                    "expected a signing secret ({:?}) as {label:?}, got none that can be read",
                    self.key
                ));
            }
        }
        let fields = self.signed.iter().filter_map(|part| match part {
            SignedPart::Header(field) => Some(field),
            _ => None,
        });
        for field in fields.chain([&self.signature]).chain(self.timestamp.as_ref().map(|(field, _)| field)) {
            let name = field.header_name();
            if name.is_empty() || name.bytes().any(|byte| !byte.is_ascii_graphic() || byte.is_ascii_uppercase()) {
                return Err(format!("expected the name of a header field in lower case, got {name:?}"));
            }
        }
        let signs_time = self.signed.contains(&SignedPart::Timestamp);
        if !self.signed.contains(&SignedPart::Body) {
            return Err("expected the body among the signed parts, got none".to_owned());
        }
        if self.timestamp.is_some() && !signs_time {
            return Err("expected the time among the signed parts, got none".to_owned());
        }
        if self.timestamp.is_none() && signs_time {
            return Err("expected `timestamp` to say where the signed time is, got none".to_owned());
        }
        Ok(())
    }
}
