//! How long do deliveries take: from what happened until they are received, and from there until they are processed?

use time::Duration;

use super::browse::{EventView, events_in};
use crate::domain::event::Source;
use crate::domain::scope::Scope;
use crate::error::Error;
use crate::store::Tx;
use crate::store::checkup::EventTimes;
use crate::store::filters::EventFilter;
use crate::store::rows::EventRow;

/// How many of the newest events are looked at.
const NEWEST: i64 = 300;

/// How long the newest deliveries took.
#[derive(Debug, Default)]
pub(crate) struct Latency {
    /// How many deliveries were looked at.
    pub deliveries: usize,
    /// From what happened, by the gateway's clock, until it was received.
    pub received: Option<Percentiles>,
    /// From there until it was processed; those that were requeued are left out.
    pub processed: Option<Percentiles>,
}

/// Within which time so many of a hundred are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Percentiles {
    pub half: Duration,
    pub of_95: Duration,
    pub of_99: Duration,
}

/// How long the newest deliveries took.
pub(super) fn latency(tx: &mut dyn Tx, scope: &Scope, variants: &[String]) -> Result<Latency, Error> {
    let mut events = if scope.is_all() {
        tx.newest_event_times(NEWEST)?
    } else {
        let filter = EventFilter { scope: scope.clone(), ..EventFilter::default() };
        let found = events_in(tx, &EventView { filter, search: None }, variants, None, NEWEST as usize)?;
        found.rows.iter().map(times).collect()
    };
    events.retain(|event| event.is_delivery);
    let received = |event: &EventTimes| event.occurred_at.map(|at| event.received_at - at);
    let processed =
        |event: &EventTimes| event.finished_at.filter(|_| event.requeued_at.is_none()).map(|at| at - event.received_at);
    Ok(Latency {
        deliveries: events.len(),
        received: percentiles(events.iter().filter_map(received).collect()),
        processed: percentiles(events.iter().filter_map(processed).collect()),
    })
}

fn times(row: &EventRow) -> EventTimes {
    EventTimes {
        is_delivery: row.source == Source::Delivery,
        occurred_at: row.occurred_at,
        received_at: row.received_at,
        finished_at: row.finished_at,
        requeued_at: row.requeued_at,
    }
}

/// By the nearest rank. Clocks that disagree make no time shorter than none.
fn percentiles(mut spans: Vec<Duration>) -> Option<Percentiles> {
    spans.sort_unstable();
    let within = |percent: usize| {
        let rank = (spans.len() * percent).div_ceil(100).max(1);
        spans.get(rank - 1).map(|span| (*span).max(Duration::ZERO))
    };
    Some(Percentiles { half: within(50)?, of_95: within(95)?, of_99: within(99)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let seconds = |all: &[i64]| percentiles(all.iter().map(|second| Duration::seconds(*second)).collect());
        let said = |all: &[i64]| seconds(all).map(|it| [it.half, it.of_95, it.of_99].map(Duration::whole_seconds));
        assert_eq!(said(&[]), None);
        assert_eq!(said(&[7]), Some([7, 7, 7]));
        assert_eq!(said(&[-3, 9]), Some([0, 9, 9]));
        assert_eq!(said(&(1..=200).rev().collect::<Vec<_>>()), Some([100, 190, 198]));
    }
}
