//! What do the lists of the admin pages show? Pages by key, forth and back, each of bounded cost whatever the filter:
//! a page looks at so many rows and then says how far it came.

use std::sync::Arc;

mod events;
mod moments;
mod payments;

use std::collections::BTreeMap;

use crate::domain::Timestamp;
use crate::domain::event::EventState;
use crate::domain::id::PaymentId;
use crate::domain::money::Decimal;
use crate::domain::payment::Status;
use crate::engine::Engine;
use crate::error::Error;
use crate::store::Tx;
use crate::store::filters::{EventFilter, EventStream, PaymentFilter, PaymentStream};
use crate::store::rows::{EventRow, PaymentRow};

pub(crate) use payments::by_text;

/// How far tabs and tiles count, anew for each page; what is beyond is "more than".
pub(crate) const COUNT_CAP: i64 = 100;
/// How many rows a search finds at the most.
pub(crate) const SEARCH_CAP: usize = 500;
/// How many rows a page of a list has.
pub(crate) const ROWS: usize = 50;
/// How many rows of a stream are looked at for one page: at a million events, each may lie in a part of the file of
/// its own.
const DEPTH: i64 = 500;
/// How many currencies or kinds a filter offers at the most.
const CHOICES: i64 = 100;

/// All that an address says of a list of payments, apart from the place in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct PaymentView {
    pub filter: PaymentFilter,
    /// The smallest and the largest amount, each currency by its own minor units.
    pub least: Option<Decimal>,
    pub most: Option<Decimal>,
    /// A token or gateway ref, or how a reference or an email address begins.
    pub search: Option<String>,
    pub order: Order,
}

/// All that an address says of a list of events, apart from the place in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct EventView {
    pub filter: EventFilter,
    /// An event's id, any reference, or a payment's token or reference.
    pub search: Option<String>,
}

/// Which rows come first. The default: the newest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Order {
    /// By currency and amount, not by age.
    pub by_amount: bool,
    /// The oldest or smallest first.
    pub rising: bool,
}

/// Where in a list one is: beside a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub id: i64,
    /// Towards the beginning of the list, not towards its end.
    pub back: bool,
    /// The row itself is part of the page.
    pub with: bool,
}

/// A part of a list.
pub(crate) struct Page<T> {
    pub rows: Vec<T>,
    /// Where the list goes on, towards its end; until there is none, nothing was left out.
    pub further: Option<Place>,
    /// Where it came from.
    pub back: Option<Place>,
    /// The row where the looking stopped although the page is not full: there may be more that match.
    pub stopped: Option<i64>,
    /// The search found more than [`SEARCH_CAP`], and the rest is left out.
    pub capped: bool,
    /// There is no such place in the list, so this is its beginning.
    pub lost: bool,
}

/// A page of payments, the tabs above it and what its filter offers. Counts go up to [`COUNT_CAP`].
pub(crate) struct PaymentList {
    pub page: Page<PaymentRow>,
    /// When the row was created where the looking stopped.
    pub stopped_at: Option<Timestamp>,
    pub counts: Vec<(Status, i64)>,
    pub needs_review: i64,
    pub currencies: Vec<String>,
}

/// A page of events, the tabs above it and what its filter offers. Counts go up to [`COUNT_CAP`].
pub(crate) struct EventList {
    pub page: Page<EventRow>,
    /// When the event was received where the looking stopped.
    pub stopped_at: Option<Timestamp>,
    /// The tokens of the payments that the events are about.
    pub tokens: BTreeMap<PaymentId, String>,
    pub counts: Vec<(EventState, i64)>,
    pub kinds: Vec<String>,
}

/// What was read of a list, in the order of the reading.
struct Read<Id> {
    ids: Vec<Id>,
    stopped: Option<Id>,
}

impl Engine {
    /// A part of a list of payments, of `size` rows at the most. To walk a whole list, go on at
    /// [`further`](Page::further) until there is none.
    pub(crate) async fn payment_page(
        self: &Arc<Self>,
        view: PaymentView,
        place: Option<Place>,
        size: usize,
    ) -> Result<Page<PaymentRow>, Error> {
        let variants = self.variant_names();
        self.read(move |tx| payments::page(tx, &view, &variants, place, size)).await
    }

    /// As [`Payments::payment_page`], of events.
    pub(crate) async fn event_page(
        self: &Arc<Self>,
        view: EventView,
        place: Option<Place>,
        size: usize,
    ) -> Result<Page<EventRow>, Error> {
        let variants = self.variant_names();
        self.read(move |tx| events::page(tx, &view, &variants, place, size)).await
    }

    /// The tokens of these payments.
    pub(crate) async fn tokens_of(
        self: &Arc<Self>,
        payments: Vec<PaymentId>,
    ) -> Result<BTreeMap<PaymentId, String>, Error> {
        self.read(move |tx| Ok(tx.tokens_of(&payments)?.into_iter().collect())).await
    }

    /// How many payments of a list are newer than this one, counted up to `cap`.
    pub(crate) async fn newer_payments(
        self: &Arc<Self>,
        view: PaymentView,
        than: i64,
        cap: usize,
    ) -> Result<usize, Error> {
        let variants = self.variant_names();
        self.read(move |tx| payments::newer(tx, &view, &variants, than, cap)).await
    }

    /// How many events of a list are newer than this one, counted up to `cap`.
    pub(crate) async fn newer_events(self: &Arc<Self>, view: EventView, than: i64, cap: usize) -> Result<usize, Error> {
        let variants = self.variant_names();
        self.read(move |tx| events::newer(tx, &view, &variants, than, cap)).await
    }

    /// A page of payments with all that stands around it.
    pub(crate) async fn payment_list(
        self: &Arc<Self>,
        view: PaymentView,
        place: Option<Place>,
    ) -> Result<PaymentList, Error> {
        let variants = self.variant_names();
        self.read(move |tx| {
            let page = payments::page(tx, &view, &variants, place, ROWS)?;
            let stopped_at = page.stopped.map(|id| tx.payment_times(&[id])).transpose()?.and_then(|times| times[0]);
            let each = Status::ALL.map(PaymentStream::Status);
            let counted = tx.count_payments(&[&[PaymentStream::NeedsReview], &each[..]].concat(), COUNT_CAP)?;
            let (needs_review, counted) = counted.split_first().unwrap_or((&0, &[]));
            let counts = Status::ALL.into_iter().zip(counted.iter().copied()).collect();
            Ok(PaymentList {
                page,
                stopped_at,
                counts,
                needs_review: *needs_review,
                currencies: tx.currencies(CHOICES)?,
            })
        })
        .await
    }

    /// A page of events with all that stands around it.
    pub(crate) async fn event_list(
        self: &Arc<Self>,
        view: EventView,
        place: Option<Place>,
    ) -> Result<EventList, Error> {
        let variants = self.variant_names();
        self.read(move |tx| {
            let page = events::page(tx, &view, &variants, place, ROWS)?;
            let stopped_at = page.stopped.map(|id| tx.event_times(&[id])).transpose()?.and_then(|times| times[0]);
            let of: Vec<PaymentId> = page.rows.iter().filter_map(|row| row.payment_id).collect();
            let tokens = tx.tokens_of(&of)?.into_iter().collect();
            let each = EventState::ALL.map(EventStream::State);
            let counts = EventState::ALL.into_iter().zip(tx.count_events(&each, COUNT_CAP)?).collect();
            Ok(EventList { page, stopped_at, tokens, counts, kinds: tx.kinds("", CHOICES)? })
        })
        .await
    }
}

/// Makes a page of what was read, one row more than its size where the list goes on.
fn cut<Id: Copy + Into<i64>>(mut read: Read<Id>, place: Option<Place>, size: usize) -> Page<Id> {
    let back = place.is_some_and(|place| place.back);
    let more = read.ids.len() > size;
    read.ids.truncate(size);
    let end = if more { read.ids.last().copied() } else { read.stopped };
    if back {
        read.ids.reverse();
    }
    let beside = |id: Id, back| Place { id: id.into(), back, with: false };
    // A page without rows leads back to where it was come from, that row included.
    let returning = |row: Option<&Id>, back| {
        place.map(|place| row.map_or(Place { back, with: !place.with, ..place }, |id| beside(*id, back)))
    };
    let (further, returned) = if back {
        (returning(read.ids.last(), false), end.map(|id| beside(id, true)))
    } else {
        (end.map(|id| beside(id, false)), returning(read.ids.first(), true))
    };
    let stopped = read.stopped.filter(|_| !more).map(Id::into);
    Page { rows: read.ids, further, back: returned, stopped, capped: false, lost: false }
}

/// A part of the list of all payments, inside a transaction.
pub(crate) fn payment_rows(tx: &mut dyn Tx, place: Option<Place>, size: usize) -> Result<Page<PaymentRow>, Error> {
    payments::page(tx, &PaymentView::default(), &[], place, size)
}

/// A part of a list of events, inside a transaction.
pub(crate) fn event_rows(
    engine: &Engine,
    tx: &mut dyn Tx,
    view: &EventView,
    place: Option<Place>,
    size: usize,
) -> Result<Page<EventRow>, Error> {
    let variants: Vec<String> = engine.variants.keys().cloned().collect();
    events::page(tx, view, &variants, place, size)
}

/// A page of rows that were read one beyond its size, in the order of the reading.
pub(crate) fn page<T>(rows: Vec<T>, place: Option<Place>, id: impl Fn(&T) -> i64) -> Page<T> {
    let read: Read<i64> = Read { ids: rows.iter().map(&id).collect(), stopped: None };
    let shown = cut(read, place, ROWS);
    let rows = rows.into_iter().filter(|row| shown.rows.contains(&id(row))).collect();
    shown.with_rows(rows, id)
}

impl<Id: PartialEq> Page<Id> {
    /// The same page with what the ids stand for.
    fn with_rows<T>(self, mut rows: Vec<T>, id: impl Fn(&T) -> Id) -> Page<T> {
        let place = |row: &T| self.rows.iter().position(|known| *known == id(row));
        rows.sort_by_cached_key(place);
        let Self { further, back, stopped, capped, lost, .. } = self;
        Page { rows, further, back, stopped, capped, lost }
    }
}

/// What a search found, newest first, and whether that is not all.
fn found<Id: Ord>(mut ids: Vec<Id>) -> (Vec<Id>, bool) {
    ids.sort_unstable_by(|a, b| b.cmp(a));
    ids.dedup();
    let capped = ids.len() > SEARCH_CAP;
    ids.truncate(SEARCH_CAP);
    (ids, capped)
}

/// The stream that comes furthest in a page's worth of looking. `reach` answers where each stops; none: at its end.
fn furthest<S, Id: Copy + Ord>(
    tx: &mut dyn Tx,
    mut streams: Vec<S>,
    rising: bool,
    mut reach: impl FnMut(&mut dyn Tx, &S) -> Result<Option<Id>, Error>,
) -> Result<S, Error> {
    let mut best = (0, None);
    for (at, stream) in streams.iter().enumerate().filter(|_| streams.len() > 1) {
        let Some(end) = reach(tx, stream)? else {
            best.0 = at;
            break;
        };
        if best.1.is_none_or(|known| (end > known) == rising) {
            best = (at, Some(end));
        }
    }
    Ok(streams.swap_remove(best.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_found_nothing_leads_back_to_the_row_it_came_from() {
        let place = Place { id: 7, back: false, with: false };
        let page = cut(Read::<i64> { ids: vec![], stopped: None }, Some(place), 2);
        assert_eq!((page.further, page.back), (None, Some(Place { id: 7, back: true, with: true })));
        let page = cut(Read { ids: vec![6, 5, 4], stopped: None }, Some(place), 2);
        assert_eq!(page.rows, [6, 5]);
        assert_eq!(page.further, Some(Place { id: 5, ..place }));
        assert_eq!(page.back, Some(Place { id: 6, back: true, with: false }));
    }

    #[test]
    fn a_page_that_stopped_goes_on_behind_what_it_looked_at() {
        let page = cut(Read { ids: vec![9], stopped: Some(3) }, None, 2);
        assert_eq!((page.further.map(|place| place.id), page.back, page.stopped), (Some(3), None, Some(3)));
        let back = Place { id: 1, back: true, with: false };
        let page = cut(Read { ids: vec![2, 5], stopped: Some(8) }, Some(back), 2);
        assert_eq!(page.rows, [5, 2]);
        assert_eq!(page.back, Some(Place { id: 8, ..back }));
    }
}
