//! Making and comparing HMAC-SHA256 signatures. [`sign`] is the scheme of Stripe's `Stripe-Signature` header and of the
//! dummy gateway: lower-case hex over `"<t>.<body>"`.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// A signing secret or API key. Its `Debug` output does not contain the value.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    /// Keeps `text` unchanged: leading and trailing white space is part of the key.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether the secret is empty or only white space.
    pub(crate) fn is_blank(&self) -> bool {
        self.0.bytes().all(|b| b.is_ascii_whitespace())
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
    mac.iter().map(|byte| format!("{byte:02x}")).collect()
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
