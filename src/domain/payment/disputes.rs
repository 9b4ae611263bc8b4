//! The money that was lost to disputes. A gateway may also report the same loss as a refund that it made itself, which
//! must not count twice. (The limit to the captured amount is applied elsewhere.)

use std::collections::BTreeSet;
use std::time::Duration;

use super::concern::Concern;
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::identifier::GatewayRef;
use crate::domain::later;
use crate::domain::ledger::{Ledger, is_reversal};
use crate::domain::money::{Currency, Money};

/// The disputes that were decided for the customer, and not reversed.
fn lost_ones(ledger: &Ledger) -> impl Iterator<Item = &Fact> {
    let reversed: BTreeSet<&GatewayRef> = reversals(ledger).into_iter().filter_map(|(_, reversed)| reversed).collect();
    let is_lost = move |fact: &&Fact| fact.state == State::Lost && !reversed.contains(&fact.gateway_ref);
    ledger.facts_of(Aspect::Dispute).filter(is_lost)
}

/// Whether a dispute is open, or lost.
pub(super) fn is_disputed(ledger: &Ledger) -> bool {
    lost_ones(ledger).next().is_some() || ledger.facts_of(Aspect::Dispute).any(|fact| fact.state == State::Open)
}

/// The reversals of disputes that are objects of their own and do not name what they reverse, each with the id of its
/// dispute: the earliest of its capture and amount that had begun by then and that no other one reversed, if any.
fn reversals(ledger: &Ledger) -> Vec<(&Fact, Option<&GatewayRef>)> {
    let of_capture = |fact: &&Fact| fact.parent.is_some();
    let (mut reversals, mut disputes): (Vec<&Fact>, Vec<&Fact>) =
        ledger.facts_of(Aspect::Dispute).filter(of_capture).partition(|fact| is_bare_reversal(fact));
    let since = |fact: &Fact| fact.since.unwrap_or(fact.occurred_at);
    let begun = |fact: &&Fact| (since(fact), fact.gateway_ref.clone());
    // What an earlier release stored of one under its bare id stands beside it.
    let known: BTreeSet<&str> = reversals.iter().map(|fact| fact.gateway_ref.as_str()).collect();
    reversals
        .retain(|fact| fact.state == State::Won && !known.contains(format!("{}:reverse", fact.gateway_ref).as_str()));
    disputes.retain(|fact| matches!(fact.state, State::Lost | State::Won));
    reversals.sort_by_key(begun);
    disputes.sort_by_key(begun);
    let mut reversed = BTreeSet::new();
    let mut of = |reversal: &Fact| {
        let is_same = |dispute: &&Fact| {
            let money = (dispute.amount, dispute.currency) == (reversal.amount, reversal.currency);
            let is_of_it = dispute.parent == reversal.parent && since(dispute) <= since(reversal);
            money && is_of_it && !reversed.contains(&dispute.gateway_ref)
        };
        let found = disputes.iter().copied().find(is_same).map(|dispute| &dispute.gateway_ref);
        reversed.extend(found);
        found
    };
    reversals.into_iter().map(|reversal| (reversal, of(reversal))).collect()
}

/// Whether this is a fee that comes with the reversal of a dispute, and nothing is there to be kept again: the dispute is
/// not known, gave no part of the fee back, or says itself that it is kept again.
pub(super) fn has_nothing_to_keep(ledger: &Ledger, fee: &Fact) -> bool {
    let gave_back =
        |of: &GatewayRef| ledger.get(Aspect::Fee, of).is_some_and(|fee| fee.amount.is_some_and(|minor| minor < 0));
    let of_it = |(reversal, _): &(&Fact, _)| reversal.gateway_ref == fee.gateway_ref;
    let is_of_reversal = ledger.get(Aspect::Dispute, &fee.gateway_ref).is_some_and(is_bare_reversal);
    is_of_reversal && !reversals(ledger).into_iter().find(of_it).and_then(|(_, of)| of).is_some_and(gave_back)
}

/// Whether a fact is the reversal of another dispute, as its face amount says.
fn is_bare_reversal(fact: &Fact) -> bool {
    fact.face == Some(0) && fact.amount.is_some_and(|amount| amount > 0)
}

/// How long after its decision a dispute's own refund may be made.
const SETTLED: Duration = Duration::from_secs(3600);

/// What each lost dispute took of its capture, in minor units of `currency`: the id of that capture or of its intent,
/// and the amount. What the gateway took back of that capture since the dispute began is the same money, and so is what
/// was refunded until it was decided; each refund is the same money once.
pub(super) fn losses(ledger: &Ledger, currency: Currency) -> Vec<(Option<&str>, i64)> {
    let mut disputes: Vec<_> = lost_ones(ledger).filter(|fact| fact.currency == Some(currency)).collect();
    // A refund belongs to the latest dispute that explains it.
    disputes.sort_by_key(|dispute| std::cmp::Reverse(dispute.since));
    let mut losses: Vec<_> = disputes.iter().map(|dispute| (dispute.parent.as_deref(), size(dispute))).collect();
    let explained_by = |refund| (0..disputes.len()).filter(|at| is_same_money(refund, disputes[*at])).collect();
    let mut refunds: Vec<(i64, Vec<usize>)> =
        ledger.facts_of(Aspect::Refund).map(|refund| (size(refund), explained_by(refund))).collect();
    // Those that one dispute alone explains come first.
    refunds.sort_by_key(|(_, disputes)| disputes.len());
    for (mut minor, disputes) in refunds {
        for at in disputes {
            let told = minor.min(losses[at].1);
            losses[at].1 -= told;
            minor -= told;
        }
    }
    losses
}

/// The amount lost to disputes in minor units of `currency`.
pub(super) fn lost(ledger: &Ledger, currency: Currency) -> i64 {
    losses(ledger, currency).into_iter().fold(0, |sum, (_, minor)| sum.saturating_add(minor))
}

/// A concern for each lost dispute that is not counted, and for each reversal that gives back nothing of what was lost.
pub(super) fn concerns(ledger: &Ledger, currency: Currency) -> impl Iterator<Item = Concern> {
    let sentence = move |fact: &Fact| match (fact.currency, fact.amount) {
        (Some(its), Some(_)) if its == currency => None,
        (Some(its), Some(minor)) => {
            let lost = Money::new(minor, its);
            Some(format!("{lost} were lost to a dispute and are not counted, the payment is in {currency}"))
        }
        _ => Some("a dispute was lost, and the gateway does not say how much of it".to_owned()),
    };
    let uncounted = lost_ones(ledger).filter_map(move |fact| Some(Concern::of("dispute", fact, sentence(fact)?)));
    let unpaired = reversals(ledger).into_iter().filter(|(_, reversed)| reversed.is_none());
    uncounted.chain(unpaired.map(|(fact, _)| {
        let money = fact.amount.zip(fact.currency).map(|(minor, its)| Money::new(minor, its).to_string());
        let came = money.unwrap_or_else(|| "money".to_owned());
        let sentence = format!("{came} came back from a dispute, and no lost one of that amount is known: not counted");
        Concern::of("reversal", fact, sentence)
    }))
}

fn is_same_money(refund: &Fact, dispute: &Fact) -> bool {
    let of_it = refund.parent.is_some() && refund.parent == dispute.parent && refund.currency == dispute.currency;
    let since = refund.since.zip(dispute.since).is_some_and(|(refund, dispute)| refund >= dispute);
    let until = refund.since.is_some_and(|refund| refund <= later(dispute.occurred_at, SETTLED));
    of_it && since && (until || is_reversal(refund)) && refund.state == State::Succeeded
}

fn size(fact: &Fact) -> i64 {
    fact.amount.unwrap_or(0).max(0)
}
