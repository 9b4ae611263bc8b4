//! How are parameters written? As a form with brackets for what is nested, `a[b][0][c]=…`, as Stripe's own libraries
//! write it (<https://docs.stripe.com/api/metadata>): brackets plain, values percent-encoded.

/// A form, in the order in which its fields were added.
#[derive(Default)]
pub(super) struct Form(String);

impl Form {
    /// Adds a field.
    pub(super) fn add(&mut self, name: &str, value: impl AsRef<str>) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        write(&mut self.0, name, b"[]");
        self.0.push('=');
        write(&mut self.0, value.as_ref(), b"");
    }

    /// Adds a field if there is a value.
    pub(super) fn maybe(&mut self, name: &str, value: Option<impl AsRef<str>>) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }

    /// The form as it is sent.
    pub(super) fn text(self) -> String {
        self.0
    }
}

/// Percent-encodes all but the unreserved characters (RFC 3986 §2.3) and `plain`.
fn write(out: &mut String, text: &str, plain: &[u8]) {
    for byte in text.bytes() {
        match byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || plain.contains(&byte) {
            true => out.push(char::from(byte)),
            false => out.push_str(&format!("%{byte:02X}")),
        }
    }
}
