//! The movements of a payment's money, each with the time at which it moved, for bookkeeping. They follow from all
//! facts about money, so the order of the events makes no difference. Without the fees they add up to the payment's
//! amounts.

use std::collections::{BTreeMap, BTreeSet};

use super::case::captured;
use super::disputes::has_nothing_to_keep;
use super::rules::gone;
use crate::domain::Timestamp;
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::identifier::GatewayRef;
use crate::domain::ledger::Ledger;
use crate::domain::money::{Currency, Money};

/// Why money moved.
///
/// See the [module](crate::domain::payment) for an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum MovementKind {
    /// The customer paid.
    Capture,
    /// Money went back to the customer.
    Refund,
    /// A refund failed or was canceled after it had counted, so the money came back.
    RefundFailed,
    /// A dispute was lost.
    DisputeWithdrawn,
    /// A lost dispute was won after all, or reversed.
    DisputeReinstated,
    /// The gateway kept a fee, or returned one. The other movements are gross.
    Fee,
}

impl MovementKind {
    /// Every kind, in the order of a payment's life.
    pub const ALL: [MovementKind; 6] =
        [Self::Capture, Self::Refund, Self::RefundFailed, Self::DisputeWithdrawn, Self::DisputeReinstated, Self::Fee];

    /// The kind's name in tables and files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Refund => "refund",
            Self::RefundFailed => "refund_failed",
            Self::DisputeWithdrawn => "dispute_withdrawn",
            Self::DisputeReinstated => "dispute_reinstated",
            Self::Fee => "fee",
        }
    }

    /// The kind with this name; the reverse of [`MovementKind::as_str`].
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// One movement of money.
///
/// See the [module](crate::domain::payment) for an example.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[non_exhaustive]
pub struct Movement {
    /// When the money moved, by the gateway's clock: the time of the first fact that reported it. Of a fee: when the
    /// gateway took it, if it says so.
    #[serde(serialize_with = "crate::domain::serialize_time")]
    pub moved_at: Timestamp,
    /// Why it moved.
    pub kind: MovementKind,
    /// In minor units of the currency: positive to the merchant, negative from the merchant.
    pub amount: i64,
    /// The payment's currency; of a fee, the one in which the gateway took it.
    pub currency: Currency,
    /// The gateway's id of the object that first reported it.
    pub gateway_ref: GatewayRef,
}

/// The movements of a payment with this ledger in one currency, and all fees, each in its own currency, in the order in
/// which they happened. Without the fees, their sum is the captured amount less the refunded and lost amounts that
/// [`derive`](super::derive) returns for the payment's currency.
///
/// Several objects may report the same money (a checkout, an intent, a charge), and a running total includes single
/// refunds. So the facts are taken one after the other in the order of their times, and what each changes in the sums
/// is one movement.
///
/// See the [module](crate::domain::payment) for an example.
pub fn movements(ledger: &Ledger, currency: Currency) -> Vec<Movement> {
    let (mut so_far, mut before, mut all) = (Ledger::new(), Sums::default(), Vec::new());
    for fact in ledger.told_of_money() {
        let is_first = so_far.get(fact.aspect, &fact.gateway_ref).is_none();
        so_far.merge(fact.clone());
        let after = Sums::of(&so_far, currency);
        let moved_at = taken_at(ledger, fact).filter(|_| is_first).unwrap_or(fact.occurred_at);
        let fees = after.fees_since(&before).into_iter().map(|fee| (MovementKind::Fee, fee));
        let changes = changes(fact, &before, &after).into_iter();
        let changes = changes.map(|(kind, minor)| (kind, Money::new(minor, currency))).chain(fees);
        all.extend(changes.filter(|(_, money)| money.minor != 0).map(|(kind, money)| Movement {
            moved_at,
            kind,
            amount: money.minor,
            currency: money.currency,
            gateway_ref: fact.gateway_ref.clone(),
        }));
        before = after;
    }
    // A fee may have been reported long after it was taken.
    all.sort_by_key(|movement| movement.moved_at);
    all
}

/// When the gateway took the fee that a fact is about, if it says so.
fn taken_at(ledger: &Ledger, fact: &Fact) -> Option<Timestamp> {
    if fact.aspect == Aspect::Fee { ledger.get(Aspect::Fee, &fact.gateway_ref)?.since } else { None }
}

/// What was captured, refunded and lost so far, in minor units of one currency, and kept as fees in each.
#[derive(Default)]
struct Sums {
    captured: i64,
    refunded: i64,
    lost: i64,
    fees: BTreeMap<Currency, i64>,
}

impl Sums {
    fn of(ledger: &Ledger, currency: Currency) -> Self {
        let captured = captured(ledger, currency);
        let (refunded, lost) = gone(ledger, currency, captured);
        Self { captured, refunded, lost, fees: fees(ledger) }
    }

    fn gone(&self) -> i64 {
        // Neither exceeds what was captured, nor does their sum.
        self.refunded + self.lost
    }

    /// What fees changed by: negative where more is kept.
    fn fees_since(&self, before: &Self) -> Vec<Money> {
        let currencies: BTreeSet<Currency> = before.fees.keys().chain(self.fees.keys()).copied().collect();
        let kept = |sums: &Self, currency| sums.fees.get(&currency).copied().unwrap_or(0);
        let changes = currencies.into_iter().map(|currency| (kept(before, currency) - kept(self, currency), currency));
        changes.map(|(minor, currency)| Money::new(minor, currency)).collect()
    }
}

/// What a fact changed. A refund that turns out to be the money of a dispute, or the other way round, moved only once.
fn changes(fact: &Fact, before: &Sums, after: &Sums) -> Vec<(MovementKind, i64)> {
    let went = before.gone() - after.gone();
    let (out, back) = match fact.aspect {
        Aspect::Fee => return Vec::new(),
        Aspect::Dispute => (MovementKind::DisputeWithdrawn, MovementKind::DisputeReinstated),
        Aspect::Refund | Aspect::RefundTotal => (MovementKind::Refund, MovementKind::RefundFailed),
        // What had been told of before the capture counts from now on.
        _ => {
            let came = (MovementKind::Capture, after.captured - before.captured);
            let refunded = (MovementKind::Refund, before.refunded - after.refunded);
            return vec![came, refunded, (MovementKind::DisputeWithdrawn, before.lost - after.lost)];
        }
    };
    vec![(if went < 0 { out } else { back }, went)]
}

/// More than this is no fee but somebody's mistake, in minor units.
const LARGEST_FEE: u64 = 1_000_000_000_000;

/// What the gateway keeps, by currency. What it gave back with a refund it keeps again where that refund failed, and what
/// it gave back with a lost dispute it keeps again once.
fn fees(ledger: &Ledger) -> BTreeMap<Currency, i64> {
    let has_failed = |fact: &Fact| {
        let refund =
            ledger.get(Aspect::Refund, &fact.gateway_ref).filter(|_| fact.amount.is_some_and(|minor| minor < 0));
        refund.is_some_and(|refund| matches!(refund.state, State::Failed | State::Canceled))
    };
    let mut kept = BTreeMap::new();
    for fact in ledger.facts_of(Aspect::Fee) {
        let Some((minor, currency)) = fact.amount.zip(fact.currency) else { continue };
        let is_fee = fact.state == State::Succeeded && minor.unsigned_abs() <= LARGEST_FEE;
        let counts = is_fee && !has_failed(fact) && !has_nothing_to_keep(ledger, fact);
        let sum: &mut i64 = kept.entry(currency).or_default();
        *sum = sum.saturating_add(if counts { minor } else { 0 });
    }
    kept
}
