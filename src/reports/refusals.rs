//! What the counters of the last day say of a variant's deliveries: which were refused, sent away or missed.

use super::anomaly::Anomaly;
use crate::domain::Timestamp;
use crate::domain::delivery::Rejection;
use crate::domain::event::Source;
use crate::engine::tally::{DUPLICATE, MISSED, RECEIVED, REJECTED};
use crate::gateways::TEST_KIND;
use crate::store::rows::{EventRow, Sum};

/// When the gateway itself last delivered something: what it answers to our calls, and an operator's test, say nothing
/// of that.
pub(super) fn heard(variant: &str, event: Option<&EventRow>, sums: &[Sum]) -> Option<Timestamp> {
    let counted =
        sums.iter().filter(|sum| sum.variant == variant && [RECEIVED, DUPLICATE].contains(&sum.outcome.as_str()));
    let delivered = event.filter(|event| event.source == Source::Delivery && event.kind != TEST_KIND);
    counted.map(|sum| sum.last_at).chain(delivered.map(|event| event.last_delivered_at)).max()
}

/// The rejections of a variant for reasons like these: how many, and the last reason and its time.
fn rejections(variant: &str, sums: &[Sum], like: impl Fn(Rejection) -> bool) -> Option<(i64, Rejection, Timestamp)> {
    let reason = |sum: &Sum| {
        let code = sum.outcome.strip_prefix(REJECTED)?;
        Rejection::ALL.into_iter().find(|rejection| rejection.code() == code).filter(|rejection| like(*rejection))
    };
    let its = sums.iter().filter(|sum| sum.variant == variant);
    let mut found: Vec<_> = its.filter_map(|sum| Some((sum.last_at, reason(sum)?, sum.count))).collect();
    found.sort_by_key(|(at, ..)| *at);
    let count = found.iter().map(|(.., count)| count).sum();
    found.last().map(|(at, reason, _)| (count, *reason, *at))
}

/// What was refused, beside good ones after `beside` only. What is posted without a signature at all is a scanner's
/// more often than a gateway's.
pub(super) fn refused(variant: &str, last: Option<Timestamp>, sums: &[Sum], beside: Timestamp) -> Option<Anomaly> {
    use Rejection::{BodyMalformed, SignatureMalformed, SignatureMismatch, SignatureStale, TimestampUnit, TooLarge};
    let like = [SignatureMalformed, SignatureMismatch, SignatureStale, TimestampUnit, BodyMalformed, TooLarge];
    let (count, reason, at) = rejections(variant, sums, |reason| like.contains(&reason))?;
    let variant = variant.to_owned();
    if last.is_none_or(|last| last < at) {
        return Some(Anomaly::OnlyRejected { variant, count, reason });
    }
    (at > beside).then_some(Anomaly::BadSignatures { variant, count, reason, last: at })
}

/// What was sent away to come again, after `since` only.
pub(super) fn sent_away(variant: &str, sums: &[Sum], since: Timestamp) -> Option<Anomaly> {
    let like = [Rejection::Unavailable, Rejection::Unverifiable];
    let (count, reason, last) = rejections(variant, sums, |reason| like.contains(&reason))?;
    (last > since).then(|| Anomaly::SentAway { variant: variant.to_owned(), count, reason, last })
}

/// What had to be fetched from the gateway's list.
pub(super) fn missed(variant: &str, sums: &[Sum]) -> Option<Anomaly> {
    let sum = sums.iter().find(|sum| sum.variant == variant && sum.outcome == MISSED)?;
    Some(Anomaly::Missed { variant: variant.to_owned(), count: sum.count, last: sum.last_at })
}
