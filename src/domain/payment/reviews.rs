//! What people decided about a payment that needed review: the amounts that they accepted, and the reasons that they
//! dismissed. Decisions are facts like any other, so their order makes no difference.

use crate::domain::Timestamp;
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::ledger::Ledger;
use crate::domain::money::{Currency, Money};

/// That this amount is the payment's, though another was agreed.
pub(crate) fn accepted(amount: Money, at: Timestamp, event_id: &str) -> Fact {
    let fact = Fact::new(Aspect::Review, amount.key(), State::Accepted, at, event_id);
    fact.with_amount(amount.minor, amount.currency)
}

/// That the payment needs no review for what this gives the reason of.
pub(crate) fn dismissed(cause: &str, at: Timestamp, event_id: &str) -> Fact {
    Fact::new(Aspect::Review, cause, State::Dismissed, at, event_id)
}

/// The accepted amounts, in minor units of `currency`.
pub(super) fn accepted_amounts(ledger: &Ledger, currency: Currency) -> impl Iterator<Item = i64> {
    let of_it = move |fact: &&Fact| fact.state == State::Accepted && fact.currency == Some(currency);
    ledger.facts_of(Aspect::Review).filter(of_it).filter_map(|fact| fact.amount).filter(|minor| *minor > 0)
}

pub(super) fn is_dismissed(ledger: &Ledger, cause: &str) -> bool {
    ledger.get(Aspect::Review, &cause.into()).is_some_and(|fact| fact.state == State::Dismissed)
}
