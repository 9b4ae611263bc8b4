//! Which streams serve a list of events, and how are several made one?

use super::moments;
use super::readable::readable;
use super::scoped::{found_of, own_events};
use super::view::{AMONG_OTHERS, DEPTH, EventView, Page, Place, Read, cut, found, furthest, nearest, own_or_whole};
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
        let (scope, chosen) = (&filter.scope, filter.variant.as_deref());
        let ids = tx.find_events(text, &scope.sought(chosen, variants), found_of(scope))?;
        let (ids, capped) = found(own_events(tx, ids, scope)?.into_iter().collect());
        let ids = ids.into_iter().filter(|id| window.ids.holds(&id.0)).collect();
        let ids = tx.event_ids(&[EventStream::Found(ids)], filter, &window, limit)?.concat();
        return Ok((Read { ids: in_order(ids, rising), stopped: None }, capped));
    }
    let (mut candidates, is_only) = candidates(tx, filter)?;
    let names = names(filter);
    let of_variants = || names.iter().cloned().map(EventStream::Variant).collect::<Vec<_>>();
    if !filter.scope.is_all() && !names.is_empty() {
        let streams = own_streams(tx, (candidates, is_only), of_variants(), &mut window, limit)?;
        return Ok((merged(tx, &streams, filter, &window, limit)?, false));
    }
    // Where there is but one variant, nearly all is of it.
    if !is_only && !names.is_empty() && names != variants {
        candidates.push(of_variants());
    }
    if candidates.is_empty() {
        candidates.push(vec![EventStream::All]);
    }
    let depth = |streams: &Vec<EventStream>| (DEPTH / streams.len().max(1) as i64).max(limit);
    let streams = furthest(tx, candidates, rising, |tx, streams| {
        window.depth = depth(streams);
        Ok(nearest(tx.event_reach(streams, &window)?.into_iter(), rising))
    })?;
    window.depth = depth(&streams);
    Ok((merged(tx, &streams, filter, &window, limit)?, false))
}

/// The variants whose events are read one by one.
fn names(filter: &EventFilter) -> Vec<String> {
    match filter.scope.among(filter.variant.as_deref()) {
        Among::One(name) => vec![name],
        Among::Each(names) => names,
        Among::Any | Among::Many | Among::Nothing => Vec::new(),
    }
}

/// The streams to be read for somebody who may see some variants' events only, which are these by themselves.
fn own_streams(
    tx: &mut dyn Tx,
    (mut candidates, is_only): (Vec<Vec<EventStream>>, bool),
    own: Vec<EventStream>,
    window: &mut Window,
    limit: i64,
) -> Result<Vec<EventStream>, Error> {
    let each = |depth: i64, streams: &Vec<EventStream>| (depth / streams.len().max(1) as i64).max(limit);
    let looked = window.clone();
    let ends = |tx: &mut dyn Tx, streams: &Vec<EventStream>| {
        let looked = Window { depth: each(AMONG_OTHERS, streams), ..looked.clone() };
        Ok(tx.event_reach(streams, &looked)?.is_empty())
    };
    let (streams, depth) = match candidates.pop_if(|_| is_only) {
        Some(streams) => (streams, Some(AMONG_OTHERS)),
        None => own_or_whole(tx, candidates, own, ends)?,
    };
    window.depth = each(depth.unwrap_or(DEPTH), &streams);
    Ok(streams)
}

/// The sets of streams of which each has all that is asked besides the variant, and whether only these have.
fn candidates(tx: &mut dyn Tx, filter: &EventFilter) -> Result<(Vec<Vec<EventStream>>, bool), Error> {
    // Nothing but its index knows the groups of failures, so that it serves whatever else is asked.
    if let Some(group) = &filter.failure {
        return Ok((vec![vec![EventStream::Failure(group.clone())]], true));
    }
    if let Some(handler) = &filter.handler {
        let groups = tx.failure_groups(&groups_of(handler), KINDS)?;
        return Ok((vec![groups.into_iter().map(EventStream::Failure).collect()], true));
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
    Ok((all, false))
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
