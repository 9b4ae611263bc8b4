//! What can a sender's way to sign be made of? The words in which a host says it, and what can be known to be wrong
//! with them before a delivery comes.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::domain::delivery::Delivery;
use crate::gateways::signature::Secret;

/// A text that a delivery bears outside of its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// The whole of a header field, its name in lower case.
    Header(String),
    /// A part of a header field that is a list of `name=value`.
    Part {
        /// The header field's name in lower case.
        header: String,
        /// What stands between the parts.
        separator: char,
        /// The part's name.
        name: String,
    },
}

/// A piece of what is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// The body, byte for byte.
    Body,
    /// The time of the signature, as its field has it.
    Timestamp,
    /// Another field's text.
    Field(Field),
    /// This text: a full stop, or the address as it stands in the sender's settings.
    Text(String),
}

/// The hash under the HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC-SHA1, which is still sound as a signature.
    #[cfg(feature = "sha1")]
    Sha1,
    /// HMAC-SHA256.
    Sha256,
    /// HMAC-SHA512.
    Sha512,
}

/// How a signature is written; any other way is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Hex in lower case.
    Hex,
    /// Hex in upper case.
    HexUpper,
    /// Base64 of the standard alphabet, padded.
    Base64,
}

/// How a secret's text becomes the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyText {
    /// The text as it stands.
    Plain,
    /// Hex in either case.
    Hex,
    /// Base64 of the standard alphabet, padded.
    Base64,
}

/// All of it together.
#[derive(Debug, Clone)]
pub(super) struct Scheme {
    pub(super) signature: Field,
    pub(super) secrets: Vec<(String, Secret)>,
    pub(super) algorithm: Algorithm,
    pub(super) encoding: Encoding,
    pub(super) key: KeyText,
    pub(super) prefix: String,
    pub(super) signed: Vec<Part>,
    pub(super) timestamp: Option<(Field, Duration)>,
}

impl Field {
    /// A whole header field.
    pub fn header(name: impl Into<String>) -> Self {
        Self::Header(name.into())
    }

    /// A part of a header field that is a list of `name=value`, with `separator` between.
    pub fn part(header: impl Into<String>, separator: char, name: impl Into<String>) -> Self {
        Self::Part { header: header.into(), separator, name: name.into() }
    }

    /// Its texts, none of them empty: a header has one at the most, of a part there may be several.
    pub(super) fn texts(&self, delivery: &Delivery) -> Vec<String> {
        let (Self::Header(header) | Self::Part { header, .. }) = self;
        let text = delivery.header(header).unwrap_or_default();
        let texts: Vec<&str> = match self {
            Self::Header(_) => vec![&text],
            Self::Part { separator, name, .. } => {
                let parts = text.split(*separator).filter_map(|part| part.split_once('='));
                parts.filter(|(given, _)| given == name).map(|(_, value)| value).collect()
            }
        };
        texts.into_iter().filter(|text| !text.is_empty()).map(str::to_owned).collect()
    }

    fn header_name(&self) -> &str {
        let (Self::Header(header) | Self::Part { header, .. }) = self;
        header
    }
}

impl Part {
    /// This text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

impl KeyText {
    /// The key; `None` where there is none that could not be anybody's.
    pub(super) fn read(self, secret: &Secret) -> Option<Vec<u8>> {
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
    let whole = text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let pairs = (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok());
    pairs.collect::<Option<_>>().filter(|_| whole)
}

impl Scheme {
    pub(super) fn new(signature: Field, secret: Secret) -> Self {
        Self {
            signature,
            secrets: vec![("primary".to_owned(), secret)],
            algorithm: Algorithm::Sha256,
            encoding: Encoding::Hex,
            key: KeyText::Plain,
            prefix: String::new(),
            signed: vec![Part::Body],
            timestamp: None,
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        for (at, (label, secret)) in self.secrets.iter().enumerate() {
            if label.trim().is_empty() || self.secrets[..at].iter().any(|(earlier, _)| earlier == label) {
                return Err(format!("expected a label of its own for every signing secret, got {label:?}"));
            }
            if self.key.read(secret).is_none() {
                return Err(format!(
                    "expected a signing secret ({:?}) as {label:?}, got none that can be read",
                    self.key
                ));
            }
        }
        let fields = self.signed.iter().filter_map(|part| match part {
            Part::Field(field) => Some(field),
            _ => None,
        });
        for field in fields.chain([&self.signature]).chain(self.timestamp.as_ref().map(|(field, _)| field)) {
            let name = field.header_name();
            if name.is_empty() || name.bytes().any(|byte| !byte.is_ascii_graphic() || byte.is_ascii_uppercase()) {
                return Err(format!("expected the name of a header field in lower case, got {name:?}"));
            }
        }
        let time_is_signed = self.signed.contains(&Part::Timestamp);
        match (self.signed.contains(&Part::Body), self.timestamp.is_some()) {
            (false, _) => Err("expected the body among the signed parts, got none".to_owned()),
            (_, true) if !time_is_signed => Err("expected the time among the signed parts, got none".to_owned()),
            (_, false) if time_is_signed => Err("expected to be told where the signed time is".to_owned()),
            _ => Ok(()),
        }
    }
}
