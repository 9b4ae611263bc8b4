//! Why a person should review a payment: each reason is a sentence.

use super::case::{Case, Fit, WAYS, failed_later, sum};
use super::{disputes, refunds};
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::ledger::moved;
use crate::domain::money::Money;

/// The sentence for a fact whose amount is not the payment's.
pub(in crate::domain) fn mismatch(fact: &Fact, due: Money) -> String {
    match fact.amount.zip(fact.currency) {
        Some((minor, currency)) => {
            format!("the gateway reports {}, the payment is of {due}", Money::new(minor, currency))
        }
        None => format!("the gateway reports no amount, the payment is of {due}"),
    }
}

/// All reasons, in a fixed order and each once, since several objects report the same money. `gone` is what was refunded
/// or lost.
pub(super) fn concerns(case: &Case<'_>, paid: bool, gone: i64) -> Vec<String> {
    let mut sentences = money(case, gone);
    if !paid {
        let doubtful = |family: &Vec<&Fact>| !family.iter().any(|f| case.fit(f) == Fit::Fits);
        let promised = case.standing_authorizations().into_iter().filter(doubtful).flatten();
        let wordless = case.ledger.facts().filter(|f| WAYS.contains(&f.aspect) && f.state == State::Succeeded);
        let wordless = wordless.filter(|f| moved(f).is_none());
        sentences.extend(promised.chain(wordless).map(|f| mismatch(f, case.due)));
    }
    sentences.extend(returned(case));
    sentences.extend(refunds::concerns(case.ledger, case.due.currency));
    sentences.extend(disputes::concerns(case.ledger, case.due.currency));
    if [true, false].iter().all(|mode| case.ledger.facts().any(|f| f.livemode == Some(*mode))) {
        sentences.push(raised("other_mode"));
    }
    sentences.extend(case.ledger.facts_of(Aspect::Concern).map(|f| raised(&f.gateway_ref)));
    let mut once = Vec::<String>::with_capacity(sentences.len());
    for sentence in sentences {
        if !once.contains(&sentence) {
            once.push(sentence);
        }
    }
    once
}

/// What is odd about the money that moved.
fn money(case: &Case<'_>, gone: i64) -> Vec<String> {
    // Parts that add up to the amount due, or to a total that fits, need no review, though no part is the amount.
    let totals = case.ledger.facts_of(Aspect::CaptureTotal).filter(|f| case.fit(f) == Fit::Fits);
    let totals: Vec<i64> = totals.filter_map(moved).map(|(minor, _)| minor).chain([case.due.minor]).collect();
    let adds_up = |f: &Fact| totals.contains(&sum(case.ledger, f.aspect, case.due.currency));
    // Neither does a part, while the gateway says that the rest of the whole is still authorized.
    let standing = case.standing_authorizations();
    let is_part = |f: &Fact| {
        let of = case.families.of_fact(f);
        let is_rest = |held: &&Fact| held.amount < held.face && case.fit(held) == Fit::Fits;
        standing.iter().flatten().filter(|held| is_rest(held)).any(|held| case.families.of_fact(held) == of)
    };
    // The customer may pay in another currency than the checkout, which states its amount in the merchant's own.
    let is_converted = |f: &Fact| {
        let fits = |checkout: &&Fact| moved(checkout).is_some() && case.fit(checkout) == Fit::Fits;
        let mut checkouts = case.ledger.facts_of(Aspect::Checkout).filter(fits);
        checkouts.any(|checkout| case.families.of_fact(checkout) == case.families.of_fact(f))
    };
    let (mut sentences, mut told) = (Vec::new(), false);
    for fact in case.moved() {
        match case.fit(fact) {
            Fit::Fits => {}
            Fit::Differs if adds_up(fact) || is_part(fact) => {}
            Fit::Foreign if is_converted(fact) => {}
            Fit::Differs | Fit::Foreign => {
                told |= moved(fact) == Some((case.captured, case.due.currency));
                sentences.push(mismatch(fact, case.due));
            }
        }
    }
    sentences.extend(case.free().filter(|f| !case.frees(f)).map(|f| mismatch(f, case.due)));
    // A double payment needs no review any more once the surplus was refunded, or lost to a dispute.
    let (price, is_twice) = case.price();
    if case.captured.saturating_sub(gone) > price && !told {
        let captured = Money::new(case.captured, case.due.currency);
        let twice = if is_twice && case.captured <= case.due.minor { " in more than one payment" } else { "" };
        sentences.push(format!("{captured} were captured{twice}, the payment is of {}", case.due));
    }
    sentences
}

/// Whether an object whose money had come was called failed afterwards.
fn returned(case: &Case<'_>) -> Option<String> {
    case.moved().any(|f| failed_later(case.ledger, f)).then(|| raised("failed_after_success"))
}

/// The sentence for a reason code.
fn raised(code: &str) -> String {
    match code {
        "other_mode" => "a test event reached a live payment, or the other way round".to_owned(),
        "ambiguous_reference" => "an event names more than one payment".to_owned(),
        "money_reversed" => "the gateway says that the money was taken back, and not how much of it".to_owned(),
        "failed_after_success" => {
            "the gateway said that the money had come, and later that the payment failed".to_owned()
        }
        other => other.to_owned(),
    }
}
