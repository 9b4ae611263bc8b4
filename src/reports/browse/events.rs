//! Which streams serve a list of events, and how are several made one?

use super::moments;
use super::readable::readable;
use super::view::{DEPTH, EventView, Page, Place, Read, SEARCH_CAP, cut, found, furthest, nearest};
use crate::domain::failure_group::groups_of;
use crate::domain::id::EventId;
use crate::domain::scope::Among;
use crate::error::Error;
use crate::store::Tx;
use crate::store::filters::{AmountKey, EventFilter, EventStream, Span, Window};
use crate::store::rows::EventRow;

/// How many kinds `charge.*` may stand for, to be read each by itself; more of them are a large part of all events,
/// which then are read instead.
const KINDS: i64 = 24;

pub(crate) fn page(
    tx: &mut dyn Tx,
    view: &EventView,
    variants: &[String],
    place: Option<Place>,
    size: usize,
) -> Result<Page<EventRow>, Error> {
    let rising = place.is_some_and(|place| place.back);
    let mut span = bounds(tx, &view.filter)?;
    if let Some(Place { id, back, with }) = place {
        if back {
            span.above = span.above.max(id.saturating_sub(i64::from(with)));
        } else {
            span.below = span.below.min(id.saturating_add(i64::from(with)));
        }
    }
    let (read, capped) = read(tx, view, variants, span, rising, size + 1)?;
    let page = Page { capped, ..cut(read, place, size) };
    let rows = readable(tx, &page.rows, |row: &EventRow| row.id, |tx, ids| tx.events_with(ids))?;
    Ok(page.with(rows))
}

pub(crate) fn newer(
    tx: &mut dyn Tx,
    view: &EventView,
    variants: &[String],
    than: i64,
    cap: usize,
) -> Result<usize, Error> {
    let span = bounds(tx, &view.filter)?;
    let span = Span { above: span.above.max(than), ..span };
    Ok(read(tx, view, variants, span, true, cap)?.0.ids.len())
}

fn bounds(tx: &mut dyn Tx, filter: &EventFilter) -> Result<Span<i64>, Error> {
    let last = if filter.from.is_some() || filter.until.is_some() { tx.last_event()? } else { None };
    moments::bounds(filter.from, filter.until, last.map(i64::from), |ids| tx.event_times(ids))
}

fn read(
    tx: &mut dyn Tx,
    EventView { filter, search }: &EventView,
    variants: &[String],
    ids: Span<i64>,
    rising: bool,
    limit: usize,
) -> Result<(Read<EventId>, bool), Error> {
    if filter.scope.among(filter.variant.as_deref()) == Among::Nothing {
        return Ok((Read::nothing(), false));
    }
    let amounts = Span { above: AmountKey::first(), below: AmountKey::last() };
    let mut window = Window { ids, amounts, rising, depth: i64::MAX };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    if let Some(text) = search {
        let (ids, capped) = found(tx.find_events(text, &filter.scope.of(variants.to_vec()), SEARCH_CAP as i64 + 1)?);
        let ids = ids.into_iter().filter(|id| window.ids.holds(&id.0)).collect();
        let ids = tx.event_ids(&[EventStream::Found(ids)], filter, &window, limit)?.concat();
        return Ok((Read { ids: in_order(ids, rising), stopped: None }, capped));
    }
    let candidates = candidates(tx, filter, variants)?;
    let depth = |streams: &Vec<EventStream>| (DEPTH / streams.len().max(1) as i64).max(limit);
    let streams = furthest(tx, candidates, rising, |tx, streams| {
        window.depth = depth(streams);
        Ok(nearest(tx.event_reach(streams, &window)?.into_iter(), rising))
    })?;
    window.depth = depth(&streams);
    Ok((merged(tx, &streams, filter, &window, limit)?, false))
}

/// The sets of streams of which each has all that is wanted.
fn candidates(tx: &mut dyn Tx, filter: &EventFilter, variants: &[String]) -> Result<Vec<Vec<EventStream>>, Error> {
    // Nothing but its index knows the groups of failures, so that it serves whatever else is asked.
    if let Some(group) = &filter.failure {
        return Ok(vec![vec![EventStream::Failure(group.clone())]]);
    }
    if let Some(handler) = &filter.handler {
        let groups = tx.failure_groups(&groups_of(handler), KINDS)?;
        return Ok(vec![groups.into_iter().map(EventStream::Failure).collect()]);
    }
    let mut all = Vec::new();
    all.extend(filter.repeated.then(|| vec![EventStream::Repeated]));
    all.extend(filter.late.then(|| vec![EventStream::Late]));
    all.extend(filter.state.map(|state| vec![EventStream::State(state)]));
    match (filter.kinds_from(), &filter.kind) {
        (Some(start), _) => {
            let kinds = tx.kinds(start, KINDS + 1)?;
            if kinds.len() as i64 <= KINDS {
                all.push(kinds.into_iter().map(EventStream::Kind).collect());
            }
        }
        (None, Some(kind)) => all.push(vec![EventStream::Kind(kind.clone())]),
        (None, None) => {}
    }
    // Where there is but one variant, nearly all is of it.
    let is_part = |names: &Vec<String>| names != variants;
    let names = match filter.scope.among(filter.variant.as_deref()) {
        Among::One(name) => vec![name],
        Among::Each(names) => names,
        Among::Any | Among::Many | Among::Nothing => Vec::new(),
    };
    let its = Some(names).filter(|names| !names.is_empty()).filter(is_part);
    all.extend(its.map(|names| names.into_iter().map(EventStream::Variant).collect()));
    if all.is_empty() {
        all.push(vec![EventStream::All]);
    }
    Ok(all)
}

/// What all streams have, by id, as far as each was looked at.
fn merged(
    tx: &mut dyn Tx,
    streams: &[EventStream],
    rest: &EventFilter,
    window: &Window,
    limit: i64,
) -> Result<Read<EventId>, Error> {
    let found = tx.event_ids(streams, rest, window, limit)?;
    let short = streams.iter().zip(&found).filter(|(_, ids)| (ids.len() as i64) < limit);
    let short: Vec<EventStream> = short.map(|(stream, _)| stream.clone()).collect();
    let stopped = nearest(tx.event_reach(&short, window)?.into_iter(), window.rising);
    let read = Read { ids: found.concat(), stopped };
    Ok(Read::together(vec![read], window.rising, usize::try_from(limit).unwrap_or(usize::MAX)))
}

fn in_order(mut ids: Vec<EventId>, rising: bool) -> Vec<EventId> {
    ids.sort_unstable_by(|a, b| if rising { a.cmp(b) } else { b.cmp(a) });
    ids
}
