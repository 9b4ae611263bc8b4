//! Families of objects: a checkout, the intent that it opens and the charges of that intent are one attempt to pay.

use std::collections::BTreeMap;

use crate::domain::fact::{Aspect, Fact};
use crate::domain::ledger::Ledger;

/// How many generations a family has at most. Gateways have three; the limit ends circles, which none of them makes.
const GENERATIONS: usize = 8;

/// Which object of a ledger belongs to which.
pub(super) struct Families<'a> {
    parents: BTreeMap<&'a str, &'a str>,
}

impl<'a> Families<'a> {
    pub(super) fn of(ledger: &'a Ledger) -> Self {
        let mut parents = BTreeMap::new();
        for aspect in [Aspect::Checkout, Aspect::Authorization, Aspect::CaptureTotal, Aspect::Capture] {
            for fact in ledger.facts_of(aspect) {
                if let Some(parent) = fact.parent.as_deref() {
                    parents.entry(fact.gateway_ref.as_str()).or_insert(parent);
                }
            }
        }
        Self { parents }
    }

    /// The id that all members of an object's family lead to.
    pub(super) fn root<'b>(&self, id: &'b str) -> &'b str
    where
        'a: 'b,
    {
        let mut root = id;
        for _ in 0..GENERATIONS {
            match self.parents.get(root) {
                Some(parent) => root = parent,
                None => break,
            }
        }
        root
    }

    /// Whether one object belongs to the other, at once or by others between them.
    pub(super) fn is_within(&self, id: &str, other: &str) -> bool {
        let mut parents = std::iter::successors(self.parents.get(id), |parent| self.parents.get(**parent));
        parents.by_ref().take(GENERATIONS).any(|parent| *parent == other)
    }

    /// The family of the object that a fact is about.
    pub(super) fn of_fact<'b>(&self, fact: &'b Fact) -> &'b str
    where
        'a: 'b,
    {
        self.root(&fact.gateway_ref)
    }
}
