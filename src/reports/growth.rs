//! How large the tables are, how fast they grow, and when all of them together meet the host's bound.

use std::sync::Arc;

use crate::domain::Timestamp;
use crate::engine::Engine;
use crate::error::Error;
use crate::store::Tx;
use crate::store::growth::TableSize;

/// How far back a pace is taken from, and from how much on: less says nothing of a day.
const SPAN: time::Duration = time::Duration::days(30);
const LEAST: time::Duration = time::Duration::hours(12);

/// How the tables grow.
#[derive(Debug, Clone)]
pub(crate) struct GrowthReport {
    /// When they were last measured.
    pub at: Timestamp,
    /// All tables together.
    pub all: Grown,
    /// Each of them, the largest first.
    pub tables: Vec<Grown>,
    /// The host's bound, in bytes.
    pub bound: Option<u64>,
    /// In how many days it is met at this pace; 0 where it is met already.
    pub days_left: Option<i64>,
}

/// How one of them grows.
#[derive(Debug, Clone)]
pub(crate) struct Grown {
    pub name: String,
    pub rows: Option<i64>,
    pub bytes: Option<i64>,
    /// By how much a day, where it was measured more than once.
    pub rows_a_day: Option<i64>,
    pub bytes_a_day: Option<i64>,
}

impl Engine {
    /// How the tables grow; `None` before they were measured for the first time.
    pub(crate) async fn growth(self: &Arc<Self>) -> Result<Option<GrowthReport>, Error> {
        self.blocking(|engine| engine.store.ask(|tx| growth(engine, tx))).await
    }
}

/// See [`Engine::growth`].
pub(crate) fn growth(engine: &Engine, tx: &mut dyn Tx) -> Result<Option<GrowthReport>, Error> {
    let Some((first, last)) = tx.measured(engine.now() - SPAN)? else { return Ok(None) };
    let (before, now) = (tx.sizes_at(first)?, tx.sizes_at(last)?);
    let span = last - first;
    let mut tables: Vec<Grown> = now.into_iter().map(|size| grown(size, &before, span)).collect();
    tables.sort_by_key(|it| (std::cmp::Reverse(it.bytes), std::cmp::Reverse(it.rows)));
    let whole = tables.iter().position(|it| it.name.is_empty()).map(|at| tables.remove(at));
    let Some(all) = whole else { return Ok(None) };
    let bound = engine.growth_bound;
    let days_left = bound.zip(all.bytes).and_then(|(bound, bytes)| days_left(bound, bytes, all.bytes_a_day));
    Ok(Some(GrowthReport { at: last, all, tables, bound, days_left }))
}

fn grown(size: TableSize, before: &[TableSize], span: time::Duration) -> Grown {
    let before = before.iter().find(|it| it.name == size.name).filter(|_| span >= LEAST);
    let a_day = |now: Option<i64>, then: Option<i64>| {
        let more = i128::from(now? - then?) * 86_400 / i128::from(span.whole_seconds());
        i64::try_from(more).ok()
    };
    Grown {
        rows_a_day: before.and_then(|it| a_day(size.rows, it.rows)),
        bytes_a_day: before.and_then(|it| a_day(size.bytes, it.bytes)),
        name: size.name,
        rows: size.rows,
        bytes: size.bytes,
    }
}

fn days_left(bound: u64, bytes: i64, a_day: Option<i64>) -> Option<i64> {
    let left = i64::try_from(bound).unwrap_or(i64::MAX) - bytes;
    if left <= 0 {
        return Some(0);
    }
    a_day.filter(|pace| *pace > 0).map(|pace| left / pace)
}

impl GrowthReport {
    /// `1.2 GB, 40.0 MB more a day; 10.0 GB are met in 220 days at this pace`
    pub(crate) fn sentence(&self) -> String {
        let now = self.all.bytes.map_or_else(|| "Of unknown size".to_owned(), size);
        let pace = match self.all.bytes_a_day {
            Some(pace) if pace > 0 => format!(", {} more a day", size(pace)),
            Some(_) => ", and no more each day".to_owned(),
            None => String::new(),
        };
        let bound = self.bound.map(|bound| size(i64::try_from(bound).unwrap_or(i64::MAX)));
        let left = match (bound, self.days_left) {
            (Some(bound), Some(0)) => format!("; the bound of {bound} is met"),
            (Some(bound), Some(days)) => format!("; the bound of {bound} is met in {days} days at this pace"),
            (Some(bound), None) => format!("; the bound of {bound} is not in sight"),
            (None, _) => String::new(),
        };
        format!("{now}{pace}{left}")
    }
}

/// Bytes in a unit in which they are said shortly, by thousands.
pub(crate) fn size(bytes: i64) -> String {
    let units = [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    let sign = if bytes < 0 { "-" } else { "" };
    let bytes = bytes.unsigned_abs();
    match units.into_iter().find(|(one, _)| bytes >= *one) {
        Some((one, unit)) => format!("{sign}{}.{} {unit}", bytes / one, bytes % one * 10 / one),
        None => format!("{sign}{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_said_shortly_and_never_rounded_up() {
        let said = [0, 999, 1_000, 1_999_999, -40_000_000, 12_345_678_901].map(size);
        assert_eq!(said, ["0 bytes", "999 bytes", "1.0 kB", "1.9 MB", "-40.0 MB", "12.3 GB"]);
    }

    #[test]
    fn a_bound_is_met_when_the_pace_says_so_and_never_without_one() {
        assert_eq!(days_left(1_000, 400, Some(100)), Some(6));
        assert_eq!(days_left(1_000, 1_000, None), Some(0));
        assert_eq!((days_left(1_000, 400, Some(-5)), days_left(1_000, 400, None)), (None, None));
    }
}
