//! Does a payment end in the same state whatever the order of its events, and in the right one? Stories with
//! known ends, and properties over stories and over facts that no gateway would send.

mod lives;
mod movements;
mod properties;
mod several;
pub(crate) mod stories;

use actix_payments::domain::fact::{Aspect, Fact, State};
use actix_payments::domain::ledger::{Effect, Ledger};
use actix_payments::domain::money::Money;
use actix_payments::domain::payment::{PaymentState, Status, Terms, derive};

use crate::scenes::with;
use stories::{DUE, Flag, Story, child, currency, fact, minute, paid, refund, terms};

fn state(facts: impl IntoIterator<Item = Fact>) -> PaymentState {
    derive(terms(), &Ledger::from_facts(facts))
}

fn every_story() -> Vec<Story> {
    stories::all().into_iter().chain(several::all()).collect()
}

/// Asserts a status in the order given and in its reverse.
fn comes_to(status: Status, facts: &[Fact]) -> PaymentState {
    let forth = state(facts.iter().cloned());
    assert_eq!(forth, state(facts.iter().rev().cloned()), "the order makes a difference");
    assert_eq!(forth.status, status, "{forth:?}");
    forth
}

fn and(mut facts: Vec<Fact>, more: Fact) -> Vec<Fact> {
    facts.push(more);
    facts
}

#[test]
fn every_story_ends_as_it_should() {
    for story in every_story() {
        let state = comes_to(story.status, &story.facts);
        let amounts = (state.captured, state.refunded, state.lost);
        assert_eq!(amounts, (story.captured, story.refunded, story.lost), "{}", story.name);
        let flags = [(state.disputed, Flag::Disputed), (state.needs_review(), Flag::Review)];
        let flags: Vec<_> = flags.into_iter().filter_map(|(set, flag)| set.then_some(flag)).collect();
        assert_eq!(flags, story.flags, "{}: {:?}", story.name, state.concerns);
    }
}

#[test]
fn a_late_expired_or_failed_leaves_a_paid_payment_paid() {
    for late in [State::Expired, State::Failed, State::Canceled, State::Pending] {
        for (aspect, id) in [(Aspect::Checkout, "cs_1"), (Aspect::Authorization, "pi_1"), (Aspect::Capture, "ch_9")] {
            comes_to(Status::Paid, &and(paid(), fact(aspect, id, late, 99, DUE)));
        }
    }
}

#[test]
fn a_stale_completed_leaves_a_refunded_payment_refunded() {
    let refunded = and(paid(), fact(Aspect::RefundTotal, "ch_1", State::Succeeded, 10, DUE));
    let state = comes_to(Status::Refunded, &and(refunded, fact(Aspect::Checkout, "cs_1", State::Succeeded, 50, DUE)));
    assert_eq!(state.remaining(), 0);
}

#[test]
fn nothing_pays_nothing_and_not_more() {
    let nothing = fact(Aspect::Capture, "ch_1", State::Succeeded, 1, 0);
    let ledger = Ledger::from_facts([nothing]);
    let due = |minor| derive(Terms::Agreed(Money::new(minor, currency("EUR"))), &ledger);
    assert_eq!((due(0).status, due(0).needs_review()), (Status::Paid, false));
    assert_eq!(due(DUE).concerns, ["the gateway reports 0.00 EUR, the payment is of 49.99 EUR"]);
    assert_eq!(due(DUE).status, Status::Pending);
}

#[test]
fn one_yen_does_not_pay_ten_dollars() {
    let ten_dollars = Terms::Agreed(Money::new(1000, currency("USD")));
    let yen = Fact::new(Aspect::Checkout, "cs_1", State::Succeeded, minute(1), "e").with_amount(1, currency("JPY"));
    let state = derive(ten_dollars, &Ledger::from_facts([yen]));
    assert_eq!((state.status, state.captured), (Status::Pending, 0));
    assert_eq!(state.concerns, ["the gateway reports 1 JPY, the payment is of 10.00 USD"]);
}

#[test]
fn the_same_number_in_another_currency_pays_nothing() {
    let yen = currency("JPY");
    let facts = paid().into_iter().map(|f| with(f, |it| it.currency = Some(yen)));
    let state = state(facts);
    assert_eq!((state.status, state.captured), (Status::Pending, 0));
}

#[test]
fn a_discounted_intent_is_accepted_only_through_its_checkout() {
    let intent = fact(Aspect::CaptureTotal, "pi_1", State::Succeeded, 2, 4499);
    let alone = comes_to(Status::Pending, std::slice::from_ref(&intent));
    assert_eq!(alone.concerns, ["the gateway reports 44.99 EUR, the payment is of 49.99 EUR"]);
    let checkout = |state| fact(Aspect::Checkout, "cs_1", state, 1, 4499).with_face(DUE);
    for word in [State::Pending, State::Succeeded, State::Expired] {
        let both = comes_to(Status::Paid, &[intent.clone(), checkout(word)]);
        assert_eq!((both.captured, both.concerns), (4499, vec![]));
    }
}

#[test]
fn a_checkout_of_another_price_explains_nothing() {
    let other = fact(Aspect::Checkout, "cs_1", State::Succeeded, 1, 1).with_face(DUE + 1);
    assert!(comes_to(Status::Pending, &[other]).needs_review());
}

#[test]
fn money_taken_twice_says_how_much_was_taken() {
    let second = fact(Aspect::Checkout, "cs_2", State::Succeeded, 3, DUE);
    let state = comes_to(Status::Paid, &and(paid(), second));
    assert_eq!(state.concerns, ["99.98 EUR were captured, the payment is of 49.99 EUR"]);
}

#[test]
fn a_success_without_an_amount_is_not_confirmed() {
    let mute = Fact::new(Aspect::Capture, "ch_1", State::Succeeded, minute(1), "e");
    let state = comes_to(Status::Pending, std::slice::from_ref(&mute));
    assert_eq!(state.concerns, ["the gateway reports no amount, the payment is of 49.99 EUR"]);
    comes_to(Status::Paid, &and(paid(), with(mute, |it| it.occurred_at = minute(99))));
}

#[test]
fn a_retry_within_one_second_is_the_later_word() {
    let at = |id, word| fact(Aspect::Authorization, id, word, 1, DUE);
    comes_to(Status::Authorized, &[at("pi_1", State::Failed), at("pi_1", State::Authorized)]);
    comes_to(Status::Canceled, &[at("pi_1", State::Authorized), child("pi_1", at("ch_1", State::Canceled))]);
}

#[test]
fn a_second_attempt_of_a_canceled_one_is_a_promise_of_its_own() {
    let at = |id, word, minute| fact(Aspect::Authorization, id, word, minute, DUE);
    let first = [at("pi_1", State::Authorized, 1), at("pi_1", State::Canceled, 2)];
    comes_to(Status::Authorized, &and(first.to_vec(), at("pi_2", State::Authorized, 1)));
}

#[test]
fn an_end_said_again_later_does_not_outlast_a_newer_attempt() {
    let again = [3, 90].map(|at| fact(Aspect::Checkout, "cs_1", State::Expired, at, DUE));
    comes_to(Status::Pending, &and(again.to_vec(), fact(Aspect::Checkout, "cs_2", State::Pending, 50, DUE)));
}

#[test]
fn a_refund_made_after_the_total_does_not_lower_it() {
    let total = fact(Aspect::RefundTotal, "ch_1", State::Succeeded, 10, 1000);
    let later = refund("re_2", State::Failed, 20, 30, 1000);
    assert_eq!(comes_to(Status::PartiallyRefunded, &and(and(paid(), total), later)).refunded, 1000);
}

#[test]
fn money_that_moved_does_not_shrink() {
    let total = |minor, at| fact(Aspect::CaptureTotal, "pi_1", State::Succeeded, at, minor);
    let grown = comes_to(Status::Paid, &[total(DUE, 1), total(DUE + 1, 2)]);
    assert_eq!((grown.captured, grown.needs_review()), (DUE + 1, true));
    assert_eq!(comes_to(Status::Paid, &[total(DUE, 1), total(1, 2)]).captured, DUE);
}

#[test]
fn a_total_that_outgrows_its_discounted_checkout_stays_paid() {
    let total = |minor, at| fact(Aspect::CaptureTotal, "pi_1", State::Succeeded, at, minor);
    let checkout = fact(Aspect::Checkout, "cs_1", State::Pending, 1, 4499).with_face(DUE);
    let grown = comes_to(Status::Paid, &[checkout, total(4499, 2), total(4600, 3)]);
    assert_eq!(grown.concerns, ["the gateway reports 46.00 EUR, the payment is of 49.99 EUR"]);
}

#[test]
fn too_much_is_paid_and_said_once() {
    let state = comes_to(Status::Paid, &[fact(Aspect::Checkout, "cs_1", State::Succeeded, 1, DUE + 1)]);
    assert_eq!(state.concerns, ["the gateway reports 50.00 EUR, the payment is of 49.99 EUR"]);
}

#[test]
fn a_promise_of_less_leaves_the_payment_pending() {
    let failed = fact(Aspect::Authorization, "pi_0", State::Failed, 1, DUE);
    let state = comes_to(Status::Pending, &[failed, fact(Aspect::Authorization, "pi_1", State::Authorized, 2, 1)]);
    assert_eq!(state.concerns, ["the gateway reports 0.01 EUR, the payment is of 49.99 EUR"]);
}

#[test]
fn of_two_refund_totals_within_one_second_the_larger_is_the_later() {
    let total = |minor, event: &str| {
        let fact = fact(Aspect::RefundTotal, "ch_1", State::Succeeded, 10, minor);
        with(fact, |it| it.event_id = event.to_owned())
    };
    let facts = and(and(paid(), total(1000, "evt_z")), total(DUE, "evt_a"));
    assert_eq!(comes_to(Status::Refunded, &facts).refunded, DUE);
}

#[test]
fn refunds_of_two_charges_add_up() {
    let total = |id, minor| fact(Aspect::RefundTotal, id, State::Succeeded, 10, minor);
    let loose = fact(Aspect::Refund, "re_9", State::Succeeded, 11, 700);
    let facts = and(and(paid(), total("ch_1", 500)), total("ch_2", 600));
    assert_eq!(comes_to(Status::PartiallyRefunded, &facts).refunded, 1100);
    assert_eq!(comes_to(Status::PartiallyRefunded, &and(facts, loose)).refunded, 1100, "the totals have it");
}

#[test]
fn an_adopted_payment_is_of_what_the_gateway_reports() {
    let adopted = |facts: Vec<Fact>| derive(Terms::Adopted, &Ledger::from_facts(facts));
    let euros = |minor| Money::new(minor, currency("EUR"));
    let all = adopted(paid());
    assert_eq!((all.status, all.amount, all.needs_review()), (Status::Paid, euros(DUE), false));
    let part = fact(Aspect::CaptureTotal, "pi_1", State::Succeeded, 1, 1000).with_face(3000);
    let part = adopted(vec![part]);
    assert_eq!((part.status, part.amount, part.captured), (Status::Paid, euros(3000), 1000));
    assert_eq!(adopted(vec![]).amount, Money::new(0, actix_payments::domain::money::Currency::NONE));
}

#[test]
fn an_adopted_payment_keeps_the_currency_of_its_money() {
    let dollars = fact(Aspect::Checkout, "cs_2", State::Pending, 5, 100);
    let dollars = with(dollars, |it| it.currency = Some(currency("USD")));
    let money = fact(Aspect::CaptureTotal, "pi_1", State::Succeeded, 1, 1000);
    let state = derive(Terms::Adopted, &Ledger::from_facts([dollars, money]));
    assert_eq!((state.status, state.amount), (Status::Paid, Money::new(1000, currency("EUR"))));
}

#[test]
fn an_adopted_payment_that_was_free_stays_so_when_another_currency_is_asked_for() {
    let free = fact(Aspect::Checkout, "cs_2", State::Free, 1, 0).with_face(4999);
    let asked =
        Fact::new(Aspect::Checkout, "cs_1", State::Pending, minute(2), "evt_2").with_amount(3000, currency("USD"));
    let state = derive(Terms::Adopted, &Ledger::from_facts([free, asked]));
    assert_eq!((state.status, state.amount.currency), (Status::Paid, currency("EUR")));
}

#[test]
fn merging_tells_whether_the_register_changed() {
    let mut ledger = Ledger::new();
    let open = fact(Aspect::Checkout, "cs_1", State::Pending, 1, DUE);
    let done = fact(Aspect::Checkout, "cs_1", State::Succeeded, 0, DUE);
    assert!(ledger.is_empty());
    let changed = [&open, &open, &done, &open].map(|f| ledger.merge(f.clone()));
    assert_eq!(changed, [true, false, true, false]);
    assert_eq!(ledger.get(Aspect::Checkout, &"cs_1".into()), Some(&done));
    assert_eq!(ledger.facts().count(), 1);
}

#[test]
fn a_fact_that_is_only_older_is_told_from_one_that_is_outranked() {
    let mut ledger = Ledger::new();
    let mut insert = |aspect, state, at| ledger.insert(fact(aspect, "x", state, at, DUE));
    assert_eq!(insert(Aspect::Authorization, State::Pending, 5), Effect::New);
    assert_eq!(insert(Aspect::Authorization, State::ActionRequired, 3), Effect::Older(State::Pending));
    assert_eq!(insert(Aspect::Authorization, State::ActionRequired, 7), Effect::Replaced(State::Pending));
    assert_eq!(insert(Aspect::Capture, State::Succeeded, 1), Effect::New);
    assert_eq!(insert(Aspect::Capture, State::Failed, 9), Effect::Outranked(State::Succeeded));
}
