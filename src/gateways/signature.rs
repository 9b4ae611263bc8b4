//! How is a signature made and compared? HMAC-SHA256; [`sign`] is the scheme of Stripe's `Stripe-Signature` and of
//! the dummy gateway: over `"<t>.<body>"`, lower-case hex.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// A signing secret or API key. `Debug` shows nothing of it.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    /// Keeps `text` as it is: white space at its ends is part of the key.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether it is empty or white space only.
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

/// The signature of `body` at `timestamp` (the signed text of it, decimal Unix seconds), lower-case hex.
pub(crate) fn sign(secret: &Secret, timestamp: &str, body: &[u8]) -> String {
    let mac = hmac_sha256(secret.expose(), [timestamp.as_bytes(), b".", body]);
    mac.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// HMAC-SHA256 (RFC 2104) over the parts one after the other.
pub(crate) fn hmac_sha256<'a>(key: &[u8], parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    // HMAC takes keys of any length, so this can't fail.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    parts.into_iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

/// Whether the two texts are equal, in a time that does not depend on where they differ.
pub(crate) fn same(expected: &str, given: &[u8]) -> bool {
    expected.as_bytes().ct_eq(given).into()
}
