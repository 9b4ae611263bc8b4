//! How do facts come together? A ledger keeps for each register the fact that outranks all others, whatever
//! the order and however often they come. What they amount to is the payment's answer.
//!
//! The guarantee that no fact un-pays a payment asks one thing of a gateway: an object's currency and face stay
//! what they are once its money moved, and a checkout's facts all carry its amounts.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::Timestamp;
use super::fact::{Aspect, Fact, State};
use super::money::Currency;

/// A payment's facts, one for each register.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    registers: BTreeMap<(Aspect, String), Fact>,
}

/// What a ledger made of a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It is the first of its register.
    New,
    /// It took the place of one that said this.
    Replaced(State),
    /// The ledger holds this very fact.
    Known,
    /// The one that its register holds is of a later time and says this; it stays.
    Older(State),
    /// The one that its register holds says this, and outranks it whatever their times; it stays.
    Outranked(State),
}

impl Effect {
    /// Whether the ledger changed.
    pub fn changed(self) -> bool {
        matches!(self, Self::New | Self::Replaced(_))
    }
}

impl Ledger {
    /// A ledger without facts.
    pub fn new() -> Self {
        Self::default()
    }

    /// The ledger of these facts; their order and repetitions make no difference.
    pub fn from_facts(facts: impl IntoIterator<Item = Fact>) -> Self {
        let mut ledger = Self::new();
        for fact in facts {
            ledger.merge(fact);
        }
        ledger
    }

    /// Takes `fact` in, unless its register has one that outranks it. Whether the register changed.
    pub fn merge(&mut self, fact: Fact) -> bool {
        self.take(fact).changed()
    }

    /// [`Ledger::merge`], and what it made of `fact`.
    pub fn take(&mut self, fact: Fact) -> Effect {
        match self.registers.entry((fact.aspect, fact.gateway_ref.clone())) {
            Entry::Vacant(register) => {
                register.insert(fact);
                Effect::New
            }
            Entry::Occupied(mut register) => {
                let held = register.get().state;
                let (new, old) = (standing(&fact), standing(register.get()));
                match new.cmp(&old) {
                    Ordering::Less if new.is_only_older_than(&old) => Effect::Older(held),
                    Ordering::Less => Effect::Outranked(held),
                    Ordering::Equal => Effect::Known,
                    Ordering::Greater => {
                        register.insert(fact);
                        Effect::Replaced(held)
                    }
                }
            }
        }
    }

    /// Takes in every fact of `other`.
    pub fn absorb(&mut self, other: Ledger) {
        for fact in other.registers.into_values() {
            self.merge(fact);
        }
    }

    /// The facts, by aspect and then by the gateway's id.
    pub fn facts(&self) -> impl Iterator<Item = &Fact> {
        self.registers.values()
    }

    /// The facts of one aspect, by the gateway's id.
    pub fn facts_of(&self, aspect: Aspect) -> impl Iterator<Item = &Fact> {
        self.registers.range((aspect, String::new())..).map(|(_, fact)| fact).take_while(move |f| f.aspect == aspect)
    }

    /// What the register of this aspect of this object holds.
    pub fn get(&self, aspect: Aspect, gateway_ref: &str) -> Option<&Fact> {
        self.registers.get(&(aspect, gateway_ref.to_owned()))
    }

    /// Whether there are no facts.
    pub fn is_empty(&self) -> bool {
        self.registers.is_empty()
    }
}

/// What one fact of a register outranks another by, the most significant first. It covers every field, so two
/// facts that differ never tie, and the one that stays doesn't depend on which came first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Standing<'a> {
    finality: Finality,
    /// Money that moved doesn't come back by being reported smaller; what goes back is a refund.
    moved: i64,
    time: Age,
    /// Of two running totals within one second the larger is the later one.
    total: i64,
    rank: u8,
    event_id: &'a str,
    content: Content<'a>,
}

impl Standing<'_> {
    fn is_only_older_than(&self, other: &Self) -> bool {
        (self.finality, self.moved) == (other.finality, other.moved) && self.time < other.time
    }
}

/// The fields that decide when all else is equal, so that even two events with one id have a winner.
type Content<'a> = (Option<i64>, Option<i64>, Option<Currency>, Option<&'a str>, Option<Timestamp>);

/// How little can follow a state; a later class outranks an earlier one whatever the times.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Finality {
    /// Anything may follow: the newest wins.
    Open,
    /// Ended without money, or raised: the earliest wins, so that saying it again doesn't move it.
    Ended,
    /// Succeeded: the newest wins.
    Succeeded,
    /// Taken back after it had succeeded: the earliest wins.
    Undone,
    /// Nothing was to be paid.
    Free,
    /// Money moved: the largest amount wins, and no other word takes it back.
    Moved,
}

/// A time as it counts within a register: nanoseconds since 1970, turned around where the earliest wins.
type Age = i128;

fn standing(fact: &Fact) -> Standing<'_> {
    let finality = finality(fact);
    let nanos = fact.occurred_at.unix_timestamp_nanos();
    let is_total = matches!(fact.aspect, Aspect::CaptureTotal | Aspect::RefundTotal);
    Standing {
        finality,
        moved: if finality == Finality::Moved { fact.amount.unwrap_or(0) } else { 0 },
        time: if matches!(finality, Finality::Ended | Finality::Undone) { -nanos } else { nanos },
        total: if is_total { fact.amount.unwrap_or(i64::MIN) } else { 0 },
        rank: rank(fact.state),
        event_id: &fact.event_id,
        content: (fact.amount, fact.face, fact.currency, fact.parent.as_deref(), fact.since),
    }
}

fn finality(fact: &Fact) -> Finality {
    use State::{Canceled, Expired, Failed, Free, Succeeded};
    match (fact.aspect, fact.state) {
        // A dispute that was won or lost can be appealed, and a total is no more than the latest count.
        (Aspect::Dispute | Aspect::RefundTotal, _) => Finality::Open,
        (Aspect::Concern, _) => Finality::Ended,
        (Aspect::Refund, Succeeded) => Finality::Succeeded,
        (Aspect::Refund, Failed | Canceled) => Finality::Undone,
        (Aspect::Refund, _) => Finality::Open,
        (Aspect::Checkout, Free) => Finality::Free,
        (_, Succeeded) if moved(fact).is_some() => Finality::Moved,
        (_, Succeeded) => Finality::Succeeded,
        // The customer may try again under the same authorization.
        (Aspect::Authorization, Failed) => Finality::Open,
        (_, Failed | Expired | Canceled) => Finality::Ended,
        _ => Finality::Open,
    }
}

/// The money that `fact` says moved to the merchant: a positive amount of a known currency.
pub(super) fn moved(fact: &Fact) -> Option<(i64, Currency)> {
    let moves = matches!(fact.aspect, Aspect::Checkout | Aspect::Capture | Aspect::CaptureTotal);
    let amount = fact.amount.filter(|minor| *minor > 0)?;
    (moves && fact.state == State::Succeeded).then_some((amount, fact.currency?))
}

/// Which of two states holds within one second: gateway times have no finer resolution, and what is decided
/// comes after what is not. A failed attempt ranks below an authorization because the retry follows it.
pub(super) fn rank(state: State) -> u8 {
    match state {
        State::Pending => 0,
        State::ActionRequired => 1,
        State::Failed => 2,
        State::Authorized => 3,
        State::Expired => 4,
        State::Canceled => 5,
        State::Succeeded => 6,
        State::Free => 7,
        State::Inquiry => 8,
        State::Open => 9,
        State::Closed => 10,
        State::Won => 11,
        State::Lost => 12,
        State::Raised => 13,
    }
}
