//! What holds of every set of a subscription's facts? Order and repetition make no difference, what ended stays ended,
//! and what is called certain is true.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::scenes::with;
use actix_payments::domain::Timestamp;
use actix_payments::domain::money::{Currency, Money};
use actix_payments::domain::subscription::{
    OwnerClaim, OwnerSource, SubscriptionContent, SubscriptionFact, SubscriptionFacts, SubscriptionInvoice,
    SubscriptionSnapshot, SubscriptionState, SubscriptionStatus,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

fn at(second: i64) -> Timestamp {
    Timestamp::from_unix_timestamp(1_791_800_000 + second).unwrap()
}

pub(crate) fn content(status: SubscriptionStatus, invoice: u8) -> SubscriptionContent {
    with(SubscriptionContent::new(status, status.to_string()), |it| {
        it.latest_invoice = Some(format!("in_{invoice}").into())
    })
}

fn values(content: &SubscriptionContent) -> BTreeMap<String, String> {
    let invoice = content.latest_invoice.clone().unwrap();
    BTreeMap::from([("status".to_owned(), content.status.to_string()), ("invoice".to_owned(), invoice.into())])
}

pub(crate) fn snapshot(
    content: SubscriptionContent,
    second: i64,
    event: impl std::fmt::Display,
) -> SubscriptionSnapshot {
    let values = values(&content);
    with(SubscriptionSnapshot::new(content, at(second), format!("evt_{event}")), |it| it.values = values)
}

fn status() -> impl Strategy<Value = SubscriptionStatus> {
    select(SubscriptionStatus::ALL.to_vec())
}

/// Facts of a few moments with any content, most of which no gateway would send.
fn anything() -> impl Strategy<Value = SubscriptionFact> {
    let progress = proptest::option::of(0..3_u8);
    let said = (any::<(bool, bool)>(), status(), any::<bool>(), progress);
    let of_subscription = (status(), 0..3_u8, 0..4_i64, 0..6_u8, said).prop_map(
        |(status, invoice, second, event, ((is_first, is_answer), before, says, progress))| {
            let mut snapshot = snapshot(content(status, invoice), second, event);
            (snapshot.is_first, snapshot.is_answer) = (is_first, is_answer);
            snapshot.progress = progress.map(|progress| progress.to_string());
            snapshot.previous.extend(says.then(|| ("status".to_owned(), before.to_string())));
            SubscriptionFact::Snapshot(Box::new(snapshot))
        },
    );
    let of_invoice = (0..3_u8, any::<[bool; 3]>(), 0..3_i64, 0..3_i64, 0..3_i64).prop_map(
        |(number, [paid, closed, says], attempts, created, second)| {
            SubscriptionFact::Invoice(Box::new(with(
                SubscriptionInvoice::new(
                    format!("in_{number}"),
                    "open".to_owned(),
                    at(second),
                    format!("evt_{second}"),
                ),
                |it| {
                    it.paid = paid;
                    it.paid_at = says.then(|| at(second - 1));
                    it.closed = closed;
                    it.attempts = attempts;
                    it.created_at = at(created);
                },
            )))
        },
    );
    let of_owner = (any::<bool>(), 0..3_i64, 0..3_u8).prop_map(|(by_host, second, owner)| {
        let source = if by_host { OwnerSource::Host } else { OwnerSource::Checkout };
        let claim = OwnerClaim::new(format!("user-{owner}"), at(second), String::new());
        SubscriptionFact::Owner(source, claim)
    });
    prop_oneof![4 => of_subscription, 1 => of_invoice, 1 => of_owner]
}

/// What happened to a subscription, step by step, some steps within one second; each says what was before.
fn history() -> impl Strategy<Value = Vec<SubscriptionSnapshot>> {
    let going_on = SubscriptionStatus::ALL.map(|status| match status {
        SubscriptionStatus::Canceled | SubscriptionStatus::Expired => SubscriptionStatus::Active,
        other => other,
    });
    let step = (select(going_on.to_vec()), 0..4_u8, 0..2_i64);
    vec(step, 1..7).prop_map(|steps| {
        let (mut all, mut second): (Vec<SubscriptionSnapshot>, i64) = (Vec::new(), 0);
        for (place, (status, invoice, pause)) in steps.into_iter().enumerate() {
            second += pause;
            let mut next = snapshot(content(status, invoice), second, place);
            match all.last() {
                None => next.is_first = true,
                Some(last) => {
                    let changed = last.values.iter().filter(|(name, value)| next.values[*name] != **value);
                    next.previous = changed.map(|(name, value)| (name.clone(), value.clone())).collect();
                }
            }
            all.push(next);
        }
        all
    })
}

/// What happened to a subscription, step by step, and what answers to questions showed meanwhile. Gateways say whole
/// seconds: an event that of its moment, an answer that in which it was given, up to nine tenths after it was found out.
fn history_with_answers() -> impl Strategy<Value = (Vec<SubscriptionSnapshot>, Vec<SubscriptionSnapshot>)> {
    let going_on = [SubscriptionStatus::Trialing, SubscriptionStatus::Active, SubscriptionStatus::PastDue];
    let step = (select(going_on.to_vec()), 0..4_u8, 0..14_i64);
    let asked = vec((0..40_i64, 0..10_i64), 0..3);
    (vec(step, 1..6), asked).prop_map(|(steps, asked)| {
        let (mut all, mut tenths): (Vec<(i64, SubscriptionSnapshot)>, i64) = (Vec::new(), 0);
        for (place, (status, invoice, pause)) in steps.into_iter().enumerate() {
            tenths += pause;
            let mut next = snapshot(content(status, invoice), tenths / 10, place);
            next.is_first = place == 0;
            if let Some((_, last)) = all.last() {
                let changed = last.values.iter().filter(|(name, value)| next.values[*name] != **value);
                next.previous = changed.map(|(name, value)| (name.clone(), value.clone())).collect();
            }
            all.push((tenths, next));
        }
        let answer = |(place, (read, age)): (usize, (i64, i64))| {
            let (_, shown) = all.iter().rev().find(|(tenths, _)| *tenths <= read)?;
            let answer = snapshot(shown.content.clone(), (read + age) / 10, format!("answer_{place}"));
            Some(with(answer, |it| it.is_answer = true))
        };
        let answers = asked.into_iter().enumerate().filter_map(answer).collect();
        (all.into_iter().map(|(_, event)| event).collect(), answers)
    })
}

/// The same, some of them repeated, in another order.
fn redelivered<T: Clone + std::fmt::Debug + 'static>(all: Vec<T>) -> impl Strategy<Value = (Vec<T>, Vec<T>)> {
    vec(any::<bool>(), all.len()).prop_flat_map(move |again| {
        let repeated = all.iter().zip(again).filter(|(_, again)| *again).map(|(one, _)| one.clone());
        let delivered: Vec<T> = all.iter().cloned().chain(repeated).collect();
        (Just(all.clone()), Just(delivered).prop_shuffle())
    })
}

fn facts_of(all: &[SubscriptionSnapshot]) -> SubscriptionFacts {
    SubscriptionFacts::of(all.iter().map(|one| SubscriptionFact::Snapshot(Box::new(one.clone()))))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn order_and_repetition_make_no_difference((all, delivered) in vec(anything(), 0..14).prop_flat_map(redelivered)) {
        let (once, again) = (SubscriptionFacts::of(all), SubscriptionFacts::of(delivered));
        prop_assert_eq!(&once, &again);
        prop_assert_eq!(once.state(), again.state());
        let kept = serde_json::to_string(&once).unwrap();
        prop_assert_eq!(serde_json::from_str::<SubscriptionFacts>(&kept).unwrap(), once);
    }

    #[test]
    fn two_sets_are_joined_to_that_of_all_their_facts(one in vec(anything(), 0..8), other in vec(anything(), 0..8)) {
        let mut joined = SubscriptionFacts::of(one.clone());
        joined.join(SubscriptionFacts::of(other.clone()));
        prop_assert_eq!(joined, SubscriptionFacts::of(one.into_iter().chain(other)));
    }

    /// As at Braintree: all within one second, and none says what was before.
    #[test]
    fn the_one_with_the_most_progress_is_the_last((all, delivered) in history().prop_flat_map(redelivered)) {
        let of_one_moment = |all: &[SubscriptionSnapshot]| -> Vec<SubscriptionSnapshot> {
            all.iter().map(|one| with(one.clone(), |it| { it.is_first = false; it.previous = BTreeMap::new(); it.progress = Some(one.event_id.clone()); it.occurred_at = at(0); })).collect()
        };
        let state = facts_of(&of_one_moment(&delivered)).state();
        let last = &all.last().unwrap().content;
        prop_assert_eq!((state.status, &state.latest_invoice), (last.status, &last.latest_invoice));
        prop_assert_eq!(state.doubt, None);
    }

    #[test]
    fn what_ended_does_not_come_back(all in vec(anything(), 0..8), more in vec(anything(), 0..8)) {
        let before = SubscriptionFacts::of(all.clone()).state();
        let after = SubscriptionFacts::of(all.into_iter().chain(more)).state();
        let is_over = |status| matches!(status, SubscriptionStatus::Canceled | SubscriptionStatus::Expired);
        prop_assert!(!is_over(before.status) || is_over(after.status));
    }

    #[test]
    fn what_is_certain_is_how_it_stands((all, delivered) in history().prop_flat_map(redelivered)) {
        let state = facts_of(&delivered).state();
        let last = all.last().unwrap();
        let second = last.occurred_at;
        let before = all.iter().rev().find(|one| one.occurred_at < second);
        let of_it: Vec<_> = before.into_iter().chain(all.iter().filter(|one| one.occurred_at == second)).collect();
        let is_new = |at: usize| of_it[..at].iter().all(|other| other.content != of_it[at].content);
        let are_distinct = (0..of_it.len()).all(is_new);
        if state.doubt.is_none() {
            prop_assert_eq!((state.status, &state.latest_invoice), (last.content.status, &last.content.latest_invoice));
        }
        // Where nothing changed forth and back, it is always known.
        prop_assert!(!are_distinct || state.doubt.is_none(), "{:?}", state);
    }

    #[test]
    fn no_answer_outranks_what_happened_after_it((events, answers) in history_with_answers()) {
        let heard: Vec<_> = events.iter().chain(&answers).cloned().collect();
        let state = facts_of(&heard).state();
        let last = &events.last().unwrap().content;
        if state.doubt.is_none() {
            prop_assert_eq!((state.status, &state.latest_invoice), (last.status, &last.latest_invoice));
        }
        // One more answer decides.
        let (latest, id) = (heard.iter().map(|one| one.occurred_at).max().unwrap(), "once_more".to_owned());
        let mut once_more = snapshot(last.clone(), 0, id);
        (once_more.is_answer, once_more.occurred_at) = (true, latest + Duration::from_secs(2));
        let state = facts_of(&heard.into_iter().chain([once_more]).collect::<Vec<_>>()).state();
        prop_assert_eq!((state.status, &state.latest_invoice, state.doubt), (last.status, &last.latest_invoice, None));
    }

    #[test]
    fn after_losses_the_gateways_own_word_makes_it_true(
        (all, kept) in history().prop_flat_map(|all| (Just(all.clone()), vec(any::<bool>(), all.len()))),
    ) {
        let mut heard: Vec<_> = all.iter().zip(kept).filter(|(_, kept)| *kept).map(|(one, _)| one.clone()).collect();
        let last = all.last().unwrap();
        heard.push(with(last.clone(), |it| { it.occurred_at = at(100); it.event_id = "asked".to_owned(); }));
        let state = facts_of(&heard).state();
        prop_assert_eq!((state.status, state.doubt), (last.content.status, None));
    }
}

fn invoice(number: u8, created: i64, second: i64, due: i64) -> SubscriptionInvoice {
    with(
        SubscriptionInvoice::new(
            format!("in_{number}"),
            "paid".to_owned(),
            at(second),
            format!("evt_invoice_{number}_{second}"),
        ),
        |it| {
            it.paid = true;
            it.due = Some(Money::new(due, Currency::parse("EUR").unwrap()));
            it.attempts = 1;
            it.created_at = at(created);
        },
    )
}

/// The state that these make in both orders.
fn state_of(snapshot: &SubscriptionSnapshot, invoice: &SubscriptionInvoice) -> SubscriptionState {
    let facts =
        [SubscriptionFact::Snapshot(Box::new(snapshot.clone())), SubscriptionFact::Invoice(Box::new(invoice.clone()))];
    let state = SubscriptionFacts::of(facts.clone()).state();
    assert_eq!(state, SubscriptionFacts::of(facts.into_iter().rev()).state());
    state
}

#[test]
fn only_the_payment_of_what_is_due_lets_a_past_due_subscriber_in() {
    let due = snapshot(content(SubscriptionStatus::PastDue, 1), 100, "due");
    let grace = Duration::from_secs(60);
    let paid = state_of(&due, &invoice(1, 90, 200, 1250));
    assert!(paid.is_active(at(1_000), grace) && paid.doubt.is_some());
    assert_eq!(paid.past_due_since, None);
    // An invoice of the host's own, one of nothing, and one that was paid before.
    for other in [invoice(2, 150, 200, 1250), invoice(1, 90, 200, 0), invoice(1, 90, 100, 1250)] {
        let open = state_of(&due, &other);
        assert!(!open.is_active(at(1_000), grace), "{other:?}");
        assert_eq!(open.doubt, None);
    }
    assert_eq!(state_of(&due, &invoice(2, 150, 200, 1250)).past_due_since, Some(at(100)));
}

#[test]
fn an_answer_does_not_move_when_an_invoice_was_paid() {
    let due = snapshot(content(SubscriptionStatus::PastDue, 1), 100, "due");
    let told = invoice(1, 10, 90, 1250);
    let answer = with(invoice(1, 10, 200, 1250), |it| it.event_id = "answer".to_owned());
    let precise = with(answer.clone(), |it| it.paid_at = Some(at(88)));
    // In any order, once or twice, the earliest counts.
    for (words, paid_at) in [(vec![&told, &answer], 90), (vec![&precise], 88), (vec![&told, &answer, &precise], 88)] {
        for order in super::story::orders(words.len() * 2) {
            let told = order.iter().map(|place| words[place % words.len()].clone());
            let facts = told.map(|invoice| SubscriptionFact::Invoice(Box::new(invoice)));
            let state = SubscriptionFacts::of(facts.chain([SubscriptionFact::Snapshot(Box::new(due.clone()))])).state();
            assert_eq!(state.last_invoice.as_ref().unwrap().paid_at, Some(at(paid_at)), "{order:?} of {words:?}");
            assert_eq!((state.past_due_since, &state.doubt), (Some(at(100)), &None), "{order:?} of {words:?}");
            assert!(!state.is_active(at(1_000), Duration::from_secs(60)), "{order:?} of {words:?}");
        }
    }
}

#[test]
fn a_later_attempt_at_a_paid_invoice_changes_nothing() {
    let active = snapshot(content(SubscriptionStatus::Active, 1), 100, "active");
    let paid = invoice(1, 10, 20, 1250);
    let failed = with(invoice(1, 30, 40, 1250), |it| {
        it.paid = false;
        it.status = "failed".to_owned();
    });
    assert!(paid.outranks(&failed) && !failed.outranks(&paid));
    let facts = [paid, failed].map(|invoice| SubscriptionFact::Invoice(Box::new(invoice)));
    for facts in [facts.clone().to_vec(), facts.iter().rev().cloned().collect()] {
        let all = facts.into_iter().chain([SubscriptionFact::Snapshot(Box::new(active.clone()))]);
        assert!(SubscriptionFacts::of(all).state().last_invoice.unwrap().paid);
    }
}

#[test]
fn what_was_canceled_is_active_as_long_as_it_is_paid_for() {
    let grace = Duration::from_secs(60);
    let ended = |end: Option<i64>| {
        let content = with(content(SubscriptionStatus::Canceled, 1), |it| it.ended_at = end.map(at));
        SubscriptionFacts::of([SubscriptionFact::Snapshot(Box::new(snapshot(content, 100, "ended")))]).state()
    };
    assert!(ended(Some(500)).is_active(at(499), grace) && !ended(Some(500)).is_active(at(500), grace));
    assert!(ended(Some(500)).is_over(), "it does not come back");
    // The host's clock may be behind the gateway's.
    assert!(!ended(Some(100)).is_active(at(50), grace) && !ended(None).is_active(at(50), grace));
}
