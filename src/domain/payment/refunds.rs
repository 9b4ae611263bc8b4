//! The refunded amount of a payment. Single refunds and a charge's running total count the same money, so they cannot
//! simply be added. (The limit to the captured amount is applied elsewhere.)

use std::collections::BTreeMap;
use std::time::Duration;

use super::concern::Concern;
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::later;
use crate::domain::ledger::Ledger;
use crate::domain::money::{Currency, Money};

/// The refunds of one charge.
#[derive(Default)]
struct Charge<'a> {
    /// The single refunds.
    singles: Vec<&'a Fact>,
    /// The gateway's running total.
    total: Option<&'a Fact>,
}

impl Charge<'_> {
    /// The sum of the single refunds that are in one of these states and match.
    fn sum(&self, states: &[State], is_match: impl Fn(&Fact) -> bool) -> i64 {
        let of = self.singles.iter().filter(|f| states.contains(&f.state) && is_match(f));
        of.fold(0, |sum: i64, f| sum.saturating_add(size(f)))
    }

    /// What was certainly refunded. A total includes what was made before it was stated, pending or not. It is the
    /// later word on refunds that were last told of before it, and says nothing of those that were made afterwards.
    fn refunded(&self) -> i64 {
        let all = self.sum(&[State::Succeeded], |_| true);
        let Some(total) = self.total else { return all };
        let stated = total.occurred_at;
        let since = self.sum(&[State::Succeeded], |f| comes_after(f, total));
        // A total that is only known to be the least one does not take anything back.
        let is_exact = total.state == State::Succeeded;
        let certain = self.sum(&[State::Succeeded], |f| !is_exact || f.occurred_at >= stated);
        self.corrected(total).saturating_add(since).max(certain)
    }

    /// The pending refunds that are not in [`Charge::refunded`] yet.
    fn pending(&self) -> i64 {
        let pending = self.sum(&PENDING, |_| true);
        let Some(total) = self.total else { return pending };
        let later = |f: &Fact| comes_after(f, total);
        let known = self.sum(&[State::Succeeded], |_| true).saturating_add(pending);
        self.sum(&PENDING, later).max(known.saturating_sub(self.refunded())).min(pending).max(0)
    }

    /// The running total without the refunds that it includes but that were undone since: created before the total was
    /// stated, and undone later. A refund without a creation time counts as included.
    fn corrected(&self, total: &Fact) -> i64 {
        let stated = if total.state == State::Open { later(total.occurred_at, CLOCKS) } else { total.occurred_at };
        let included = |f: &Fact| !comes_after(f, total);
        let undone = self.sum(&UNDONE, |f| included(f) && f.occurred_at > stated);
        let rest = size(total).saturating_sub(undone).max(0);
        // Of the same second, the total may be from before a refund was undone or from after it.
        let same = self.sum(&UNDONE, |f| included(f) && f.occurred_at == stated);
        rest.saturating_sub(same.min(self.includes_at_most(total, rest))).max(0)
    }

    /// The most that a total may include of refunds that were undone within the second in which it was stated: not
    /// what the other refunds explain, nothing where the total was restated, and not what it just went down by.
    fn includes_at_most(&self, total: &Fact, rest: i64) -> i64 {
        let Some(before) = total.face else { return 0 };
        let stated = total.occurred_at;
        let others = self.sum(&[State::Succeeded, State::Pending, State::ActionRequired], |f| !comes_after(f, total));
        let went_down = before.saturating_sub(size(total)).max(0);
        let same = self.sum(&UNDONE, |f| f.occurred_at == stated);
        rest.saturating_sub(others).min(same.saturating_sub(went_down)).max(0)
    }
}

/// Whether a refund was made after its charge's total was stated, so that it comes on top of it. Where the two times can't
/// be compared, those are that the total does not name among its own. If it names none, nothing comes on top, and of the
/// total only that counts which the single refunds do not explain.
fn comes_after(refund: &Fact, total: &Fact) -> bool {
    if total.state == State::Open {
        return total.includes(&refund.gateway_ref) == Some(false);
    }
    refund.since.is_some_and(|made| made > total.occurred_at)
}

/// How far the clock for refunds may be ahead of the one for totals, where their times can't be compared: a total that was
/// stated when a refund had just been undone includes it no more.
const CLOCKS: Duration = Duration::from_secs(10);

const PENDING: [State; 2] = [State::Pending, State::ActionRequired];
const UNDONE: [State; 2] = [State::Failed, State::Canceled];

/// The refunded amount in minor units of `currency`. Refunds in other currencies are not counted.
///
/// A refund that names no charge belongs to the only charge with a total, if there is just one. Otherwise some total
/// may already include it, so only the part that exceeds the totals' surplus over their single refunds is added. The
/// result is the most that was certainly refunded, with nothing counted twice.
pub(super) fn refunded(ledger: &Ledger, currency: Currency) -> i64 {
    let charges = by_charge(ledger, currency);
    let (mut sum, mut surplus) = (0_i64, 0_i64);
    for charge in charges.iter().filter_map(|(name, charge)| name.is_some().then_some(charge)) {
        let refunded = charge.refunded();
        sum = sum.saturating_add(refunded);
        surplus = surplus.saturating_add(refunded.saturating_sub(charge.sum(&[State::Succeeded], |_| true)).max(0));
    }
    let loose = charges.get(&None).map_or(0, Charge::refunded);
    sum.saturating_add(loose.saturating_sub(surplus).max(0))
}

/// What was refunded of each charge or is about to be, in minor units of `currency`, with the charge's id.
pub(super) fn taken(ledger: &Ledger, currency: Currency) -> Vec<(Option<&str>, i64)> {
    let charges = by_charge(ledger, currency);
    charges.iter().map(|(name, charge)| (*name, charge.refunded().saturating_add(charge.pending()))).collect()
}

/// A concern for each refund in another currency than the payment's.
pub(super) fn concerns(ledger: &Ledger, currency: Currency) -> impl Iterator<Item = Concern> {
    let refunds = ledger.facts_of(Aspect::Refund).filter(|f| f.state == State::Succeeded);
    let foreign = refunds.chain(ledger.facts_of(Aspect::RefundTotal)).filter(|f| size(f) > 0);
    foreign.filter_map(move |f| {
        let money = Money::new(size(f), f.currency.filter(|its| *its != currency)?);
        let sentence = format!("a refund of {money} is not counted, the payment is in {currency}");
        Some(Concern::of("refund", f, sentence))
    })
}

fn by_charge(ledger: &Ledger, currency: Currency) -> BTreeMap<Option<&str>, Charge<'_>> {
    let mut charges = BTreeMap::<_, Charge<'_>>::new();
    for total in ledger.facts_of(Aspect::RefundTotal).filter(|f| f.currency == Some(currency)) {
        charges.entry(Some(total.gateway_ref.as_str())).or_default().total = Some(total);
    }
    let only = if charges.len() == 1 { charges.keys().next().copied().flatten() } else { None };
    for refund in ledger.facts_of(Aspect::Refund).filter(|f| f.currency == Some(currency)) {
        charges.entry(refund.parent.as_deref().or(only)).or_default().singles.push(refund);
    }
    charges
}

fn size(fact: &Fact) -> i64 {
    fact.amount.unwrap_or(0).max(0)
}
