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

/// How many places are looked at in one go.
const LOOKS: i64 = 16;

/// Between which ids all rows lie that are from `from` on and before `until`; others may lie there too. `at` answers
/// the times of the first rows from each id on, `last` is the highest id there is.
pub(super) fn bounds(
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    last: Option<i64>,
    mut at: impl FnMut(&[i64]) -> Result<Vec<Option<Timestamp>>, Error>,
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
        let end = around(until, span.above, last, &mut at)?.below;
        span.below = if end > last { i64::MAX } else { end };
    }
    Ok(span)
}

/// `above` it everything is earlier, `below` it is not, by the order of the ids.
fn around(
    moment: Timestamp,
    above: i64,
    last: i64,
    at: &mut impl FnMut(&[i64]) -> Result<Vec<Option<Timestamp>>, Error>,
) -> Result<Span<i64>, Error> {
    let mut span = Span { above, below: last + 1 };
    while span.below - span.above > NEAR {
        let width = span.below - span.above;
        let places: Vec<i64> = (1..=LOOKS).map(|part| span.above + width * part / (LOOKS + 1)).collect();
        let times = at(&places)?;
        let earlier = times.iter().take_while(|time| time.is_some_and(|time| time < moment)).count();
        span.below = places.get(earlier).copied().unwrap_or(span.below);
        span.above = if earlier > 0 { places[earlier - 1] } else { span.above };
    }
    Ok(span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use time::macros::datetime;

    #[test]
    fn a_day_of_a_million_rows_is_found_in_ten_looks() {
        let begin = datetime!(2026-01-01 0:00 UTC);
        let looks = Cell::new(0);
        // A row each minute, and every fifth id is missing.
        let row = |id: &i64| {
            let id = if id % 5 == 0 { id + 1 } else { *id };
            (id <= 1_000_000).then(|| begin + time::Duration::minutes(id))
        };
        let rows = |ids: &[i64]| {
            looks.set(looks.get() + 1);
            Ok(ids.iter().map(row).collect())
        };
        let (from, until) = (begin + time::Duration::minutes(600_000), begin + time::Duration::minutes(601_440));
        let span = bounds(Some(from), Some(until), Some(1_000_000), rows).expect("bounds");
        assert!(span.above < 600_000 && span.above > 599_900, "{span:?}");
        assert!(span.below > 601_440 && span.below < 601_540, "{span:?}");
        assert!(looks.get() <= 10, "{}", looks.get());
    }

    #[test]
    fn no_time_is_no_bound() {
        let none = bounds(None, None, None, |_| unreachable!()).expect("bounds");
        assert_eq!(none, Span { above: 0, below: i64::MAX });
    }
}
