//! All that the events of a batch may touch, in memory: payments, ledgers and references, and what is to be written.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::books::Totals;
use super::dues::Dues;
use super::fetching::FetchSet;
use super::held::Held;
use super::subscriptions::SubscriptionSet;
use crate::domain::event::{References, distinct, storable};
use crate::domain::fact::Fact;
use crate::domain::id::{EventId, PaymentId};
use crate::domain::identifier::{GatewayRef, Token};
use crate::domain::ledger::Ledger;
use crate::engine::tally::Moved;
use crate::error::{Error, ErrorKind};
use crate::store::Tx;
use crate::store::rows::{DoneHandler, NewTransition, PaymentDraft, PaymentRow, TransitionRow};
use crate::store::sets::{EventEnd, EventFacts, Key};

/// What a batch knows, and what it changed.
#[derive(Default)]
pub(crate) struct WorkingSet {
    payments: BTreeMap<PaymentId, Held>,
    tokens: HashMap<String, PaymentId>,
    references: HashMap<Key, PaymentId>,
    /// Of what leads to no payment: the invoices and the tokens of subscriptions that were started here.
    billed: (HashSet<Key>, HashSet<String>),
    pub(crate) dues: Dues,
    pub(crate) subscriptions: SubscriptionSet,
    pub(crate) fetches: FetchSet,
    /// What attempts before this one left behind, of events that had one.
    pub(super) earlier: HashMap<EventId, Vec<TransitionRow>>,
    pub(super) done: HashMap<EventId, Vec<DoneHandler>>,
    pub(super) changes: Changes,
}

/// What is to be written, in the order in which it came about.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) ends: Vec<EventEnd>,
    pub(super) event_references: Vec<(EventId, String, String)>,
    pub(super) event_facts: Vec<EventFacts>,
    /// What events of before say by today's reading, each once.
    pub(super) reread: BTreeMap<EventId, EventFacts>,
    pub(super) links: Vec<(Key, PaymentId)>,
    /// Payments to be made; until they are, the first has the id -1, the second -2 and so on.
    pub(super) adopted: Vec<PaymentDraft>,
    pub(super) transitions: Vec<NewTransition>,
    /// Adopted payments that turned out to be others: from, into.
    pub(super) absorbed: Vec<(PaymentId, PaymentId)>,
    pub(super) money: Moved,
    /// What the movements change in the totals of months.
    pub(super) totals: Totals,
}

/// The payment that an event is about.
pub(crate) struct Match {
    pub(crate) payment: PaymentId,
    /// The reference that decided it.
    pub(crate) matched_by: String,
    /// Adopted payments that are the same one.
    pub(crate) same: Vec<PaymentId>,
    /// Whether the references also lead to another payment that the host created.
    pub(crate) is_ambiguous: bool,
}

/// All ids by which an event names its payment, tokens first, each once, without those that can't be stored.
pub(crate) fn all(references: &References) -> Vec<String> {
    storable_once(
        references.tokens.iter().map(Token::as_str).chain(references.gateway_refs.iter().map(GatewayRef::as_str)),
    )
}

/// The ids that may be linked to a payment: the gateway's own, never what only may be a token.
pub(super) fn linkable(references: &References) -> Vec<String> {
    storable_once(references.gateway_refs.iter().map(GatewayRef::as_str))
}

fn storable_once<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    distinct(texts.into_iter().filter(|text| storable(text)).map(|text| Some(text.to_owned())))
}

impl WorkingSet {
    /// Reads what these references lead to and holds it until the transaction ends: references first and then payments,
    /// each in one order, so that two workers never wait for each other in a circle.
    pub(super) fn hold(tx: &mut dyn Tx, wanted: &[(&str, &References)]) -> Result<Self, Error> {
        let (tokens, keys) = names(wanted);
        let of_tokens = wanted.iter().flat_map(|(variant, references)| {
            references.tokens.iter().filter(|text| storable(text)).map(|text| ((*variant).to_owned(), text.to_string()))
        });
        let mut locks: Vec<Key> = keys.iter().cloned().chain(of_tokens).collect();
        locks.sort_unstable();
        locks.dedup();
        tx.lock_references(&locks)?;
        let mut set = Self::default();
        let found = set.look_up(tx, &tokens, &keys)?;
        let rows = tx.hold_payments(&found)?;
        // Absorbed after the reference was looked up and before the payment was held.
        if rows.len() < found.len() || rows.iter().any(|row| row.absorbed_by.is_some()) {
            return Err(Error::new(ErrorKind::Conflict, "a payment was absorbed meanwhile"));
        }
        set.take(tx, rows)?;
        set.look_up_subscriptions(tx, wanted)?;
        Ok(set)
    }

    /// The same without holding anything: for looking, and for payments that are held already.
    pub(crate) fn read(tx: &mut dyn Tx, wanted: &[(&str, &References)]) -> Result<Self, Error> {
        let mut set = Self::default();
        set.extend(tx, wanted)?;
        Ok(set)
    }

    /// Reads what more references lead to.
    pub(super) fn extend(&mut self, tx: &mut dyn Tx, wanted: &[(&str, &References)]) -> Result<(), Error> {
        let (tokens, keys) = names(wanted);
        let mut found = self.look_up(tx, &tokens, &keys)?;
        found.retain(|id| !self.payments.contains_key(id));
        let rows = tx.payments_of(&found)?;
        self.take(tx, rows)?;
        self.look_up_subscriptions(tx, wanted)
    }

    /// Of what leads to no payment: what is known as a subscription's of ours.
    fn look_up_subscriptions(&mut self, tx: &mut dyn Tx, wanted: &[(&str, &References)]) -> Result<(), Error> {
        let mut left = wanted.to_vec();
        left.retain(|(variant, references)| self.find(variant, references, None).is_none());
        let (tokens, keys) = names(&left);
        let (invoices, tokens) = tx.started_here(&keys, &tokens)?;
        self.billed.0.extend(invoices);
        self.billed.1.extend(tokens);
        Ok(())
    }

    /// Whether these name an invoice or the token of a subscription that was started here.
    pub(super) fn bills_ours(&self, variant: &str, references: &References) -> bool {
        let is_billed = |text: &GatewayRef| self.billed.0.contains(&(variant.to_owned(), text.into()));
        references.tokens.iter().any(|token| self.billed.1.contains(token.as_str()))
            || references.gateway_refs.iter().any(is_billed)
            || self.subscriptions.bills_ours(variant, references)
    }

    /// The payments that these lead to, in the order of their ids.
    fn look_up(&mut self, tx: &mut dyn Tx, tokens: &[String], keys: &[Key]) -> Result<Vec<PaymentId>, Error> {
        let tokens = tx.payments_by_tokens(tokens)?;
        let links = tx.payments_by_references(keys)?;
        let ids = tokens.iter().map(|(_, id)| *id).chain(links.iter().map(|(_, id)| *id));
        let ids: BTreeSet<PaymentId> = ids.collect();
        self.tokens.extend(tokens);
        self.references.extend(links);
        Ok(ids.into_iter().collect())
    }

    fn take(&mut self, tx: &mut dyn Tx, rows: Vec<PaymentRow>) -> Result<(), Error> {
        let ids: Vec<PaymentId> = rows.iter().map(|row| row.id).collect();
        let mut facts: HashMap<PaymentId, Vec<Fact>> = HashMap::new();
        for (payment, fact) in tx.ledgers(&ids)? {
            facts.entry(payment).or_default().push(fact);
        }
        let known = tx.payers_of(&ids)?.into_iter();
        let mut payers: HashMap<PaymentId, _> =
            known.map(|known| (known.payment, (known.payer, Some(known.told_at)))).collect();
        for row in rows {
            let ledger = Ledger::from_facts(facts.remove(&row.id).unwrap_or_default());
            let payer = payers.remove(&row.id).unwrap_or_default();
            self.payments.insert(row.id, Held { payer, ..Held::new(row, ledger) });
        }
        Ok(())
    }

    /// Reads what earlier attempts of these events left behind.
    pub(crate) fn take_earlier(&mut self, tx: &mut dyn Tx, events: &[EventId]) -> Result<(), Error> {
        if events.is_empty() {
            return Ok(());
        }
        for step in tx.transitions_by(events)? {
            if let Some(event) = step.event_id {
                self.earlier.entry(event).or_default().push(step);
            }
        }
        self.done = tx.done_handlers(events)?;
        self.subscriptions.take_earlier(tx, events)
    }

    /// The handlers that were done with the event before.
    pub(crate) fn done_before(&self, event: EventId) -> &[DoneHandler] {
        self.done.get(&event).map_or(&[], Vec::as_slice)
    }

    /// Follows an event's references. A token of ours outweighs the gateway's ids, and is looked for among tokens only:
    /// what a customer may choose must not pass for an id of the gateway's. It leads to no payment of another account:
    /// whoever owns an account chooses its tokens, and the gateway the ids.
    pub(crate) fn find(&self, variant: &str, references: &References, account: Option<&str>) -> Option<Match> {
        let mut found: Vec<(&str, PaymentId)> = Vec::new();
        let tokens = self.of_tokens(variant, references).filter(|(_, id)| !self.is_of_another(*id, account));
        let tokens = tokens.map(|(token, id)| (token.as_str(), id));
        let refs = references.gateway_refs.iter();
        let refs = refs
            .filter_map(|text| Some((text.as_str(), *self.references.get(&(variant.to_owned(), text.to_string()))?)));
        for (text, id) in tokens.chain(refs) {
            if found.iter().all(|(_, other)| *other != id) {
                found.push((text, id));
            }
        }
        let is_adopted = |id: PaymentId| self.payments.get(&id).is_some_and(|held| held.row.adopted);
        let first = found.iter().position(|(_, id)| !is_adopted(*id)).or(found.first().map(|_| 0))?;
        let (matched_by, payment) = found.swap_remove(first);
        let (same, others): (Vec<_>, Vec<_>) = found.into_iter().map(|(_, id)| id).partition(|id| is_adopted(*id));
        Some(Match { payment, matched_by: matched_by.to_owned(), same, is_ambiguous: !others.is_empty() })
    }

    /// The payments of this variant that bear one of these tokens.
    fn of_tokens<'a>(
        &'a self,
        variant: &'a str,
        references: &'a References,
    ) -> impl Iterator<Item = (&'a Token, PaymentId)> + 'a {
        let known = references.tokens.iter().filter_map(|text| Some((text, *self.tokens.get(text.as_str())?)));
        known.filter(move |(_, id)| self.payments.get(id).is_some_and(|held| held.row.variant == variant))
    }

    /// Whether the payment is known to be of another account than this one.
    fn is_of_another(&self, payment: PaymentId, account: Option<&str>) -> bool {
        let known = self.payments.get(&payment).and_then(|held| held.row.account.as_deref());
        account.zip(known).is_some_and(|(account, known)| account != known)
    }

    /// The token of a payment of another account that an event of this account bears.
    pub(super) fn token_of_another(
        &self,
        variant: &str,
        references: &References,
        account: Option<&str>,
    ) -> Option<String> {
        let mut tokens = self.of_tokens(variant, references);
        tokens.find(|(_, id)| self.is_of_another(*id, account)).map(|(text, _)| text.clone()).map(String::from)
    }

    /// Whether this id of the gateway's was linked to another payment that the host created.
    pub(crate) fn belongs_elsewhere(&self, variant: &str, gateway_ref: &str, payment: PaymentId) -> bool {
        let linked = self.references.get(&(variant.to_owned(), gateway_ref.to_owned()));
        let other = linked.filter(|id| **id != payment).and_then(|id| self.payments.get(id));
        other.is_some_and(|held| !held.row.adopted)
    }

    /// The payment as the batch has it now.
    pub(crate) fn payment(&self, id: PaymentId) -> Result<&PaymentRow, Error> {
        self.held(id).map(|held| &held.row)
    }

    fn held(&self, id: PaymentId) -> Result<&Held, Error> {
        self.payments.get(&id).ok_or_else(not_read)
    }

    pub(super) fn held_mut(&mut self, id: PaymentId) -> Result<&mut Held, Error> {
        self.payments.get_mut(&id).ok_or_else(not_read)
    }

    /// The payments that differ from the stored ones.
    pub(super) fn changed(&self) -> impl Iterator<Item = &Held> {
        self.payments.values().filter(|held| {
            let is_changed = held.is_changed || !held.registers.is_empty() || held.is_rebuilt;
            is_changed || held.has_new_words()
        })
    }

    /// Makes a payment; its id is for this batch only.
    pub(super) fn adopt(&mut self, draft: PaymentDraft) -> PaymentId {
        self.changes.adopted.push(draft.clone());
        let id = PaymentId(-i64::try_from(self.changes.adopted.len()).unwrap_or(i64::MAX));
        let mut held = Held::new(PaymentRow::new(id, draft), Ledger::new());
        held.is_address_new = held.row.customer.is_some();
        self.payments.insert(id, held);
        id
    }

    /// Links what the event names to the payment.
    pub(super) fn link(&mut self, variant: &str, references: &References, payment: PaymentId) {
        for text in linkable(references) {
            let key = (variant.to_owned(), text);
            if !self.references.contains_key(&key) {
                self.references.insert(key.clone(), payment);
                self.changes.links.push((key, payment));
            }
        }
    }

    /// The references that are linked anew.
    pub(crate) fn new_links(&self) -> Vec<Key> {
        self.changes.links.iter().map(|(key, _)| key.clone()).collect()
    }

    /// Moves what is known of one payment to another.
    pub(super) fn absorb(&mut self, from: PaymentId, into: PaymentId) -> Result<(), Error> {
        let absorbed = self.payments.get_mut(&from).ok_or_else(not_read)?;
        absorbed.row.absorbed_by = Some(into);
        (absorbed.is_changed, absorbed.is_rebuilt) = (false, false);
        absorbed.registers.clear();
        (absorbed.is_payer_changed, absorbed.is_address_new) = (false, false);
        let (payer, told_at) = std::mem::take(&mut absorbed.payer);
        let ledger = std::mem::take(&mut absorbed.ledger);
        let account = absorbed.row.account.clone();
        let held = self.held_mut(into)?;
        held.row.account = held.row.account.take().or(account);
        if let Some(at) = told_at {
            held.told(&payer, at);
        }
        held.registers.extend(ledger.facts().map(|fact| (fact.aspect, fact.gateway_ref.clone())));
        held.ledger.absorb(ledger);
        for id in self.references.values_mut().chain(self.tokens.values_mut()).filter(|id| **id == from) {
            *id = into;
        }
        self.changes.absorbed.push((from, into));
        Ok(())
    }
}

fn not_read() -> Error {
    Error::new(ErrorKind::Storage, "a payment was needed that the batch had not read")
}

/// The tokens and the keys that can be looked up, each once and in order.
fn names(wanted: &[(&str, &References)]) -> (Vec<String>, Vec<Key>) {
    let (mut tokens, mut keys) = (BTreeSet::new(), BTreeSet::new());
    for (variant, references) in wanted {
        tokens.extend(references.tokens.iter().filter(|text| storable(text)).map(Token::to_string));
        let refs = references.gateway_refs.iter().filter(|text| storable(text));
        keys.extend(refs.map(|text| ((*variant).to_owned(), text.into())));
    }
    (tokens.into_iter().collect(), keys.into_iter().collect())
}
