//! Signs a body as the sender would, for the test events and the commands that the admin pages offer.

use super::HmacWebhooks;
use super::scheme::{HeaderField, SignedPart, TimestampUnit};
use crate::domain::Timestamp;

impl HmacWebhooks {
    /// The header fields that make `body` a genuine delivery at `now`, signed with the current secret. `None` if no
    /// secret can be used, or if header fields of the sender are signed that only it knows.
    pub(in crate::gateways) fn signed_headers(&self, body: &[u8], now: Timestamp) -> Option<Vec<(String, String)>> {
        let scheme = &self.scheme;
        let (_, secret) = scheme.secrets.first()?;
        let seconds = now.unix_timestamp();
        let time = match scheme.unit {
            TimestampUnit::Seconds => seconds.to_string(),
            TimestampUnit::Milliseconds => (seconds * 1_000).to_string(),
        };
        let bytes = |part: &SignedPart| match part {
            SignedPart::Body => Some(body.to_vec()),
            SignedPart::Timestamp => Some(time.clone().into_bytes()),
            SignedPart::Text(text) => Some(text.clone().into_bytes()),
            SignedPart::Header(_) => None,
        };
        let message = scheme.signed.iter().map(bytes).collect::<Option<Vec<_>>>()?.concat();
        let mac = scheme.algorithm.sign(&scheme.key.decode(secret)?, &message);
        let signature = format!("{}{}", scheme.prefix, scheme.encoding.write(&mac));
        let time = scheme.timestamp.as_ref().map(|(field, _)| (field, time.as_str()));
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        for (field, value) in time.into_iter().chain([(&scheme.signature, signature.as_str())]) {
            add(&mut headers, field, value);
        }
        Some(headers)
    }
}

/// Adds a value to the header; the parts of one field follow each other.
fn add(headers: &mut Vec<(String, String)>, field: &HeaderField, value: &str) {
    match field {
        HeaderField::Whole(name) => headers.push((name.clone(), value.to_owned())),
        HeaderField::Part { header, separator, name } => {
            let part = format!("{name}={value}");
            match headers.iter_mut().find(|(known, _)| known == header) {
                Some((_, parts)) => *parts = format!("{parts}{separator}{part}"),
                None => headers.push((header.clone(), part)),
            }
        }
    }
}
