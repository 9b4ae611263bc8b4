//! How is a `t=…,v1=…` signature made and compared? HMAC-SHA256 over `"<t>.<body>"`, lower-case hex, the
//! scheme of Stripe's `Stripe-Signature`, which the dummy gateway uses as well.

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
    // HMAC takes keys of any length, so this can't fail.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose()) else { return String::new() };
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether the two texts are equal, in a time that does not depend on where they differ.
pub(crate) fn same(expected: &str, given: &[u8]) -> bool {
    expected.as_bytes().ct_eq(given).into()
}
