//! How are times, spans and numbers said? In one way on every page; the script says them in the same words.

use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::domain::Timestamp;
use crate::domain::event::{EventState, Source};
pub(crate) use crate::domain::money::grouped;
use crate::store::rows::EventRow;

const ABSOLUTE: &[BorrowedFormatItem<'_>] =
    format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute]:[second]");
const DAY: &[BorrowedFormatItem<'_>] = format_description!("[day padding:none] [month repr:short] [year]");
const MACHINE: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");

/// `2026-11-23T18:55:44Z`.
pub(crate) fn machine(at: Timestamp) -> String {
    written(at.to_offset(time::UtcOffset::UTC), MACHINE)
}

/// `23 Nov 2026, 18:55:44 UTC`, by the clocks of `zone`.
pub(crate) fn absolute(local: Timestamp, zone: &str) -> String {
    format!("{} {zone}", written(local, ABSOLUTE))
}

/// `just now`, `3 min ago`, `in 5 hours`; from a week on the day itself.
pub(crate) fn relative(at: Timestamp, now: Timestamp) -> String {
    let seconds = (now - at).whole_seconds();
    let (size, past) = (seconds.unsigned_abs(), seconds >= 0);
    if size < 10 {
        return "just now".to_owned();
    }
    if size >= 7 * 86_400 {
        return written(at, DAY);
    }
    if past { format!("{} ago", span(size)) } else { format!("in {}", span(size)) }
}

/// Seconds in one unit: `40 s`, `3 min`, `1 hour`, `2 days`.
pub(crate) fn span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..7_200 => "1 hour".to_owned(),
        7_200..86_400 => format!("{} hours", seconds / 3_600),
        86_400..172_800 => "1 day".to_owned(),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// A time that is known to the second: `under 1 s`, `40 s`, `3 min`.
pub(crate) fn in_seconds(time: time::Duration) -> String {
    match time.whole_seconds() {
        ..1 => "under 1 s".to_owned(),
        seconds => span(seconds.unsigned_abs()),
    }
}

/// A time that is known to the millisecond: `12 ms`, `40 s`, `3 min`.
pub(crate) fn in_milliseconds(time: time::Duration) -> String {
    if time.whole_seconds() < 1 { format!("{} ms", time.whole_milliseconds().max(0)) } else { in_seconds(time) }
}

/// When a delivery was signed, seen from its arrival; negative is in the future.
pub(crate) fn skew(seconds: i64) -> String {
    match (seconds.unsigned_abs(), seconds < 0) {
        (0 | 1, _) => "signed within a second of its arrival".to_owned(),
        (size, false) => format!("signed {} before it arrived", span(size)),
        (size, true) => format!("signed {} in the future: compare the clocks", span(size)),
    }
}

/// From which time on an arrival is late: gateways send within seconds, and try again after minutes.
const LATE: i64 = 600;

/// How long after it happened an event was received, where that is long: `arrived 2 days late`.
pub(crate) fn late(event: &EventRow) -> Option<String> {
    let seconds = (event.received_at - event.occurred_at?).whole_seconds();
    let is_late = event.source == Source::Delivery && seconds >= LATE;
    is_late.then(|| format!("arrived {} late", span(seconds.unsigned_abs())))
}

/// When an event that failed is tried again, to follow the sentence on what became of it: `, next attempt in 5 min`.
pub(crate) fn next_attempt(event: &EventRow, now: Timestamp) -> Option<String> {
    let due = event.due_at.filter(|_| event.state == EventState::Retryable)?;
    Some(if due > now { format!(", next attempt {}", relative(due, now)) } else { ", next attempt now".to_owned() })
}

/// How often an event was delivered; nothing to say of the first time.
pub(crate) fn times(deliveries: u64) -> Option<String> {
    (deliveries > 1).then(|| format!("×{deliveries}"))
}

/// Why a page is not full although there may be more; `stopped` by the clocks of the host's zone.
pub(crate) fn looked_through(what: &str, done: &str, stopped: Option<Timestamp>) -> String {
    let how_far = stopped.map(|at| format!(" as far as the one {done} on {}", written(at, DAY))).unwrap_or_default();
    format!("Many {what} were looked through{how_far}, and there may be more like that: go on by the button below.")
}

/// A count that was cut off at `limit`: `12`, `1k+`.
pub(crate) fn count(found: u64, limit: u64) -> String {
    match (found >= limit, limit) {
        (false, _) => found.to_string(),
        (true, 1_000..) if limit.is_multiple_of(1_000) => format!("{}k+", limit / 1_000),
        (true, _) => format!("{limit}+"),
    }
}

fn written(at: Timestamp, format: &[BorrowedFormatItem<'_>]) -> String {
    at.format(format).unwrap_or_else(|_| at.unix_timestamp().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::Duration;
    use time::macros::datetime;

    #[test]
    fn moments_are_said_in_the_nearest_unit() {
        let now = datetime!(2026-11-23 18:55:44 UTC);
        let said = [3, 40, 3 * 60, 3_600, 5 * 3_600, 90_000, 8 * 86_400, -300]
            .map(|seconds| relative(now - Duration::seconds(seconds), now));
        let expected =
            ["just now", "40 s ago", "3 min ago", "1 hour ago", "5 hours ago", "1 day ago", "15 Nov 2026", "in 5 min"];
        assert_eq!(said, expected);
        assert_eq!(
            (absolute(now, "UTC").as_str(), machine(now).as_str()),
            ("23 Nov 2026, 18:55:44 UTC", "2026-11-23T18:55:44Z")
        );
    }

    #[test]
    fn numbers_are_grouped_and_never_rounded() {
        let said = ["5", "-999.00", "1249.00", "-1234567.890", "100000"].map(grouped);
        assert_eq!(said, ["5", "-999.00", "1,249.00", "-1,234,567.890", "100,000"]);
        assert_eq!([count(12, 1_000), count(1_000, 1_000), count(51, 50)], ["12", "1k+", "50+"]);
    }

    #[test]
    fn skew_says_which_clock_is_ahead() {
        assert_eq!(skew(2), "signed 2 s before it arrived");
        assert_eq!(skew(-120), "signed 2 min in the future: compare the clocks");
    }
}
