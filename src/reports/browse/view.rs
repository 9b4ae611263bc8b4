//! What a list shows: its view, a place in it, and a page of it. Pages go by key, forth and back, each of bounded cost
//! whatever the filter: a page looks at so many rows and then says how far it came.

use std::collections::BTreeMap;

use super::counted::Counted;
use crate::domain::Timestamp;
use crate::domain::event::EventState;
use crate::domain::id::PaymentId;
use crate::domain::money::Decimal;
use crate::domain::payment::Status;
use crate::domain::scope::Among;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind};
use crate::store::Tx;
use crate::store::filters::{AmountKey, EventFilter, PaymentFilter};
use crate::store::rows::{EventRow, PaymentRow};

/// How many rows a search finds at the most.
pub(crate) const SEARCH_CAP: usize = 500;
/// How many rows a page of a list has.
pub(crate) const ROWS: usize = 50;
/// How many rows of a stream are looked at for one page: at a million events, each may lie in a part of the file of
/// its own.
pub(crate) const DEPTH: i64 = 500;
/// How many rows are looked through, for somebody who may see some variants' only, of what is not theirs alone: more than
/// there usually are, so that what a page says of its end tells nothing of others' rows.
pub(crate) const AMONG_OTHERS: i64 = 10_000;
/// How many currencies or kinds a filter offers at the most.
pub(super) const CHOICES: i64 = 100;

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
    /// Where the last row of the page before stood by its amount, for a place beside it: the amount may have changed.
    pub last_seen: Option<AmountKey>,
}

/// All that an address says of a list of events, apart from the place in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct EventView {
    pub filter: EventFilter,
    /// An event's id, any reference, or a payment's token or reference.
    pub search: Option<String>,
}

impl PaymentView {
    /// The variants that the list is read by.
    pub(crate) fn names(&self, engine: &Engine, tx: &mut dyn Tx) -> Result<Vec<String>, Error> {
        engine.names_to_list(tx, (&self.filter.scope, self.filter.variant.as_deref()), self.search.as_deref())
    }
}

impl EventView {
    /// The variants that the list is read by.
    pub(crate) fn names(&self, engine: &Engine, tx: &mut dyn Tx) -> Result<Vec<String>, Error> {
        engine.names_to_list(tx, (&self.filter.scope, self.filter.variant.as_deref()), self.search.as_deref())
    }

    /// Whether it leaves any event out.
    pub(crate) fn is_filtered(&self) -> bool {
        let seen = EventFilter { scope: self.filter.scope.clone(), ..EventFilter::default() };
        self.search.is_some() || self.filter != seen
    }
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
    /// There is no such place in the list: this is its beginning, or of subscriptions nothing.
    pub lost: bool,
    /// What is beside the rows, in the order of the list.
    pub unreadable: Vec<Unreadable>,
}

/// A row that can't be read, and its place in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable {
    pub id: i64,
    /// How many rows come before it.
    pub at: usize,
    /// What is wrong with it, and in which column.
    pub why: String,
}

/// A page of payments, the tabs above it and what its filter offers. Counts go up to [`COUNT_CAP`](super::COUNT_CAP).
pub(crate) struct PaymentList {
    pub page: Page<PaymentRow>,
    /// When the row was created where the looking stopped.
    pub stopped_at: Option<Timestamp>,
    pub counts: Vec<(Status, Counted)>,
    pub needs_review: Counted,
    pub currencies: Vec<String>,
}

/// A page of events, the tabs above it and what its filter offers. Counts go up to [`COUNT_CAP`](super::COUNT_CAP).
pub(crate) struct EventList {
    pub page: Page<EventRow>,
    /// When the event was received where the looking stopped.
    pub stopped_at: Option<Timestamp>,
    /// The tokens of the payments that the events are about.
    pub tokens: BTreeMap<PaymentId, String>,
    pub counts: Vec<(EventState, Counted)>,
    pub kinds: Vec<String>,
    /// The handlers that any process has registered.
    pub handlers: Vec<String>,
}

/// What was read of a list, in the order of the reading.
pub(super) struct Read<Id> {
    pub(super) ids: Vec<Id>,
    pub(super) stopped: Option<Id>,
}

impl<Id: Copy + Ord> Read<Id> {
    /// Nothing, and nothing left out.
    pub(super) fn nothing() -> Self {
        Self { ids: Vec::new(), stopped: None }
    }

    /// Reads what somebody may see: of one variant what its own index has; of several, each by itself, since no index
    /// has them together in its order, if the list goes by id. `read` is given the variant, and into how many parts the
    /// looking is divided.
    pub(super) fn among(
        among: Among,
        is_by_id: bool,
        rising: bool,
        limit: usize,
        mut read: impl FnMut(Option<String>, i64) -> Result<(Self, bool), Error>,
    ) -> Result<(Self, bool), Error> {
        match among {
            Among::Nothing => Ok((Self::nothing(), false)),
            Among::One(name) => read(Some(name), 1),
            Among::Each(names) if is_by_id => {
                let parts = names.len() as i64;
                let reads = names.into_iter().map(|name| Ok(read(Some(name), parts)?.0));
                Ok((Self::together(reads.collect::<Result<_, Error>>()?, rising, limit), false))
            }
            Among::Any | Among::Each(_) | Among::Many => read(None, 1),
        }
    }

    /// What several reads by id have together, in their order and as far as each was looked at.
    pub(super) fn together(reads: Vec<Self>, rising: bool, limit: usize) -> Self {
        let stopped = nearest(reads.iter().filter_map(|read| read.stopped), rising);
        let mut ids: Vec<Id> = reads.into_iter().flat_map(|read| read.ids).collect();
        ids.sort_unstable_by(|a, b| if rising { a.cmp(b) } else { b.cmp(a) });
        ids.retain(|id| stopped.is_none_or(|end| if rising { *id <= end } else { *id >= end }));
        ids.truncate(limit);
        Self { stopped: stopped.filter(|_| ids.len() < limit), ids }
    }
}

/// Which of these ends is reached first.
pub(super) fn nearest<Id: Ord>(ends: impl Iterator<Item = Id>, rising: bool) -> Option<Id> {
    if rising { ends.min() } else { ends.max() }
}

/// Makes a page of what was read, one row more than its size where the list goes on.
pub(super) fn cut<Id: Copy + Into<i64>>(mut read: Read<Id>, place: Option<Place>, size: usize) -> Page<Id> {
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
    Page { rows: read.ids, further, back: returned, stopped, capped: false, lost: false, unreadable: Vec::new() }
}

/// A page of rows that were read one beyond its size, in the order of the reading.
pub(crate) fn page_of<T>(rows: Vec<T>, place: Option<Place>, size: usize, id: impl Fn(&T) -> i64) -> Page<T> {
    part_of(rows, place, size, None, id)
}

/// The same where the looking may have stopped at a row.
pub(crate) fn part_of<T>(
    rows: Vec<T>,
    place: Option<Place>,
    size: usize,
    stopped: Option<i64>,
    id: impl Fn(&T) -> i64,
) -> Page<T> {
    let read: Read<i64> = Read { ids: rows.iter().map(&id).collect(), stopped };
    let shown = cut(read, place, size);
    let rows = rows.into_iter().filter(|row| shown.rows.contains(&id(row))).collect();
    shown.with_rows(rows, id)
}

impl<Id> Page<Id> {
    /// The same page with what was read of it.
    pub(super) fn with<T>(self, (rows, unreadable): (Vec<T>, Vec<Unreadable>)) -> Page<T> {
        let Self { further, back, stopped, capped, lost, .. } = self;
        Page { rows, further, back, stopped, capped, lost, unreadable }
    }
}

impl<Id: PartialEq> Page<Id> {
    /// The same page with what the ids stand for.
    pub(super) fn with_rows<T>(self, mut rows: Vec<T>, id: impl Fn(&T) -> Id) -> Page<T> {
        let place = |row: &T| self.rows.iter().position(|known| *known == id(row));
        rows.sort_by_cached_key(place);
        self.with((rows, Vec::new()))
    }
}

impl<T> Page<T> {
    /// A page at a place that is gone.
    pub(super) fn lost() -> Self {
        let (rows, unreadable) = Default::default();
        Self { rows, further: None, back: None, stopped: None, capped: false, lost: true, unreadable }
    }

    /// The same page, if all of its rows can be read: for what must leave none out.
    pub(crate) fn whole(self) -> Result<Self, Error> {
        match self.unreadable.first() {
            Some(Unreadable { id, why, .. }) => {
                Err(Error::new(ErrorKind::Storage, format!("row {id} can't be read: {why}")))
            }
            None => Ok(self),
        }
    }

    /// Something for each row, readable or not, in their order.
    pub(crate) fn each<R>(&self, row: impl Fn(&T) -> R) -> Vec<Result<R, Unreadable>> {
        let mut each: Vec<Result<R, Unreadable>> = self.rows.iter().map(|one| Ok(row(one))).collect();
        for one in &self.unreadable {
            each.insert(one.at.min(each.len()), Err(one.clone()));
        }
        each
    }
}

/// What a search found, newest first, and whether that is not all.
pub(super) fn found<Id: Ord>(mut ids: Vec<Id>) -> (Vec<Id>, bool) {
    ids.sort_unstable_by(|a, b| b.cmp(a));
    ids.dedup();
    let capped = ids.len() > SEARCH_CAP;
    ids.truncate(SEARCH_CAP);
    (ids, capped)
}

/// The stream to be read for somebody who may see the rows of one of them, their own, and some of the others': one of the
/// others if its end is near, so that it depends on nobody else's rows whether a page is said to have stopped. `ends`
/// answers whether it is.
pub(super) fn own_or_whole<S>(
    tx: &mut dyn Tx,
    others: Vec<S>,
    own: S,
    mut ends: impl FnMut(&mut dyn Tx, &S) -> Result<bool, Error>,
) -> Result<(S, Option<i64>), Error> {
    for stream in others {
        if ends(tx, &stream)? {
            return Ok((stream, Some(AMONG_OTHERS)));
        }
    }
    Ok((own, None))
}

/// The stream that comes furthest in a page's worth of looking. `reach` answers where each stops; none: at its end.
pub(super) fn furthest<S, Id: Copy + Ord>(
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
