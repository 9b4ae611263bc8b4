//! The columns of a chart: how many hours each has, and where each begins.

use crate::domain::Timestamp;

/// Some hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub at: Timestamp,
    pub received: i64,
    /// Completed, or ignored: nothing is left to do.
    pub done: i64,
    /// Attempts that failed, be there another one or not.
    pub failed: i64,
}

/// What a chart shows: about thirty columns in each case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Span {
    Day,
    Week,
    Month,
}

impl Span {
    /// Every span, the shortest first.
    pub(crate) const ALL: [Span; 3] = [Self::Day, Self::Week, Self::Month];

    /// The word in addresses.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }

    /// How many columns, and how many hours each.
    fn columns(self) -> (i64, i64) {
        match self {
            Self::Day => (24, 1),
            Self::Week => (28, 6),
            Self::Month => (30, 24),
        }
    }
}

/// The bounds of the columns. They end with the one in which `end` lies; each begins at a whole multiple of its width.
pub(super) fn columns(end: Timestamp, span: Span) -> Vec<Timestamp> {
    let (columns, hours) = span.columns();
    let width = hours * 3_600;
    let last = (end - time::Duration::SECOND).unix_timestamp().div_euclid(width);
    let begin = |index: i64| Timestamp::from_unix_timestamp(index * width).unwrap_or(end);
    (last - columns + 1..=last + 1).map(begin).collect()
}
