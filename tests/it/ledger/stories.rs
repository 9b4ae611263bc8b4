//! Which stories do payments live through? Each is the facts of its events in the order they happened, with
//! what they must come to; what else must hold of them is the tests' matter.

use actix_payments::domain::Timestamp;
use actix_payments::domain::fact::{Aspect, Fact, State};
use actix_payments::domain::money::{Currency, Money};
use actix_payments::domain::payment::{Status, Terms};
use time::Duration;

use crate::scenes::with;
use Aspect::{Authorization, Capture, CaptureTotal, Checkout, Concern, Dispute, Refund, RefundTotal};
use State::*;

/// What every story's payment is of: 49.99 EUR.
pub(crate) const DUE: i64 = 4999;

pub(super) struct Story {
    pub(super) name: &'static str,
    pub(super) facts: Vec<Fact>,
    pub(super) status: Status,
    pub(super) captured: i64,
    pub(super) refunded: i64,
    pub(super) lost: i64,
    pub(super) flags: &'static [Flag],
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Flag {
    Disputed,
    Review,
}

pub(super) fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

pub(crate) fn terms() -> Terms {
    Terms::Agreed(Money::new(DUE, currency("EUR")))
}

/// A moment some minutes into the story.
pub(super) fn minute(minutes: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + Duration::days(20_000) + Duration::minutes(minutes)
}

/// A fact in euros, of an event that is named after what it says.
pub(crate) fn fact(aspect: Aspect, gateway_ref: &str, state: State, at: i64, minor: i64) -> Fact {
    let event = format!("evt_{gateway_ref}_{}_{}_{at}", aspect.as_str(), state.as_str());
    Fact::new(aspect, gateway_ref, state, minute(at), &event).with_amount(minor, currency("EUR"))
}

/// A fact of an object that belongs to `parent`.
pub(crate) fn child(parent: &str, fact: Fact) -> Fact {
    fact.with_parent(Some(parent))
}

/// A refund of `ch_1` that was made at minute `since`.
pub(crate) fn refund(id: &str, state: State, since: i64, at: i64, minor: i64) -> Fact {
    child("ch_1", fact(Refund, id, state, at, minor)).with_since(Some(minute(since)))
}

pub(super) fn story(name: &'static str, facts: Vec<Fact>, status: Status, captured: i64, refunded: i64) -> Story {
    Story { name, facts, status, captured, refunded, lost: 0, flags: &[] }
}

/// A card payment through a hosted checkout, as every later story begins.
pub(super) fn paid() -> Vec<Fact> {
    vec![
        fact(Checkout, "cs_1", Pending, 0, DUE),
        fact(Authorization, "pi_1", Pending, 1, DUE),
        fact(Checkout, "cs_1", Succeeded, 2, DUE),
        fact(CaptureTotal, "pi_1", Succeeded, 2, DUE),
        child("pi_1", fact(Capture, "ch_1", Succeeded, 2, DUE)),
    ]
}

/// A promise on an intent and its charge.
pub(super) fn authorized() -> Vec<Fact> {
    vec![
        fact(Checkout, "cs_1", Pending, 1, DUE),
        fact(Authorization, "pi_1", Authorized, 1, DUE),
        child("pi_1", fact(Authorization, "ch_1", Authorized, 1, DUE)),
    ]
}

pub(super) fn after(mut begin: Vec<Fact>, more: impl IntoIterator<Item = Fact>) -> Vec<Fact> {
    begin.extend(more);
    begin
}

pub(super) fn all() -> Vec<Story> {
    let mut stories = coming();
    stories.extend(going());
    stories.extend(flagged());
    stories
}

/// How money comes, or doesn't.
fn coming() -> Vec<Story> {
    let failed = || vec![fact(Checkout, "cs_1", Pending, 0, DUE), fact(Checkout, "cs_1", Failed, 9, DUE)];
    let second = [fact(Checkout, "cs_2", Pending, 10, DUE), fact(Checkout, "cs_2", Succeeded, 12, DUE)];
    let part = |total, at| fact(CaptureTotal, "pi_1", Succeeded, at, total).with_face(DUE);
    let discounted = fact(Checkout, "cs_1", Succeeded, 2, 4499).with_face(DUE);
    vec![
        story("nothing happened", vec![], Status::Pending, 0, 0),
        story("paid by card", paid(), Status::Paid, DUE, 0),
        story("debited days later", after(paid()[..2].to_vec(), paid()[2..].to_vec()), Status::Paid, DUE, 0),
        story("debit failed", failed(), Status::Failed, 0, 0),
        story("debit failed, paid by a second checkout", after(failed(), second), Status::Paid, DUE, 0),
        story(
            "declined, then paid",
            after(vec![fact(Authorization, "pi_1", Failed, 1, DUE)], paid()),
            Status::Paid,
            DUE,
            0,
        ),
        story(
            "never finished",
            vec![fact(Checkout, "cs_1", Pending, 0, DUE), fact(Checkout, "cs_1", Expired, 60, DUE)],
            Status::Expired,
            0,
            0,
        ),
        story(
            "waits for the bank's page",
            vec![fact(Authorization, "pi_1", ActionRequired, 1, DUE)],
            Status::Pending,
            0,
            0,
        ),
        story("promised", authorized(), Status::Authorized, 0, 0),
        story("promised and captured", after(authorized(), [part(DUE, 5)]), Status::Paid, DUE, 0),
        story(
            "promised and canceled",
            after(authorized(), [fact(Authorization, "pi_1", Canceled, 5, DUE)]),
            Status::Canceled,
            0,
            0,
        ),
        story(
            "promised and lapsed",
            after(authorized(), [child("pi_1", fact(Authorization, "ch_1", Expired, 5, DUE))]),
            Status::Expired,
            0,
            0,
        ),
        story("captured in part", after(authorized(), [part(2000, 5)]), Status::Paid, 2000, 0),
        story(
            "captured bit by bit",
            after(authorized(), [part(1000, 5), part(3000, 6), part(DUE, 6)]),
            Status::Paid,
            DUE,
            0,
        ),
        story(
            "captured in parts that add up",
            vec![fact(Capture, "a", Succeeded, 1, 3000), fact(Capture, "b", Succeeded, 2, 1999)],
            Status::Paid,
            DUE,
            0,
        ),
        story("discounted", vec![discounted, fact(CaptureTotal, "pi_1", Succeeded, 2, 4499)], Status::Paid, 4499, 0),
        story("with tax", vec![fact(Checkout, "cs_1", Succeeded, 2, 5949).with_face(DUE)], Status::Paid, 5949, 0),
        story(
            "free",
            vec![fact(Checkout, "cs_1", Pending, 0, DUE), fact(Checkout, "cs_1", Free, 1, 0).with_face(DUE)],
            Status::Paid,
            0,
            0,
        ),
    ]
}

/// How money goes back, or doesn't.
fn going() -> Vec<Story> {
    let total = |minor, at| fact(RefundTotal, "ch_1", Succeeded, at, minor);
    let one = |at| refund("re_1", Succeeded, 10, at, 1000);
    let two = |at| refund("re_2", Succeeded, 20, at, 3999);
    let loose = |at| fact(Refund, "re_1", Succeeded, at, 1000);
    let void = vec![total(DUE, 5), fact(Authorization, "pi_1", Canceled, 5, DUE)];
    let sent = refund("re_1", Pending, 10, 10, 1000);
    let came_back = refund("re_1", Failed, 10, 900, 1000);
    let lower = [total(1000, 10), one(10), came_back.clone(), total(0, 901)];
    vec![
        story("refund on its way", after(paid(), [sent]), Status::Paid, DUE, 0),
        story("refunded in part", after(paid(), [total(1000, 10), one(10)]), Status::PartiallyRefunded, DUE, 1000),
        story("total known first", after(paid(), [total(1000, 10)]), Status::PartiallyRefunded, DUE, 1000),
        story("no total known", after(paid(), [one(10), two(20)]), Status::Refunded, DUE, DUE),
        story(
            "refunded twice",
            after(paid(), [total(1000, 10), one(10), total(DUE, 20), two(20)]),
            Status::Refunded,
            DUE,
            DUE,
        ),
        story("refund came back", after(paid(), [total(1000, 10), one(10), came_back.clone()]), Status::Paid, DUE, 0),
        story("refund came back, total corrected", after(paid(), lower), Status::Paid, DUE, 0),
        story(
            "one of two came back",
            after(paid(), [total(DUE, 20), one(10), two(20), came_back]),
            Status::PartiallyRefunded,
            DUE,
            3999,
        ),
        story("refund without its charge", after(paid(), [loose(10)]), Status::PartiallyRefunded, DUE, 1000),
        story(
            "the total has it already",
            after(paid(), [loose(10), total(1000, 10)]),
            Status::PartiallyRefunded,
            DUE,
            1000,
        ),
        story("promise given back", after(authorized(), void), Status::Canceled, 0, 0),
    ]
}

/// What a person should look at.
fn flagged() -> Vec<Story> {
    let dispute = |state, at| fact(Dispute, "dp_1", state, at, DUE);
    let yen = |aspect, id, state| Fact::new(aspect, id, state, minute(3), "evt_yen").with_amount(1, currency("JPY"));
    let raised = Fact::new(Concern, "other_mode", Raised, minute(3), "evt_mode");
    let flagged = |story: Story, flags| Story { flags, ..story };
    let review = |name, facts, status, captured| flagged(story(name, facts, status, captured, 0), &[Flag::Review][..]);
    let disputed = |name, facts| flagged(story(name, facts, Status::Paid, DUE, 0), &[Flag::Disputed][..]);
    let asked = after(paid(), [dispute(Inquiry, 9), dispute(Closed, 20)]);
    let won = after(paid(), [dispute(Open, 10), dispute(Won, 20)]);
    let lost = after(paid(), [dispute(Open, 10), dispute(Lost, 20)]);
    let two_disputes = [
        fact(Dispute, "dp_1", Lost, 20, 1000),
        fact(Dispute, "dp_2", Open, 12, 700),
        fact(Dispute, "dp_2", Won, 22, 700),
    ];
    let two_disputes = after(paid(), two_disputes);
    let refunded_first = after(paid(), [refund("re_1", Succeeded, 5, 5, 1000), dispute(Lost, 20)]);
    let of_mode = |live, fact: Fact| with(fact, |it| it.livemode = Some(live));
    let twice = [fact(Checkout, "cs_2", Succeeded, 4, DUE), fact(CaptureTotal, "pi_2", Succeeded, 4, DUE)];
    let settled = after(paid(), twice.clone().into_iter().chain([fact(RefundTotal, "ch_2", Succeeded, 9, DUE)]));
    vec![
        story("asked by a bank", asked, Status::Paid, DUE, 0),
        disputed("disputed", after(paid(), [dispute(Open, 10)])),
        story("dispute won", won.clone(), Status::Paid, DUE, 0),
        Story { lost: DUE, ..disputed("dispute lost", lost.clone()) },
        story("dispute lost, appealed and won", after(lost.clone(), [dispute(Won, 30)]), Status::Paid, DUE, 0),
        Story { lost: DUE, ..disputed("dispute won, appealed and lost", after(won, [dispute(Lost, 30)])) },
        Story { lost: 1000, ..disputed("one dispute lost and one won", two_disputes) },
        Story {
            lost: DUE - 1000,
            flags: &[Flag::Disputed],
            ..story("refunded in part, then lost", refunded_first, Status::PartiallyRefunded, DUE, 1000)
        },
        review(
            "a debit that came back",
            after(paid(), [fact(Authorization, "ch_1", Failed, 90, DUE)]),
            Status::Paid,
            DUE,
        ),
        review(
            "more than was asked for",
            vec![fact(CaptureTotal, "pi_1", Succeeded, 2, 5999).with_face(DUE)],
            Status::Paid,
            5999,
        ),
        review(
            "a test beside real money",
            vec![of_mode(true, paid()[1].clone()), of_mode(false, paid()[2].clone())],
            Status::Paid,
            DUE,
        ),
        review("paid twice", after(paid(), twice), Status::Paid, 2 * DUE),
        story("paid twice, once given back", settled, Status::Paid, 2 * DUE, DUE),
        review("too little", vec![fact(Checkout, "cs_1", Succeeded, 2, DUE - 1)], Status::Pending, DUE - 1),
        review("too much", vec![fact(Checkout, "cs_1", Succeeded, 2, DUE + 1)], Status::Paid, DUE + 1),
        review("another currency", vec![yen(CaptureTotal, "pi_1", Succeeded)], Status::Pending, 0),
        review(
            "another currency beside the right one",
            after(paid(), [yen(Capture, "ch_2", Succeeded)]),
            Status::Paid,
            DUE,
        ),
        review("another currency promised", vec![yen(Authorization, "pi_1", Authorized)], Status::Pending, 0),
        review("another currency refunded", after(paid(), [yen(RefundTotal, "ch_1", Succeeded)]), Status::Paid, DUE),
        review("in another mode", after(paid(), [raised]), Status::Paid, DUE),
    ]
}
