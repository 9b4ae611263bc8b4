//! The movements of money, one by one and added up by the month, and what is asked of them.

use diesel::Queryable;

use crate::domain::Timestamp;
use crate::domain::id::PaymentId;
use crate::domain::money::Currency;
use crate::domain::payment::MovementKind;
use crate::domain::scope::Scope;
use crate::error::Error;

/// A stored movement.
#[derive(Debug, Clone, Queryable)]
pub(crate) struct MovementRow {
    pub id: i64,
    pub payment_id: PaymentId,
    pub variant: String,
    pub kind: MovementKind,
    /// Minor units: positive to the merchant, negative from the merchant.
    pub amount: i64,
    pub currency: Currency,
    /// `live` or `test`.
    pub mode: String,
    pub moved_at: Timestamp,
    pub gateway_ref: String,
}

/// A movement to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewMovement {
    pub payment_id: PaymentId,
    pub variant: String,
    pub kind: MovementKind,
    pub amount: i64,
    pub currency: Currency,
    pub mode: &'static str,
    pub moved_at: Timestamp,
    pub gateway_ref: String,
}

/// Which movements of a month are added up together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MonthKey {
    pub mode: String,
    /// Of UTC: `2026-11`.
    pub month: String,
    pub variant: String,
    pub currency: String,
    pub kind: &'static str,
}

/// How many movements there are, and what they come to in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Total {
    pub count: i64,
    pub amount: i64,
}

/// Which movements a book shows.
#[derive(Debug, Clone)]
pub(crate) struct BookFilter {
    /// `live` or `test`.
    pub mode: &'static str,
    /// Whose movements may be seen, or the variant of them that was chosen.
    pub scope: Scope,
    pub currency: Option<String>,
}

/// Where in a book: beside a movement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BookPlace {
    pub at: Timestamp,
    pub id: i64,
    /// Towards newer movements.
    pub back: bool,
    /// The movement itself is part of the page.
    pub with: bool,
}

/// A total of one currency and kind.
pub(crate) type KindTotal = (Currency, MovementKind, Total);

/// The movements of money.
pub(crate) trait Books {
    /// The movements of these payments, each payment's together.
    fn movements_of(&mut self, payments: &[PaymentId]) -> Result<Vec<MovementRow>, Error>;
    /// Removes some movements and adds others.
    fn change_movements(&mut self, gone: &[i64], new: &[NewMovement]) -> Result<(), Error>;
    /// Adds to the totals of months, in the order given.
    fn add_to_months(&mut self, totals: &[(MonthKey, Total)]) -> Result<(), Error>;
    /// One movement.
    fn movement(&mut self, id: i64) -> Result<Option<MovementRow>, Error>;
    /// The movements from `from` to before `until` beside a place, in the order of reading: the newest first, or the
    /// oldest where the place says back.
    fn browse_movements(
        &mut self,
        filter: &BookFilter,
        span: (Timestamp, Timestamp),
        place: Option<BookPlace>,
        limit: i64,
    ) -> Result<Vec<MovementRow>, Error>;
    /// The variants and currencies in which there are movements of this mode.
    fn book_parts(&mut self, mode: &str) -> Result<Vec<(String, String)>, Error>;
    /// What moved before this month of UTC.
    fn totals_before(&mut self, filter: &BookFilter, month: &str) -> Result<Vec<KindTotal>, Error>;
    /// What moved from one moment to before another.
    fn totals_between(&mut self, filter: &BookFilter, span: (Timestamp, Timestamp)) -> Result<Vec<KindTotal>, Error>;
    /// The next payments behind `after`, in the order of their ids.
    fn payments_after(&mut self, after: PaymentId, limit: i64) -> Result<Vec<PaymentId>, Error>;
    /// What the events of these payments said of them: a JSON list of facts for each event.
    fn facts_told_of(&mut self, payments: &[PaymentId]) -> Result<Vec<(PaymentId, String)>, Error>;
}
