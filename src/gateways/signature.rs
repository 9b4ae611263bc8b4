//! Making and comparing HMAC-SHA256 signatures. [`sign`] is the scheme of Stripe's `Stripe-Signature` header and of the
//! dummy gateway: lower-case hex over `"<t>.<body>"`.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::domain::hex::hex;

/// A signing secret or API key. Its `Debug` output does not contain the value.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    /// Keeps `text` unchanged; white space around it is for `check` to refuse.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether the secret is empty or only white space.
    pub(crate) fn is_blank(&self) -> bool {
        self.0.bytes().all(|b| b.is_ascii_whitespace())
    }

    /// What white space stands around the secret, as the end of a sentence. No company's secret has any, and a file that
    /// a secret is mounted as ends in a line break.
    pub(crate) fn surrounding_blank(&self) -> Option<&'static str> {
        let is_blank = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_whitespace);
        match self.0.as_bytes() {
            _ if self.is_blank() => None,
            text if text.ends_with(b"\n") => Some("ends in a line break"),
            text if is_blank(text.last()) => Some("ends in white space"),
            text if is_blank(text.first()) => Some("begins with white space"),
            _ => None,
        }
    }

    pub(crate) fn expose(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The signature of `body` as lower-case hex. `timestamp` is the text that is signed with it, decimal Unix seconds.
pub(crate) fn sign(secret: &Secret, timestamp: &str, body: &[u8]) -> String {
    let mac = hmac_sha256(secret.expose(), [timestamp.as_bytes(), b".", body]);
    hex(&mac)
}

/// HMAC-SHA256 (RFC 2104) over the concatenated parts.
pub(crate) fn hmac_sha256<'a>(key: &[u8], parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    // HMAC accepts keys of any length, so this never fails.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    parts.into_iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

/// Compares two texts in constant time, that is independent of where they differ.
pub(crate) fn constant_time_eq(expected: &str, given: &[u8]) -> bool {
    expected.as_bytes().ct_eq(given).into()
}
