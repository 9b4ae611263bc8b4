//! Which rows are of a span of time? Ids grow with time, nearly: a search over the primary key finds their bounds, and
//! no index by time is needed.

use crate::domain::Timestamp;
use crate::error::Error;
use crate::store::filters::Span;

/// By how much the times of neighbouring rows may be out of order: clocks of several servers, and the time that a
/// delivery waits to be stored.
const SLACK: time::Duration = time::Duration::minutes(10);
/// How near is near enough.
const NEAR: i64 = 32;

/// Between which ids all rows lie that are from `from` on and before `until`; others may lie there too. `at` answers
/// the first row from an id on with its time, `last` is the highest id there is.
pub(super) fn bounds(
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    last: Option<i64>,
    mut at: impl FnMut(i64) -> Result<Option<(i64, Timestamp)>, Error>,
) -> Result<Span<i64>, Error> {
    let mut span = Span { above: 0, below: i64::MAX };
    if from.is_none() && until.is_none() {
        return Ok(span);
    }
    let last = last.unwrap_or(0);
    if let Some(from) = from.and_then(|at| at.checked_sub(SLACK)) {
        span.above = around(from, 0, last, &mut at)?.above;
    }
    if let Some(until) = until.and_then(|at| at.checked_add(SLACK)) {
        span.below = match at(last)?.is_some_and(|(_, newest)| newest < until) {
            true => i64::MAX,
            false => around(until, span.above, last, &mut at)?.below,
        };
    }
    Ok(span)
}

/// `above` it everything is earlier, `below` it is not, by the order of the ids.
fn around(
    moment: Timestamp,
    above: i64,
    last: i64,
    at: &mut impl FnMut(i64) -> Result<Option<(i64, Timestamp)>, Error>,
) -> Result<Span<i64>, Error> {
    let mut span = Span { above, below: last + 1 };
    while span.below - span.above > NEAR {
        let middle = span.above + (span.below - span.above) / 2;
        match at(middle)? {
            Some((id, time)) if time < moment => span.above = id,
            _ => span.below = middle,
        }
    }
    Ok(span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use time::macros::datetime;

    #[test]
    fn a_day_of_a_million_rows_is_found_in_forty_looks() {
        let begin = datetime!(2026-01-01 0:00 UTC);
        let looks = Cell::new(0);
        // A row each minute, and every fifth id is missing.
        let row = |id: i64| {
            looks.set(looks.get() + 1);
            let id = if id % 5 == 0 { id + 1 } else { id };
            Ok((id <= 1_000_000).then(|| (id, begin + time::Duration::minutes(id))))
        };
        let (from, until) = (begin + time::Duration::minutes(600_000), begin + time::Duration::minutes(601_440));
        let span = bounds(Some(from), Some(until), Some(1_000_000), row).expect("bounds");
        assert!(span.above < 600_000 && span.above > 599_900, "{span:?}");
        assert!(span.below > 601_440 && span.below < 601_540, "{span:?}");
        assert!(looks.get() <= 40, "{}", looks.get());
    }

    #[test]
    fn no_time_is_no_bound() {
        let none = bounds(None, None, None, |_| unreachable!()).expect("bounds");
        assert_eq!(none, Span { above: 0, below: i64::MAX });
    }
}
