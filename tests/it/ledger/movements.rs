//! Do the movements of a payment's money add up to what the payment has, and do they stay where they are, whatever the
//! order of its events?

use actix_payments::domain::fact::{Aspect, Fact, State};
use actix_payments::domain::ledger::Ledger;
use actix_payments::domain::payment::{Movement, MovementKind, Terms, derive, movements};
use proptest::prelude::*;

use super::and;
use super::properties::{facts, redelivered};
use super::stories::{DUE, after, child, currency, fact, minute, paid, refund, terms};

use crate::scenes::with;
use MovementKind::*;

/// What happened, in minutes of the story, and with amounts and ids.
fn booked(facts: &[Fact]) -> Vec<(i64, MovementKind, i64, String)> {
    let of = |facts: Vec<Fact>| movements(&Ledger::from_facts(facts), currency("EUR"));
    let (forth, back) = (of(facts.to_vec()), of(facts.iter().rev().cloned().collect()));
    assert_eq!(forth, back, "the order makes a difference");
    let minutes = |movement: &Movement| (movement.moved_at - minute(0)).whole_minutes();
    forth.iter().map(|one| (minutes(one), one.kind, one.amount, one.gateway_ref.to_string())).collect()
}

fn expected<const N: usize>(rows: [(i64, MovementKind, i64, &str); N]) -> Vec<(i64, MovementKind, i64, String)> {
    rows.into_iter().map(|(at, kind, amount, id)| (at, kind, amount, id.to_owned())).collect()
}

#[test]
fn a_payment_told_by_three_objects_is_one_movement() {
    assert_eq!(booked(&paid()), expected([(2, Capture, DUE, "ch_1")]));
}

#[test]
fn a_capture_that_is_restated_stays_on_its_day() {
    let restated = child("pi_1", fact(Aspect::Capture, "ch_1", State::Succeeded, 90_000, DUE));
    assert_eq!(booked(&and(paid(), restated)), expected([(2, Capture, DUE, "ch_1")]));
}

#[test]
fn each_part_of_a_multicapture_is_booked_when_it_was_taken() {
    let total = |at, minor| fact(Aspect::CaptureTotal, "pi_1", State::Succeeded, at, minor).with_face(DUE);
    let parts = [total(5, 1000), total(6, 3000), total(9, DUE)];
    let rows = [(5, Capture, 1000, "pi_1"), (6, Capture, 2000, "pi_1"), (9, Capture, 1999, "pi_1")];
    assert_eq!(booked(&parts), expected(rows));
    let two =
        [fact(Aspect::Capture, "a", State::Succeeded, 1, 3000), fact(Aspect::Capture, "b", State::Succeeded, 2, 1999)];
    assert_eq!(booked(&two), expected([(1, Capture, 3000, "a"), (2, Capture, 1999, "b")]));
}

#[test]
fn a_payment_made_twice_is_two_captures() {
    let second = fact(Aspect::Checkout, "cs_2", State::Succeeded, 30, DUE);
    assert_eq!(booked(&and(paid(), second)), expected([(2, Capture, DUE, "ch_1"), (30, Capture, DUE, "cs_2")]));
}

#[test]
fn a_refund_that_fails_later_is_a_movement_of_its_own_day() {
    let total = |at, minor| fact(Aspect::RefundTotal, "ch_1", State::Succeeded, at, minor);
    let rows = [(2, Capture, DUE, "ch_1"), (10, Refund, -1000, "re_1"), (900, RefundFailed, 1000, "re_1")];
    for since in [Some(minute(10)), None] {
        let made = refund("re_1", State::Succeeded, 10, 10, 1000).with_since(since);
        let failed = refund("re_1", State::Failed, 10, 900, 1000).with_since(since);
        assert_eq!(booked(&after(paid(), [made, failed])), expected(rows));
    }
    let told = [total(10, 1000), refund("re_1", State::Failed, 10, 900, 1000), total(901, 0)];
    let rows = [(2, Capture, DUE, "ch_1"), (10, Refund, -1000, "ch_1"), (900, RefundFailed, 1000, "re_1")];
    assert_eq!(booked(&after(paid(), told)), expected(rows));
}

#[test]
fn a_refund_and_the_total_that_includes_it_are_one_movement() {
    let told = [
        fact(Aspect::RefundTotal, "ch_1", State::Succeeded, 10, 1000),
        refund("re_1", State::Succeeded, 10, 10, 1000),
        fact(Aspect::RefundTotal, "ch_1", State::Succeeded, 20, DUE),
        refund("re_2", State::Succeeded, 20, 20, 3999),
    ];
    let rows = [(2, Capture, DUE, "ch_1"), (10, Refund, -1000, "re_1"), (20, Refund, -3999, "re_2")];
    assert_eq!(booked(&after(paid(), told)), expected(rows));
}

#[test]
fn a_refund_that_never_counted_moves_nothing() {
    let told = [State::Pending, State::Failed].into_iter().zip([10, 20]);
    let told = told.map(|(state, at)| refund("re_1", state, 10, at, 1000));
    assert_eq!(booked(&after(paid(), told)), expected([(2, Capture, DUE, "ch_1")]));
}

#[test]
fn a_lost_dispute_that_is_won_after_all_moves_twice() {
    let dispute = |state, at| child("ch_1", fact(Aspect::Dispute, "dp_1", state, at, DUE));
    let open = after(paid(), [dispute(State::Open, 10)]);
    assert_eq!(booked(&open), expected([(2, Capture, DUE, "ch_1")]));
    let story = after(open, [dispute(State::Lost, 20), dispute(State::Won, 50_000)]);
    let rows =
        [(2, Capture, DUE, "ch_1"), (20, DisputeWithdrawn, -DUE, "dp_1"), (50_000, DisputeReinstated, DUE, "dp_1")];
    assert_eq!(booked(&story), expected(rows));
}

#[test]
fn a_chargeback_that_is_reported_as_a_refund_too_moves_once() {
    let lost = child("ch_1", fact(Aspect::Dispute, "dp_1", State::Lost, 20, DUE)).with_since(Some(minute(10)));
    let taken = refund("re_1", State::Succeeded, 21, 30, DUE).with_face(0);
    let rows = [(2, Capture, DUE, "ch_1"), (20, DisputeWithdrawn, -DUE, "dp_1")];
    assert_eq!(booked(&after(paid(), [lost, taken])), expected(rows));
}

#[test]
fn a_refund_that_was_dated_before_its_capture_counts_with_it() {
    let early = fact(Aspect::Refund, "re_1", State::Succeeded, 1, 1000);
    let rows = [(2, Capture, DUE, "ch_1"), (2, Refund, -1000, "ch_1")];
    assert_eq!(booked(&after(paid(), [early])), expected(rows));
}

#[test]
fn a_fee_is_a_movement_of_its_own_beside_the_capture() {
    let fee = fee("ch_1", 5, 164);
    let rows = [(2, Capture, DUE, "ch_1"), (5, Fee, -164, "ch_1")];
    assert_eq!(booked(&and(paid(), fee.clone())), expected(rows));
    // Told again, by another event, it is the same.
    let again = with(fee, |it| {
        it.event_id = "evt_again".to_owned();
        it.occurred_at = minute(9);
    });
    assert_eq!(booked(&after(and(paid(), self::fee("ch_1", 5, 164)), [again])), expected(rows));
}

#[test]
fn a_fee_that_is_corrected_or_given_back_moves_again() {
    let told = [fee("ch_1", 5, 164), fee("ch_1", 60, 150), fee("re_1", 90, -30), fee("re_1", 120, 0)];
    let rows = [
        (2, Capture, DUE, "ch_1"),
        (5, Fee, -164, "ch_1"),
        (60, Fee, 14, "ch_1"),
        (90, Fee, 30, "re_1"),
        (120, Fee, -30, "re_1"),
    ];
    assert_eq!(booked(&after(paid(), told)), expected(rows));
}

#[test]
fn a_fee_is_booked_when_it_was_taken_and_a_correction_when_it_was_reported() {
    let taken = |at, minor| fee("ch_1", at, minor).with_since(Some(minute(3)));
    let told = [taken(90, 164), taken(900, 150)];
    let rows = [(2, Capture, DUE, "ch_1"), (3, Fee, -164, "ch_1"), (900, Fee, 14, "ch_1")];
    assert_eq!(booked(&after(paid(), told)), expected(rows));
    // An earlier release had read it without the time.
    let again = [fee("ch_1", 90, 164), taken(95, 164)];
    assert_eq!(booked(&after(paid(), again)), expected([(2, Capture, DUE, "ch_1"), (3, Fee, -164, "ch_1")]));
}

#[test]
fn a_fee_in_another_currency_is_booked_in_its_own() {
    let told = |at, minor, code| fee("ch_1", at, 0).with_amount(minor, currency(code));
    let of = |facts| movements(&Ledger::from_facts(after(paid(), facts)), currency("EUR"));
    let said = |rows: Vec<Movement>| -> Vec<(MovementKind, i64, String)> {
        rows.into_iter().map(|one| (one.kind, one.amount, one.currency.to_string())).collect()
    };
    let euros = |kind, minor| (kind, minor, "EUR".to_owned());
    assert_eq!(said(of(vec![told(5, 180, "USD")])), [euros(Capture, DUE), (Fee, -180, "USD".to_owned())]);
    // One that turns out to be in another currency is taken back in the first.
    let moved = said(of(vec![told(5, 164, "EUR"), told(60, 180, "USD")]));
    let expected = [euros(Capture, DUE), euros(Fee, -164), euros(Fee, 164), (Fee, -180, "USD".to_owned())];
    assert_eq!(moved, expected);
}

#[test]
fn a_fee_changes_nothing_that_the_payment_has() {
    let without = derive(terms(), &Ledger::from_facts(paid()));
    let with = derive(terms(), &Ledger::from_facts(after(paid(), [fee("ch_1", 5, 164), fee("re_9", 5, -999_999)])));
    assert_eq!(with, without);
}

#[test]
fn money_in_another_currency_is_not_of_this_payment() {
    assert_eq!(movements(&Ledger::from_facts(paid()), currency("USD")), []);
}

fn fee(of: &str, at: i64, minor: i64) -> Fact {
    fact(Aspect::Fee, of, State::Succeeded, at, minor)
}

/// What the facts of fees say all in all, but for what is no fee any more by its size.
fn told_as_fees(ledger: &Ledger, code: actix_payments::domain::money::Currency) -> i128 {
    let fees = ledger.facts_of(Aspect::Fee).filter(|fact| fact.state == State::Succeeded);
    let amounts = fees.filter(|fact| fact.currency == Some(code)).filter_map(|fact| fact.amount).map(i128::from);
    amounts.filter(|minor| minor.abs() <= 1_000_000_000_000).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn movements_are_the_same_for_every_order_and_repetition((facts, again) in facts().prop_flat_map(redelivered)) {
        let of = |facts: Vec<Fact>| movements(&Ledger::from_facts(facts), currency("EUR"));
        prop_assert_eq!(of(facts), of(again));
    }

    #[test]
    fn movements_are_the_same_when_the_ledger_is_put_together_from_two(
        (facts, again) in facts().prop_flat_map(redelivered), cut in any::<prop::sample::Index>()
    ) {
        let (here, there) = again.split_at(cut.index(again.len() + 1));
        let mut ledger = Ledger::from_facts(here.iter().cloned());
        ledger.absorb(Ledger::from_facts(there.iter().cloned()));
        let whole = Ledger::from_facts(facts);
        prop_assert_eq!(movements(&ledger, currency("EUR")), movements(&whole, currency("EUR")));
    }

    #[test]
    fn movements_add_up_to_what_the_payment_has(facts in facts()) {
        let ledger = Ledger::from_facts(facts);
        for terms in [terms(), Terms::Adopted] {
            let state = derive(terms, &ledger);
            let all = movements(&ledger, state.amount.currency);
            let (fees, gross): (Vec<_>, Vec<_>) = all.iter().partition(|one| one.kind == Fee);
            let sum: i128 = gross.iter().map(|one| i128::from(one.amount)).sum();
            let [captured, refunded, lost] = [state.captured, state.refunded, state.lost].map(i128::from);
            prop_assert_eq!(sum, captured - refunded - lost, "{:?}", all);
            prop_assert!(gross.iter().all(|one| one.currency == state.amount.currency), "{:?}", all);
            for code in ["EUR", "USD"].map(currency) {
                let of = fees.iter().filter(|one| one.currency == code);
                let kept: i128 = of.map(|one| i128::from(one.amount)).sum();
                prop_assert_eq!(kept, -told_as_fees(&ledger, code), "{:?}", all);
            }
            prop_assert!(all.is_sorted_by_key(|one| one.moved_at) && all.iter().all(|one| one.amount != 0));
        }
    }
}
