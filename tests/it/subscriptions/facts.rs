//! What holds of every set of a subscription's facts? Order and repetition make no difference, what ended stays ended,
//! and what is called certain is true.

use std::collections::BTreeMap;

use actix_payments::domain::Timestamp;
use actix_payments::domain::subscription::{
    OwnerClaim, OwnerSource, SubscriptionContent, SubscriptionFact, SubscriptionFacts, SubscriptionInvoice,
    SubscriptionSnapshot, SubscriptionStatus,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

fn at(second: i64) -> Timestamp {
    Timestamp::from_unix_timestamp(1_791_800_000 + second).unwrap()
}

fn content(status: SubscriptionStatus, invoice: u8) -> SubscriptionContent {
    SubscriptionContent {
        status,
        gateway_status: status.to_string(),
        owner: None,
        customer_ref: None,
        items: Vec::new(),
        started_at: None,
        period: None,
        trial_end: None,
        cancel_at: None,
        cancel_at_period_end: false,
        canceled_at: None,
        ended_at: None,
        pause: None,
        schedule: None,
        latest_invoice: Some(format!("in_{invoice}")),
    }
}

fn values(content: &SubscriptionContent) -> BTreeMap<String, String> {
    let invoice = content.latest_invoice.clone().unwrap();
    BTreeMap::from([("status".to_owned(), content.status.to_string()), ("invoice".to_owned(), invoice)])
}

fn snapshot(content: SubscriptionContent, second: i64, event: impl std::fmt::Display) -> SubscriptionSnapshot {
    SubscriptionSnapshot {
        is_end: matches!(content.status, SubscriptionStatus::Canceled | SubscriptionStatus::Expired),
        is_first: false,
        values: values(&content),
        previous: BTreeMap::new(),
        content,
        occurred_at: at(second),
        event_id: format!("evt_{event}"),
    }
}

fn status() -> impl Strategy<Value = SubscriptionStatus> {
    select(SubscriptionStatus::ALL.to_vec())
}

/// Facts of a few moments with any content, most of which no gateway would send.
fn anything() -> impl Strategy<Value = SubscriptionFact> {
    let of_subscription = (status(), 0..3_u8, 0..3_i64, 0..6_u8, any::<bool>(), status(), any::<bool>()).prop_map(
        |(status, invoice, second, event, is_first, before, says)| {
            let mut snapshot = snapshot(content(status, invoice), second, event);
            snapshot.is_first = is_first;
            snapshot.previous.extend(says.then(|| ("status".to_owned(), before.to_string())));
            SubscriptionFact::Snapshot(Box::new(snapshot))
        },
    );
    let of_invoice = (0..3_u8, any::<bool>(), any::<bool>(), 0..3_i64, 0..3_i64, 0..3_i64).prop_map(
        |(number, paid, closed, attempts, created, second)| {
            SubscriptionFact::Invoice(Box::new(SubscriptionInvoice {
                gateway_ref: format!("in_{number}"),
                status: "open".to_owned(),
                paid,
                closed,
                due: None,
                attempts,
                next_attempt: None,
                created_at: at(created),
                occurred_at: at(second),
                event_id: format!("evt_{second}"),
            }))
        },
    );
    let of_owner = (any::<bool>(), 0..3_i64, 0..3_u8).prop_map(|(by_host, second, owner)| {
        let source = if by_host { OwnerSource::Host } else { OwnerSource::Checkout };
        let claim = OwnerClaim { occurred_at: at(second), event_id: String::new(), owner: format!("user-{owner}") };
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
    fn after_losses_the_gateways_own_word_makes_it_true(
        (all, kept) in history().prop_flat_map(|all| (Just(all.clone()), vec(any::<bool>(), all.len()))),
    ) {
        let mut heard: Vec<_> = all.iter().zip(kept).filter(|(_, kept)| *kept).map(|(one, _)| one.clone()).collect();
        let last = all.last().unwrap();
        heard.push(SubscriptionSnapshot { occurred_at: at(100), event_id: "asked".to_owned(), ..last.clone() });
        let state = facts_of(&heard).state();
        prop_assert_eq!((state.status, state.doubt), (last.content.status, None));
    }
}
