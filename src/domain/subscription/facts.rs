//! The set of a subscription's facts, and the state that follows from it. Adding a fact is commutative, associative and
//! idempotent: of the snapshots, the set keeps those after which none surely came, all of them, and once one shows the
//! end, only those that show it.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::arrears::Arrears;
use super::invoice::SubscriptionInvoice;
use super::kept::time;
use super::snapshot::SubscriptionSnapshot;
use super::state::SubscriptionState;
use super::status::SubscriptionStatus;
use super::ties;
use crate::domain::Timestamp;

/// Where a subscription's owner was stated. A later variant outranks an earlier one, whatever the times are.
///
/// See [`SubscriptionFacts`] for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OwnerSource {
    /// The checkout that began it.
    Checkout,
    /// The host, afterwards.
    Host,
}

/// A statement of a subscription's owner.
///
/// See [`SubscriptionFacts`] for an example.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OwnerClaim {
    /// When it was made.
    #[serde(with = "time")]
    pub occurred_at: Timestamp,
    /// The gateway's id of the event that states it; empty if the host does.
    pub event_id: String,
    /// The host's own id of the owner.
    pub owner: String,
}

impl OwnerClaim {
    /// A claim that an event states; `event_id` is empty if the host states it.
    pub fn new(owner: impl Into<String>, occurred_at: Timestamp, event_id: impl Into<String>) -> Self {
        Self { occurred_at, event_id: event_id.into(), owner: owner.into() }
    }
}

/// One thing that an event states of a subscription.
///
/// See [`SubscriptionFacts`] for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubscriptionFact {
    /// How it stands as a whole.
    Snapshot(Box<SubscriptionSnapshot>),
    /// How one of its invoices stands.
    Invoice(Box<SubscriptionInvoice>),
    /// Whom it belongs to.
    Owner(OwnerSource, OwnerClaim),
    /// The customer's email address.
    Customer {
        /// The address.
        email: String,
        /// When it was so, by the gateway's clock.
        occurred_at: Timestamp,
        /// The gateway's id of the event.
        event_id: String,
    },
}

/// A subscription's facts.
///
/// ```
/// use actix_payments::domain::Timestamp;
/// use actix_payments::domain::event::SubscriptionStatement;
/// use actix_payments::domain::subscription::{
///     BillingPeriod, CollectionPause, OwnerClaim, OwnerSource, SubscriptionContent, SubscriptionEffect,
///     SubscriptionFact, SubscriptionFacts, SubscriptionInvoice, SubscriptionItem, SubscriptionSnapshot,
///     SubscriptionStatus, why,
/// };
///
/// let at = |day: i64| Timestamp::from_unix_timestamp(day * 86_400).unwrap();
/// let shown = |status, day: i64, event| {
///     let mut content = SubscriptionContent::new(status, "the gateway's own word");
///     content.items = vec![SubscriptionItem::new("tea")];
///     content.period = Some(BillingPeriod::new(at(0), at(30)));
///     content.pause = (day == 1).then(|| CollectionPause::new("keep_as_draft"));
///     SubscriptionFact::Snapshot(Box::new(SubscriptionSnapshot::new(content, at(day), event)))
/// };
/// // What a gateway reads from an event.
/// let mut statement = SubscriptionStatement::new("sub_1");
/// statement.facts = vec![shown(SubscriptionStatus::Active, 1, "evt_2")];
///
/// let mut facts = SubscriptionFacts::of(statement.facts);
/// let before = facts.state();
/// let effect = facts.merge(shown(SubscriptionStatus::Incomplete, 0, "evt_1"));
/// assert_eq!(effect, SubscriptionEffect::Older);
/// assert_eq!(why(&before, &facts.state(), effect).0, "outranked");
/// let grace = std::time::Duration::ZERO;
/// assert!(facts.state().is_active(at(2), grace));
///
/// let claim = OwnerClaim::new("user-42", at(1), "evt_3");
/// facts.merge(SubscriptionFact::Owner(OwnerSource::Checkout, claim));
/// let invoice = SubscriptionInvoice::new("in_1", "open", at(2), "evt_4");
/// facts.merge(SubscriptionFact::Invoice(Box::new(invoice)));
/// let state = facts.state();
/// assert_eq!(state.owner.as_deref(), Some("user-42"));
/// assert!(state.pause.is_some() && state.last_invoice.is_some_and(|invoice| invoice.is_open()));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionFacts {
    /// Those after which none surely came, by the ids of their events.
    #[serde(default)]
    snapshots: BTreeMap<String, SubscriptionSnapshot>,
    #[serde(default)]
    invoice: Option<SubscriptionInvoice>,
    /// The newest one that is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    paid: Option<SubscriptionInvoice>,
    #[serde(default)]
    arrears: Arrears,
    #[serde(default)]
    owners: BTreeMap<OwnerSource, OwnerClaim>,
    #[serde(default)]
    customer: Option<Customer>,
    /// The gateway's account whose subscription it is: empty for the merchant's own, `None` while nothing has said it. The
    /// host or the first event says it, and nothing replaces it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) account: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Customer {
    #[serde(with = "time")]
    occurred_at: Timestamp,
    event_id: String,
    email: String,
}

/// The effect of a fact on a subscription's facts.
///
/// See [`SubscriptionFacts`] for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SubscriptionEffect {
    /// It is among them already.
    Known,
    /// They have a newer fact.
    Older,
    /// The subscription ended, and this does not show its end.
    Ended,
    /// They changed.
    Changed,
}

impl SubscriptionFacts {
    /// The set of these facts. Their order and repetitions make no difference.
    pub fn of(facts: impl IntoIterator<Item = SubscriptionFact>) -> Self {
        let mut set = Self::default();
        for fact in facts {
            set.merge(fact);
        }
        set
    }

    /// Adds a fact.
    pub fn merge(&mut self, fact: SubscriptionFact) -> SubscriptionEffect {
        match fact {
            SubscriptionFact::Snapshot(snapshot) => self.add_snapshot(*snapshot),
            SubscriptionFact::Invoice(invoice) => self.add_invoice(*invoice),
            SubscriptionFact::Owner(source, claim) => self.add_owner(source, claim),
            SubscriptionFact::Customer { email, occurred_at, event_id } => {
                keep_greatest(&mut self.customer, Customer { occurred_at, event_id, email }, Ord::cmp)
            }
        }
    }

    /// Adds all facts of another set.
    pub fn join(&mut self, other: Self) {
        self.account = self.account.take().or(other.account);
        for snapshot in other.snapshots.into_values() {
            self.add_snapshot(snapshot);
        }
        for invoice in other.invoice.into_iter().chain(other.paid) {
            self.add_invoice(invoice);
        }
        for (source, claim) in other.owners {
            self.add_owner(source, claim);
        }
        if let Some(customer) = other.customer {
            keep_greatest(&mut self.customer, customer, Ord::cmp);
        }
        self.arrears.join(other.arrears);
    }

    fn add_invoice(&mut self, invoice: SubscriptionInvoice) -> SubscriptionEffect {
        let paid = invoice.paid.then(|| keep_newest(&mut self.paid, invoice.clone()));
        keep_newest(&mut self.invoice, invoice).max(paid.unwrap_or(SubscriptionEffect::Known))
    }

    fn add_owner(&mut self, source: OwnerSource, claim: OwnerClaim) -> SubscriptionEffect {
        let mut held = self.owners.remove(&source);
        let effect = keep_greatest(&mut held, claim, Ord::cmp);
        self.owners.extend(held.map(|claim| (source, claim)));
        effect
    }

    fn add_snapshot(&mut self, snapshot: SubscriptionSnapshot) -> SubscriptionEffect {
        match snapshot.content.status {
            SubscriptionStatus::Active | SubscriptionStatus::Trialing => self.arrears.note_good(snapshot.occurred_at),
            SubscriptionStatus::PastDue => self.arrears.note_past_due(snapshot.occurred_at),
            _ => {}
        }
        let has_ended = self.snapshots.values().any(|held| held.is_end);
        if has_ended && !snapshot.is_end {
            return SubscriptionEffect::Ended;
        }
        if self.snapshots.values().any(|held| has_ended == snapshot.is_end && snapshot.is_surely_before(held)) {
            return SubscriptionEffect::Older;
        }
        self.snapshots.retain(|_, held| has_ended == snapshot.is_end && !held.is_surely_before(&snapshot));
        // Two snapshots of one event are a gateway's mistake; still one of them counts, whichever comes first.
        // An answer and an event are kept apart: those of either kind are of one moment.
        let of = if snapshot.is_answer { " (answer)" } else { "" };
        let name = format!("{}{of}", snapshot.event_id);
        let mut held = self.snapshots.remove(&name);
        let effect = keep_greatest(&mut held, snapshot, |a, b| a.precedence().cmp(&b.precedence()));
        self.snapshots.extend(held.map(|snapshot| (name, snapshot)));
        effect
    }

    /// The state that follows.
    pub fn state(&self) -> SubscriptionState {
        let mut state = SubscriptionState::unknown();
        if let Some((last, is_certain)) = ties::last(self.snapshots.values()) {
            state = SubscriptionState::shown(last.content.clone());
            state.as_of = Some(last.occurred_at);
            state.as_of_event = Some(last.event_id.clone());
            let doubt = "events or answers of the same moment differ, and none of them says which is the last";
            state.doubt = (!is_certain).then(|| doubt.to_owned());
        }
        let claim = |source| self.owners.get(&source).map(|claim: &OwnerClaim| claim.owner.clone());
        state.owner = claim(OwnerSource::Host).or(state.owner).or(claim(OwnerSource::Checkout));
        state.customer = self.customer.as_ref().map(|customer| customer.email.clone());
        // What a release stored that did not keep the moment has that of the word itself.
        let dated = |it: &SubscriptionInvoice| SubscriptionInvoice { paid_at: it.paid_since(), ..it.clone() };
        state.last_invoice = self.last_invoice().map(dated);
        state.past_due_since = self.arrears.since(state.paid_at());
        state.last_good_at = self.arrears.last_good().filter(|_| state.status == SubscriptionStatus::PastDue);
        if state.status == SubscriptionStatus::PastDue && state.is_paid_since() {
            let doubt = "it was paid after it was shown as past due, and nothing has shown it since";
            state.doubt.get_or_insert_with(|| doubt.to_owned());
        }
        state
    }

    /// Forgets the customer's email address.
    pub(crate) fn forget_customer(&mut self) {
        self.customer = None;
    }

    /// The newest invoice: that it is paid outranks whatever else is said of it, such as a late word of an attempt.
    fn last_invoice(&self) -> Option<&SubscriptionInvoice> {
        let invoice = self.invoice.as_ref()?;
        let paid = self.paid.as_ref().filter(|paid| paid.gateway_ref == invoice.gateway_ref);
        Some(paid.unwrap_or(invoice))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn keep_newest(held: &mut Option<SubscriptionInvoice>, new: SubscriptionInvoice) -> SubscriptionEffect {
    let Some(old) = held else {
        *held = Some(SubscriptionInvoice { paid_at: new.paid_since(), ..new });
        return SubscriptionEffect::Changed;
    };
    let since = old.paid_since();
    match old.join(new) {
        _ if old.paid_since() < since => SubscriptionEffect::Changed,
        order => effect_of(order),
    }
}

fn keep_greatest<T: PartialEq>(held: &mut Option<T>, new: T, order: impl Fn(&T, &T) -> Ordering) -> SubscriptionEffect {
    let Some(old) = held else {
        *held = Some(new);
        return SubscriptionEffect::Changed;
    };
    let order = order(&new, old);
    if order == Ordering::Greater {
        *held = Some(new);
    }
    effect_of(order)
}

/// The effect of what compares so with what is held, of which the greater counts.
fn effect_of(order: Ordering) -> SubscriptionEffect {
    match order {
        Ordering::Less => SubscriptionEffect::Older,
        Ordering::Equal => SubscriptionEffect::Known,
        Ordering::Greater => SubscriptionEffect::Changed,
    }
}
