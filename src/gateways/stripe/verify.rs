//! Is a delivery signed by Stripe, and lately? Reads the `Stripe-Signature` header (format:
//! <https://docs.stripe.com/webhooks#verify-manually>) and compares signatures; the body's meaning is others' work.
//!
//! Where Stripe's own libraries disagree about a header, it is refused: no delivery of Stripe's looks like that.

use std::time::Duration;

use crate::domain::Timestamp;
use crate::domain::delivery::{Delivery, Rejection};
use crate::gateways::signature::{self, Secret};

/// The name of the header field that carries the signature.
pub(super) const HEADER: &str = "stripe-signature";

/// The largest time that every library reads exactly: beyond 2^53 − 1 JavaScript rounds, and would sign another
/// number than the header has.
const LARGEST_TIME: i64 = (1 << 53) - 1;

/// A signature that matched.
pub(super) struct Genuine<'a> {
    /// The label of the secret that it was made with.
    pub(super) label: &'a str,
    /// How many whole seconds ago it was made; negative for a time ahead of ours.
    pub(super) skew_seconds: i64,
}

/// What the header says.
struct Header<'a> {
    time: i64,
    signatures: Vec<&'a [u8]>,
}

/// Finds the secret that signed the delivery, then looks at its age. The age comes second so that an old forgery
/// is called a forgery.
pub(super) fn verify<'a>(
    secrets: &'a [(String, Secret)],
    tolerance: Duration,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<Genuine<'a>, Rejection> {
    let text = delivery.header(HEADER).unwrap_or_default();
    if text.trim_ascii().is_empty() {
        return Err(Rejection::SignatureMissing);
    }
    let header = Header::parse(&text).ok_or(Rejection::SignatureMalformed)?;
    let label = matching(secrets, &header, &delivery.body).ok_or(Rejection::SignatureMismatch)?;
    if is_stale(header.time, tolerance, now) {
        return Err(Rejection::SignatureStale);
    }
    Ok(Genuine { label, skew_seconds: now.unix_timestamp() - header.time })
}

/// The label of the first secret that one of the header's signatures was made with. A blank secret matches
/// nothing: anybody could sign with it.
fn matching<'a>(secrets: &'a [(String, Secret)], header: &Header<'_>, body: &[u8]) -> Option<&'a str> {
    // The libraries sign the number that they read, not the header's text of it.
    let time = header.time.to_string();
    let signed = |secret: &Secret| {
        let expected = signature::sign(secret, &time, body);
        header.signatures.iter().any(|given| signature::same(&expected, given))
    };
    secrets.iter().find(|(_, secret)| !secret.is_blank() && signed(secret)).map(|(label, _)| label.as_str())
}

/// Whether `time` is longer ago than `tolerance`; a tolerance of zero asks for no check. There is no upper bound:
/// a time ahead of ours is signed as well, and a clock that is late must not refuse what is genuine.
fn is_stale(time: i64, tolerance: Duration, now: Timestamp) -> bool {
    let age = now.unix_timestamp_nanos() - i128::from(time) * 1_000_000_000;
    !tolerance.is_zero() && u128::try_from(age).is_ok_and(|age| age > tolerance.as_nanos())
}

impl<'a> Header<'a> {
    /// Reads `t=…,v1=…[,v1=…]`: elements end at commas, names and values at `=`, and nothing is trimmed. Elements
    /// of other names are ignored, which is how Stripe can add schemes.
    fn parse(text: &'a str) -> Option<Self> {
        let mut time = None;
        let mut signatures = Vec::new();
        for element in text.split(',') {
            let mut parts = element.split('=');
            match (parts.next(), parts.next()) {
                (Some("t"), value) => {
                    let read = parse_time(value?)?;
                    // Of two times one library takes the first, another the last.
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

/// Reads Unix seconds: ASCII digits, with the blanks and the plus sign around them that every library accepts.
fn parse_time(value: &str) -> Option<i64> {
    let number = value.trim_matches([' ', '\t']);
    let digits = number.strip_prefix('+').unwrap_or(number);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|time| *time <= LARGEST_TIME)
}
