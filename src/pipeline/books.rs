//! The movements of payments, kept beside them: what follows from each ledger is compared with what is stored, and the
//! difference is written, with the totals of the months that it changes.

use std::collections::BTreeMap;

use crate::domain::Timestamp;
use crate::domain::id::PaymentId;
use crate::domain::ledger::Ledger;
use crate::domain::payment::movements;
use crate::error::Error;
use crate::store::Tx;
use crate::store::books::{MonthKey, MovementRow, NewMovement, Total};
use crate::store::rows::PaymentRow;

/// The largest amount that is booked, in minor units, as in the other sums: more is somebody's mistake.
const LARGEST: u64 = 1_000_000_000_000_000;

/// What a payment's ledger makes of its book.
pub(crate) fn booked(row: &PaymentRow, ledger: &Ledger) -> Vec<NewMovement> {
    let all = movements(ledger, row.currency);
    // Of a payment with such an amount nothing is booked: what is left would not add up.
    if all.iter().any(|movement| movement.amount.unsigned_abs() > LARGEST) {
        return Vec::new();
    }
    all.into_iter()
        .map(|movement| NewMovement {
            payment_id: row.id,
            variant: row.variant.clone(),
            kind: movement.kind,
            amount: movement.amount,
            currency: movement.currency,
            mode: if row.livemode == Some(false) { "test" } else { "live" },
            moved_at: movement.moved_at,
            gateway_ref: movement.gateway_ref.into(),
        })
        .collect()
}

/// What movements that were written or removed change in the totals of months.
#[derive(Debug, Default)]
#[must_use = "the totals have to agree with the movements"]
pub(crate) struct Totals(BTreeMap<MonthKey, Total>);

impl Totals {
    /// Writes it down, in one order for all workers. Late in the transaction: its rows are everybody's.
    pub(crate) fn write(self, tx: &mut dyn Tx) -> Result<(), Error> {
        tx.add_to_months(&self.0.into_iter().collect::<Vec<_>>())
    }

    fn add(&mut self, key: MonthKey, count: i64, amount: i64) {
        let total = self.0.entry(key).or_default();
        *total = Total { count: total.count + count, amount: total.amount.saturating_add(amount) };
    }
}

/// Makes `wanted` the movements of these payments, which the transaction holds; answers what the totals change by.
pub(crate) fn write(tx: &mut dyn Tx, payments: &[PaymentId], mut wanted: Vec<NewMovement>) -> Result<Totals, Error> {
    let (mut totals, mut gone) = (Totals::default(), Vec::new());
    for stored in tx.movements_of(payments)? {
        let same = wanted.iter().position(|new| is_same(&stored, new));
        if let Some(at) = same {
            wanted.remove(at);
        } else {
            let MovementRow { mode, variant, currency, kind, moved_at, amount, .. } = &stored;
            totals.add(key(mode, variant, currency.as_str(), kind.as_str(), *moved_at), -1, -amount);
            gone.push(stored.id);
        }
    }
    for new in &wanted {
        let key = key(new.mode, &new.variant, new.currency.as_str(), new.kind.as_str(), new.moved_at);
        totals.add(key, 1, new.amount);
    }
    tx.change_movements(&gone, &wanted)?;
    totals.0.retain(|_, total| *total != Total::default());
    Ok(totals)
}

fn is_same(stored: &MovementRow, new: &NewMovement) -> bool {
    let of = (stored.payment_id, &stored.variant, stored.mode.as_str(), &stored.gateway_ref);
    let money = (stored.kind, stored.amount, stored.currency, stored.moved_at);
    of == (new.payment_id, &new.variant, new.mode, &new.gateway_ref)
        && money == (new.kind, new.amount, new.currency, new.moved_at)
}

fn key(mode: &str, variant: &str, currency: &str, kind: &'static str, at: Timestamp) -> MonthKey {
    let at = at.to_offset(time::UtcOffset::UTC);
    MonthKey {
        mode: mode.to_owned(),
        month: format!("{:04}-{:02}", at.year(), u8::from(at.month())),
        variant: variant.to_owned(),
        currency: currency.to_owned(),
        kind,
    }
}
