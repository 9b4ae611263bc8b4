//! Writes a call's parameters as a form, with brackets for nested ones: `a[b][0][c]=…`. Like Stripe's own libraries, it
//! leaves brackets in names as they are and percent-encodes values (<https://docs.stripe.com/api/metadata>).

/// A form; its fields keep the order in which they were added.
#[derive(Default)]
pub(super) struct Form(String);

impl Form {
    /// Adds a field.
    pub(super) fn add(&mut self, name: &str, value: impl AsRef<str>) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        encode(&mut self.0, name, b"[]");
        self.0.push('=');
        encode(&mut self.0, value.as_ref(), b"");
    }

    /// Adds a field if there is a value.
    pub(super) fn add_optional(&mut self, name: &str, value: Option<impl AsRef<str>>) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }

    /// The encoded form.
    pub(super) fn text(self) -> String {
        self.0
    }
}

/// Percent-encodes all characters but the unreserved ones (RFC 3986 §2.3) and those in `keep`.
fn encode(out: &mut String, text: &str, keep: &[u8]) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep.contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}
