//! A payment as a batch holds it in memory, and what of it is to be written.

use std::collections::BTreeSet;

use crate::domain::Timestamp;
use crate::domain::fact::{Aspect, Fact};
use crate::domain::id::PaymentId;
use crate::domain::identifier::GatewayRef;
use crate::domain::ledger::{Effect, Ledger};
use crate::domain::payer::Payer;
use crate::store::rows::PaymentRow;
use crate::store::sets::LedgerEntry;
use crate::store::words::KnownPayer;

/// A payment in memory.
pub(super) struct Held {
    /// As the batch has it now; its version is the one that was read.
    pub(super) row: PaymentRow,
    pub(super) ledger: Ledger,
    /// Whether the row differs from the stored one.
    pub(super) is_changed: bool,
    /// The registers that differ from the stored ones.
    pub(super) registers: BTreeSet<(Aspect, GatewayRef)>,
    /// Whether the stored ledger is to be emptied first.
    pub(super) is_rebuilt: bool,
    /// What is known of whoever paid, and when that was last told, if ever.
    pub(super) payer: (Payer, Option<Timestamp>),
    /// Whether that differs from what is stored.
    pub(super) is_payer_changed: bool,
    /// Whether the customer's address is new, by which a search finds it.
    pub(super) is_address_new: bool,
}

impl Held {
    pub(super) fn new(row: PaymentRow, ledger: Ledger) -> Self {
        Self {
            row,
            ledger,
            is_changed: false,
            registers: BTreeSet::new(),
            is_rebuilt: false,
            payer: Default::default(),
            is_payer_changed: false,
            is_address_new: false,
        }
    }

    /// What is known of whoever paid, where that differs from what is stored.
    pub(super) fn changed_payer(&self, payment: PaymentId) -> Option<KnownPayer> {
        let (payer, told_at) = self.payer.clone();
        told_at.filter(|_| self.is_payer_changed).map(|told_at| KnownPayer { payment, payer, told_at })
    }

    /// Takes over what an event of this time tells of whoever paid.
    pub(super) fn told(&mut self, payer: &Payer, at: Timestamp) {
        let (known, told_at) = &mut self.payer;
        if payer.is_empty() || !known.learn(payer, told_at.map_or(std::cmp::Ordering::Equal, |last| at.cmp(&last))) {
            return;
        }
        *told_at = Some(told_at.map_or(at, |last| last.max(at)));
        self.is_payer_changed = true;
    }

    /// Whether a search finds it by other words than before.
    pub(super) fn has_new_words(&self) -> bool {
        self.is_payer_changed || self.is_address_new
    }

    /// Puts a fact in the place of what the ledger has; answers whether that was another.
    pub(super) fn replace(&mut self, fact: &Fact) -> bool {
        let is_changed = self.ledger.replace(fact.clone());
        if is_changed {
            self.registers.insert((fact.aspect, fact.gateway_ref.clone()));
        }
        is_changed
    }

    /// Adds a fact to the ledger.
    pub(super) fn insert(&mut self, fact: &Fact) -> Effect {
        let earlier = self.ledger.earlier(fact.aspect, &fact.gateway_ref).to_vec();
        let effect = self.ledger.insert(fact.clone());
        if effect.changed() || self.ledger.earlier(fact.aspect, &fact.gateway_ref) != earlier {
            self.registers.insert((fact.aspect, fact.gateway_ref.clone()));
        }
        effect
    }

    /// The registers that differ from the stored ones, as those of this payment.
    pub(super) fn entries(&self, payment: PaymentId) -> impl Iterator<Item = LedgerEntry> {
        self.registers.iter().filter_map(move |register| LedgerEntry::of(payment, &self.ledger, register))
    }
}
