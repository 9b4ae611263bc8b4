//! Verifies a delivery's signature by the scheme, and its age.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha512};

use super::scheme::{Algorithm, Encoding, Scheme, SignedPart, TimestampUnit};
use crate::domain::Timestamp;
use crate::domain::delivery::{Delivery, Rejection};
use crate::domain::hex::hex;
use crate::gateways::signature;

/// A signature that matched.
pub(super) struct MatchedSignature<'a> {
    /// The label of the secret that it was made with.
    pub(super) label: &'a str,
    /// How many whole seconds ago it was made, if the scheme has a time.
    pub(super) skew_seconds: Option<i64>,
}

/// Finds the secret that signed the delivery, then checks the age, so that an old forgery is reported as a forgery.
pub(super) fn verify<'a>(
    scheme: &'a Scheme,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<MatchedSignature<'a>, Rejection> {
    let given = scheme.signature.texts(delivery);
    if given.is_empty() {
        return Err(Rejection::SignatureMissing);
    }
    let time = time(scheme, delivery)?;
    let parts = scheme.signed.iter().map(|part| bytes(part, delivery, time.as_ref().map(|(text, _)| text.as_str())));
    let message = parts.collect::<Option<Vec<_>>>().ok_or(Rejection::SignatureMalformed)?.concat();
    let matches = |key: Vec<u8>| {
        let expected = scheme.encoding.write(&scheme.algorithm.sign(&key, &message));
        given.iter().any(|given| {
            let given = given.strip_prefix(&scheme.prefix).unwrap_or(given);
            signature::constant_time_eq(&expected, given.as_bytes())
        })
    };
    let mut secrets = scheme.secrets.iter();
    let (label, _) = secrets
        .find(|(_, secret)| scheme.key.decode(secret).is_some_and(matches))
        .ok_or(Rejection::SignatureMismatch)?;
    let skew_seconds = time.map(|(_, time)| skew(scheme, time, now)).transpose()?;
    Ok(MatchedSignature { label, skew_seconds })
}

/// How many whole seconds ago the signature was made, if that is within the tolerance.
fn skew(scheme: &Scheme, time: i64, now: Timestamp) -> Result<i64, Rejection> {
    // By whole seconds where the sender has no finer ones.
    let now = match scheme.unit {
        TimestampUnit::Seconds => now.unix_timestamp().saturating_mul(1_000),
        TimestampUnit::Milliseconds => i64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX),
    };
    let skew = now.saturating_sub(scheme.unit.in_milliseconds(time));
    let tolerance = scheme.timestamp.as_ref().map_or(0, |(_, tolerance)| tolerance.as_millis());
    if u128::from(skew.unsigned_abs()) <= tolerance {
        Ok(skew / 1_000)
    } else if scheme.unit.is_other(time) {
        Err(Rejection::TimestampUnit)
    } else {
        Err(Rejection::SignatureStale)
    }
}

/// The time of the signature, as text and as a number. Anything ambiguous is refused.
fn time(scheme: &Scheme, delivery: &Delivery) -> Result<Option<(String, i64)>, Rejection> {
    let Some((field, _)) = &scheme.timestamp else { return Ok(None) };
    match &field.texts(delivery)[..] {
        [] => Err(Rejection::SignatureMissing),
        [text] if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            let time = text.parse().map_err(|_| Rejection::SignatureMalformed)?;
            Ok(Some((text.clone(), time)))
        }
        _ => Err(Rejection::SignatureMalformed),
    }
}

/// The bytes of one signed part; `None` if its header is missing or occurs several times.
fn bytes(part: &SignedPart, delivery: &Delivery, time: Option<&str>) -> Option<Vec<u8>> {
    match part {
        SignedPart::Body => Some(delivery.body.to_vec()),
        SignedPart::Timestamp => time.map(|time| time.as_bytes().to_vec()),
        SignedPart::Text(text) => Some(text.as_bytes().to_vec()),
        SignedPart::Header(field) => match &field.texts(delivery)[..] {
            [text] => Some(text.as_bytes().to_vec()),
            _ => None,
        },
    }
}

impl Algorithm {
    pub(super) fn sign(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        match self {
            #[cfg(feature = "sha1")]
            Self::Sha1 => mac::<Hmac<sha1::Sha1>>(key, message),
            Self::Sha256 => mac::<Hmac<Sha256>>(key, message),
            Self::Sha512 => mac::<Hmac<Sha512>>(key, message),
        }
    }
}

/// HMAC (RFC 2104). It accepts keys of any length, so this never fails.
fn mac<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Vec<u8> {
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else { return Vec::new() };
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

impl Encoding {
    pub(super) fn write(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => hex(bytes),
            Self::HexUpper => hex(bytes).to_ascii_uppercase(),
            Self::Base64 => BASE64.encode(bytes),
        }
    }
}
