//! How much went back? Single refunds and a charge's running total count the same money; this says how much
//! they amount to together. That no more goes back than came is the payment's rule.

use std::collections::BTreeMap;

use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::ledger::Ledger;
use crate::domain::money::{Currency, Money};

/// What the ledger knows of one charge's refunds.
#[derive(Default)]
struct Charge<'a> {
    /// The sum of the single refunds that succeeded.
    singles: i64,
    /// Refunds that failed or were taken back.
    undone: Vec<&'a Fact>,
    /// The gateway's running total.
    total: Option<&'a Fact>,
}

impl Charge<'_> {
    /// The running total without the refunds that it still counted and that have come to nothing since: made
    /// before the total was stated, undone then or later. One without a time of making is taken as counted.
    fn corrected_total(&self) -> i64 {
        let Some(total) = self.total else { return 0 };
        let stated = total.occurred_at;
        let counted = |f: &&&Fact| f.since.is_none_or(|made| made <= stated) && f.occurred_at >= stated;
        let undone = self.undone.iter().filter(counted).fold(0, |sum: i64, f| sum.saturating_add(size(f)));
        size(total).saturating_sub(undone).max(0)
    }
}

/// What went back in minor units of `currency`; another currency is not counted.
///
/// Each charge counts its single refunds or its corrected total, whichever is more: either may be ahead of the
/// other. A refund that names no charge belongs to the only charge with a total, if there is just one. Else it
/// may already be within some total, so only what exceeds the totals' surplus over their single refunds is added:
/// the most that surely went back, nothing counted twice.
pub(super) fn refunded(ledger: &Ledger, currency: Currency) -> i64 {
    let charges = by_charge(ledger, currency);
    let (mut sum, mut surplus) = (0_i64, 0_i64);
    for charge in charges.iter().filter_map(|(name, charge)| name.is_some().then_some(charge)) {
        let total = charge.corrected_total();
        sum = sum.saturating_add(total.max(charge.singles));
        surplus = surplus.saturating_add(total.saturating_sub(charge.singles).max(0));
    }
    let loose = charges.get(&None).map_or(0, |charge| charge.singles);
    sum.saturating_add(loose.saturating_sub(surplus).max(0))
}

/// A sentence for each amount that went back in another currency than the payment's.
pub(super) fn concerns(ledger: &Ledger, currency: Currency) -> Vec<String> {
    let refunds = ledger.facts_of(Aspect::Refund).filter(|f| f.state == State::Succeeded);
    let foreign = refunds.chain(ledger.facts_of(Aspect::RefundTotal)).filter(|f| size(f) > 0);
    foreign
        .filter_map(|f| f.currency.filter(|c| *c != currency).map(|c| Money::new(size(f), c)))
        .map(|money| format!("a refund of {money} is not counted, the payment is in {currency}"))
        .collect()
}

fn by_charge(ledger: &Ledger, currency: Currency) -> BTreeMap<Option<&str>, Charge<'_>> {
    let mut charges = BTreeMap::<_, Charge<'_>>::new();
    for total in ledger.facts_of(Aspect::RefundTotal).filter(|f| f.currency == Some(currency)) {
        charges.entry(Some(total.gateway_ref.as_str())).or_default().total = Some(total);
    }
    let only = if charges.len() == 1 { charges.keys().next().copied().flatten() } else { None };
    for refund in ledger.facts_of(Aspect::Refund).filter(|f| f.currency == Some(currency)) {
        let charge = charges.entry(refund.parent.as_deref().or(only)).or_default();
        match refund.state {
            State::Succeeded => charge.singles = charge.singles.saturating_add(size(refund)),
            State::Failed | State::Canceled => charge.undone.push(refund),
            // A refund that is still on its way has returned nothing.
            _ => {}
        }
    }
    charges
}

fn size(fact: &Fact) -> i64 {
    fact.amount.unwrap_or(0).max(0)
}
