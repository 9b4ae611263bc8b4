//! The subscriptions that the events of a batch may touch, in memory: what one event does to its subscription, and what
//! is to be written. Pure but for reading and writing the set.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::domain::Timestamp;
use crate::domain::event::{SubscriptionStatement, storable};
use crate::domain::id::{EventId, SubscriptionId, SubscriptionTransitionId};
use crate::domain::subscription::{
    SubscriptionEffect, SubscriptionFact, SubscriptionFacts, SubscriptionInvoice, SubscriptionState, why,
};
use crate::engine::owed::Lacking;
use crate::engine::subscription::{facts, json, new_row, put};
use crate::engine::{Engine, Subscription, SubscriptionNotice, subscription_token};
use crate::error::{Error, ErrorKind};
use crate::store::Tx;
use crate::store::rows::{Claimed, DoneHandler, EventRow, Step};
use crate::store::sets::Key;
use crate::store::subscriptions::{InvoiceRow, NewSubscriptionTransition, SubscriptionRow, SubscriptionTransitionRow};

/// What a batch knows of subscriptions, and what it changed.
#[derive(Default)]
pub(crate) struct SubscriptionSet {
    held: BTreeMap<SubscriptionId, Held>,
    by_ref: HashMap<Key, SubscriptionId>,
    by_token: HashMap<String, SubscriptionId>,
    /// The transitions that earlier attempts of these events caused.
    earlier: HashMap<EventId, Vec<SubscriptionTransitionRow>>,
    transitions: Vec<NewSubscriptionTransition>,
    /// What the batch's events say of invoices, the greatest of each.
    invoices: BTreeMap<Key, (SubscriptionId, SubscriptionInvoice)>,
}

/// A subscription in memory.
struct Held {
    row: SubscriptionRow,
    facts: SubscriptionFacts,
    is_changed: bool,
}

/// What an event did to its subscription.
pub(crate) struct SubscriptionChange {
    /// The subscription as it was after this event.
    pub(crate) row: SubscriptionRow,
    pub(crate) before: SubscriptionState,
    pub(crate) after: SubscriptionState,
    pub(crate) code: &'static str,
    pub(crate) why: String,
    /// The transitions that earlier attempts of this event caused.
    pub(crate) earlier: Vec<SubscriptionTransitionRow>,
    /// The transition that it causes now, by its place among those of the batch.
    pub(crate) step: Option<usize>,
}

/// What was written of subscriptions.
#[derive(Default)]
pub(super) struct WrittenSubscriptions {
    ids: HashMap<String, SubscriptionId>,
    transitions: Vec<SubscriptionTransitionId>,
}

impl SubscriptionSet {
    /// Reads what these statements are about, and holds it until the transaction ends.
    pub(super) fn hold(tx: &mut dyn Tx, wanted: &[(&str, &SubscriptionStatement)]) -> Result<Self, Error> {
        let (keys, tokens) = names(wanted);
        if keys.is_empty() {
            return Ok(Self::default());
        }
        // A payment's object of the same name is another lock.
        let of_subscription = |text: &String| format!("subscription {text}");
        let locks: Vec<Key> = keys.iter().map(|(variant, text)| (variant.clone(), of_subscription(text))).collect();
        tx.lock_references(&locks)?;
        Self::of(tx.hold_subscriptions(&keys, &tokens)?)
    }

    /// The same without holding anything.
    pub(crate) fn read(tx: &mut dyn Tx, wanted: &[(&str, &SubscriptionStatement)]) -> Result<Self, Error> {
        let (keys, tokens) = names(wanted);
        if keys.is_empty() { Ok(Self::default()) } else { Self::of(tx.subscriptions_of(&keys, &tokens)?) }
    }

    fn of(rows: Vec<SubscriptionRow>) -> Result<Self, Error> {
        let mut set = Self::default();
        for row in rows {
            let facts = facts(&row)?;
            set.by_token.insert(row.token.clone(), row.id);
            set.by_ref.extend(row.gateway_ref.clone().map(|text| ((row.variant.clone(), text), row.id)));
            set.held.insert(row.id, Held { row, facts, is_changed: false });
        }
        Ok(set)
    }

    /// Reads the transitions that earlier attempts of these events caused.
    pub(crate) fn take_earlier(&mut self, tx: &mut dyn Tx, events: &[EventId]) -> Result<(), Error> {
        if events.is_empty() || self.held.is_empty() {
            return Ok(());
        }
        for step in tx.subscription_transitions_by(events)? {
            if let Some(event) = step.event_id {
                self.earlier.entry(event).or_default().push(step);
            }
        }
        Ok(())
    }

    /// The subscription that a statement is about: by its gateway ref, else by a token of one that has none yet.
    pub(super) fn find(&self, variant: &str, statement: &SubscriptionStatement) -> Option<SubscriptionId> {
        let key = (variant.to_owned(), statement.gateway_ref.clone());
        let awaits = |id: &SubscriptionId| {
            self.held.get(id).is_some_and(|held| held.row.variant == variant && held.row.gateway_ref.is_none())
        };
        let tokens = statement.tokens.iter().filter_map(|token| self.by_token.get(token).copied());
        self.by_ref.get(&key).copied().or_else(|| tokens.into_iter().find(awaits))
    }

    /// Makes a subscription; its id is for this batch only.
    fn adopt(&mut self, row: SubscriptionRow) -> SubscriptionId {
        let id = SubscriptionId(self.held.keys().next().map_or(-1, |least| least.0.min(0) - 1));
        let facts = SubscriptionFacts::default();
        self.held.insert(id, Held { row: SubscriptionRow { id, ..row }, facts, is_changed: true });
        id
    }

    /// Adds what the event states of a subscription and draws what follows from it.
    pub(super) fn apply(
        &mut self,
        event: &EventRow,
        statement: &SubscriptionStatement,
        now: Timestamp,
    ) -> Result<SubscriptionChange, Error> {
        let id = match self.find(&event.variant, statement) {
            Some(id) => id,
            None => {
                let gateway_ref = Some(statement.gateway_ref.as_str());
                self.adopt(new_row(subscription_token()?, &event.variant, gateway_ref, now))
            }
        };
        self.by_ref.insert((event.variant.clone(), statement.gateway_ref.clone()), id);
        let held = self.held.get_mut(&id).ok_or_else(not_read)?;
        let (before, facts) = (held.facts.state(), held.facts.clone());
        for fact in &statement.facts {
            if let SubscriptionFact::Invoice(invoice) = fact {
                keep(&mut self.invoices, &event.variant, id, invoice);
            }
        }
        let merged = statement.facts.iter().map(|fact| held.facts.merge(fact.clone()));
        let effect = merged.max().unwrap_or(SubscriptionEffect::Known);
        let after = held.facts.state();
        let (mut code, mut cause) = why(&before, &after, effect);
        let livemode = held.row.livemode.or(event.livemode);
        let is_learned = held.row.gateway_ref.is_none() || held.row.livemode != livemode;
        if held.facts != facts || is_learned {
            held.row.gateway_ref = Some(statement.gateway_ref.clone());
            held.row.livemode = livemode;
            held.row.updated_at = now;
            put(&mut held.row, &held.facts, &after);
            held.is_changed = true;
        }
        let row = held.row.clone();
        let mut place = None;
        if after.differs(&before) {
            place = Some(self.transitions.len());
            self.transitions.push(transition(&row, (&before, &after), Some(event.id), &cause, now));
        }
        let mut earlier = self.earlier.get(&event.id).cloned().unwrap_or_default();
        earlier.retain(|step| step.subscription_id == row.id);
        // What an earlier attempt of this event applied is still what came of it.
        if let (true, None, Some(done)) = (code != "applied", place, earlier.last()) {
            (code, cause) = ("applied", done.cause.clone());
        }
        Ok(SubscriptionChange { row, before, after, code, why: cause, earlier, step: place })
    }

    /// Writes all that changed: subscriptions, then their transitions.
    pub(super) fn write(&mut self, tx: &mut dyn Tx) -> Result<WrittenSubscriptions, Error> {
        let changed = self.held.values().filter(|held| held.is_changed);
        let rows: Vec<SubscriptionRow> = changed.map(|held| held.row.clone()).collect();
        let ids: HashMap<String, SubscriptionId> = tx.save_subscriptions(&rows)?.into_iter().collect();
        let real = |id: SubscriptionId| {
            let row = rows.iter().find(|row| row.id == id);
            row.and_then(|row| ids.get(&row.token)).copied().unwrap_or(id)
        };
        for step in &mut self.transitions {
            step.subscription_id = real(step.subscription_id);
        }
        let transitions = tx.add_subscription_transitions(&self.transitions)?;
        let invoices = std::mem::take(&mut self.invoices).into_iter();
        save_invoices(tx, invoices.map(|(key, (id, invoice))| (key, real(id), invoice)).collect())?;
        Ok(WrittenSubscriptions { ids, transitions })
    }
}

impl WrittenSubscriptions {
    /// The number under which the subscription of a change is stored.
    pub(super) fn id_of(&self, change: &SubscriptionChange) -> SubscriptionId {
        self.ids.get(&change.row.token).copied().unwrap_or(change.row.id)
    }

    /// The transition that the event caused now, in the form that handlers get.
    pub(super) fn new_transition(
        &self,
        event: &Claimed,
        change: &SubscriptionChange,
    ) -> Result<Option<SubscriptionNotice>, Error> {
        let Some(id) = change.step.and_then(|place| self.transitions.get(place)).copied() else { return Ok(None) };
        let (old, new) = (change.before.clone(), change.after.clone());
        notice(event, change, id, (old, new), change.why.clone()).map(Some)
    }

    /// All transitions that the event caused, now or in an earlier attempt.
    pub(super) fn transitions(
        &self,
        event: &Claimed,
        change: &SubscriptionChange,
    ) -> Result<Vec<SubscriptionNotice>, Error> {
        let unreadable = |error| {
            Error::new(ErrorKind::Storage, "a state in pay_subscription_transitions can't be read").with_source(error)
        };
        let mut all = Vec::new();
        for row in &change.earlier {
            let old = serde_json::from_str(&row.before).map_err(unreadable)?;
            let new = serde_json::from_str(&row.after).map_err(unreadable)?;
            all.push(notice(event, change, row.id, (old, new), row.cause.clone())?);
        }
        all.extend(self.new_transition(event, change)?);
        Ok(all)
    }

    /// Whether the steps that an event caused have handlers left to run after the commit, here or elsewhere. Of an event
    /// that waits for its payment they run before: the payment may never come.
    pub(super) fn owes(
        &self,
        engine: &Engine,
        lacking: &Lacking,
        done: &HashMap<EventId, Vec<DoneHandler>>,
        event: &Claimed,
        change: &SubscriptionChange,
    ) -> Result<bool, Error> {
        let steps: Vec<Step> =
            self.transitions(event, change)?.iter().map(|step| Step::Subscription(step.id)).collect();
        let done = done.get(&event.row.id).map_or(&[][..], Vec::as_slice);
        let is_open = |name: &str, of: Option<Step>| {
            of.is_some() && !done.iter().any(|done| (done.handler.as_str(), done.transition) == (name, of))
        };
        let kind = &event.row.kind;
        let owed_elsewhere = lacking.runs(&steps, kind).iter().any(|(name, of)| is_open(name, *of));
        Ok(owed_elsewhere || engine.handlers.due(&steps, kind).any(|(name, of)| is_open(name, of)))
    }
}

impl SubscriptionChange {
    /// Whether this event caused a transition, now or in an earlier attempt.
    pub(super) fn has_steps(&self) -> bool {
        self.step.is_some() || !self.earlier.is_empty()
    }

    /// The owners whose being active it may have changed.
    pub(super) fn owners(&self) -> impl Iterator<Item = String> {
        self.before.owner.iter().chain(&self.after.owner).cloned().collect::<Vec<_>>().into_iter()
    }
}

/// Keeps what outranks what is kept of the same invoice.
fn keep(
    kept: &mut BTreeMap<Key, (SubscriptionId, SubscriptionInvoice)>,
    variant: &str,
    of: SubscriptionId,
    invoice: &SubscriptionInvoice,
) {
    // What can't be looked up can't be linked to a payment either.
    if !storable(&invoice.gateway_ref) {
        return;
    }
    let key = (variant.to_owned(), invoice.gateway_ref.clone());
    match kept.get(&key) {
        Some((_, known)) if !invoice.outranks(known) => {}
        _ => drop(kept.insert(key, (of, invoice.clone()))),
    }
}

/// Writes those invoices that outrank the stored ones. Their subscriptions are held, so nobody else writes them.
fn save_invoices(tx: &mut dyn Tx, invoices: Vec<(Key, SubscriptionId, SubscriptionInvoice)>) -> Result<(), Error> {
    let keys: Vec<Key> = invoices.iter().map(|(key, ..)| key.clone()).collect();
    let known = tx.invoices_of(&keys)?;
    let mut rows = Vec::new();
    for ((variant, gateway_ref), subscription_id, invoice) in invoices {
        let before = known.iter().find(|row| (&row.variant, &row.gateway_ref) == (&variant, &gateway_ref));
        let before: Option<SubscriptionInvoice> = before.and_then(|row| serde_json::from_str(&row.fact).ok());
        if before.is_none_or(|before| invoice.outranks(&before)) {
            rows.push(InvoiceRow {
                id: 0,
                subscription_id,
                variant,
                gateway_ref,
                status: invoice.status.clone(),
                paid: invoice.paid,
                invoiced_at: invoice.created_at,
                fact: json(&invoice),
            });
        }
    }
    tx.save_invoices(&rows)
}

/// A transition of a subscription, to be stored.
fn transition(
    row: &SubscriptionRow,
    (before, after): (&SubscriptionState, &SubscriptionState),
    event_id: Option<EventId>,
    cause: &str,
    now: Timestamp,
) -> NewSubscriptionTransition {
    NewSubscriptionTransition {
        subscription_id: row.id,
        event_id,
        from_status: before.status,
        to_status: after.status,
        cause: cause.to_owned(),
        before: json(before),
        after: json(after),
        created_at: now,
    }
}

fn notice(
    event: &Claimed,
    change: &SubscriptionChange,
    id: SubscriptionTransitionId,
    (old, new): (SubscriptionState, SubscriptionState),
    cause: String,
) -> Result<SubscriptionNotice, Error> {
    let subscription = Subscription::of(&change.row)?;
    let (event_id, kind) = (event.row.gateway_event_id.clone(), event.row.kind.clone());
    Ok(SubscriptionNotice { id, subscription, old, new, cause, event_id, kind })
}

fn not_read() -> Error {
    Error::new(ErrorKind::Storage, "a subscription was needed that the batch had not read")
}

/// What can be looked up, each once and in order.
fn names(wanted: &[(&str, &SubscriptionStatement)]) -> (Vec<Key>, Vec<String>) {
    let (mut keys, mut tokens) = (BTreeSet::new(), BTreeSet::new());
    for (variant, statement) in wanted {
        keys.insert(((*variant).to_owned(), statement.gateway_ref.clone()));
        tokens.extend(statement.tokens.iter().filter(|text| storable(text)).cloned());
    }
    (keys.into_iter().collect(), tokens.into_iter().collect())
}
