//! The lists of payments and of events, with what stands around them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::counted::{COUNT_CAP, COUNTED, Counted};
use super::view::*;
use super::{events, payments};
use crate::domain::event::EventState;
use crate::domain::id::PaymentId;
use crate::domain::payment::Status;
use crate::domain::scope::Scope;
use crate::engine::Engine;
use crate::error::Error;
use crate::store::Tx;
use crate::store::filters::{EventFilter, EventStream, PaymentFilter, PaymentStream};
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
        let engine = self.clone();
        self.look(move |tx| {
            let variants = view.names(&engine, tx)?;
            payments::page(tx, &view, &variants, place, size)?.whole()
        })
        .await
    }

    /// As [`Engine::payment_page`], without the rows that can't be read: they are told apart.
    pub(crate) async fn readable_payments(
        self: &Arc<Self>,
        view: PaymentView,
        size: usize,
    ) -> Result<Page<PaymentRow>, Error> {
        let engine = self.clone();
        self.look(move |tx| {
            let variants = view.names(&engine, tx)?;
            payments::page(tx, &view, &variants, None, size)
        })
        .await
    }

    /// As [`Payments::payment_page`], of events.
    pub(crate) async fn event_page(
        self: &Arc<Self>,
        view: EventView,
        place: Option<Place>,
        size: usize,
    ) -> Result<Page<EventRow>, Error> {
        let engine = self.clone();
        self.look(move |tx| {
            let variants = view.names(&engine, tx)?;
            events::page(tx, &view, &variants, place, size)?.whole()
        })
        .await
    }

    /// The tokens of the payments before and after one in the order of a list.
    pub(crate) async fn payments_beside(
        self: &Arc<Self>,
        view: PaymentView,
        of: PaymentId,
    ) -> Result<[Option<String>; 2], Error> {
        let engine = self.clone();
        self.look(move |tx| {
            let variants = view.names(&engine, tx)?;
            let mut beside = |back| payment_beside(tx, &view, &variants, of, back);
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
        let engine = self.clone();
        self.look(move |tx| {
            let variants = view.names(&engine, tx)?;
            payments::newer(tx, &view, &variants, than, cap)
        })
        .await
    }

    /// How many events of a list are newer than this one, counted up to `cap`.
    pub(crate) async fn newer_events(self: &Arc<Self>, view: EventView, than: i64, cap: usize) -> Result<usize, Error> {
        let engine = self.clone();
        self.look(move |tx| {
            let variants = view.names(&engine, tx)?;
            events::newer(tx, &view, &variants, than, cap)
        })
        .await
    }

    /// A page of payments with all that stands around it.
    pub(crate) async fn payment_list(
        self: &Arc<Self>,
        view: PaymentView,
        place: Option<Place>,
    ) -> Result<PaymentList, Error> {
        let engine = self.clone();
        self.look(move |tx| {
            let variants = view.names(&engine, tx)?;
            let page = payments::page(tx, &view, &variants, place, ROWS)?;
            let stopped_at = page.stopped.map(|id| tx.payment_times(&[id])).transpose()?.and_then(|times| times[0]);
            let around = payments_around(tx, &view.filter.scope, &variants)?;
            let PaymentsAround { counts, needs_review, currencies } = around;
            Ok(PaymentList { page, stopped_at, counts, needs_review, currencies })
        })
        .await
    }

    /// A page of events with all that stands around it.
    pub(crate) async fn event_list(
        self: &Arc<Self>,
        view: EventView,
        place: Option<Place>,
    ) -> Result<EventList, Error> {
        let engine = self.clone();
        self.look(move |tx| {
            let variants = view.names(&engine, tx)?;
            let page = events::page(tx, &view, &variants, place, ROWS)?;
            let stopped_at = page.stopped.map(|id| tx.event_times(&[id])).transpose()?.and_then(|times| times[0]);
            let of: Vec<PaymentId> = page.rows.iter().filter_map(|row| row.payment_id).collect();
            let tokens = tx.tokens_of(&of)?.into_iter().collect();
            let (counts, kinds) = events_around(tx, &view.filter.scope, &variants)?;
            let registered = if view.filter.scope.is_all() { tx.registered()? } else { Vec::new() };
            let handlers = registered.into_iter().map(|it| it.name).collect();
            Ok(EventList { page, stopped_at, tokens, counts, kinds, handlers })
        })
        .await
    }
}

/// What stands around a list of payments, whatever its filter.
struct PaymentsAround {
    counts: Vec<(Status, Counted)>,
    needs_review: Counted,
    currencies: Vec<String>,
}

fn payments_around(tx: &mut dyn Tx, scope: &Scope, variants: &[String]) -> Result<PaymentsAround, Error> {
    if scope.is_all() {
        let each = Status::ALL.map(PaymentStream::Status);
        let counted = tx.count_payments(&[&[PaymentStream::NeedsReview], &each[..]].concat(), COUNT_CAP)?;
        let mut counted = counted.into_iter().map(Counted::exactly);
        let needs_review = counted.next().unwrap_or_default();
        let counts = Status::ALL.into_iter().zip(counted).collect();
        return Ok(PaymentsAround { counts, needs_review, currencies: tx.currencies(CHOICES)? });
    }
    let filter = PaymentFilter { scope: scope.clone(), ..PaymentFilter::default() };
    let view = PaymentView { filter, ..PaymentView::default() };
    let seen = payments::page(tx, &view, variants, None, COUNTED)?;
    let (rows, is_part) = (&seen.rows, seen.further.is_some());
    let statuses: Vec<Status> = rows.iter().map(|row| row.status).collect();
    let reviews: Vec<bool> = rows.iter().map(|row| row.needs_review).collect();
    let currencies: BTreeSet<String> = rows.iter().map(|row| row.currency.to_string()).collect();
    Ok(PaymentsAround {
        counts: Counted::each(&Status::ALL, &statuses, is_part),
        needs_review: Counted::each(&[true], &reviews, is_part).into_iter().map(|(_, count)| count).sum(),
        currencies: currencies.into_iter().collect(),
    })
}

type StateCounts = Vec<(EventState, Counted)>;

/// How many events are in each state, and the kinds that there are.
fn events_around(tx: &mut dyn Tx, scope: &Scope, variants: &[String]) -> Result<(StateCounts, Vec<String>), Error> {
    if scope.is_all() {
        let each = EventState::ALL.map(EventStream::State);
        let counted = tx.count_events(&each, COUNT_CAP)?.into_iter().map(Counted::exactly);
        return Ok((EventState::ALL.into_iter().zip(counted).collect(), tx.kinds("", CHOICES)?));
    }
    let filter = EventFilter { scope: scope.clone(), ..EventFilter::default() };
    let seen = events::page(tx, &EventView { filter, search: None }, variants, None, COUNTED)?;
    let states: Vec<EventState> = seen.rows.iter().map(|row| row.state).collect();
    let kinds: BTreeSet<String> = seen.rows.into_iter().map(|row| row.kind).collect();
    let counts = Counted::each(&EventState::ALL, &states, seen.further.is_some());
    Ok((counts, kinds.into_iter().take(CHOICES as usize).collect()))
}

/// The token of the payment before or after one in the order of a list, inside a transaction.
pub(crate) fn payment_beside(
    tx: &mut dyn Tx,
    view: &PaymentView,
    variants: &[String],
    of: PaymentId,
    back: bool,
) -> Result<Option<String>, Error> {
    let page = payments::page(tx, view, variants, Some(Place { id: of.0, back, with: false }), 1)?;
    Ok(page.rows.into_iter().next().map(|row| row.token))
}

/// A part of the list of all payments, inside a transaction.
pub(crate) fn payment_rows(tx: &mut dyn Tx, place: Option<Place>, size: usize) -> Result<Page<PaymentRow>, Error> {
    payments::page(tx, &PaymentView::default(), &[], place, size)?.whole()
}

/// A part of the list of one customer's payments, inside a transaction.
pub(crate) fn payments_of_customer(
    tx: &mut dyn Tx,
    address: &str,
    scope: &Scope,
    place: Option<Place>,
    size: usize,
) -> Result<Page<PaymentRow>, Error> {
    let customer = Some(address.to_ascii_lowercase());
    let filter = PaymentFilter { scope: scope.clone(), customer, ..PaymentFilter::default() };
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
    let variants = view.names(engine, tx)?;
    events::page(tx, view, &variants, place, size)?.whole()
}
