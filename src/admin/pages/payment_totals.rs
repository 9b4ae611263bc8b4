//! What payments of one currency and mode come to, in words and figures.

use crate::admin::views::parts::{Amount, Badge};
use crate::admin::views::payment::Figure;
use crate::admin::views::payments::PaymentTotals;
use crate::domain::money::Money;
use crate::reports::PaymentSum;

pub(super) fn of(sum: &PaymentSum) -> PaymentTotals {
    let figure = |(label, minor)| Figure { label, amount: Amount::new(Money::new(minor, sum.currency)) };
    let mut figures = vec![("Captured", sum.captured), ("Refunded", sum.refunded)];
    figures.extend((sum.lost > 0).then_some(("Lost to disputes", sum.lost)));
    figures.push(("Kept", sum.kept()));
    let of = if sum.payments == 1 { "payment" } else { "payments" };
    PaymentTotals {
        title: format!("{}, {} {of}", sum.currency, sum.payments),
        mode: Badge::mode(sum.livemode.filter(|live| !live)),
        figures: figures.into_iter().map(figure).collect(),
    }
}
