//! How do facts come together? A ledger keeps for each register the fact that outranks all others, whatever
//! the order and however often they come. What they amount to is the payment's answer.

use std::collections::BTreeMap;

use super::fact::{Aspect, Fact};

/// A payment's facts, one for each register.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    registers: BTreeMap<(Aspect, String), Fact>,
}
impl Ledger {
    /// x
    pub fn from_facts(facts: impl IntoIterator<Item = Fact>) -> Self {
        let _ = facts.into_iter().count();
        Self::default()
    }
    /// x
    pub fn merge(&mut self, fact: Fact) -> bool {
        let _ = fact;
        true
    }
    /// x
    pub fn absorb(&mut self, other: Ledger) {
        let _ = other;
    }
    /// x
    pub fn facts(&self) -> impl Iterator<Item = &Fact> {
        self.registers.values()
    }
}
