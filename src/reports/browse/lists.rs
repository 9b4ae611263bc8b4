//! The lists of payments and of events, with what stands around them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::view::*;
use super::{events, payments};
use crate::domain::event::EventState;
use crate::domain::id::PaymentId;
use crate::domain::payment::Status;
use crate::engine::Engine;
use crate::error::Error;
use crate::store::Tx;
use crate::store::filters::{EventStream, PaymentFilter, PaymentStream};
use crate::store::rows::{EventRow, PaymentRow};

impl Engine {
    /// A part of a list of payments, of `size` rows at the most. To walk a whole list, go on at
    /// [`further`](Page::further) until there is none.
    ///
    /// # Errors
    /// Also when a row can't be read: a file that left it out would be taken for all.
    pub(crate) async fn payment_page(
        self: &Arc<Self>,
        view: PaymentView,
        place: Option<Place>,
        size: usize,
    ) -> Result<Page<PaymentRow>, Error> {
        let variants = self.names_of_rows().await?;
        self.look(move |tx| payments::page(tx, &view, &variants, place, size)?.whole()).await
    }

    /// As [`Engine::payment_page`], without the rows that can't be read: they are told apart.
    pub(crate) async fn readable_payments(
        self: &Arc<Self>,
        view: PaymentView,
        size: usize,
    ) -> Result<Page<PaymentRow>, Error> {
        let variants = self.names_of_rows().await?;
        self.look(move |tx| payments::page(tx, &view, &variants, None, size)).await
    }

    /// As [`Payments::payment_page`], of events.
    pub(crate) async fn event_page(
        self: &Arc<Self>,
        view: EventView,
        place: Option<Place>,
        size: usize,
    ) -> Result<Page<EventRow>, Error> {
        let variants = self.names_of_rows().await?;
        self.look(move |tx| events::page(tx, &view, &variants, place, size)?.whole()).await
    }

    /// The tokens of the payments before and after one in the order of a list.
    pub(crate) async fn payments_beside(
        self: &Arc<Self>,
        view: PaymentView,
        of: PaymentId,
    ) -> Result<[Option<String>; 2], Error> {
        let variants = self.names_of_rows().await?;
        self.look(move |tx| {
            let mut beside = |back| {
                let place = Place { id: of.0, back, with: false };
                let page = payments::page(tx, &view, &variants, Some(place), 1)?;
                Ok::<_, Error>(page.rows.into_iter().next().map(|row| row.token))
            };
            Ok([beside(true)?, beside(false)?])
        })
        .await
    }

    /// The tokens of these payments.
    pub(crate) async fn tokens_of(
        self: &Arc<Self>,
        payments: Vec<PaymentId>,
    ) -> Result<BTreeMap<PaymentId, String>, Error> {
        self.look(move |tx| Ok(tx.tokens_of(&payments)?.into_iter().collect())).await
    }

    /// How many payments of a list are newer than this one, counted up to `cap`.
    pub(crate) async fn newer_payments(
        self: &Arc<Self>,
        view: PaymentView,
        than: i64,
        cap: usize,
    ) -> Result<usize, Error> {
        let variants = self.names_of_rows().await?;
        self.look(move |tx| payments::newer(tx, &view, &variants, than, cap)).await
    }

    /// How many events of a list are newer than this one, counted up to `cap`.
    pub(crate) async fn newer_events(self: &Arc<Self>, view: EventView, than: i64, cap: usize) -> Result<usize, Error> {
        let variants = self.names_of_rows().await?;
        self.look(move |tx| events::newer(tx, &view, &variants, than, cap)).await
    }

    /// A page of payments with all that stands around it.
    pub(crate) async fn payment_list(
        self: &Arc<Self>,
        view: PaymentView,
        place: Option<Place>,
    ) -> Result<PaymentList, Error> {
        let variants = self.names_of_rows().await?;
        self.look(move |tx| {
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
        let variants = self.names_of_rows().await?;
        self.look(move |tx| {
            let page = events::page(tx, &view, &variants, place, ROWS)?;
            let stopped_at = page.stopped.map(|id| tx.event_times(&[id])).transpose()?.and_then(|times| times[0]);
            let of: Vec<PaymentId> = page.rows.iter().filter_map(|row| row.payment_id).collect();
            let tokens = tx.tokens_of(&of)?.into_iter().collect();
            let each = EventState::ALL.map(EventStream::State);
            let counts = EventState::ALL.into_iter().zip(tx.count_events(&each, COUNT_CAP)?).collect();
            let handlers = tx.registered()?.into_iter().map(|it| it.name).collect();
            Ok(EventList { page, stopped_at, tokens, counts, kinds: tx.kinds("", CHOICES)?, handlers })
        })
        .await
    }
}

/// A part of the list of all payments, inside a transaction.
pub(crate) fn payment_rows(tx: &mut dyn Tx, place: Option<Place>, size: usize) -> Result<Page<PaymentRow>, Error> {
    payments::page(tx, &PaymentView::default(), &[], place, size)?.whole()
}

/// A part of the list of one customer's payments, inside a transaction.
pub(crate) fn payments_of_customer(
    tx: &mut dyn Tx,
    address: &str,
    place: Option<Place>,
    size: usize,
) -> Result<Page<PaymentRow>, Error> {
    let filter = PaymentFilter { customer: Some(address.to_ascii_lowercase()), ..PaymentFilter::default() };
    payments::page(tx, &PaymentView { filter, ..PaymentView::default() }, &[], place, size)
}

/// A part of a list of events, inside a transaction.
pub(crate) fn event_rows(
    engine: &Engine,
    tx: &mut dyn Tx,
    view: &EventView,
    place: Option<Place>,
    size: usize,
) -> Result<Page<EventRow>, Error> {
    let variants = engine.names_in(tx)?;
    events::page(tx, view, &variants, place, size)?.whole()
}
