//! Which payments are there? Lists for hosts.

use std::sync::Arc;

use super::part::Part;
use super::walk::Walk;
use crate::domain::Timestamp;
use crate::domain::identifier::{VariantName, asked, searchable};
use crate::domain::mode::Mode;
use crate::domain::payment::Status;
use crate::engine::{Engine, Payment};
use crate::error::Error;
use crate::reports::browse::{PaymentView, payments_in};

/// How many payments with one reference are found.
const SAME: i64 = 100;

/// Which payments to list: those that match every condition set. Absorbed payments are not listed.
///
/// See [`Payments::list`](crate::Payments::list) for an example.
#[derive(Debug, Clone, Default)]
#[must_use = "a query is answered by `Payments::list` or `Payments::walk`"]
pub struct PaymentQuery {
    view: PaymentView,
    part: Part,
}

/// A part of a list of payments.
///
/// See [`Payments::list`](crate::Payments::list) for an example.
#[derive(Debug, Clone, serde::Serialize)]
#[non_exhaustive]
pub struct PaymentList {
    /// The payments. There may be fewer than requested before the end of the list, since a call looks at a limited
    /// number of rows.
    pub payments: Vec<Payment>,
    /// Where the list continues: pass it to [`PaymentQuery::after`]. `None` at the end.
    pub next: Option<i64>,
}

impl PaymentQuery {
    /// All payments, newest first.
    pub fn new() -> Self {
        Self::default()
    }

    /// Those in this status; if called more than once, in any of them. Default: in every one.
    pub fn status(mut self, status: Status) -> Self {
        self.view.filter.statuses.push(status);
        self
    }

    /// Those of the customer with this email address; the case of A to Z makes no difference. Default: of all.
    pub fn customer(mut self, email: impl AsRef<str>) -> Self {
        self.view.filter.customer = Some(asked(email.as_ref().to_ascii_lowercase()));
        self
    }

    /// Those through this variant. Default: through every one.
    pub fn variant(mut self, variant: impl Into<VariantName>) -> Self {
        self.view.filter.variant = Some(asked(variant.into()));
        self
    }

    /// Those of this account of the gateway's, which is not the merchant's own. Default: of every one.
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.view.filter.account = Some(asked(account));
        self
    }

    /// Those that a person should look at.
    pub fn needs_review(mut self) -> Self {
        self.view.filter.needs_review = true;
        self
    }

    /// Those with real money, or tests. Default: both, and those whose mode no event has said yet.
    pub fn mode(mut self, mode: Mode) -> Self {
        self.view.filter.livemode = Some(mode == Mode::Live);
        self
    }

    /// Those that were created at this moment or later.
    pub fn created_from(mut self, moment: Timestamp) -> Self {
        self.view.filter.from = Some(moment);
        self
    }

    /// Those that were created before this moment.
    pub fn created_before(mut self, moment: Timestamp) -> Self {
        self.view.filter.until = Some(moment);
        self
    }

    /// The oldest first. Default: the newest.
    pub fn oldest_first(mut self) -> Self {
        self.view.order.rising = true;
        self
    }

    /// Continues a list: the `next` of an earlier part. Default: from the beginning.
    pub fn after(mut self, next: i64) -> Self {
        self.part.after = Some(next);
        self
    }

    /// How many at the most, 1 to 1,000. Default 100.
    pub fn limit(mut self, limit: u32) -> Self {
        self.part.limit(limit);
        self
    }
}

impl Engine {
    /// A part of the payments that match.
    pub(crate) async fn list_payments(self: &Arc<Self>, query: PaymentQuery) -> Result<PaymentList, Error> {
        let PaymentQuery { view, part } = query;
        let engine = self.clone();
        self.read(move |tx| {
            let variants = view.names(&engine, tx)?;
            let page = payments_in(tx, &view, &variants, part.place(), part.size())?.whole()?;
            let payments = page.rows.iter().map(Payment::of).collect();
            Ok(PaymentList { payments, next: page.further.map(|place| place.id) })
        })
        .await
    }

    /// The payments with this reference, newest first.
    pub(crate) async fn payments_with_reference(self: &Arc<Self>, reference: &str) -> Result<Vec<Payment>, Error> {
        if !searchable(reference) {
            return Ok(Vec::new());
        }
        let reference = reference.to_owned();
        self.read(move |tx| {
            let ids = tx.payments_with_reference(&reference, SAME)?;
            let mut rows = tx.payments_of(&ids)?;
            rows.sort_by_key(|row| std::cmp::Reverse(row.id));
            Ok(rows.iter().map(Payment::of).collect())
        })
        .await
    }

    /// The payment to which this object belongs.
    pub(crate) async fn payment_at(
        self: &Arc<Self>,
        variant: &str,
        gateway_ref: &str,
    ) -> Result<Option<Payment>, Error> {
        if ![variant, gateway_ref].into_iter().all(searchable) {
            return Ok(None);
        }
        let key = (variant.to_owned(), gateway_ref.to_owned());
        self.read(move |tx| {
            let Some((_, id)) = tx.payments_by_references(std::slice::from_ref(&key))?.pop() else { return Ok(None) };
            Ok(tx.payment(id)?.as_ref().map(Payment::of))
        })
        .await
    }

    /// All payments that match, part by part.
    pub(crate) fn walk_payments(self: &Arc<Self>, query: PaymentQuery) -> Walk<Payment> {
        let engine = self.clone();
        Walk::new(query.part.after, move |after| {
            let (engine, query) = (engine.clone(), PaymentQuery { part: query.part.from(after), ..query.clone() });
            Box::pin(async move { engine.list_payments(query).await.map(|list| (list.payments, list.next)) })
        })
    }
}
