//! Verifies signatures of the standard: HMAC-SHA256 over `id.timestamp.body` as base64, one or more of them in the
//! signature header (format: <https://www.standardwebhooks.com>, "Signature scheme").
//!
//! A header that the standard's libraries for Python and JavaScript read differently is refused.

use base64::Engine;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::general_purpose::STANDARD as BASE64;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::domain::Timestamp;
use crate::domain::delivery::{Delivery, Rejection};
use crate::gateways::signature::{self, Secret};

/// The header fields of the id, the time and the signatures.
pub(super) const STANDARD: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];
const SVIX: [&str; 3] = ["svix-id", "svix-timestamp", "svix-signature"];
/// How far a signature's time may be from ours in either direction, in seconds, as in the standard's libraries.
const TOLERANCE: u64 = 300;
/// Decodes secrets once their padding is cut off: they occur with padding, without it, and with too much of it.
const SECRET: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// How the text of a secret becomes the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyRule {
    /// The text is base64, after an optional `whsec_`.
    Decoded,
    /// The bytes of the text are the key.
    Text,
    /// Both, and what matches counts.
    Either,
}

/// The configuration by which signatures are verified.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    pub(super) rule: KeyRule,
    pub(super) names: Names,
    pub(super) secrets: Vec<(String, Secret)>,
}

/// Which header names are read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Names {
    /// The standard's own.
    Standard,
    /// Svix's if the delivery has any of them, otherwise the standard's.
    Svix,
}

/// A signature that matched.
pub(super) struct MatchedSignature<'a> {
    /// The message id, which is the same each time the message is sent.
    pub(super) id: String,
    /// The label of the secret that it was made with.
    pub(super) label: &'a str,
    /// How many whole seconds ago it was made; negative for a time in the future.
    pub(super) skew_seconds: i64,
}

impl KeyRule {
    /// The keys of a secret; none if it is blank or not base64. Such a secret matches nothing.
    pub(super) fn keys(self, secret: &Secret) -> Vec<Vec<u8>> {
        let text = (!secret.is_blank()).then(|| secret.expose().to_vec());
        let decoded = decoded(secret.expose()).filter(|key| !key.is_empty());
        match self {
            Self::Text => text.into_iter().collect(),
            Self::Decoded => decoded.into_iter().collect(),
            Self::Either => text.into_iter().chain(decoded).collect(),
        }
    }
}

/// What the base64 of a secret says, after its prefix.
fn decoded(secret: &[u8]) -> Option<Vec<u8>> {
    let prefixes: [&[u8]; 2] = [b"whsec_", b"polar_whs_"];
    let encoded = prefixes.iter().find_map(|prefix| secret.strip_prefix(*prefix)).unwrap_or(secret);
    let padding = encoded.iter().rev().take_while(|byte| **byte == b'=').count();
    SECRET.decode(&encoded[..encoded.len() - padding]).ok()
}

impl Names {
    fn of(self, delivery: &Delivery) -> [&'static str; 3] {
        match self {
            Self::Svix if SVIX.iter().any(|name| delivery.header(name).is_some()) => SVIX,
            _ => STANDARD,
        }
    }
}

/// Finds the secret that signed the delivery, then checks the age, so that an old forgery is reported as a forgery.
pub(super) fn verify<'a>(
    endpoint: &'a Endpoint,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<MatchedSignature<'a>, Rejection> {
    let fields = endpoint.names.of(delivery).map(|name| delivery.header(name).filter(|text| !text.is_empty()));
    let [id, Some(time), Some(signatures)] = fields else { return Err(Rejection::SignatureMissing) };
    let id = id.ok_or(Rejection::EventIdMissing)?;
    let time = seconds(&time).ok_or(Rejection::SignatureMalformed)?;
    // The libraries sign the number that they parsed, not the header's text.
    let text = time.to_string();
    let expected = endpoint.secrets.iter().flat_map(|(label, secret)| {
        let keys = endpoint.rule.keys(secret).into_iter();
        keys.map(|key| (label.as_str(), sign(&key, &id, &text, &delivery.body)))
    });
    let label = matching(endpoint.rule, &expected.collect::<Vec<_>>(), &signatures)?;
    let skew_seconds = now.unix_timestamp().saturating_sub(time);
    if skew_seconds.unsigned_abs() > TOLERANCE {
        return Err(Rejection::SignatureStale);
    }
    Ok(MatchedSignature { id: id.into_owned(), label, skew_seconds })
}

/// The signature of a message as base64.
pub(super) fn sign(key: &[u8], id: &str, time: &str, body: &[u8]) -> String {
    BASE64.encode(signature::hmac_sha256(key, [id.as_bytes(), b".", time.as_bytes(), b".", body]))
}

/// The label of the secret that one of the signatures was made with. The signatures are separated by single blanks,
/// each in the form `version,signature`; versions other than `v1` are skipped. An element of another form makes the
/// header malformed, except for Polar, whose libraries skip it.
fn matching<'a>(rule: KeyRule, expected: &[(&'a str, String)], signatures: &str) -> Result<&'a str, Rejection> {
    for element in signatures.split(' ') {
        let given = match element.split_once(',').filter(|(_, given)| !given.contains(',')) {
            Some(("v1", given)) => given,
            None if rule == KeyRule::Decoded => return Err(Rejection::SignatureMalformed),
            _ => continue,
        };
        if let Some((label, _)) = expected.iter().find(|(_, made)| signature::constant_time_eq(made, given.as_bytes()))
        {
            return Ok(label);
        }
    }
    Err(Rejection::SignatureMismatch)
}

/// Parses Unix seconds as all libraries do: ASCII digits, with optional blanks around them, a plus sign before them and
/// a fraction that is ignored.
fn seconds(text: &str) -> Option<i64> {
    let number = text.trim_matches([' ', '\t']);
    let number = number.strip_prefix('+').unwrap_or(number);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_digits(whole) && is_digits(fraction)).then(|| whole.parse().ok())?
}
