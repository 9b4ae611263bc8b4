//! Which disputes are there? By where they stand, a page of payments at a time: one payment's disputes are never torn
//! apart.

use std::sync::Arc;

use crate::domain::fact::State;
use crate::domain::id::PaymentId;
use crate::engine::Engine;
use crate::error::Error;
use crate::reports::browse::{COUNT_CAP, Page, Place, ROWS};
use crate::store::disputes::{DisputePlace, DisputeRow};

/// The states that have a tab, in their order.
pub(crate) const DISPUTE_STATES: [State; 5] = [State::Open, State::Inquiry, State::Lost, State::Won, State::Closed];

/// A page of the disputes in one state.
pub(crate) struct DisputeList {
    pub page: Page<DisputeRow>,
    /// How many are in each of [`DISPUTE_STATES`], up to [`COUNT_CAP`].
    pub counts: Vec<i64>,
}

impl Engine {
    /// The disputes in this state.
    pub(crate) async fn disputes(self: &Arc<Self>, state: State, place: Option<Place>) -> Result<DisputeList, Error> {
        let beside = place.map(|Place { id, back, with }| DisputePlace { payment: PaymentId(id), back, with });
        self.look(move |tx| {
            let rows = tx.browse_disputes(state, beside, ROWS as i64 + 1)?;
            Ok(DisputeList { page: cut(rows, place, ROWS), counts: tx.count_disputes(&DISPUTE_STATES, COUNT_CAP)? })
        })
        .await
    }

    /// A part of the disputes in this state, of `size` at the most.
    pub(crate) async fn dispute_page(
        self: &Arc<Self>,
        state: State,
        place: Option<Place>,
        size: usize,
    ) -> Result<Page<DisputeRow>, Error> {
        let beside = place.map(|Place { id, back, with }| DisputePlace { payment: PaymentId(id), back, with });
        self.look(move |tx| Ok(cut(tx.browse_disputes(state, beside, size as i64 + 1)?, place, size))).await
    }
}

/// A page of rows that were read one beyond its size, in the order of the reading.
fn cut(mut rows: Vec<DisputeRow>, place: Option<Place>, size: usize) -> Page<DisputeRow> {
    let back = place.is_some_and(|place| place.back);
    let more = rows.len() > size;
    if more {
        let torn = rows[size].payment_id;
        rows.truncate(size);
        let whole = rows.iter().position(|row| row.payment_id == torn).unwrap_or(rows.len());
        // Of a payment that alone has more than a page the rest is left out, on its own page it is not.
        rows.truncate(if whole == 0 { size } else { whole });
    }
    let beside = |row: Option<&DisputeRow>, back| row.map(|row| Place { id: row.payment_id.0, back, with: false });
    let end = beside(rows.last().filter(|_| more), back);
    // A page without rows leads back to where it was come from.
    let returning = |place: Place| Place { back: !place.back, with: true, ..place };
    let came_from = place.and_then(|place| beside(rows.first(), !back).or(Some(returning(place))));
    if back {
        rows.reverse();
    }
    let (further, back) = if back { (came_from, end) } else { (end, came_from) };
    Page { rows, further, back, stopped: None, capped: false, lost: false, unreadable: Vec::new() }
}
