//! What payments come to, each currency and mode by itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::browse::PaymentView;
use crate::domain::money::Currency;
use crate::engine::Engine;
use crate::error::Error;
use crate::store::rows::PaymentRow;

/// What payments of one currency and mode come to, in minor units.
#[derive(Debug)]
pub(crate) struct PaymentSum {
    pub currency: Currency,
    pub livemode: Option<bool>,
    pub payments: usize,
    pub captured: i64,
    pub refunded: i64,
    pub lost: i64,
}

impl PaymentSum {
    /// What was captured and neither refunded nor lost.
    pub(crate) fn kept(&self) -> i64 {
        self.captured.saturating_sub(self.refunded).saturating_sub(self.lost)
    }
}

/// How many payments of a view are added up at the most.
const SUMMED: usize = 500;

impl Engine {
    /// What the first payments of a view come to, and whether that is not all of them: there are more, or one can't be
    /// read.
    pub(crate) async fn payment_sums(self: &Arc<Self>, view: PaymentView) -> Result<(Vec<PaymentSum>, bool), Error> {
        let page = self.readable_payments(view, SUMMED).await?;
        let is_part = page.further.is_some() || page.capped || !page.unreadable.is_empty();
        Ok((add_up(&page.rows), is_part))
    }
}

/// What these payments come to, in the order of the currencies' codes.
pub(super) fn add_up(rows: &[PaymentRow]) -> Vec<PaymentSum> {
    let mut sums: BTreeMap<(String, Option<bool>), PaymentSum> = BTreeMap::new();
    for row in rows {
        let (currency, livemode) = (row.currency, row.livemode);
        let none = PaymentSum { currency, livemode, payments: 0, captured: 0, refunded: 0, lost: 0 };
        let sum = sums.entry((currency.to_string(), livemode.filter(|live| !live))).or_insert(none);
        sum.payments += 1;
        sum.captured = sum.captured.saturating_add(row.captured_amount);
        sum.refunded = sum.refunded.saturating_add(row.refunded_amount);
        sum.lost = sum.lost.saturating_add(row.lost_amount);
    }
    sums.into_values().collect()
}
