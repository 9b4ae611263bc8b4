//! What a batch of events asks of the database: a bounded number of statements, whatever the size of the batch.

use std::collections::HashMap;

use super::rows::{Claim, Claimed, DoneHandler, NewAttempt, NewTransition, PaymentRow, TransitionRow, Verdict};
use crate::domain::Timestamp;
use crate::domain::event::EventState;
use crate::domain::fact::{Aspect, Fact};
use crate::domain::failure_group::failure_group;
use crate::domain::id::{EventId, PaymentId, SubscriptionId, TransitionId};
use crate::domain::identifier::GatewayRef;
use crate::domain::ledger::Ledger;
use crate::error::Error;

/// A gateway's name of an object: the variant, and the gateway ref.
pub(crate) type Key = (String, String);

/// Where an event stands at the end of its batch.
#[derive(Debug, Clone)]
pub(crate) struct EventEnd {
    pub id: EventId,
    pub attempts: i64,
    /// The number of the claim that this batch is, or would have been.
    pub claims: i64,
    pub verdict: Verdict,
    pub payment: Option<PaymentId>,
    pub subscription: Option<SubscriptionId>,
    /// The reference that found the payment.
    pub matched_by: Option<String>,
}

impl Verdict {
    /// What the failure has in common with others, if it is one.
    pub(super) fn failure_group(&self) -> Option<String> {
        failure_group(self.code, &self.outcome)
    }
}

/// What an event said, and what the ledger made of it; for the pages.
#[derive(Debug, Clone)]
pub(crate) struct EventFacts {
    pub event: EventId,
    pub summary: String,
    /// A JSON list, see `engine/event_facts.rs`.
    pub facts: String,
}

/// A register of a payment's ledger, to be written.
#[derive(Debug, Clone)]
pub(crate) struct LedgerEntry {
    pub payment: PaymentId,
    pub fact: Fact,
    /// What else was told of its money.
    pub earlier: Vec<Fact>,
}

impl LedgerEntry {
    /// This register of a payment's ledger.
    pub(crate) fn of(payment: PaymentId, ledger: &Ledger, (aspect, text): &(Aspect, GatewayRef)) -> Option<Self> {
        let fact = ledger.get(*aspect, text)?.clone();
        Some(Self { payment, fact, earlier: ledger.earlier(*aspect, text).to_vec() })
    }
}

/// An event's way out of its running state: what its handlers did, written by one statement for many events.
#[derive(Debug, Clone)]
pub(crate) struct Settled {
    pub claim: Claim,
    pub verdict: Verdict,
}

impl Settled {
    /// Whether the attempt is taken back: an event that is given back unfinished waits, and waiting is no attempt.
    pub(crate) fn returns_attempt(&self) -> bool {
        matches!(self.verdict.state, EventState::Parked | EventState::Available)
    }
}

/// Reading and writing for many events at once.
pub(crate) trait Sets {
    /// Whether an event of these variants is due. Locks nothing.
    fn is_due(&mut self, now: Timestamp, variants: &[String]) -> Result<bool, Error>;
    /// Up to `limit` due events of these variants, oldest due first, held until the transaction ends; in the order of
    /// their ids, and counted as claimed once more.
    fn due_events(&mut self, now: Timestamp, limit: i64, variants: &[String]) -> Result<Vec<Claimed>, Error>;
    /// Those of these events that are due, held and counted in the same way.
    fn due_among(&mut self, ids: &[EventId], now: Timestamp) -> Result<Vec<Claimed>, Error>;
    /// Those of these events of a variant that are available, held and counted in the same way.
    fn named_events(&mut self, variant: &str, ids: &[String], now: Timestamp) -> Result<Vec<Claimed>, Error>;
    /// Holds other writers off these references until the transaction ends, so that an event can't be parked
    /// while its payment is being created.
    fn lock_references(&mut self, keys: &[Key]) -> Result<(), Error>;
    /// Which payments these tokens are of: an absorbed payment's token leads to the payment that absorbed it.
    fn payments_by_tokens(&mut self, tokens: &[String]) -> Result<Vec<(String, PaymentId)>, Error>;
    /// Which payments these references are linked to.
    fn payments_by_references(&mut self, keys: &[Key]) -> Result<Vec<(Key, PaymentId)>, Error>;
    /// These payments, each held until the transaction ends; locked in the order of their ids.
    fn hold_payments(&mut self, ids: &[PaymentId]) -> Result<Vec<PaymentRow>, Error>;
    /// The facts of these payments, and what else was told of money.
    fn ledgers(&mut self, payments: &[PaymentId]) -> Result<Vec<(PaymentId, Fact)>, Error>;
    /// The transitions that these events caused, oldest first.
    fn transitions_by(&mut self, events: &[EventId]) -> Result<Vec<TransitionRow>, Error>;
    /// The handlers that are done with these events: those that succeeded, and those that gave up since the event was
    /// last requeued.
    fn done_handlers(&mut self, events: &[EventId]) -> Result<HashMap<EventId, Vec<DoneHandler>>, Error>;

    /// Writes where events of this batch stand; they are held by this transaction.
    fn end_events(&mut self, ends: &[EventEnd]) -> Result<(), Error>;
    /// Keeps the ids by which events name their payments: event, variant, gateway ref.
    fn keep_references(&mut self, references: &[(EventId, String, String)]) -> Result<(), Error>;
    /// Keeps what events said and did.
    fn keep_event_facts(&mut self, facts: &[EventFacts]) -> Result<(), Error>;
    /// Links references that are not linked yet.
    fn link(&mut self, links: &[(Key, PaymentId)]) -> Result<(), Error>;
    /// Makes events due that bear one of these references and that wait for them: parked ones, and those that were
    /// ignored because nothing bore them, as long as their bodies are there; answers how many.
    fn wake(&mut self, keys: &[Key], now: Timestamp) -> Result<usize, Error>;
    /// How many events wait for one of these references.
    fn count_waiting(&mut self, keys: &[Key]) -> Result<i64, Error>;
    /// Writes registers of ledgers.
    fn keep_facts(&mut self, entries: &[LedgerEntry]) -> Result<(), Error>;
    /// Writes payments; each must still be of the version that was read, which is the row's.
    ///
    /// # Errors
    /// `Conflict` when another writer came first.
    fn save_payments(&mut self, rows: &[PaymentRow], now: Timestamp) -> Result<(), Error>;
    /// Adds transitions; answers their ids in the same order.
    fn add_transitions(&mut self, transitions: &[NewTransition]) -> Result<Vec<TransitionId>, Error>;
    /// Adds finished attempts.
    fn add_attempts(&mut self, attempts: &[NewAttempt]) -> Result<(), Error>;
    /// Writes what became of claimed events; answers of each whether it was still held.
    fn settle_events(&mut self, settled: &[Settled]) -> Result<Vec<bool>, Error>;
    /// Lengthens leases; answers the claims that are still held.
    fn renew(&mut self, claims: &[Claim], lease_until: Timestamp) -> Result<Vec<Claim>, Error>;
    /// Fails where the transaction can't be committed any more: a statement of a handler's failed and the handler
    /// said nothing of it.
    fn check(&mut self) -> Result<(), Error>;
}

/// The gateway refs of each variant, each once and in order.
pub(super) fn by_variant(keys: &[Key]) -> Vec<(&str, Vec<&str>)> {
    let mut sorted: Vec<(&str, &str)> = keys.iter().map(|(variant, text)| (variant.as_str(), text.as_str())).collect();
    sorted.sort_unstable();
    sorted.dedup();
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for (variant, text) in sorted {
        match groups.last_mut() {
            Some((last, refs)) if *last == variant => refs.push(text),
            _ => groups.push((variant, vec![text])),
        }
    }
    groups
}
