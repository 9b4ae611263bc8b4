//! The rules by which a payment's terms and ledger become its status, amounts and concerns.

use std::collections::BTreeMap;

use super::refunds;
use super::state::{PaymentState, Status, Terms};
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::ledger::{Ledger, moved, rank};
use crate::domain::money::{Currency, Money};

/// The aspects that report money to the merchant. Each of them counts the same money in its own way.
const WAYS: [Aspect; 3] = [Aspect::Checkout, Aspect::CaptureTotal, Aspect::Capture];

/// The state of a payment with these `terms` and this `ledger`. Total: any facts give a state.
///
/// A payment is paid once money in its own currency moved, and either an object states that it was meant for this
/// amount or enough moved to cover it. Neither can become untrue again, so no fact turns a paid payment back into an
/// unpaid one.
pub fn derive(terms: Terms, ledger: &Ledger) -> PaymentState {
    let case = Case::read(terms, ledger);
    let refunded = refunds::refunded(ledger, case.due.currency).clamp(0, case.captured);
    let paid = case.is_paid();
    let status = match paid {
        true if case.captured > 0 && refunded >= case.captured => Status::Refunded,
        true if refunded > 0 => Status::PartiallyRefunded,
        true => Status::Paid,
        false => case.unpaid_status(),
    };
    let disputed = ledger.facts_of(Aspect::Dispute).any(|f| matches!(f.state, State::Open | State::Lost));
    let concerns = case.concerns(paid, refunded);
    PaymentState { status, amount: case.due, captured: case.captured, refunded, disputed, concerns }
}

/// The sentence for a fact whose amount is not the payment's.
pub(in crate::domain) fn mismatch(fact: &Fact, due: Money) -> String {
    match fact.amount.zip(fact.currency) {
        Some((minor, currency)) => {
            format!("the gateway reports {}, the payment is of {due}", Money::new(minor, currency))
        }
        None => format!("the gateway reports no amount, the payment is of {due}"),
    }
}

/// How a fact's amount compares with the amount due.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// It is the amount due, or the object explains the difference.
    Fits,
    /// The currency matches, the amount does not.
    Differs,
    /// Another currency, or none.
    Foreign,
}

/// A ledger, compared with the amount due.
struct Case<'a> {
    ledger: &'a Ledger,
    adopted: bool,
    due: Money,
    captured: i64,
    /// The amounts that a fitting checkout requests in place of the amount due, after a discount or with tax. A capture
    /// does not state these, so they explain its amount as well, whether the checkout is paid or not.
    asked: Vec<i64>,
}

impl<'a> Case<'a> {
    fn read(terms: Terms, ledger: &'a Ledger) -> Self {
        let (mut due, adopted) = match terms {
            Terms::Agreed(money) => (money, false),
            Terms::Adopted => (reported(ledger), true),
        };
        let captured = WAYS.into_iter().map(|way| sum(ledger, way, due.currency)).max().unwrap_or(0);
        if adopted {
            due.minor = due.minor.max(captured);
        }
        let explains = |f: &&Fact| f.currency == Some(due.currency) && is_or_stands_for(f, due.minor);
        let asked = ledger.facts_of(Aspect::Checkout).filter(explains).filter_map(|f| f.amount);
        Self { ledger, adopted, due, captured, asked: asked.filter(|minor| *minor > 0).collect() }
    }

    fn fit(&self, fact: &Fact) -> Fit {
        if fact.currency != Some(self.due.currency) {
            return Fit::Foreign;
        }
        let fits = self.adopted
            || is_or_stands_for(fact, self.due.minor)
            || self.asked.iter().any(|minor| is_or_stands_for(fact, *minor));
        if fits { Fit::Fits } else { Fit::Differs }
    }

    /// The checkouts without anything to pay.
    fn free(&self) -> impl Iterator<Item = &'a Fact> {
        self.ledger.facts_of(Aspect::Checkout).filter(|f| f.state == State::Free)
    }

    /// Whether such a checkout was meant for this payment's amount, so that its discount explains why nothing was due.
    /// A free checkout of something else must not pay for this payment.
    fn frees(&self, fact: &Fact) -> bool {
        self.due.minor == 0 || self.fit(fact) == Fit::Fits
    }

    /// The facts that state that money moved, in the order of the ledger.
    fn moved(&self) -> impl Iterator<Item = &'a Fact> {
        self.ledger.facts().filter(|f| moved(f).is_some())
    }

    fn is_paid(&self) -> bool {
        let free = self.free().any(|f| self.frees(f));
        let covers = self.asked.iter().fold(self.due.minor, |least, minor| least.min(*minor));
        free || (self.captured > 0 && self.captured >= covers) || self.moved().any(|f| self.fit(f) == Fit::Fits)
    }

    /// The status while no money counts: authorized while an authorization stands, otherwise by the latest state.
    fn unpaid_status(&self) -> Status {
        if self.standing_authorizations().iter().flatten().any(|f| self.covers(f)) {
            return Status::Authorized;
        }
        let ways = [Aspect::Checkout, Aspect::Authorization, Aspect::Capture, Aspect::CaptureTotal];
        let words = ways.into_iter().flat_map(|aspect| self.ledger.facts_of(aspect));
        let words = words.filter_map(|f| Some(((f.occurred_at, rank(f.state), &f.event_id), unpaid_word(f.state)?)));
        words.max_by_key(|(when, _)| *when).map_or(Status::Pending, |(_, status)| status)
    }

    /// Whether this authorization covers the amount due.
    fn covers(&self, fact: &Fact) -> bool {
        match self.fit(fact) {
            Fit::Fits => true,
            Fit::Differs => fact.amount.is_some_and(|minor| minor > self.due.minor),
            Fit::Foreign => false,
        }
    }

    /// The `Authorized` facts of each authorization that was not given up. An intent and its charges are one family,
    /// since the gateway may report the authorization on one and its end on the other. The newest state of the family
    /// counts; within one second, the end does.
    fn standing_authorizations(&self) -> Vec<Vec<&'a Fact>> {
        let mut families = BTreeMap::<&str, Vec<&Fact>>::new();
        for fact in self.ledger.facts_of(Aspect::Authorization) {
            if matches!(fact.state, State::Authorized | State::Canceled | State::Expired) {
                families.entry(fact.parent.as_deref().unwrap_or(&fact.gateway_ref)).or_default().push(fact);
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

    fn concerns(&self, paid: bool, refunded: i64) -> Vec<String> {
        let mut sentences = self.money_concerns(refunded);
        if !paid {
            let doubtful = |family: &Vec<&Fact>| !family.iter().any(|f| self.fit(f) == Fit::Fits);
            let promised = self.standing_authorizations().into_iter().filter(doubtful).flatten();
            let wordless = self.ledger.facts().filter(|f| WAYS.contains(&f.aspect) && f.state == State::Succeeded);
            let wordless = wordless.filter(|f| f.amount.is_none() || f.currency.is_none());
            sentences.extend(promised.chain(wordless).map(|f| mismatch(f, self.due)));
        }
        sentences.extend(refunds::concerns(self.ledger, self.due.currency));
        sentences.extend(self.ledger.facts_of(Aspect::Concern).map(|f| raised(&f.gateway_ref)));
        once_each(sentences)
    }

    fn money_concerns(&self, refunded: i64) -> Vec<String> {
        // Parts that add up to the amount due, or to a total that fits, need no review, though no part is the amount.
        let totals = self.ledger.facts_of(Aspect::CaptureTotal).filter(|f| self.fit(f) == Fit::Fits);
        let totals: Vec<i64> = totals.filter_map(moved).map(|(minor, _)| minor).chain([self.due.minor]).collect();
        let adds_up = |f: &Fact| totals.contains(&sum(self.ledger, f.aspect, self.due.currency));
        let (mut sentences, mut expected, mut told) = (Vec::new(), self.due.minor, false);
        for fact in self.moved() {
            match self.fit(fact) {
                Fit::Fits => expected = expected.max(fact.amount.unwrap_or(0)),
                Fit::Differs if adds_up(fact) => {}
                Fit::Differs | Fit::Foreign => {
                    told |= moved(fact) == Some((self.captured, self.due.currency));
                    sentences.push(mismatch(fact, self.due));
                }
            }
        }
        sentences.extend(self.free().filter(|f| !self.frees(f)).map(|f| mismatch(f, self.due)));
        // A double payment needs no review any more once the surplus was refunded.
        if self.captured.saturating_sub(refunded) > expected && !told {
            let captured = Money::new(self.captured, self.due.currency);
            sentences.push(format!("{captured} were captured, the payment is of {}", self.due));
        }
        sentences
    }
}

/// Whether the amount or the face amount of `fact` is `minor`.
fn is_or_stands_for(fact: &Fact, minor: i64) -> bool {
    fact.amount == Some(minor) || fact.face == Some(minor)
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

/// The money that one aspect reports, in minor units of `currency`.
fn sum(ledger: &Ledger, way: Aspect, currency: Currency) -> i64 {
    let amounts = ledger.facts_of(way).filter_map(moved).filter(|(_, c)| *c == currency);
    amounts.fold(0, |sum: i64, (minor, _)| sum.saturating_add(minor))
}

/// The status of a payment whose latest state is this one, while no money counts.
pub(in crate::domain) fn unpaid_word(state: State) -> Option<Status> {
    match state {
        // An authorization that covers the payment was found before; one of another amount decides nothing.
        State::Pending | State::ActionRequired | State::Authorized => Some(Status::Pending),
        State::Failed => Some(Status::Failed),
        State::Expired => Some(Status::Expired),
        State::Canceled => Some(Status::Canceled),
        _ => None,
    }
}

/// The sentence for a reason code.
fn raised(code: &str) -> String {
    match code {
        "other_mode" => "a test event reached a live payment, or the other way round".to_owned(),
        "ambiguous_reference" => "an event names more than one payment".to_owned(),
        "money_reversed" => "the gateway says that the money was taken back, and not how much of it".to_owned(),
        other => other.to_owned(),
    }
}

/// The sentences in order and without repetitions, since several objects report the same money.
fn once_each(sentences: Vec<String>) -> Vec<String> {
    let mut once = Vec::<String>::with_capacity(sentences.len());
    for sentence in sentences {
        if !once.contains(&sentence) {
            once.push(sentence);
        }
    }
    once
}
