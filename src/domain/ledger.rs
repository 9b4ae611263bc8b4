//! The ledger: a payment's set of facts. For each register it keeps the fact that outranks all others, regardless of
//! the order in which facts arrive and how often.
//!
//! No fact ever turns a paid payment back into an unpaid one, provided that a gateway keeps to this: once an object's
//! money has moved, its currency never changes and its face amount never shrinks, all facts of a checkout have its
//! amounts, and all facts of an authorization have its face amount.

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

/// The effect of a fact on a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The fact is the first of its register.
    New,
    /// The fact replaced one with this state.
    Replaced(State),
    /// The ledger contains exactly this fact already.
    Known,
    /// The register keeps its fact, which has this state and is of a later time.
    Older(State),
    /// The register keeps its fact, which has this state and outranks the new one whatever their times.
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

    /// The ledger of these facts. Their order and repetitions make no difference.
    pub fn from_facts(facts: impl IntoIterator<Item = Fact>) -> Self {
        let mut ledger = Self::new();
        for fact in facts {
            ledger.merge(fact);
        }
        ledger
    }

    /// Adds `fact`, unless its register has one that outranks it. Returns whether the ledger changed.
    pub fn merge(&mut self, fact: Fact) -> bool {
        self.insert(fact).changed()
    }

    /// Like [`Ledger::merge`], but returns the effect of the fact.
    pub fn insert(&mut self, fact: Fact) -> Effect {
        match self.registers.entry((fact.aspect, fact.gateway_ref.clone())) {
            Entry::Vacant(register) => {
                register.insert(fact);
                Effect::New
            }
            Entry::Occupied(mut register) => {
                let held = register.get().state;
                let (new, old) = (precedence(&fact), precedence(register.get()));
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

    /// Merges every fact of `other`.
    pub fn absorb(&mut self, other: Ledger) {
        for fact in other.registers.into_values() {
            self.merge(fact);
        }
    }

    /// The facts, ordered by aspect and then by the gateway's id.
    pub fn facts(&self) -> impl Iterator<Item = &Fact> {
        self.registers.values()
    }

    /// The facts of one aspect, ordered by the gateway's id.
    pub fn facts_of(&self, aspect: Aspect) -> impl Iterator<Item = &Fact> {
        self.registers.range((aspect, String::new())..).map(|(_, fact)| fact).take_while(move |f| f.aspect == aspect)
    }

    /// The fact of this aspect of this object.
    pub fn get(&self, aspect: Aspect, gateway_ref: &str) -> Option<&Fact> {
        self.registers.get(&(aspect, gateway_ref.to_owned()))
    }

    /// Whether the ledger has no facts.
    pub fn is_empty(&self) -> bool {
        self.registers.is_empty()
    }
}

/// By what a fact outranks another of its register, the most significant field first. It covers every field of a fact,
/// so that different facts never tie and the result does not depend on their order.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Precedence<'a> {
    finality: Finality,
    /// A smaller report does not take back money that moved; only a refund does. Of two that report the same, the one
    /// that says what it is a part of knows more; of two about money that went back, the one that says by whose will.
    moved: (i64, i64),
    time: Age,
    /// Of two running totals within one second, the larger is the later one.
    total: i64,
    rank: u8,
    event_id: &'a str,
    content: Content<'a>,
}

impl Precedence<'_> {
    fn is_only_older_than(&self, other: &Self) -> bool {
        (self.finality, self.moved) == (other.finality, other.moved) && self.time < other.time
    }
}

/// The fields that decide when all else is equal, so that there is a winner even between two events with one id.
type Content<'a> = (Option<i64>, Option<i64>, Option<Currency>, Option<&'a str>, [Option<Timestamp>; 2], Option<bool>);

/// How final a state is. A more final one outranks a less final one, whatever their times.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Finality {
    /// Anything may follow: the newest fact wins.
    Open,
    /// Ended without money, or decided: the earliest fact wins, so that a repetition does not change its time.
    Ended,
    /// Succeeded: the newest fact wins.
    Succeeded,
    /// Undone after it had succeeded: the earliest fact wins.
    Undone,
    /// There was nothing to pay.
    Free,
    /// Money moved: the largest amount wins, and no other state undoes it.
    Moved,
}

/// A time as it is compared within a register: nanoseconds since 1970, negated where the earliest wins.
type Age = i128;

fn precedence(fact: &Fact) -> Precedence<'_> {
    let finality = finality(fact);
    let nanos = fact.occurred_at.unix_timestamp_nanos();
    let is_total = matches!(fact.aspect, Aspect::CaptureTotal | Aspect::RefundTotal);
    Precedence {
        finality,
        moved: match finality {
            Finality::Moved => (fact.amount.unwrap_or(0), fact.face.unwrap_or(0)),
            Finality::Succeeded if is_reversal(fact) => (0, 1),
            _ => (0, 0),
        },
        time: if matches!(finality, Finality::Ended | Finality::Undone) { -nanos } else { nanos },
        total: if is_total { fact.amount.unwrap_or(i64::MIN) } else { 0 },
        rank: rank(fact.state),
        event_id: &fact.event_id,
        content: (
            fact.amount,
            fact.face,
            fact.currency,
            fact.parent.as_deref(),
            [fact.since, fact.until],
            fact.livemode,
        ),
    }
}

fn finality(fact: &Fact) -> Finality {
    use State::{Canceled, Expired, Failed, Free, Succeeded};
    match (fact.aspect, fact.state) {
        // A decided dispute can be appealed, and of a running total only the latest counts.
        (Aspect::Dispute | Aspect::RefundTotal, _) => Finality::Open,
        // What is raised once more is another reason, so the newest counts.
        (Aspect::Concern, _) => Finality::Open,
        (Aspect::Review, _) => Finality::Ended,
        (Aspect::Refund, Succeeded) => Finality::Succeeded,
        (Aspect::Refund, Failed | Canceled) => Finality::Undone,
        (Aspect::Refund, _) => Finality::Open,
        (Aspect::Checkout, Free) => Finality::Free,
        (_, Succeeded) if moved(fact).is_some() => Finality::Moved,
        (_, Succeeded) => Finality::Succeeded,
        // The customer may try again with the same authorization.
        (Aspect::Authorization, Failed) => Finality::Open,
        (_, Failed | Expired | Canceled) => Finality::Ended,
        _ => Finality::Open,
    }
}

/// Whether it is money that the gateway itself took back, for a dispute say.
pub(super) fn is_reversal(fact: &Fact) -> bool {
    fact.aspect == Aspect::Refund && fact.face == Some(0)
}

/// The money that `fact` says moved to the merchant: a positive amount of a known currency.
pub(crate) fn moved(fact: &Fact) -> Option<(i64, Currency)> {
    let moves = matches!(fact.aspect, Aspect::Checkout | Aspect::Capture | Aspect::CaptureTotal);
    let amount = fact.amount.filter(|minor| *minor > 0)?;
    (moves && fact.state == State::Succeeded).then_some((amount, fact.currency?))
}

/// Decides between two states within one second, the resolution of gateways' times: a decided state follows an
/// undecided one, and an authorization follows a failed attempt.
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
        State::Accepted => 14,
        State::Dismissed => 15,
    }
}
