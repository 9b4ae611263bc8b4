//! A ledger, compared with the amount that is due: which facts fit it, which money moved, which promises still stand.

use std::collections::{BTreeMap, BTreeSet};

use super::families::Families;
use super::invoices::asked_for;
use super::reviews::accepted_amounts;
use super::state::Terms;
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::identifier::GatewayRef;
use crate::domain::ledger::{Ledger, moved, rank};
use crate::domain::money::{Currency, Money};

/// The aspects that report money to the merchant. Each of them counts the same money in its own way.
pub(super) const WAYS: [Aspect; 3] = [Aspect::Checkout, Aspect::CaptureTotal, Aspect::Capture];

/// How a fact's amount compares with the amount due.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// It is the amount due, or the object explains the difference.
    Fits,
    /// The currency matches, the amount does not.
    Differs,
    /// Another currency, or none.
    Foreign,
}

/// A ledger, compared with the amount due.
pub(super) struct Case<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) families: Families<'a>,
    adopted: bool,
    pub(super) due: Money,
    pub(super) captured: i64,
    /// Whether that is more than the invoices ask for that it pays.
    is_overpaid: bool,
    /// The amounts that a fitting checkout requests in place of the amount due, after a discount or with tax. A capture
    /// does not state these, so they explain its amount as well, whether the checkout is paid or not. And those that a
    /// person accepted.
    asked: Vec<i64>,
    /// The ids of the authorizations of which nothing more will be captured.
    closed: BTreeSet<&'a GatewayRef>,
}

impl<'a> Case<'a> {
    pub(super) fn read(terms: Terms, ledger: &'a Ledger) -> Self {
        let (mut due, adopted) = match terms {
            Terms::Agreed(money) => (money, false),
            Terms::Adopted => (reported(ledger), true),
        };
        let captured = captured(ledger, due.currency);
        let asked = asked_for(ledger, due.currency).filter(|_| adopted);
        let is_overpaid = asked.is_some_and(|asked| captured > asked);
        if adopted {
            // More than invoices ask for is too much. Where less came, it is what was paid: the rest may come otherwise.
            due.minor = match asked {
                Some(asked) if is_overpaid || due.minor == 0 => asked,
                _ => due.minor.max(captured),
            };
        }
        let explains = |f: &&Fact| f.currency == Some(due.currency) && is_or_stands_for(f, due.minor);
        let asked = ledger.facts_of(Aspect::Checkout).filter(explains).filter_map(|f| f.amount);
        let closed = ledger.facts_of(Aspect::CaptureTotal).filter(|f| f.state == State::Closed);
        Self {
            ledger,
            families: Families::of(ledger),
            adopted,
            due,
            captured,
            is_overpaid,
            asked: asked.filter(|minor| *minor > 0).chain(accepted_amounts(ledger, due.currency)).collect(),
            closed: closed.map(|f| &f.gateway_ref).collect(),
        }
    }

    pub(super) fn fit(&self, fact: &Fact) -> Fit {
        if fact.currency != Some(self.due.currency) {
            return Fit::Foreign;
        }
        let fits = self.adopted || self.is_wanted(|minor| is_or_stands_for(fact, minor)) || self.closes(fact);
        if fits { Fit::Fits } else { Fit::Differs }
    }

    /// Whether this holds of the amount due, or of one that a checkout asks for in its place.
    fn is_wanted(&self, is_so: impl Fn(i64) -> bool) -> bool {
        is_so(self.due.minor) || self.asked.iter().any(|minor| is_so(*minor))
    }

    /// Whether this capture belongs to an authorization that was meant for the amount due and is used up: the rest was
    /// left on purpose.
    fn closes(&self, fact: &Fact) -> bool {
        let Some(id) = authorizations(fact).find(|id| self.closed.contains(id)) else { return false };
        let held = self.ledger.get(Aspect::Authorization, id).filter(|held| held.currency == fact.currency);
        let meant_for = |minor| held.is_some_and(|held| held.face == Some(minor)) && fact.amount <= Some(minor);
        fact.aspect == Aspect::Capture && self.is_wanted(meant_for)
    }

    /// The least amount that pays.
    pub(super) fn covers(&self) -> i64 {
        self.asked.iter().fold(self.due.minor, |least, minor| least.min(*minor))
    }

    /// The checkouts without anything to pay.
    pub(super) fn free(&self) -> impl Iterator<Item = &'a Fact> {
        self.ledger.facts_of(Aspect::Checkout).filter(|f| f.state == State::Free)
    }

    /// Whether such a checkout was meant for this payment's amount, so that its discount explains why nothing was due.
    /// A free checkout of something else must not pay for this payment.
    pub(super) fn frees(&self, fact: &Fact) -> bool {
        self.due.minor == 0 || self.fit(fact) == Fit::Fits
    }

    /// Whether nothing was agreed to be paid, and an object says that so much was.
    pub(super) fn is_nothing_paid(&self) -> bool {
        let nothing =
            |f: &Fact| f.state == State::Succeeded && (f.amount, f.currency) == (Some(0), Some(self.due.currency));
        let is_nothing_due = !self.adopted && self.due.minor == 0;
        is_nothing_due && WAYS.into_iter().flat_map(|way| self.ledger.facts_of(way)).any(nothing)
    }

    /// The facts that state that money moved, in the order of the ledger.
    pub(super) fn moved(&self) -> impl Iterator<Item = &'a Fact> {
        self.ledger.facts().filter(|f| moved(f).is_some())
    }

    /// The `Authorized` facts of each authorization that was not given up. An intent and its charges are one family,
    /// since the gateway may report the authorization on one and its end on the other. The newest state of the family
    /// counts; within one second, the end does.
    pub(super) fn standing_authorizations(&self) -> Vec<Vec<&'a Fact>> {
        let mut families = BTreeMap::<&str, Vec<&Fact>>::new();
        for fact in self.ledger.facts_of(Aspect::Authorization) {
            let is_used_up = self.closed.contains(&fact.gateway_ref) && self.is_captured(&fact.gateway_ref);
            if matches!(fact.state, State::Authorized | State::Canceled | State::Expired) && !is_used_up {
                families.entry(self.families.of_fact(fact)).or_default().push(fact);
            }
        }
        let mut standing: Vec<_> = families.into_values().collect();
        standing.retain(|family| {
            let newest = family.iter().max_by_key(|f| (f.occurred_at, rank(f.state)));
            newest.is_some_and(|f| f.state == State::Authorized)
        });
        for family in &mut standing {
            family.retain(|f| f.state == State::Authorized);
        }
        standing
    }

    fn is_captured(&self, authorization: &GatewayRef) -> bool {
        self.ledger
            .facts_of(Aspect::Capture)
            .any(|f| authorizations(f).any(|id| id == authorization) && moved(f).is_some())
    }

    /// Whether a person accepted just what came in all.
    pub(super) fn is_accepted(&self) -> bool {
        accepted_amounts(self.ledger, self.due.currency).any(|minor| minor == self.captured)
    }

    /// What one payment takes: the largest movement that fits, where several do by themselves, so that it was paid more
    /// than once; otherwise what is due, or more where that is explained.
    pub(super) fn price(&self) -> (i64, bool) {
        if self.is_accepted() {
            return (self.captured, false);
        }
        if self.is_overpaid {
            return (self.due.minor, false);
        }
        let fitting = |way| {
            let fits = move |f: &&Fact| moved(f).is_some() && self.fit(f) == Fit::Fits;
            // The captures of one family are parts of one payment, but for those that took all by themselves: a second
            // charge of one intent, whose first one a bank returned, or a second intent of one invoice.
            let mut sums = BTreeMap::<&str, i64>::new();
            for fact in self.ledger.facts_of(way).filter(fits) {
                let is_part = way == Aspect::Capture && !self.is_wanted(|minor| fact.amount == Some(minor));
                let of = if is_part { self.families.of_fact(fact) } else { fact.gateway_ref.as_str() };
                let sum = sums.entry(of).or_default();
                *sum = sum.saturating_add(fact.amount.unwrap_or(0));
            }
            sums
        };
        let ways = WAYS.map(fitting);
        let largest = ways.iter().flat_map(BTreeMap::values).copied().max().unwrap_or(0);
        let is_more = self.captured > largest && self.captured != self.due.minor;
        let is_twice = !self.adopted && is_more && ways.iter().any(|way| way.len() > 1);
        (if is_twice { largest } else { largest.max(self.due.minor) }, is_twice)
    }
}

/// What moved to the merchant, in minor units of `currency`: the largest of the three views of the same money.
pub(super) fn captured(ledger: &Ledger, currency: Currency) -> i64 {
    WAYS.into_iter().map(|way| sum(ledger, way, currency)).max().unwrap_or(0)
}

/// What may be the authorization of a capture: its parent, or at some gateways the same object.
fn authorizations(capture: &Fact) -> impl Iterator<Item = &GatewayRef> {
    capture.parent.iter().chain([&capture.gateway_ref])
}

/// The money that one aspect reports, in minor units of `currency`.
pub(super) fn sum(ledger: &Ledger, way: Aspect, currency: Currency) -> i64 {
    let amounts = ledger.facts_of(way).filter_map(moved).filter(|(_, c)| *c == currency);
    amounts.fold(0, |sum: i64, (minor, _)| sum.saturating_add(minor))
}

/// Whether the gateway called this object failed after its money had come. The money may be gone again: a bank returned
/// it, and the gateway has no other word for that.
pub(super) fn failed_later(ledger: &Ledger, fact: &Fact) -> bool {
    let attempt = ledger.get(Aspect::Authorization, &fact.gateway_ref);
    attempt.is_some_and(|attempt| attempt.state == State::Failed && attempt.occurred_at > fact.occurred_at)
}

/// Whether the amount or the face amount of `fact` is `minor`. Discount, tax and shipping explain why a checkout takes
/// less or more than its face; of everything else a part may be taken, and never more.
fn is_or_stands_for(fact: &Fact, minor: i64) -> bool {
    let is_part = fact.aspect == Aspect::Checkout || fact.amount <= fact.face;
    fact.amount == Some(minor) || (fact.face == Some(minor) && is_part)
}

/// The amount of an adopted payment, as the gateway reports it. The currency comes from money that moved, then from a
/// free checkout, and only then from requested amounts, so that no later fact can make the currency of the money that
/// was paid a foreign one.
fn reported(ledger: &Ledger) -> Money {
    let paid = WAYS.into_iter().flat_map(|way| ledger.facts_of(way)).filter(|f| moved(f).is_some());
    let paid = paid.filter_map(|f| f.currency);
    let free = ledger.facts_of(Aspect::Checkout).filter(|f| f.state == State::Free).filter_map(|f| f.currency);
    let asks = [Aspect::Checkout, Aspect::CaptureTotal, Aspect::Authorization, Aspect::Capture];
    let asked = asks.into_iter().flat_map(|aspect| ledger.facts_of(aspect)).filter_map(|f| f.currency);
    let any = ledger.facts().filter_map(|f| f.currency);
    let currency = paid.chain(free).chain(asked).chain(any).next().unwrap_or(Currency::NONE);
    let largest = |aspect, size: fn(&Fact) -> Option<i64>| {
        ledger.facts_of(aspect).filter(|f| f.currency == Some(currency)).filter_map(size).max()
    };
    let minor = largest(Aspect::Checkout, |f| moved(f).map(|(minor, _)| minor))
        .or_else(|| largest(Aspect::Checkout, |f| f.amount))
        .or_else(|| largest(Aspect::CaptureTotal, |f| f.face.or(f.amount)))
        .or_else(|| largest(Aspect::Authorization, |f| f.face.or(f.amount)))
        .or_else(|| largest(Aspect::Capture, |f| f.face.or(f.amount)));
    Money::new(minor.unwrap_or(0), currency)
}
