//! Why a person should review a payment: each reason is a sentence.

use super::case::{Case, Fit, WAYS, failed_later, sum};
use super::concern::Concern;
use super::invoices::invoice_of;
use super::reviews::is_dismissed;
use super::{disputes, refunds};
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::ledger::moved;
use crate::domain::money::{Money, with_grouped_amounts};

/// The sentence for a fact whose amount is not the payment's.
pub(in crate::domain) fn mismatch(fact: &Fact, due: Money) -> String {
    match fact.amount.zip(fact.currency) {
        Some((minor, currency)) => {
            format!("the gateway reports {}, the payment is of {due}", Money::new(minor, currency))
        }
        None => format!("the gateway reports no amount, the payment is of {due}"),
    }
}

/// All reasons that nobody dismissed, in a fixed order. `gone` is what was refunded or lost.
pub(super) fn open(case: &Case<'_>, paid: bool, gone: i64) -> Vec<Concern> {
    let mut all = money(case, gone);
    if !paid {
        let doubtful = |family: &Vec<&Fact>| !family.iter().any(|f| case.fit(f) == Fit::Fits);
        let promised = case.standing_authorizations().into_iter().filter(doubtful).flatten();
        let wordless = case.ledger.facts().filter(|f| WAYS.contains(&f.aspect) && f.state == State::Succeeded);
        let wordless = wordless.filter(|f| moved(f).is_none());
        all.extend(promised.chain(wordless).map(|f| amount(f, case.due)));
    }
    let returned = case.moved().filter(|f| failed_later(case.ledger, f));
    all.extend(returned.map(|f| Concern::of("returned", f, raised("failed_after_success"))));
    all.extend(refunds::concerns(case.ledger, case.due.currency));
    all.extend(disputes::concerns(case.ledger, case.due.currency));
    if case.ledger.facts().any(|f| f.livemode == Some(true)) {
        let tests = case.ledger.facts().filter(|f| f.livemode == Some(false));
        all.extend(tests.map(|f| Concern::of("test", f, raised("other_mode"))));
    }
    let standing = case.ledger.facts_of(Aspect::Concern).filter(|f| f.state == State::Raised);
    // One about an amount is the same whichever event repeats it.
    let cause = |f: &'_ Fact| if f.amount.is_some() { "raised".to_owned() } else { f.event_id.clone() };
    all.extend(standing.map(|f| Concern::of(&cause(f), f, raised(&f.gateway_ref))));
    all.retain(|concern| !is_dismissed(case.ledger, &concern.cause));
    all
}

/// Their sentences, each once, since several objects report the same money.
pub(super) fn sentences(all: Vec<Concern>) -> Vec<String> {
    let mut once = Vec::<String>::with_capacity(all.len());
    for Concern { sentence, .. } in all {
        if !once.contains(&sentence) {
            once.push(sentence);
        }
    }
    once
}

/// That a fact's amount is not the payment's.
fn amount(fact: &Fact, due: Money) -> Concern {
    Concern::of("amount", fact, mismatch(fact, due))
}

/// What is odd about the money that moved.
fn money(case: &Case<'_>, gone: i64) -> Vec<Concern> {
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
    // What came and went back need not be decided about, what is left of it may be the price, and what is accepted is
    // decided.
    let is_settled = gone >= case.captured || case.captured - gone == case.due.minor || case.is_accepted();
    let (mut all, mut told) = (Vec::new(), false);
    for fact in case.moved() {
        match case.fit(fact) {
            Fit::Fits => {}
            Fit::Differs if adds_up(fact) || is_part(fact) => {}
            Fit::Differs if is_settled => {}
            Fit::Foreign if is_converted(fact) => {}
            Fit::Differs | Fit::Foreign => {
                told |= moved(fact) == Some((case.captured, case.due.currency));
                all.push(amount(fact, case.due));
            }
        }
    }
    all.extend(case.free().filter(|f| !case.frees(f)).map(|f| amount(f, case.due)));
    // A double payment needs no review any more once the surplus was refunded, or lost to a dispute.
    let (price, is_twice) = case.price();
    if case.captured.saturating_sub(gone) > price && !told {
        let captured = Money::new(case.captured, case.due.currency);
        let twice = if is_twice && case.captured <= case.due.minor { " in more than one payment" } else { "" };
        let sentence = format!("{captured} were captured{twice}, the payment is of {}", case.due);
        all.push(Concern { cause: format!("captured {}", captured.key()), sentence });
    }
    all
}

/// What people read of a fact's register: what it is about, and the gateway's id of the object, where it is of one.
/// What we alone name them by is no id.
pub(crate) fn register_words(fact: &Fact) -> (String, Option<&str>) {
    match fact.aspect {
        Aspect::Concern => match invoice_of(fact) {
            Some(invoice) => ("what the invoice asks for".to_owned(), Some(invoice)),
            None => (format!("concern: {}", raised(&fact.gateway_ref)), None),
        },
        Aspect::Review if fact.state == State::Accepted => ("decision about the amount".to_owned(), None),
        Aspect::Review => ("decision about a reason for review".to_owned(), None),
        aspect => (aspect.as_str().replace('_', " "), Some(&fact.gateway_ref)),
    }
}

/// The sentence for a reason code.
fn raised(code: &str) -> String {
    match code {
        "other_mode" => "a test event reached a live payment, or the other way round".to_owned(),
        "ambiguous_reference" => "an event names more than one payment".to_owned(),
        "money_reversed" => "the gateway says that the money was taken back, and not how much of it".to_owned(),
        "chargebacks_not_listed" => {
            "the gateway says that more was charged back than it lists, so the amount lost may be too low".to_owned()
        }
        "failed_after_success" => {
            "the gateway said that the money had come, and later that the payment failed".to_owned()
        }
        // As it is read back, whatever a gateway of the host's names it.
        other => with_grouped_amounts(other),
    }
}
