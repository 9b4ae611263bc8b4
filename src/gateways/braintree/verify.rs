//! Verifies Braintree's signatures: the form fields `bt_signature` and `bt_payload`, and an HMAC-SHA1 of the payload's
//! text whose key is the SHA-1 of the private key (format: the `WebhookNotificationGateway` of Braintree's libraries).
//!
//! A notification that Braintree's libraries read differently is refused. The signature has no time, so a replayed
//! notification is recognized only by its event's id.

use base64::Engine;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::general_purpose::STANDARD as BASE64;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit, Mac};
use sha1::{Digest, Sha1};

use crate::domain::delivery::{Delivery, Rejection};
use crate::domain::hex::hex;
use crate::gateways::signature::{self, Secret};

/// Decodes payloads as leniently as Braintree's libraries do.
const PAYLOAD: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A pair of API keys.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    pub(super) public: String,
    pub(super) private: Secret,
}

impl Keys {
    /// The header field that authorizes calls with these keys.
    pub(super) fn basic(&self) -> String {
        let pair = [self.public.as_bytes(), b":", self.private.expose()].concat();
        format!("Basic {}", base64::Engine::encode(&base64::engine::general_purpose::STANDARD, pair))
    }

    /// The signature of the concatenated texts, as lower-case hex.
    fn sign(&self, parts: &[&str]) -> String {
        let key = Sha1::digest(self.private.expose());
        // HMAC accepts keys of any length, so this never fails.
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(&key) else { return String::new() };
        parts.iter().for_each(|part| mac.update(part.as_bytes()));
        hex(&mac.finalize().into_bytes())
    }
}

/// The XML of a genuine notification.
pub(super) fn verify(keys: &Keys, delivery: &Delivery) -> Result<Vec<u8>, Rejection> {
    let signatures = field(delivery, "bt_signature")?;
    let payload = field(delivery, "bt_payload")?;
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=\n".contains(&byte);
    if !payload.bytes().all(is_base64) {
        return Err(Rejection::SignatureMalformed);
    }
    let given = own_signature(keys, &signatures)?;
    // Some form parsers drop the payload's last line end; Braintree's libraries accept that as well.
    let payloads = [&[payload.as_str()][..], &[&payload, "\n"]];
    let matches = payloads.map(|parts| signature::constant_time_eq(&keys.sign(parts), given));
    // A blank key is no secret: anybody could sign with it.
    if keys.private.is_blank() || !matches.contains(&true) {
        return Err(Rejection::SignatureMismatch);
    }
    PAYLOAD.decode(payload.replace('\n', "")).map_err(|_| Rejection::BodyMalformed)
}

/// The form field with this name, which must occur exactly once.
fn field(delivery: &Delivery, name: &str) -> Result<String, Rejection> {
    let mut found = form_urlencoded::parse(&delivery.body).filter(|(given, _)| given == name);
    match (found.next(), found.next()) {
        (Some((_, value)), None) if !value.is_empty() => Ok(value.into_owned()),
        (Some(_), Some(_)) => Err(Rejection::SignatureMalformed),
        _ => Err(Rejection::SignatureMissing),
    }
}

/// The signature for our public key. The field has a pair of key and signature for each of the merchant's API keys; the
/// first pair with our key counts.
fn own_signature<'a>(keys: &Keys, signatures: &'a str) -> Result<&'a [u8], Rejection> {
    for pair in signatures.split('&') {
        let Some((public, given)) = pair.split_once('|') else { continue };
        if given.contains('|') {
            return Err(Rejection::SignatureMalformed);
        }
        if public == keys.public {
            return Ok(given.as_bytes());
        }
    }
    Err(Rejection::SignatureMismatch)
}

/// The answer to the challenge with which Braintree checks an address; `None` unless the challenge is exactly 20 to 32
/// lower-case hex digits. Answering signs the challenge, so it must never be a valid payload: decoded as base64, this
/// one has at most 24 bytes and is not XML.
pub(super) fn answer(keys: &Keys, challenge: &str) -> Option<String> {
    let is_hex = challenge.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (is_hex && (20..=32).contains(&challenge.len())).then(|| format!("{}|{}", keys.public, keys.sign(&[challenge])))
}

/// The body of a signed delivery of `xml`.
pub(super) fn form(keys: &Keys, xml: &[u8]) -> String {
    let payload = format!("{}\n", BASE64.encode(xml));
    let signature = format!("{}|{}", keys.public, keys.sign(&[&payload]));
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("bt_signature", &signature).append_pair("bt_payload", &payload).finish()
}
