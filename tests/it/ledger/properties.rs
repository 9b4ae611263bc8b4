//! What holds of every set of facts? Order and repetition make no difference, nothing panics, and no fact
//! un-pays a payment.

use actix_payments::domain::fact::{Aspect, Fact, State};
use actix_payments::domain::ledger::Ledger;
use actix_payments::domain::payment::{PaymentState, Status, Terms, captures, derive};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::every_story;
use super::stories::{DUE, currency, minute, terms};
use crate::scenes::with;

/// Facts of a few objects at a few moments with any content, most of which no gateway would send.
fn anything() -> impl Strategy<Value = Fact> {
    let amount = || prop_oneof![Just(None), any::<i64>().prop_map(Some), select(vec![Some(DUE), Some(4499), Some(1)])];
    let code = prop_oneof![Just(None), select(vec!["EUR", "USD"]).prop_map(|code| Some(currency(code)))];
    let since = prop_oneof![Just(None), (0..4_i64).prop_map(|m| Some(minute(m)))];
    let parent = select(vec![None, Some("a"), Some("b")]);
    let rest = (
        since,
        prop_oneof![Just(None), (0..4_i64).prop_map(|m| Some(minute(m)))],
        select(vec![None, Some(true), Some(false)]),
    );
    (object(), select(State::ALL.to_vec()), 0..4_i64, 0..3_u8, amount(), amount(), code, rest, parent).prop_map(
        |((aspect, gateway_ref), state, at, event, amount, face, currency, (since, until, livemode), parent)| {
            let fact = Fact::new(aspect, gateway_ref, state, minute(at), &format!("evt_{event}"));
            with(fact, |it| {
                it.amount = amount;
                it.face = face;
                it.currency = currency;
                it.since = since;
                it.until = until;
                it.livemode = livemode;
            })
            .with_parent(parent)
        },
    )
}

/// Any facts that keep to what the ledger asks of a gateway: an object has one currency, one face and one parent, a
/// checkout one amount, and a review one decision. Everything else may be as absurd as it likes, but money moves often
/// and by amounts that are near to what is due.
fn consistent() -> impl Strategy<Value = Fact> {
    let near = select(vec![None, Some(1), Some(2000), Some(4499), Some(4600), Some(DUE), Some(DUE + 1)]);
    (anything(), near, any::<bool>()).prop_map(|(mut fact, amount, succeeds)| {
        let of_a = fact.gateway_ref == "a";
        fact.currency = Some(currency(if fact.gateway_ref == "c" { "USD" } else { "EUR" }));
        let is_whole = match fact.aspect {
            Aspect::Checkout => of_a,
            Aspect::Authorization => fact.gateway_ref == "b",
            _ => false,
        };
        fact.face = is_whole.then_some(DUE);
        fact.parent = (of_a && fact.aspect == Aspect::Capture).then(|| "b".into());
        fact.amount = amount;
        if succeeds {
            fact.state = State::Succeeded;
        }
        if fact.aspect == Aspect::Review {
            // A person accepts one amount under its name, or dismisses one cause under its.
            (fact.state, fact.amount) = (if of_a { State::Accepted } else { State::Dismissed }, Some(2000));
        }
        if fact.aspect == Aspect::Checkout {
            fact.amount = Some(if of_a { 4499 } else { 3000 });
        }
        fact
    })
}

fn object() -> impl Strategy<Value = (Aspect, &'static str)> {
    (select(Aspect::ALL.to_vec()), select(vec!["a", "b", "c"]))
}

fn one_story() -> impl Strategy<Value = Vec<Fact>> {
    (0..every_story().len()).prop_map(|n| every_story().swap_remove(n).facts)
}

/// The events of one story, or of two that happened to the same objects.
fn story() -> impl Strategy<Value = Vec<Fact>> {
    prop_oneof![one_story(), (one_story(), one_story()).prop_map(|(a, b)| [a, b].concat())]
}

/// The events of two stories that happened to one payment, each to objects of its own.
fn two_stories() -> impl Strategy<Value = Vec<Fact>> {
    (one_story(), one_story()).prop_map(|(a, mut b)| {
        for fact in &mut b {
            fact.gateway_ref = format!("second_{}", fact.gateway_ref).into();
            fact.parent = fact.parent.take().map(|parent| format!("second_{parent}").into());
        }
        [a, b].concat()
    })
}

pub(super) fn facts() -> impl Strategy<Value = Vec<Fact>> {
    prop_oneof![story(), two_stories(), vec(anything(), 0..24)]
}

/// The same facts, some of them repeated, in another order.
pub(super) fn redelivered(facts: Vec<Fact>) -> impl Strategy<Value = (Vec<Fact>, Vec<Fact>)> {
    let again = vec(any::<bool>(), facts.len()).prop_map({
        let facts = facts.clone();
        move |twice| {
            let again = facts.iter().zip(twice).filter(|(_, twice)| *twice).map(|(f, _)| f.clone());
            facts.iter().cloned().chain(again).collect::<Vec<_>>()
        }
    });
    (Just(facts), again.prop_shuffle())
}

fn both(ledger: &Ledger) -> [PaymentState; 2] {
    [derive(terms(), ledger), derive(Terms::Adopted, ledger)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn order_and_repetition_make_no_difference((facts, again) in facts().prop_flat_map(redelivered)) {
        let (first, second) = (Ledger::from_facts(facts), Ledger::from_facts(again));
        prop_assert_eq!(&first, &second);
        prop_assert_eq!(both(&first), both(&second));
    }

    #[test]
    fn a_ledger_absorbed_is_as_if_its_facts_had_come_here(
        (facts, again) in facts().prop_flat_map(redelivered), cut in any::<prop::sample::Index>()
    ) {
        let (here, there) = again.split_at(cut.index(again.len() + 1));
        let mut ledger = Ledger::from_facts(here.iter().cloned());
        ledger.absorb(Ledger::from_facts(there.iter().cloned()));
        prop_assert_eq!(&ledger, &Ledger::from_facts(facts));
        ledger.absorb(ledger.clone());
        prop_assert_eq!(&ledger, &Ledger::from_facts(again));
    }

    #[test]
    fn a_ledger_rebuilt_from_its_own_facts_is_itself(facts in facts()) {
        let ledger = Ledger::from_facts(facts);
        prop_assert_eq!(&ledger, &Ledger::from_facts(ledger.facts().cloned()));
    }

    #[test]
    fn a_fact_that_was_merged_changes_nothing_when_it_comes_again(facts in facts()) {
        let mut ledger = Ledger::from_facts(facts.iter().cloned());
        for fact in facts {
            prop_assert!(!ledger.merge(fact));
        }
    }

    #[test]
    fn events_lost_on_the_way_cost_nothing_once_they_come(
        (facts, lost) in story().prop_flat_map(|facts| { let n = facts.len(); (Just(facts), vec(any::<bool>(), n)) })
    ) {
        let (late, early): (Vec<_>, Vec<_>) = facts.iter().cloned().zip(lost).partition(|(_, lost)| *lost);
        let mut ledger = Ledger::from_facts(early.into_iter().map(|(f, _)| f));
        both(&ledger);
        ledger.absorb(Ledger::from_facts(late.into_iter().map(|(f, _)| f)));
        prop_assert_eq!(both(&ledger), both(&Ledger::from_facts(facts)));
    }

    #[test]
    fn any_facts_give_a_state_whose_amounts_hold_together(facts in vec(anything(), 0..40)) {
        for state in both(&Ledger::from_facts(facts)) {
            prop_assert!(0 <= state.refunded && state.refunded <= state.captured, "{:?}", state);
            prop_assert!(0 <= state.lost && state.lost <= state.captured - state.refunded, "{:?}", state);
            prop_assert_eq!(state.remaining(), state.captured - state.refunded - state.lost);
            // Of a part that is captured while the rest is authorized, some may go back.
            let is_begun = state.status.was_paid() || state.status == Status::Authorized;
            let is_back = state.refunded == state.captured;
            prop_assert!(is_begun || is_back || state.needs_review(), "{:?}", state);
        }
    }

    #[test]
    fn single_captures_add_up_and_none_gives_back_more_than_it_has(facts in facts()) {
        let ledger = Ledger::from_facts(facts);
        let state = derive(terms(), &ledger);
        let captures = captures(&ledger, state.amount.currency);
        let sum = captures.iter().fold(0_i64, |sum, capture| sum.saturating_add(capture.amount));
        prop_assert_eq!(sum, state.captured);
        for capture in captures {
            prop_assert!(0 <= capture.remaining && capture.remaining <= capture.amount, "{:?}", capture);
        }
    }

    #[test]
    fn no_fact_un_pays_a_payment(facts in prop_oneof![
        two_stories().prop_shuffle(),
        vec(consistent(), 0..8),
        (two_stories(), vec(consistent(), 0..24)).prop_map(|(a, b)| [a, b].concat()).prop_shuffle(),
    ]) {
        let (mut ledger, mut paid) = (Ledger::new(), [false; 2]);
        for fact in facts {
            ledger.merge(fact.clone());
            let now = both(&ledger);
            for (was, now) in paid.iter_mut().zip(now) {
                prop_assert!(!*was || now.status.was_paid(), "{:?} un-paid it: {:?}", fact, now);
                *was = now.status.was_paid();
            }
        }
    }
}

/// Found by the property above: two checkouts cover together what is due, and one of them is called free later.
#[test]
fn a_checkout_that_took_money_stays_so_though_it_is_called_free_later() {
    let checkout = |object, state, minor, at| {
        let fact = Fact::new(Aspect::Checkout, object, state, minute(at), "evt");
        with(fact, |it| {
            it.amount = Some(minor);
            it.currency = Some(currency("EUR"));
        })
    };
    let mut ledger = Ledger::from_facts([
        checkout("a", State::Succeeded, DUE - 1, 0),
        checkout("b", State::Succeeded, 3000, 1),
        checkout("c", State::Failed, DUE, 2),
    ]);
    let [before, _] = both(&ledger);
    assert!(before.status.was_paid(), "{before:?}");
    ledger.merge(checkout("b", State::Free, 3000, 3));
    let [after, _] = both(&ledger);
    assert_eq!(after, before);
}
