//! The subscriptions that the events of a batch may touch, in memory: what one event does to its subscription, and what
//! is to be written. Pure but for reading and writing the set.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::invoices;
use super::subscription_change::{SubscriptionChange, WrittenSubscriptions};
use crate::domain::Timestamp;
use crate::domain::event::{References, SubscriptionStatement, storable};
use crate::domain::id::{EventId, SubscriptionId};
use crate::domain::identifier::{GatewayRef, Token};
use crate::domain::subscription::{
    SubscriptionEffect, SubscriptionFact, SubscriptionFacts, SubscriptionInvoice, SubscriptionState, why,
};
use crate::engine::subscription::{facts, json, new_row, put};
use crate::engine::subscription_token;
use crate::error::{Error, ErrorKind};
use crate::store::Tx;
use crate::store::rows::EventRow;
use crate::store::sets::Key;
use crate::store::subscriptions::{NewSubscriptionTransition, SubscriptionRow, SubscriptionTransitionRow};

/// Of how many invoices the money is looked for when an adopted subscription turns out to be one that was started here.
const MOST_BILLED: i64 = 100;

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
    /// Those started here that events had begun to tell of under another token.
    recognized: Vec<Recognized>,
}

/// A subscription that was started here, and the adopted one that turned out to be it.
struct Recognized {
    started: SubscriptionRow,
    adopted: SubscriptionId,
    /// The token that the adopted one had.
    token: String,
}

/// The variant of an event, and the account that it says.
type Of<'a> = (&'a str, Option<&'a str>);

/// A subscription in memory.
struct Held {
    row: SubscriptionRow,
    facts: SubscriptionFacts,
    is_changed: bool,
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
    pub(super) fn find(&self, of: Of<'_>, statement: &SubscriptionStatement) -> Option<SubscriptionId> {
        let key = (of.0.to_owned(), String::from(&statement.gateway_ref));
        self.by_ref.get(&key).copied().or_else(|| self.awaited(of, statement))
    }

    /// The subscription that bears one of the tokens, that no event was about yet, and that is not of another account:
    /// whoever owns an account chooses its tokens.
    fn awaited(&self, (variant, account): Of<'_>, statement: &SubscriptionStatement) -> Option<SubscriptionId> {
        let awaits = |id: &SubscriptionId| {
            self.held.get(id).is_some_and(|held| {
                let is_of_another = account.zip(held.facts.account.as_deref()).is_some_and(|(ours, its)| ours != its);
                held.row.variant == variant && held.row.gateway_ref.is_none() && !is_of_another
            })
        };
        statement.tokens.iter().filter_map(|token| self.by_token.get(token.as_str()).copied()).find(awaits)
    }

    /// Whether the statement is about a subscription that was started here.
    pub(super) fn is_started_here(&self, of: Of<'_>, statement: &SubscriptionStatement) -> bool {
        let is_ours = self.find(of, statement).is_some_and(|id| self.is_ours(id));
        is_ours || self.awaited(of, statement).is_some()
    }

    /// Whether an event before this one told of one of these objects as an invoice of a subscription started here.
    pub(super) fn bills_ours(&self, variant: &str, references: &References) -> bool {
        let invoice = |text: &GatewayRef| self.invoices.get(&(variant.to_owned(), text.into()));
        references.gateway_refs.iter().filter_map(invoice).any(|(id, _)| self.is_ours(*id))
    }

    fn is_ours(&self, id: SubscriptionId) -> bool {
        self.held.get(&id).is_some_and(|held| !held.row.adopted)
    }

    /// Makes a subscription; its id is for this batch only.
    fn adopt(&mut self, row: SubscriptionRow) -> SubscriptionId {
        let id = SubscriptionId(self.held.keys().next().map_or(-1, |least| least.0.min(0) - 1));
        let facts = SubscriptionFacts::default();
        self.held.insert(id, Held { row: SubscriptionRow { id, ..row }, facts, is_changed: true });
        id
    }

    /// Puts all that is known of an adopted subscription under the token of the one started here that it turned out to
    /// be: an event without the token came first.
    fn recognize(&mut self, adopted: SubscriptionId, started: SubscriptionId) -> Result<(), Error> {
        let started = self.held.remove(&started).ok_or_else(not_read)?;
        let held = self.held.get_mut(&adopted).ok_or_else(not_read)?;
        held.facts.join(started.facts);
        let token = std::mem::replace(&mut held.row.token, started.row.token.clone());
        held.row.adopted = false;
        self.by_token.insert(started.row.token.clone(), adopted);
        self.recognized.push(Recognized { started: started.row, adopted, token });
        Ok(())
    }

    /// Adds what the event states of a subscription and draws what follows from it.
    pub(super) fn apply(
        &mut self,
        event: &EventRow,
        (statement, account): (&SubscriptionStatement, Option<&str>),
        now: Timestamp,
    ) -> Result<SubscriptionChange, Error> {
        let of = (event.variant.as_str(), account);
        let id = match self.find(of, statement) {
            Some(id) => id,
            None => {
                let gateway_ref = Some(statement.gateway_ref.as_str());
                self.adopt(new_row(subscription_token()?, &event.variant, gateway_ref, now))
            }
        };
        self.by_ref.insert((event.variant.clone(), String::from(&statement.gateway_ref)), id);
        let held = self.held.get(&id).ok_or_else(not_read)?;
        let (before, facts) = (held.facts.state(), held.facts.clone());
        let started = self.awaited(of, statement).filter(|started| held.row.adopted && *started != id);
        started.map_or(Ok(()), |started| self.recognize(id, started))?;
        let held = self.held.get_mut(&id).ok_or_else(not_read)?;
        for fact in &statement.facts {
            if let SubscriptionFact::Invoice(invoice) = fact {
                invoices::keep(&mut self.invoices, &event.variant, id, invoice);
            }
        }
        held.facts.account = held.facts.account.take().or_else(|| account.map(str::to_owned));
        let merged = statement.facts.iter().map(|fact| held.facts.merge(fact.clone()));
        let effect = merged.max().unwrap_or(SubscriptionEffect::Known);
        let after = held.facts.state();
        let (mut code, mut cause) = why(&before, &after, effect);
        let livemode = held.row.livemode.or(event.livemode);
        let is_learned = started.is_some() || held.row.gateway_ref.is_none() || held.row.livemode != livemode;
        if held.facts != facts || is_learned {
            held.row.gateway_ref = Some(String::from(&statement.gateway_ref));
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
        for Recognized { started, adopted, .. } in &self.recognized {
            tx.put_in_place(started, *adopted)?;
        }
        let ids: HashMap<String, SubscriptionId> = tx.save_subscriptions(&rows)?.into_iter().collect();
        let real = |id: SubscriptionId| {
            let row = rows.iter().find(|row| row.id == id);
            row.and_then(|row| ids.get(&row.token)).copied().unwrap_or(id)
        };
        for step in &mut self.transitions {
            step.subscription_id = real(step.subscription_id);
        }
        let transitions = tx.add_subscription_transitions(&self.transitions)?;
        let mut billed: Vec<Key> =
            self.invoices.iter().filter(|(_, (id, _))| self.is_ours(*id)).map(|(key, _)| key.clone()).collect();
        let told = std::mem::take(&mut self.invoices).into_iter();
        invoices::save(tx, told.map(|(key, (id, invoice))| (key, real(id), invoice)).collect())?;
        for Recognized { adopted, .. } in &self.recognized {
            let before = tx.invoices_of_subscription(real(*adopted), MOST_BILLED)?;
            billed.extend(before.into_iter().map(|row| (row.variant, row.gateway_ref)));
        }
        // Steps before it was recognized know it by the token that it had.
        let had = self.recognized.iter().map(|it| (it.token.clone(), real(it.adopted))).collect::<Vec<_>>();
        let ids = ids.into_iter().chain(had).collect();
        Ok(WrittenSubscriptions { ids, transitions, invoices: billed })
    }
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

fn not_read() -> Error {
    Error::new(ErrorKind::Storage, "a subscription was needed that the batch had not read")
}

/// What can be looked up, each once and in order.
fn names(wanted: &[(&str, &SubscriptionStatement)]) -> (Vec<Key>, Vec<String>) {
    let (mut keys, mut tokens) = (BTreeSet::new(), BTreeSet::new());
    for (variant, statement) in wanted {
        keys.insert(((*variant).to_owned(), String::from(&statement.gateway_ref)));
        tokens.extend(statement.tokens.iter().filter(|text| storable(text)).map(Token::to_string));
    }
    (keys.into_iter().collect(), tokens.into_iter().collect())
}
