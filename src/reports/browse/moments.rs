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
pub(crate) fn bounds(
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
    let (from, until) = (from.and_then(|at| at.checked_sub(SLACK)), until.and_then(|at| at.checked_add(SLACK)));
    let mut sought = [from, until].map(|moment| (moment, Span { above: 0, below: last + 1 }));
    loop {
        // Both ends are asked for in one go.
        let places = sought.each_ref().map(|(moment, span)| if moment.is_some() { places(span) } else { Vec::new() });
        if places.iter().all(Vec::is_empty) {
            break;
        }
        let times = at(&places.concat())?;
        let (first, second) = times.split_at(places[0].len());
        for (((moment, span), places), times) in sought.iter_mut().zip(&places).zip([first, second]) {
            narrow(span, places, times, *moment);
        }
    }
    let [(from, begin), (until, end)] = sought;
    span.above = if from.is_some() { begin.above } else { span.above };
    span.below = if until.is_some() && end.below <= last { end.below } else { span.below };
    Ok(span)
}

/// Where to look next; nowhere, where that is near enough.
fn places(span: &Span<i64>) -> Vec<i64> {
    let width = span.below - span.above;
    let looks = if width > NEAR { LOOKS } else { 0 };
    (1..=looks).map(|part| span.above + width * part / (LOOKS + 1)).collect()
}

/// To where the rows begin that are not before the moment: `above` it everything is, `below` it is not, by the order
/// of the ids.
fn narrow(span: &mut Span<i64>, places: &[i64], times: &[Option<Timestamp>], moment: Option<Timestamp>) {
    let earlier = times.iter().take_while(|time| time.is_some_and(|time| Some(time) < moment)).count();
    span.below = places.get(earlier).copied().unwrap_or(span.below);
    span.above = if earlier > 0 { places[earlier - 1] } else { span.above };
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use time::macros::datetime;

    #[test]
    fn a_day_of_a_million_rows_is_found_in_four_looks() {
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
        assert!(looks.get() <= 4, "{}", looks.get());
    }

    #[test]
    fn no_time_is_no_bound() {
        let none = bounds(None, None, None, |_| unreachable!()).expect("bounds");
        assert_eq!(none, Span { above: 0, below: i64::MAX });
    }
}
