//! Is a notification signed by Braintree? Form fields `bt_signature` and `bt_payload`; HMAC-SHA1 of the payload's
//! text under the SHA-1 of the private key (format: the `WebhookNotificationGateway` of Braintree's libraries).
//!
//! Where Braintree's libraries disagree, the notification is refused. There is no time in the signature: what was
//! recorded can be sent again, and is told apart by its event's id alone.

use base64::Engine;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::general_purpose::STANDARD as BASE64;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit, Mac};
use sha1::{Digest, Sha1};

use crate::domain::delivery::{Delivery, Rejection};
use crate::gateways::signature::{self, Secret};

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
    /// The signature of these texts one after the other, lower-case hex.
    fn sign(&self, parts: &[&str]) -> String {
        let key = Sha1::digest(self.private.expose());
        // HMAC takes keys of any length, so this can't fail.
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(&key) else { return String::new() };
        parts.iter().for_each(|part| mac.update(part.as_bytes()));
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The XML of a genuine notification.
pub(super) fn verify(keys: &Keys, delivery: &Delivery) -> Result<Vec<u8>, Rejection> {
    let signatures = field(delivery, "bt_signature")?;
    let payload = field(delivery, "bt_payload")?;
    let readable = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=\n".contains(&byte);
    if !payload.bytes().all(readable) {
        return Err(Rejection::SignatureMalformed);
    }
    let given = ours(keys, &signatures)?;
    // A form parser on the way may have lost the payload's last line end, and the libraries forgive that.
    let genuine = [&[payload.as_str()][..], &[&payload, "\n"]].map(|parts| signature::same(&keys.sign(parts), given));
    // Anybody could sign with a blank key.
    if keys.private.is_blank() || !genuine.contains(&true) {
        return Err(Rejection::SignatureMismatch);
    }
    PAYLOAD.decode(payload.replace('\n', "")).map_err(|_| Rejection::BodyMalformed)
}

/// The form field, which must be there once.
fn field(delivery: &Delivery, name: &str) -> Result<String, Rejection> {
    let mut found = form_urlencoded::parse(&delivery.body).filter(|(given, _)| given == name);
    match (found.next(), found.next()) {
        (Some((_, value)), None) if !value.is_empty() => Ok(value.into_owned()),
        (Some(_), Some(_)) => Err(Rejection::SignatureMalformed),
        _ => Err(Rejection::SignatureMissing),
    }
}

/// The signature beside our public key: there is a pair for each of the merchant's API keys, and the first of ours
/// counts.
fn ours<'a>(keys: &Keys, signatures: &'a str) -> Result<&'a [u8], Rejection> {
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

/// What Braintree wants to hear when it checks the address: `None` unless the challenge is 20 to 32 lower-case hex
/// digits, and nothing before or after. Such a text is no payload: decoded, it is 24 bytes at the most, and no XML, so
/// nobody can have a notification signed here.
pub(super) fn answer(keys: &Keys, challenge: &str) -> Option<String> {
    let hex = challenge.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (hex && (20..=32).contains(&challenge.len())).then(|| format!("{}|{}", keys.public, keys.sign(&[challenge])))
}

/// The body of a delivery that carries `xml`.
pub(super) fn form(keys: &Keys, xml: &[u8]) -> String {
    let payload = format!("{}\n", BASE64.encode(xml));
    let signature = format!("{}|{}", keys.public, keys.sign(&[&payload]));
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("bt_signature", &signature).append_pair("bt_payload", &payload).finish()
}
