//! The refunded amount of a payment. Single refunds and a charge's running total count the same money, so they cannot
//! simply be added. (The limit to the captured amount is applied elsewhere.)

use std::collections::BTreeMap;

use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::ledger::Ledger;
use crate::domain::money::{Currency, Money};

/// The refunds of one charge.
#[derive(Default)]
struct Charge<'a> {
    /// The sum of the single refunds that succeeded.
    singles: i64,
    /// Refunds that failed or were canceled.
    undone: Vec<&'a Fact>,
    /// The gateway's running total.
    total: Option<&'a Fact>,
}

impl Charge<'_> {
    /// The running total without the refunds that it includes but that were undone since: created before the total was
    /// stated, and undone at that time or later. A refund without a creation time counts as included.
    fn corrected_total(&self) -> i64 {
        let Some(total) = self.total else { return 0 };
        let stated = total.occurred_at;
        let is_included = |f: &&&Fact| f.since.is_none_or(|made| made <= stated) && f.occurred_at >= stated;
        let undone = self.undone.iter().filter(is_included).fold(0, |sum: i64, f| sum.saturating_add(size(f)));
        size(total).saturating_sub(undone).max(0)
    }
}

/// The refunded amount in minor units of `currency`. Refunds in other currencies are not counted.
///
/// For each charge, the larger of its single refunds and its corrected total counts, since either may be ahead of the
/// other. A refund that names no charge belongs to the only charge with a total, if there is just one. Otherwise some
/// total may already include it, so only the part that exceeds the totals' surplus over their single refunds is added.
/// The result is the most that was certainly refunded, with nothing counted twice.
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

/// A sentence for each refund in another currency than the payment's.
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
            // A pending refund has not returned anything yet.
            _ => {}
        }
    }
    charges
}

fn size(fact: &Fact) -> i64 {
    fact.amount.unwrap_or(0).max(0)
}
