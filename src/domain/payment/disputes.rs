//! The money that was lost to disputes. A gateway may also report the same loss as a refund that it made itself, which
//! must not count twice. (The limit to the captured amount is applied elsewhere.)

use std::time::Duration;

use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::later;
use crate::domain::ledger::{Ledger, is_reversal};
use crate::domain::money::{Currency, Money};

/// The disputes that were decided for the customer.
fn lost_ones(ledger: &Ledger) -> impl Iterator<Item = &Fact> {
    ledger.facts_of(Aspect::Dispute).filter(|fact| fact.state == State::Lost)
}

/// How long after its decision a dispute's own refund may be made.
const SETTLED: Duration = Duration::from_secs(3600);

/// What each lost dispute took of its capture, in minor units of `currency`: the id of that capture or of its intent,
/// and the amount. What the gateway took back of that capture since the dispute began is the same money, and so is what
/// was refunded until it was decided.
pub(super) fn losses(ledger: &Ledger, currency: Currency) -> impl Iterator<Item = (Option<&str>, i64)> {
    lost_ones(ledger).filter(move |fact| fact.currency == Some(currency)).map(move |fact| {
        let went_back = ledger.facts_of(Aspect::Refund).filter(|refund| is_same_money(refund, fact));
        let told = went_back.fold(0, |sum: i64, refund| sum.saturating_add(size(refund)));
        (fact.parent.as_deref(), size(fact).saturating_sub(told).max(0))
    })
}

/// The amount lost to disputes in minor units of `currency`.
pub(super) fn lost(ledger: &Ledger, currency: Currency) -> i64 {
    losses(ledger, currency).fold(0, |sum, (_, minor)| sum.saturating_add(minor))
}

/// A sentence for each lost dispute that is not counted.
pub(super) fn concerns(ledger: &Ledger, currency: Currency) -> Vec<String> {
    let sentence = |fact: &Fact| match (fact.currency, fact.amount) {
        (Some(its), Some(_)) if its == currency => None,
        (Some(its), Some(minor)) => {
            let lost = Money::new(minor, its);
            Some(format!("{lost} were lost to a dispute and are not counted, the payment is in {currency}"))
        }
        _ => Some("a dispute was lost, and the gateway does not say how much of it".to_owned()),
    };
    lost_ones(ledger).filter_map(sentence).collect()
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
