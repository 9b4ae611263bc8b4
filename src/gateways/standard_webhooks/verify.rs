//! Is a delivery signed by the standard, and lately? HMAC-SHA256 over `id.timestamp.body`, base64, one or more in
//! the signature header (format: <https://www.standardwebhooks.com>, "Signature scheme").
//!
//! Where the standard's libraries for Python and JavaScript disagree about a header, it is refused.

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
/// How far a signature's time may be from ours, either way, in seconds, as in the standard's libraries.
const TOLERANCE: u64 = 300;
/// Secrets come with padding, without, and with too much of it.
const SECRET: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// What signatures are judged by.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    pub(super) rule: KeyRule,
    pub(super) names: Names,
    pub(super) secrets: Vec<(String, Secret)>,
}

/// Which header names are read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Names {
    Standard,
    Svix,
}

/// A signature that matched.
pub(super) struct Genuine<'a> {
    /// The delivery's message id, the same for every try.
    pub(super) id: String,
    /// The label of the secret that it was made with.
    pub(super) label: &'a str,
    /// How many whole seconds ago it was made; negative for a time ahead of ours.
    pub(super) skew_seconds: i64,
}

/// How the text of a secret becomes the key that signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyRule {
    /// Base64 behind an optional `whsec_`.
    Decoded,
    /// The text as it stands.
    Text,
}

impl KeyRule {
    /// The key that a secret stands for; `None` when it is blank or no base64, which matches nothing.
    pub(super) fn key(self, secret: &Secret) -> Option<Vec<u8>> {
        let text = secret.expose();
        let key = match self {
            Self::Text if secret.is_blank() => return None,
            Self::Text => text.to_vec(),
            Self::Decoded => {
                let coded = text.strip_prefix(b"whsec_").unwrap_or(text);
                let padding = coded.iter().rev().take_while(|byte| **byte == b'=').count();
                SECRET.decode(&coded[..coded.len() - padding]).ok()?
            }
        };
        (!key.is_empty()).then_some(key)
    }
}

impl Names {
    fn of(self, delivery: &Delivery) -> [&'static str; 3] {
        match self {
            Self::Svix if SVIX.iter().any(|name| delivery.header(name).is_some()) => SVIX,
            _ => STANDARD,
        }
    }
}

/// Finds the secret that signed the delivery, then looks at its age, so that an old forgery is called a forgery.
pub(super) fn verify<'a>(
    endpoint: &'a Endpoint,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<Genuine<'a>, Rejection> {
    let fields = endpoint.names.of(delivery).map(|name| delivery.header(name).filter(|text| !text.is_empty()));
    let [Some(id), Some(time), Some(signatures)] = fields else { return Err(Rejection::SignatureMissing) };
    let time = seconds(&time).ok_or(Rejection::SignatureMalformed)?;
    // The libraries sign the number that they read, not the header's text of it.
    let text = time.to_string();
    let expected = endpoint.secrets.iter().filter_map(|(label, secret)| {
        let key = endpoint.rule.key(secret)?;
        Some((label.as_str(), sign(&key, &id, &text, &delivery.body)))
    });
    let label = matching(endpoint.rule, &expected.collect::<Vec<_>>(), &signatures)?;
    let skew_seconds = now.unix_timestamp().saturating_sub(time);
    if skew_seconds.unsigned_abs() > TOLERANCE {
        return Err(Rejection::SignatureStale);
    }
    Ok(Genuine { id: id.into_owned(), label, skew_seconds })
}

/// The signature of a message, base64.
pub(super) fn sign(key: &[u8], id: &str, time: &str, body: &[u8]) -> String {
    BASE64.encode(signature::hmac_sha256(key, [id.as_bytes(), b".", time.as_bytes(), b".", body]))
}

/// The label of the secret that one of the signatures was made with. They stand between single blanks, each as
/// `version,signature`; versions other than `v1` are others' schemes. What is no such pair ends the reading, but for
/// Polar, whose libraries agree to pass over it.
fn matching<'a>(rule: KeyRule, expected: &[(&'a str, String)], signatures: &str) -> Result<&'a str, Rejection> {
    for element in signatures.split(' ') {
        let given = match element.split_once(',').filter(|(_, given)| !given.contains(',')) {
            Some(("v1", given)) => given,
            None if rule == KeyRule::Decoded => return Err(Rejection::SignatureMalformed),
            _ => continue,
        };
        if let Some((label, _)) = expected.iter().find(|(_, made)| signature::same(made, given.as_bytes())) {
            return Ok(label);
        }
    }
    Err(Rejection::SignatureMismatch)
}

/// Unix seconds, as every library reads them: ASCII digits, with blanks or a plus sign before them, and a fraction
/// that counts for nothing.
fn seconds(text: &str) -> Option<i64> {
    let number = text.trim_matches([' ', '\t']);
    let number = number.strip_prefix('+').unwrap_or(number);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(whole) && digits(fraction)).then(|| whole.parse().ok())?
}
