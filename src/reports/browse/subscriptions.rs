//! The list of subscriptions, by age or by a moment.

use std::sync::Arc;

use super::counted::{COUNT_CAP, COUNTED, Counted};
use super::scoped::{found_of, own_subscriptions};
use super::subscription_streams::{own_stream, stream};
use super::view::{DEPTH, Page, Place, Read, cut, found};
use super::words::by_words;
use crate::domain::Timestamp;
use crate::domain::id::SubscriptionId;
use crate::domain::scope::Scope;
use crate::domain::subscription::SubscriptionStatus;
use crate::engine::Engine;
use crate::error::Error;
use crate::store::Tx;
use crate::store::filters::{MomentKey, Span};
use crate::store::subscriptions::{
    SubscriptionFilter, SubscriptionRow, SubscriptionSort, SubscriptionStream, SubscriptionWindow,
};

/// How often a list by moments of some variants is read on where others' rows stood, some hundred rows each time.
const LOOKS_ON: usize = 40;

/// All that an address says of a list of subscriptions, apart from the place in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct SubscriptionView {
    pub filter: SubscriptionFilter,
    /// A token, an owner, an email address, or a gateway's id of the subscription, its customer, account or an invoice.
    pub search: Option<String>,
    /// Where the last row of the page before stood in a list that goes by a moment, for a place beside it: the
    /// subscription may have renewed meanwhile.
    pub last_seen: Option<MomentKey>,
}

/// A page of the list.
pub(crate) struct SubscriptionPage {
    pub page: Page<SubscriptionRow>,
    /// Of a list that goes by a moment, where the rows stand beside which it goes on and came from: they may move.
    pub edges: [Option<Timestamp>; 2],
    /// When the row was created where the looking stopped, in a list that goes by age.
    pub stopped_at: Option<Timestamp>,
    /// How many there are in each status, counted up to [`COUNT_CAP`](super::COUNT_CAP).
    pub counts: Vec<(SubscriptionStatus, Counted)>,
}

impl SubscriptionView {
    /// The variants that the list is read by: no search goes by them.
    fn names(&self, engine: &Engine, tx: &mut dyn Tx) -> Result<Vec<String>, Error> {
        engine.names_to_list(tx, (&self.filter.scope, self.filter.variant.as_deref()), None)
    }

    /// Those that renew soonest or are past due the longest come first, where such are asked for; else the newest.
    pub(crate) fn sort(&self) -> SubscriptionSort {
        match (self.filter.renews, self.filter.due_before) {
            (Some(_), _) => SubscriptionSort::Renewal,
            (None, Some(_)) => SubscriptionSort::Due,
            (None, None) => SubscriptionSort::Id,
        }
    }

    /// The same view further on, past this row.
    pub(crate) fn past(self, row: Option<&SubscriptionRow>) -> Self {
        let last_seen = row.and_then(|row| Some(MomentKey { at: self.moment(row)?, id: row.id.0 }));
        Self { last_seen, ..self }
    }

    /// The moment by which a row stands where it does.
    fn moment(&self, row: &SubscriptionRow) -> Option<Timestamp> {
        match self.sort() {
            SubscriptionSort::Renewal => row.period_end,
            SubscriptionSort::Due => row.due_since,
            SubscriptionSort::Id => None,
        }
    }

    /// The moment of the row at a place beside this page, as it was when the page was read.
    fn edge(&self, page: &Page<SubscriptionRow>, place: Option<Place>) -> Option<Timestamp> {
        let id = place?.id;
        let seen = || self.last_seen.as_ref().filter(|key| key.id == id).map(|key| key.at);
        page.rows.iter().find(|row| row.id.0 == id).and_then(|row| self.moment(row)).or_else(seen)
    }
}

impl Engine {
    /// A page of the subscriptions that match, of up to `most`.
    pub(crate) async fn subscription_page(
        self: &Arc<Self>,
        view: SubscriptionView,
        place: Option<Place>,
        most: usize,
    ) -> Result<SubscriptionPage, Error> {
        let engine = self.clone();
        self.look(move |tx| {
            let variants = view.names(&engine, tx)?;
            let page = page(tx, &view, &variants, place, most)?;
            let stopped = page.stopped.filter(|_| view.sort() == SubscriptionSort::Id).map(SubscriptionId);
            let stopped_at = stopped.map(|id| tx.subscription(id)).transpose()?.flatten().map(|row| row.created_at);
            let counts = counts(tx, &view.filter.scope, &variants)?;
            let edges = [page.further, page.back].map(|place| view.edge(&page, place));
            Ok(SubscriptionPage { page, edges, stopped_at, counts })
        })
        .await
    }

    /// How many subscriptions that match are newer than this one, counted up to `cap`.
    pub(crate) async fn newer_subscriptions(
        self: &Arc<Self>,
        view: SubscriptionView,
        than: i64,
        cap: usize,
    ) -> Result<usize, Error> {
        let engine = self.clone();
        self.look(move |tx| {
            let variants = view.names(&engine, tx)?;
            let ids = Span { above: than, below: i64::MAX };
            let window = SubscriptionWindow { ids, rising: true, ..window(&view, SubscriptionSort::Id) };
            Ok(read(tx, &view, &variants, window, cap)?.0.ids.len())
        })
        .await
    }
}

/// How many are in each status that somebody may see.
fn counts(tx: &mut dyn Tx, scope: &Scope, variants: &[String]) -> Result<Vec<(SubscriptionStatus, Counted)>, Error> {
    if scope.is_all() {
        let counts = tx.count_subscriptions(&SubscriptionStatus::ALL, COUNT_CAP)?;
        return Ok(SubscriptionStatus::ALL.into_iter().zip(counts.into_iter().map(Counted::exactly)).collect());
    }
    Ok(counted(&newest(tx, scope, variants)?))
}

/// The newest that somebody may see, of whom there are not all.
pub(crate) fn newest(tx: &mut dyn Tx, scope: &Scope, variants: &[String]) -> Result<Page<SubscriptionRow>, Error> {
    let filter = SubscriptionFilter { scope: scope.clone(), ..SubscriptionFilter::default() };
    page(tx, &SubscriptionView { filter, ..SubscriptionView::default() }, variants, None, COUNTED)
}

/// How many of a page's rows are in each status.
pub(crate) fn counted(page: &Page<SubscriptionRow>) -> Vec<(SubscriptionStatus, Counted)> {
    let statuses: Vec<SubscriptionStatus> = page.rows.iter().map(|row| row.status).collect();
    Counted::each(&SubscriptionStatus::ALL, &statuses, page.further.is_some())
}

/// The page at this place.
fn page(
    tx: &mut dyn Tx,
    view: &SubscriptionView,
    variants: &[String],
    place: Option<Place>,
    size: usize,
) -> Result<Page<SubscriptionRow>, Error> {
    let mut window = window(view, view.sort());
    if let Some(place) = place
        && !narrowed(tx, &mut window, view, place)?
    {
        return Ok(Page::lost());
    }
    let is_by_moment = window.sort != SubscriptionSort::Id && view.search.is_none();
    let (mut found, mut capped) = read(tx, view, variants, window.clone(), size + 1)?;
    if is_by_moment && !view.filter.scope.is_all() {
        capped |= read_on(tx, view, variants, window, &mut found, size + 1)?;
    }
    let page = Page { capped, ..cut(found, place, size) };
    if page.rows.is_empty() {
        return Ok(page.with_rows(Vec::new(), |row: &SubscriptionRow| row.id));
    }
    let among = SubscriptionFilter { among: Some(page.rows.clone()), ..SubscriptionFilter::default() };
    let rows = tx.list_subscriptions(&among, None, size as i64)?;
    Ok(page.with_rows(rows, |row| row.id))
}

/// All that can match by its age, and all that can by its moment; the earliest moments come first.
fn window(view: &SubscriptionView, sort: SubscriptionSort) -> SubscriptionWindow {
    let SubscriptionFilter { renews, due_before, .. } = &view.filter;
    let ever = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
    let (from, until) = renews.or(due_before.map(|at| (Timestamp::UNIX_EPOCH, at))).unwrap_or(ever);
    let moments = Span { above: MomentKey { at: from, id: 0 }, below: MomentKey { at: until, id: 0 } };
    let ids = Span { above: 0, below: i64::MAX };
    SubscriptionWindow { sort, ids, moments, rising: sort != SubscriptionSort::Id, depth: DEPTH }
}

/// Begins the window at this place; `false` when there is no such place.
fn narrowed(
    tx: &mut dyn Tx,
    window: &mut SubscriptionWindow,
    view: &SubscriptionView,
    place: Place,
) -> Result<bool, Error> {
    window.rising = window.rising != place.back;
    let reach = i64::from(place.with);
    let id = if window.rising { place.id.saturating_sub(reach) } else { place.id.saturating_add(reach) };
    if window.sort == SubscriptionSort::Id {
        if window.rising {
            window.ids.above = window.ids.above.max(id);
        } else {
            window.ids.below = window.ids.below.min(id);
        }
        return Ok(true);
    }
    let seen = view.last_seen.clone().filter(|key| key.id == place.id);
    let now = |tx: &mut dyn Tx| tx.subscription_moment(window.sort, SubscriptionId(place.id));
    let scope = &view.filter.scope;
    // Where a row of another stands says when it renews.
    if !scope.is_all() && !tx.subscription(SubscriptionId(place.id))?.is_some_and(|row| scope.allows(&row.variant)) {
        return Ok(false);
    }
    let Some(key) = seen.map_or_else(|| now(tx), |key| Ok(Some(key)))? else { return Ok(false) };
    begin_at(window, MomentKey { id, ..key });
    Ok(true)
}

/// Begins the window behind this moment.
fn begin_at(window: &mut SubscriptionWindow, key: MomentKey) {
    if window.rising {
        window.moments.above = window.moments.above.clone().max(key);
    } else {
        window.moments.below = window.moments.below.clone().min(key);
    }
}

/// Reads on where looking stopped at a row of another variant: no page can begin there, since where that row stands says
/// when it renews. Answers whether it gave up.
fn read_on(
    tx: &mut dyn Tx,
    view: &SubscriptionView,
    variants: &[String],
    mut window: SubscriptionWindow,
    read_so_far: &mut Read<SubscriptionId>,
    limit: usize,
) -> Result<bool, Error> {
    for _ in 0..LOOKS_ON {
        let Some(stop) = read_so_far.stopped.filter(|_| read_so_far.ids.len() < limit) else { return Ok(false) };
        let Some(key) = tx.subscription_moment(window.sort, stop)? else { break };
        begin_at(&mut window, MomentKey { id: stop.0, ..key });
        let (more, _) = read(tx, view, variants, window.clone(), limit - read_so_far.ids.len())?;
        read_so_far.ids.extend(more.ids);
        read_so_far.stopped = more.stopped;
    }
    Ok(read_so_far.stopped.take().is_some())
}

fn read(
    tx: &mut dyn Tx,
    view: &SubscriptionView,
    variants: &[String],
    window: SubscriptionWindow,
    limit: usize,
) -> Result<(Read<SubscriptionId>, bool), Error> {
    let filter = &view.filter;
    let is_by_id = view.search.is_none() && window.sort == SubscriptionSort::Id;
    let (among, rising) = (filter.scope.among(filter.variant.as_deref()), window.rising);
    Read::among(among, is_by_id, rising, limit, |variant, parts| {
        let variant = variant.or_else(|| filter.variant.clone());
        let view = SubscriptionView { filter: SubscriptionFilter { variant, ..filter.clone() }, ..view.clone() };
        let window = SubscriptionWindow { depth: window.depth / parts, ..window.clone() };
        read_of_one(tx, &view, variants, window, limit)
    })
}

fn read_of_one(
    tx: &mut dyn Tx,
    view: &SubscriptionView,
    variants: &[String],
    mut window: SubscriptionWindow,
    limit: usize,
) -> Result<(Read<SubscriptionId>, bool), Error> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    window.depth = window.depth.max(limit);
    if let Some(text) = &view.search {
        let (scope, words) = (&view.filter.scope, by_words(tx, text, &view.filter.scope)?);
        let ids = tx.find_subscriptions(text, found_of(scope))?;
        let mut ids = own_subscriptions(tx, ids, scope)?;
        ids.extend(words.subscriptions);
        let (ids, capped) = found(ids.into_iter().collect());
        let ids = ids.into_iter().filter(|id| window.ids.holds(&id.0)).collect();
        let ids = tx.subscription_ids(&SubscriptionStream::Found(ids), &view.filter, &window, limit)?;
        return Ok((Read { ids, stopped: None }, capped || words.is_more));
    }
    let is_own = !view.filter.scope.is_all() && window.sort == SubscriptionSort::Id;
    let stream = match view.filter.variant.as_deref().filter(|_| is_own) {
        Some(own) => own_stream(tx, &view.filter, own, &mut window)?,
        None => stream(tx, &view.filter, variants, &window)?,
    };
    let ids = tx.subscription_ids(&stream, &view.filter, &window, limit)?;
    let is_short = (ids.len() as i64) < limit;
    let stopped = if is_short { tx.subscription_reach(&stream, &window)? } else { None };
    Ok((Read { ids, stopped }, false))
}
