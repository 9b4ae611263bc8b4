//! Verifies the `Stripe-Signature` header (format: <https://docs.stripe.com/webhooks#verify-manually>).
//!
//! A header that Stripe's own libraries read differently is refused: none of Stripe's deliveries has one.

use std::time::Duration;

use crate::domain::Timestamp;
use crate::domain::delivery::{Delivery, Rejection};
use crate::gateways::signature::{self, Secret};

/// The name of the signature header.
pub(super) const HEADER: &str = "stripe-signature";

/// The largest time that all libraries read exactly. Beyond 2^53 − 1 JavaScript rounds, and would sign another number
/// than the header contains.
const LARGEST_TIME: i64 = (1 << 53) - 1;

/// A signature that matched.
pub(super) struct MatchedSignature<'a> {
    /// The label of the secret that it was made with.
    pub(super) label: &'a str,
    /// How many whole seconds ago it was made; negative for a time in the future.
    pub(super) skew_seconds: i64,
}

/// The parsed header.
struct Header<'a> {
    time: i64,
    signatures: Vec<&'a [u8]>,
}

/// Finds the secret that signed the delivery, then checks the age, so that an old forgery is reported as a forgery.
pub(super) fn verify<'a>(
    secrets: &'a [(String, Secret)],
    tolerance: Duration,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<MatchedSignature<'a>, Rejection> {
    let text = delivery.header(HEADER).unwrap_or_default();
    if text.trim_ascii().is_empty() {
        return Err(Rejection::SignatureMissing);
    }
    let header = Header::parse(&text).ok_or(Rejection::SignatureMalformed)?;
    let label = matching(secrets, &header, &delivery.body).ok_or(Rejection::SignatureMismatch)?;
    if is_stale(header.time, tolerance, now) {
        return Err(Rejection::SignatureStale);
    }
    Ok(MatchedSignature { label, skew_seconds: now.unix_timestamp() - header.time })
}

/// The label of the first secret that one of the header's signatures was made with. A blank secret never matches, since
/// anybody could sign with it.
fn matching<'a>(secrets: &'a [(String, Secret)], header: &Header<'_>, body: &[u8]) -> Option<&'a str> {
    // The libraries sign the number that they parsed, not the header's text.
    let time = header.time.to_string();
    let matches = |secret: &Secret| {
        let expected = signature::sign(secret, &time, body);
        header.signatures.iter().any(|given| signature::constant_time_eq(&expected, given))
    };
    secrets.iter().find(|(_, secret)| !secret.is_blank() && matches(secret)).map(|(label, _)| label.as_str())
}

/// Whether `time` is longer ago than `tolerance`. A tolerance of zero turns this check off. A time in the future is
/// accepted: it is signed too, and a slow clock here must not refuse a genuine delivery.
fn is_stale(time: i64, tolerance: Duration, now: Timestamp) -> bool {
    let age = now.unix_timestamp_nanos() - i128::from(time) * 1_000_000_000;
    !tolerance.is_zero() && u128::try_from(age).is_ok_and(|age| age > tolerance.as_nanos())
}

impl<'a> Header<'a> {
    /// Parses `t=…,v1=…[,v1=…]`: elements are separated by commas, names and values by `=`, and nothing is trimmed.
    /// Elements with other names are ignored, which lets Stripe add schemes.
    fn parse(text: &'a str) -> Option<Self> {
        let mut time = None;
        let mut signatures = Vec::new();
        for element in text.split(',') {
            let mut parts = element.split('=');
            match (parts.next(), parts.next()) {
                (Some("t"), value) => {
                    let read = parse_time(value?)?;
                    // Of two different times one library uses the first, another the last.
                    if time.is_some_and(|earlier| earlier != read) {
                        return None;
                    }
                    time = Some(read);
                }
                (Some("v1"), value) => {
                    signatures.push(value.filter(|v| !v.is_empty() && v.is_ascii())?.as_bytes());
                }
                _ => {}
            }
        }
        let time = time?;
        (!signatures.is_empty()).then_some(Self { time, signatures })
    }
}

/// Parses Unix seconds: ASCII digits, with optional blanks around them and a plus sign, which all libraries accept.
fn parse_time(value: &str) -> Option<i64> {
    let number = value.trim_matches([' ', '\t']);
    let digits = number.strip_prefix('+').unwrap_or(number);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|time| *time <= LARGEST_TIME)
}
