//! The ledger: a payment's set of facts. For each register it keeps the fact that outranks all others, regardless of
//! the order in which facts arrive and how often.
//!
//! No fact ever turns a paid payment back into an unpaid one, provided that the gateway follows these rules: once an
//! object's money has moved, its currency never changes and its face amount never shrinks. All facts of a checkout have
//! its amounts, and all facts of an authorization have its face amount.
//!
//! ```
//! use actix_payments::domain::Timestamp;
//! use actix_payments::domain::fact::{Aspect, Fact, State};
//! use actix_payments::domain::ledger::{Effect, Ledger};
//! use actix_payments::domain::money::Currency;
//! use actix_payments::domain::payment::{Status, Terms, derive};
//!
//! let fact = |state, event| Fact::new(Aspect::Capture, "ch_1", state, Timestamp::UNIX_EPOCH, event);
//! let mut ledger = Ledger::new();
//! assert_eq!(ledger.insert(fact(State::Succeeded, "evt_2").with_amount(49_99, Currency::EUR)), Effect::New);
//! assert_eq!(ledger.insert(fact(State::Pending, "evt_1")), Effect::Outranked(State::Succeeded));
//! assert_eq!(derive(Terms::Adopted, &ledger).status, Status::Paid);
//! ```

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::Timestamp;
pub use super::effect::Effect;
use super::fact::{Aspect, Fact, State};
use super::identifier::GatewayRef;
use super::money::Currency;

/// A payment's facts, one for each register. Two ledgers are equal if these facts are, whatever earlier facts they
/// replaced.
///
/// See the [module](self) for an example.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    registers: BTreeMap<(Aspect, GatewayRef), Register>,
}

/// What one register holds.
#[derive(Debug, Clone)]
struct Register {
    /// The fact that outranks all others.
    fact: Fact,
    /// What else was told of money, each content by the fact that told it first: it says when money moved.
    earlier: Vec<Fact>,
}

impl PartialEq for Ledger {
    fn eq(&self, other: &Self) -> bool {
        self.facts().eq(other.facts())
    }
}

impl Eq for Ledger {}

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
                register.insert(Register { fact, earlier: Vec::new() });
                Effect::New
            }
            Entry::Occupied(mut register) => register.get_mut().take(fact),
        }
    }

    /// Puts a fact in the place of whatever its register has: something else than times decides which one counts.
    /// Returns whether that changed the ledger.
    pub(crate) fn replace(&mut self, fact: Fact) -> bool {
        let key = (fact.aspect, fact.gateway_ref.clone());
        if self.registers.get(&key).is_some_and(|register| register.fact == fact) {
            return false;
        }
        self.registers.insert(key, Register { fact, earlier: Vec::new() });
        true
    }

    /// Takes a fact only as what was told before, where its register has one that outranks it. Returns whether it was
    /// news.
    pub(crate) fn recall(&mut self, fact: Fact) -> bool {
        let Some(register) = self.registers.get_mut(&(fact.aspect, fact.gateway_ref.clone())) else { return false };
        if precedence(&fact) >= precedence(&register.fact) {
            return false;
        }
        let before = register.earlier.clone();
        register.keep(fact);
        register.earlier != before
    }

    /// Merges every fact of `other`.
    pub fn absorb(&mut self, other: Ledger) {
        for Register { fact, earlier } in other.registers.into_values() {
            for fact in earlier.into_iter().chain([fact]) {
                self.merge(fact);
            }
        }
    }

    /// The facts, ordered by aspect and then by the gateway's id.
    pub fn facts(&self) -> impl Iterator<Item = &Fact> {
        self.registers.values().map(|register| &register.fact)
    }

    /// The facts of one aspect, ordered by the gateway's id.
    pub fn facts_of(&self, aspect: Aspect) -> impl Iterator<Item = &Fact> {
        let from = self.registers.range((aspect, GatewayRef::from(""))..).map(|(_, register)| &register.fact);
        from.take_while(move |f| f.aspect == aspect)
    }

    /// The fact of this aspect of this object.
    pub fn get(&self, aspect: Aspect, gateway_ref: &GatewayRef) -> Option<&Fact> {
        self.registers.get(&(aspect, gateway_ref.clone())).map(|register| &register.fact)
    }

    /// What else was told of the money of this object: each content by the fact that told it first.
    pub(crate) fn earlier(&self, aspect: Aspect, gateway_ref: &GatewayRef) -> &[Fact] {
        self.registers.get(&(aspect, gateway_ref.clone())).map_or(&[], |register| &register.earlier)
    }

    /// All that was told of money, in the order in which it happened. Of one moment, captures come before refunds, and
    /// the single movement before the total that includes it.
    pub(super) fn told_of_money(&self) -> Vec<&Fact> {
        let told = self.registers.values().flat_map(|register| register.earlier.iter().chain([&register.fact]));
        let mut told: Vec<&Fact> = told.filter(|fact| tells_of_money(fact)).collect();
        told.sort_by(|a, b| {
            let place = |fact: &Fact| MONEY.iter().position(|aspect| *aspect == fact.aspect);
            let key = |fact: &'_ Fact| (fact.occurred_at, place(fact), fact.gateway_ref.clone());
            key(a).cmp(&key(b)).then_with(|| precedence(a).cmp(&precedence(b)))
        });
        told
    }

    /// Whether the ledger has no facts.
    pub fn is_empty(&self) -> bool {
        self.registers.is_empty()
    }
}

impl Register {
    fn take(&mut self, fact: Fact) -> Effect {
        let held = self.fact.state;
        let (new, old) = (precedence(&fact), precedence(&self.fact));
        let (effect, other) = match new.cmp(&old) {
            Ordering::Equal => return Effect::Known,
            Ordering::Less if new.is_only_older_than(&old) => (Effect::Older(held), fact),
            Ordering::Less => (Effect::Outranked(held), fact),
            Ordering::Greater => (Effect::Replaced(held), std::mem::replace(&mut self.fact, fact)),
        };
        self.keep(other);
        effect
    }

    /// Keeps a fact that is outranked, unless its content was told before it.
    fn keep(&mut self, fact: Fact) {
        if !tells_of_money(&fact) {
            return;
        }
        self.earlier.push(fact);
        let mut all: Vec<Fact> = std::mem::take(&mut self.earlier);
        all.push(self.fact.clone());
        all.sort_by(|a, b| first_told(a).cmp(&first_told(b)).then_with(|| precedence(a).cmp(&precedence(b))));
        for fact in all {
            let is_known = self.earlier.iter().any(|other| content(other) == content(&fact));
            if !is_known {
                self.earlier.push(fact);
            }
        }
        self.earlier.retain(|fact| *fact != self.fact);
    }
}

/// The aspects that tell of money, those first that name a single movement.
const MONEY: [Aspect; 7] = {
    use Aspect::{Capture, CaptureTotal, Checkout, Dispute, Fee, Refund, RefundTotal};
    [Capture, CaptureTotal, Checkout, Dispute, Refund, RefundTotal, Fee]
};

/// Whether a fact may count in what was captured, refunded, lost or kept as a fee, at any time.
fn tells_of_money(fact: &Fact) -> bool {
    match fact.aspect {
        Aspect::Checkout | Aspect::Capture | Aspect::CaptureTotal => moved(fact).is_some(),
        // A pending refund may explain a part of a running total.
        Aspect::Refund | Aspect::RefundTotal | Aspect::Dispute | Aspect::Fee => true,
        Aspect::Authorization | Aspect::Concern | Aspect::Review => false,
    }
}

/// The order in which facts of one register were told.
fn first_told(fact: &Fact) -> (Timestamp, &str) {
    (fact.occurred_at, &fact.event_id)
}

/// What counts of a fact in what was captured, refunded or lost, besides its time.
type Counted<'a> = (State, Option<i64>, Option<Currency>, Option<(Option<i64>, Option<&'a str>, Option<Timestamp>)>);

fn content(fact: &Fact) -> Counted<'_> {
    let is_capture = matches!(fact.aspect, Aspect::Checkout | Aspect::Capture | Aspect::CaptureTotal);
    let of = (fact.face, fact.parent.as_deref(), fact.since);
    (fact.state, fact.amount, fact.currency, (!is_capture).then_some(of))
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
type Content<'a> =
    (Option<i64>, Option<i64>, Option<Currency>, [Option<&'a str>; 2], [Option<Timestamp>; 2], Option<bool>);

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
            [fact.parent.as_deref(), fact.reason.as_deref()],
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
