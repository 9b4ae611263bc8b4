//! The book of a month: which money moved, one movement after the other, and how the opening and the closing follow
//! from that. The totals come from the months of UTC and the few hours between those and the host's own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::Timestamp;
use crate::domain::id::PaymentId;
use crate::domain::money::{Currency, per_cent};
use crate::domain::payment::MovementKind;
use crate::domain::scope::Scope;
use crate::engine::Engine;
use crate::error::Error;
use crate::reports::browse::{Page, Place, ROWS, page_of};
use crate::store::Tx;
use crate::store::books::{BookFilter, BookPlace, KindTotal, MovementRow, Total};

/// A moment at which a month begins, by the clocks of the host's zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MonthStart {
    /// The month that begins: `2026-11`.
    pub name: String,
    pub at: Timestamp,
    /// When the month of this name begins in UTC.
    pub utc: Timestamp,
}

/// All that an address says of a book, apart from the place in it.
#[derive(Debug, Clone)]
pub(crate) struct BookView {
    pub filter: BookFilter,
    pub from: MonthStart,
    pub until: MonthStart,
}

/// How the money of one currency moved in the month, in minor units.
#[derive(Debug, Clone)]
pub(crate) struct CurrencyBook {
    pub currency: Currency,
    /// What all movements before the month come to.
    pub opening: i64,
    /// What the movements of the month come to, by their kind; kinds without any are left out.
    pub kinds: Vec<(MovementKind, Total)>,
    /// What all movements before the end of the month come to.
    pub closing: i64,
    /// What gateways kept as fees in the month, where they tell; beside the rest, which is gross.
    pub fees: Total,
}

impl CurrencyBook {
    /// Whether nothing moved, and nothing was there before.
    pub(crate) fn is_blank(&self) -> bool {
        self.kinds.is_empty() && self.opening == 0 && self.fees == Total::default()
    }
}

/// What is to be known of the movements of a page.
#[derive(Default)]
pub(crate) struct Beside {
    /// The tokens of the payments whose money moved.
    pub tokens: BTreeMap<PaymentId, String>,
    /// The accounts of those of them that have one other than the merchant's own.
    pub accounts: BTreeMap<PaymentId, String>,
    /// What of a movement is a fee, by the number of the movement.
    pub fees: BTreeMap<i64, i64>,
}

impl Beside {
    /// What is left of a movement with its fee, in minor units, if the fee is known.
    pub(crate) fn net(&self, row: &MovementRow) -> Option<i64> {
        self.fees.get(&row.id).map(|fee| row.amount.saturating_add(*fee))
    }

    /// What part of a movement its fee is, in per cent.
    pub(crate) fn rate(&self, row: &MovementRow) -> Option<String> {
        self.fees.get(&row.id).and_then(|fee| per_cent(fee.saturating_neg(), row.amount))
    }
}

/// A page of the book.
pub(crate) struct Book {
    pub page: Page<MovementRow>,
    pub beside: Beside,
    /// By currency, in the order of their codes.
    pub currencies: Vec<CurrencyBook>,
    /// The currencies in which there are movements of this mode.
    pub offered: Vec<String>,
}

impl Engine {
    /// A page of the book of a month, with its totals, among all of a scope.
    pub(crate) async fn book(
        self: &Arc<Self>,
        view: BookView,
        place: Option<Place>,
        scope: Scope,
    ) -> Result<Book, Error> {
        self.look(move |tx| {
            let beside = place.map(|place| beside(tx, place, &view.filter.scope)).transpose()?.flatten();
            let lost = place.is_some() && beside.is_none();
            let page = Page { lost, ..movements(tx, &view, beside, ROWS)? };
            let beside = Beside::of(tx, &page.rows)?;
            let parts = tx.book_parts(view.filter.mode)?.into_iter();
            let mut offered: Vec<String> =
                parts.filter(|(variant, _)| scope.allows(variant)).map(|(_, currency)| currency).collect();
            offered.sort();
            offered.dedup();
            Ok(Book { page, beside, currencies: totals(tx, &view)?, offered })
        })
        .await
    }

    /// A part of the book, of `size` movements at the most, with what is to be known of them. It goes on beside
    /// `place` even where the movement was there when that was read and is booked anew by now.
    pub(crate) async fn book_page(
        self: &Arc<Self>,
        view: BookView,
        place: Option<BookPlace>,
        size: usize,
    ) -> Result<(Page<MovementRow>, Beside), Error> {
        self.look(move |tx| {
            let page = movements(tx, &view, place, size)?;
            let beside = Beside::of(tx, &page.rows)?;
            Ok((page, beside))
        })
        .await
    }
}

impl Beside {
    fn of(tx: &mut dyn Tx, rows: &[MovementRow]) -> Result<Self, Error> {
        let of: BTreeSet<PaymentId> = rows.iter().map(|row| row.payment_id).collect();
        let of: Vec<PaymentId> = of.into_iter().collect();
        let mut all = tx.movements_of(&of)?;
        all.sort_by_key(|row| (row.moved_at, row.id));
        let (mut sums, mut fees) = (BTreeMap::new(), BTreeMap::new());
        let (kept, gross): (Vec<_>, Vec<_>) = all.iter().partition(|row| row.kind == MovementKind::Fee);
        for fee in kept {
            *sums.entry((fee.payment_id, fee.gateway_ref.as_str(), fee.currency.as_str())).or_insert(0) += fee.amount;
        }
        for ((payment, gateway_ref, currency), amount) in sums.into_iter().filter(|(_, amount)| *amount != 0) {
            let of_it = gross.iter().copied().filter(|row| row.payment_id == payment).collect();
            if let Some(row) = of_fee(of_it, gateway_ref, amount).filter(|row| row.currency.as_str() == currency) {
                *fees.entry(row.id).or_insert(0) += amount;
            }
        }
        let accounts = tx.accounts_of(&of)?.into_iter().collect();
        Ok(Self { tokens: tx.tokens_of(&of)?.into_iter().collect(), accounts, fees })
    }
}

/// Of a payment's movements, the one that an object's fees in all are of. What is kept is kept of the object's capture, or
/// of its chargeback, or of the payment's only capture, which another object may have reported first; what is given back,
/// of the object's first movement. A fee of its own has the object's id before a colon.
fn of_fee<'a>(of_payment: Vec<&'a MovementRow>, gateway_ref: &str, amount: i64) -> Option<&'a MovementRow> {
    let is_objects = |row: &&&MovementRow| row.gateway_ref == gateway_ref;
    let is_own =
        |row: &&&MovementRow| gateway_ref.strip_prefix(&row.gateway_ref).is_some_and(|rest| rest.starts_with(':'));
    let first = of_payment.iter().find(is_objects).or_else(|| of_payment.iter().find(is_own)).copied();
    if amount > 0 {
        return first;
    }
    let captures: Vec<&MovementRow> = of_payment.into_iter().filter(|row| row.kind == MovementKind::Capture).collect();
    let only = captures.first().filter(|_| captures.len() == 1);
    let is_dispute =
        |row: &&MovementRow| matches!(row.kind, MovementKind::DisputeWithdrawn | MovementKind::DisputeReinstated);
    captures.iter().find(is_objects).copied().or(first.filter(is_dispute)).or(only.copied())
}

/// The place beside a movement, if that is still there.
fn beside(tx: &mut dyn Tx, Place { id, back, with }: Place, scope: &Scope) -> Result<Option<BookPlace>, Error> {
    let movement = tx.movement(id)?.filter(|row| scope.allows(&row.variant));
    Ok(movement.map(|row| BookPlace { at: row.moved_at, id, back, with }))
}

fn movements(
    tx: &mut dyn Tx,
    view: &BookView,
    beside: Option<BookPlace>,
    size: usize,
) -> Result<Page<MovementRow>, Error> {
    let place = beside.map(|BookPlace { id, back, with, .. }| Place { id, back, with });
    let limit = i64::try_from(size).unwrap_or(i64::MAX).saturating_add(1);
    let rows = tx.browse_movements(&view.filter, (view.from.at, view.until.at), beside, limit)?;
    Ok(page_of(rows, place, size, |row| row.id))
}

fn totals(tx: &mut dyn Tx, view: &BookView) -> Result<Vec<CurrencyBook>, Error> {
    let [opening, closing] = [&view.from, &view.until].map(|start| so_far(tx, &view.filter, start));
    let (opening, closing) = (opening?, closing?);
    let mut books = BTreeMap::<&str, CurrencyBook>::new();
    for ((currency, kind), after) in &closing {
        let before = opening.get(&(*currency, *kind)).copied().unwrap_or_default();
        let empty =
            CurrencyBook { currency: *currency, opening: 0, kinds: Vec::new(), closing: 0, fees: Total::default() };
        let book = books.entry(currency.as_str()).or_insert(empty);
        let of_month = Total { count: after.count - before.count, amount: after.amount - before.amount };
        if *kind == MovementKind::Fee {
            book.fees = of_month;
            continue;
        }
        book.opening += before.amount;
        book.closing += after.amount;
        book.kinds.extend((of_month != Total::default()).then_some((*kind, of_month)));
    }
    let mut books: Vec<CurrencyBook> = books.into_values().collect();
    for book in &mut books {
        book.kinds.sort_by_key(|(kind, _)| *kind);
    }
    Ok(books)
}

type Totals = std::collections::HashMap<(Currency, MovementKind), Total>;

/// What moved before a month began by the clocks of the host's zone: the months of UTC before it, and less or more what
/// moved in the hours between the two.
fn so_far(tx: &mut dyn Tx, filter: &BookFilter, start: &MonthStart) -> Result<Totals, Error> {
    let mut totals = Totals::new();
    let mut add = |rows: Vec<KindTotal>, sign: i64| {
        for (currency, kind, Total { count, amount }) in rows {
            let total = totals.entry((currency, kind)).or_default();
            *total = Total { count: total.count + sign * count, amount: total.amount + sign * amount };
        }
    };
    add(tx.totals_before(filter, &start.name)?, 1);
    if start.at > start.utc {
        add(tx.totals_between(filter, (start.utc, start.at))?, 1);
    }
    if start.at < start.utc {
        add(tx.totals_between(filter, (start.at, start.utc))?, -1);
    }
    Ok(totals)
}
