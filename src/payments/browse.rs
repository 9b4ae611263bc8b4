//! What do the lists of the admin pages show? One page of rows with the counts of the tabs, read in one go.

use super::Payments;
use crate::domain::event::EventState;
use crate::domain::payment::Status;
use crate::error::Error;
use crate::store::rows::{EventFilter, EventRow, Page, PaymentFilter, PaymentRow};

/// How far the tabs count; what is beyond is "more than".
pub(crate) const COUNT_CAP: i64 = 1_000;
/// How many rows a page has.
const ROWS: i64 = 50;

/// A page of payments.
pub(crate) struct PaymentPage {
    pub rows: Vec<PaymentRow>,
    /// Whether there are older and newer ones.
    pub older: bool,
    pub newer: bool,
    /// How many payments there are of each status, up to [`COUNT_CAP`].
    pub counts: Vec<(Status, i64)>,
    pub needs_review: i64,
    pub all: i64,
}

/// A page of events; the token of the payment that each is about comes with it.
pub(crate) struct EventPage {
    pub rows: Vec<(EventRow, Option<String>)>,
    pub older: bool,
    pub newer: bool,
    /// How many events there are in each state, up to [`COUNT_CAP`].
    pub counts: Vec<(EventState, i64)>,
    pub all: i64,
}

/// Where in a list one is: from the newest, or beside a row.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Place {
    pub before: Option<i64>,
    pub after: Option<i64>,
}

impl Payments {
    pub(crate) async fn browse_payments(&self, mut filter: PaymentFilter, place: Place) -> Result<PaymentPage, Error> {
        filter.variants = self.0.variants.keys().cloned().collect();
        self.read(move |tx| {
            let (rows, older, newer) = cut(place, tx.browse_payments(&filter, page(place))?);
            let counts = Status::ALL
                .into_iter()
                .map(|status| Ok((status, tx.count_payments(Some(status.as_str()), false, COUNT_CAP)?)))
                .collect::<Result<_, Error>>()?;
            let needs_review = tx.count_payments(None, true, COUNT_CAP)?;
            Ok(PaymentPage {
                rows,
                older,
                newer,
                counts,
                needs_review,
                all: tx.count_payments(None, false, COUNT_CAP)?,
            })
        })
        .await
    }

    pub(crate) async fn browse_events(&self, mut filter: EventFilter, place: Place) -> Result<EventPage, Error> {
        filter.variants = self.0.variants.keys().cloned().collect();
        self.read(move |tx| {
            let (rows, older, newer) = cut(place, tx.browse_events(&filter, page(place))?);
            let mut with_tokens = Vec::with_capacity(rows.len());
            for row in rows {
                let token = match row.payment_id {
                    Some(id) => tx.payment(id)?.map(|payment| payment.token),
                    None => None,
                };
                with_tokens.push((row, token));
            }
            let counts = EventState::ALL
                .into_iter()
                .map(|state| Ok((state, tx.count_events(Some(state.as_str()), COUNT_CAP)?)))
                .collect::<Result<_, Error>>()?;
            Ok(EventPage { rows: with_tokens, older, newer, counts, all: tx.count_events(None, COUNT_CAP)? })
        })
        .await
    }
}

/// One row more than is shown tells whether the list goes on.
pub(super) fn page(place: Place) -> Page {
    Page { before: place.before, after: place.after, limit: ROWS + 1 }
}

/// Cuts the extra row off, at the end towards which the list was read; answers whether there is more at either.
pub(super) fn cut<T>(place: Place, mut rows: Vec<T>) -> (Vec<T>, bool, bool) {
    let more = rows.len() as i64 > ROWS;
    let upwards = place.before.is_none() && place.after.is_some();
    if more && upwards {
        rows.remove(0);
    } else if more {
        rows.pop();
    }
    match upwards {
        true => (rows, true, more),
        false => (rows, more, place.before.is_some()),
    }
}
