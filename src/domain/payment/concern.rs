//! One reason why a person should review a payment: the sentence that people read, and what it is given by.

use crate::domain::fact::Fact;
use crate::domain::money::Money;

/// A reason for a review, and what gives it: a person dismisses it for just that, so that something else which comes
/// later and reads alike needs a decision of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Concern {
    pub(crate) cause: String,
    pub(crate) sentence: String,
}

impl Concern {
    /// `what` a fact is odd for, besides what it states.
    pub(super) fn of(what: &str, fact: &Fact, sentence: String) -> Self {
        let Fact { aspect, gateway_ref, state, .. } = fact;
        let money = fact.amount.zip(fact.currency).map(|(minor, currency)| Money::new(minor, currency).key());
        let (aspect, state) = (aspect.as_str(), state.as_str());
        Self { cause: format!("{what} {aspect} {gateway_ref} {state} {}", money.unwrap_or_default()), sentence }
    }
}
