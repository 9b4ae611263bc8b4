//! Which disputes are there? The open ones by when they are to be answered; all others by their payments. One payment's
//! disputes are never torn apart.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::Timestamp;
use crate::domain::fact::State;
use crate::domain::id::PaymentId;
use crate::domain::scope::Scope;
use crate::engine::Engine;
use crate::error::Error;
use crate::reports::browse::{COUNT_CAP, Counted, DEPTH, Page, Place, ROWS};
use crate::store::Tx;
use crate::store::disputes::{DisputePlace, DisputeRow};

/// The states that have a tab, in their order.
pub(crate) const DISPUTE_STATES: [State; 5] = [State::Open, State::Inquiry, State::Lost, State::Won, State::Closed];

/// All that an address says of a list of disputes, apart from the place in it.
#[derive(Debug, Clone)]
pub(crate) struct DisputeView {
    pub state: State,
    /// Whose disputes may be seen, or the variant of them that was chosen.
    pub scope: Scope,
    pub livemode: Option<bool>,
}

/// A page of the disputes in one state.
pub(crate) struct DisputeList {
    pub page: Page<DisputeRow>,
    /// How many are in each of [`DISPUTE_STATES`], of all that may be seen.
    pub counts: Vec<Counted>,
    /// Whether more are open than are put in order by when they are to be answered: [`DEPTH`].
    pub is_part: bool,
}

impl DisputeView {
    fn is_filtered(&self) -> bool {
        !self.scope.is_all() || self.livemode.is_some()
    }

    fn matches(&self, row: &DisputeRow) -> bool {
        self.scope.allows(&row.variant) && self.livemode.is_none_or(|live| row.livemode == Some(live))
    }
}

impl Engine {
    /// The disputes of a view, among all of a scope.
    pub(crate) async fn disputes(
        self: &Arc<Self>,
        view: DisputeView,
        place: Option<Place>,
        scope: Scope,
    ) -> Result<DisputeList, Error> {
        self.look(move |tx| {
            let (page, is_part) = match view.state {
                State::Open => by_deadline(tx, &view, place)?,
                _ => (by_payment(tx, &view, place, ROWS)?, false),
            };
            Ok(DisputeList { page, is_part, counts: counts(tx, &scope)? })
        })
        .await
    }

    /// A part of the disputes of a view, by their payments, of `size` at the most.
    pub(crate) async fn dispute_page(
        self: &Arc<Self>,
        view: DisputeView,
        place: Option<Place>,
        size: usize,
    ) -> Result<Page<DisputeRow>, Error> {
        self.look(move |tx| by_payment(tx, &view, place, size)).await
    }
}

/// How many disputes are in each state. Of some variants the newest are looked at: no index has theirs.
fn counts(tx: &mut dyn Tx, scope: &Scope) -> Result<Vec<Counted>, Error> {
    if scope.is_all() {
        return Ok(tx.count_disputes(&DISPUTE_STATES, COUNT_CAP)?.into_iter().map(Counted::exactly).collect());
    }
    let mut count = |state: State| {
        let view = DisputeView { state, scope: scope.clone(), livemode: None };
        let found = by_payment(tx, &view, None, DEPTH as usize)?;
        Ok(Counted { count: found.rows.len() as i64, is_more: found.further.is_some() })
    };
    DISPUTE_STATES.into_iter().map(&mut count).collect()
}

/// Looks at as many rows as may be, and leaves out what the filter does not want.
fn by_payment(
    tx: &mut dyn Tx,
    view: &DisputeView,
    place: Option<Place>,
    size: usize,
) -> Result<Page<DisputeRow>, Error> {
    let beside = place.map(|Place { id, back, with }| DisputePlace { payment: PaymentId(id), back, with });
    let limit = if view.is_filtered() { DEPTH.max(size as i64 + 1) } else { size as i64 + 1 };
    let mut rows = tx.browse_disputes(view.state, beside, limit)?;
    let is_part = rows.len() as i64 == limit;
    if is_part {
        cut(&mut rows, usize::try_from(limit).unwrap_or(usize::MAX) - 1);
    }
    let end = rows.last().map(|row| row.payment_id).filter(|_| is_part);
    rows.retain(|row| view.matches(row));
    let is_full = rows.len() > size;
    if is_full {
        cut(&mut rows, size);
    }
    let back = place.is_some_and(|place| place.back);
    let beside = |payment: PaymentId, back| Place { id: payment.0, back, with: false };
    let further = if is_full { rows.last().map(|row| row.payment_id) } else { end };
    let stopped = end.filter(|_| view.is_filtered() && !is_full).map(|payment| payment.0);
    let further = further.map(|payment| beside(payment, back));
    // A page without rows leads back to where it was come from.
    let returning = |place: Place| Place { back: !place.back, with: true, ..place };
    let first = rows.first().map(|row| beside(row.payment_id, !back));
    let came_from = place.and_then(|place| first.or(Some(returning(place))));
    if back {
        rows.reverse();
    }
    let (further, back) = if back { (came_from, further) } else { (further, came_from) };
    Ok(Page { rows, further, back, stopped, capped: false, lost: false, unreadable: Vec::new() })
}

/// Leaves `size` rows at the most of more, and of no payment but a part: of one that alone has more than a page the
/// rest is left out, on its own page it is not.
fn cut(rows: &mut Vec<DisputeRow>, size: usize) {
    let torn = rows[size].payment_id;
    let whole = rows.iter().position(|row| row.payment_id == torn).unwrap_or(size);
    rows.truncate(if whole == 0 { size } else { whole });
}

/// A page of the open disputes, those of the payment first that is to be answered for first, and whether there are more
/// than were put in order.
fn by_deadline(tx: &mut dyn Tx, view: &DisputeView, place: Option<Place>) -> Result<(Page<DisputeRow>, bool), Error> {
    let mut rows = tx.disputes_by_deadline(&view.scope, view.livemode, DEPTH)?;
    let is_part = rows.len() as i64 == DEPTH;
    let mut first: HashMap<PaymentId, Option<Timestamp>> = HashMap::new();
    for row in &rows {
        let known = first.entry(row.payment_id).or_insert(row.until);
        *known = [*known, row.until].into_iter().flatten().min();
    }
    // Those without a deadline come last.
    let sooner = |until: Option<Timestamp>| (until.is_none(), until);
    rows.sort_by_cached_key(|row| {
        let of_payment = sooner(first.get(&row.payment_id).copied().flatten());
        (of_payment, Reverse(row.payment_id), sooner(row.until), row.gateway_ref.clone())
    });
    let found = |id| rows.iter().position(|row| row.payment_id.0 == id);
    let behind = |id| rows.iter().rposition(|row| row.payment_id.0 == id).map(|at| at + 1);
    let known = place.map(|Place { id, back, with }| if back == with { behind(id) } else { found(id) });
    let lost = known.is_some_and(|known| known.is_none());
    let (start, end) = match (place.filter(|_| !lost), known.flatten()) {
        (Some(Place { back: true, .. }), Some(end)) => (end.saturating_sub(ROWS), end),
        (Some(_), Some(start)) => (start, start.saturating_add(ROWS)),
        _ => (0, ROWS),
    };
    let end = end.min(rows.len());
    let is_torn = |at: usize| at > 0 && at < rows.len() && rows[at - 1].payment_id == rows[at].payment_id;
    let start = (start..=end).find(|at| !is_torn(*at)).unwrap_or(start);
    let end = (start + 1..=end).rev().find(|at| !is_torn(*at)).unwrap_or(end);
    let beside = |row: &DisputeRow, back| Place { id: row.payment_id.0, back, with: false };
    let further = rows.get(end..).filter(|rest| !rest.is_empty()).and(rows[..end].last()).map(|row| beside(row, false));
    let back = rows.get(start).filter(|_| start > 0).map(|row| beside(row, true));
    let rows = rows.drain(start..end).collect();
    Ok((Page { rows, further, back, stopped: None, capped: false, lost, unreadable: Vec::new() }, is_part))
}
