//! Stories of several things that go on at once: attempts to pay, parts of a capture, refunds and their running total.

use actix_payments::domain::fact::{Aspect, Fact, State};
use actix_payments::domain::payment::Status;

use super::stories::{DUE, Flag, Story, after, child, fact, minute, paid, refund, story};

use crate::scenes::with;
use Aspect::{Authorization, Capture, CaptureTotal, Checkout, Refund, RefundTotal};
use State::*;

pub(super) fn all() -> Vec<Story> {
    let mut stories = several();
    stories.extend(totals());
    stories
}

/// What happens to several attempts, or to several parts of one.
fn several() -> Vec<Story> {
    let open =
        |id: &str, at| fact(Checkout, &format!("cs_{id}"), Pending, at, DUE).with_parent(Some(format!("pi_{id}")));
    let expired = |id: &str, at| fact(Checkout, &format!("cs_{id}"), Expired, at, DUE);
    let attempt = |id: &str, state, at| fact(Authorization, &format!("pi_{id}"), state, at, DUE);
    let debit = || vec![open("b", 1), attempt("b", Pending, 1), child("pi_b", fact(Capture, "ch_b", Pending, 1, DUE))];
    let returned = child("pi_b", fact(Capture, "ch_b", Failed, 30, DUE));
    let both = after(debit(), [open("c", 2), attempt("c", Pending, 2)]);
    let so_far = |minor, at| fact(CaptureTotal, "pi_1", Succeeded, at, minor);
    let rest = |minor, at| fact(Authorization, "pi_1", Authorized, at, minor).with_face(DUE);
    let parts = vec![rest(DUE, 1), rest(2999, 5), so_far(2000, 5)];
    let held = || vec![fact(Authorization, "A1", Authorized, 1, DUE)];
    let of_it = |id, minor| child("A1", fact(Capture, id, Succeeded, 5, minor));
    let used_up = || Fact::new(CaptureTotal, "A1", Closed, minute(5), "evt_closed");
    vec![
        story("a debit beside an abandoned tab", after(debit(), [expired("a", 60)]), Status::Pending, 0, 0),
        story("a debit beside a declined card", after(debit(), [attempt("a", Failed, 60)]), Status::Pending, 0, 0),
        story("a debit beside a canceled intent", after(debit(), [attempt("a", Canceled, 60)]), Status::Pending, 0, 0),
        story("one of two debits failed", after(both, [attempt("c", Failed, 60)]), Status::Pending, 0, 0),
        story("the only debit failed", after(debit(), [attempt("b", Failed, 30), returned]), Status::Failed, 0, 0),
        story("captured in part, the rest authorized", parts.clone(), Status::Authorized, 2000, 0),
        story(
            "a part of that refunded",
            after(parts.clone(), [fact(Refund, "re_1", Succeeded, 6, 500)]),
            Status::Authorized,
            2000,
            500,
        ),
        story(
            "captured in part, and then closed",
            after(parts, [so_far(2000, 9).with_face(DUE)]),
            Status::Paid,
            2000,
            0,
        ),
        Story {
            flags: &[Flag::Review],
            ..story("one capture of an authorization", after(held(), [of_it("C1", 2000)]), Status::Authorized, 2000, 0)
        },
        story(
            "the last capture of an authorization",
            after(held(), [of_it("C1", 2000), used_up()]),
            Status::Paid,
            2000,
            0,
        ),
    ]
}

/// Running totals of refunds that go up and down.
fn totals() -> Vec<Story> {
    let total = |minor, at| fact(RefundTotal, "ch_1", Succeeded, at, minor);
    let restated = |minor, at| with(total(minor, at), |it| it.face = None);
    let one = |state, at| refund("re_1", state, 10, at, 1000);
    let two = refund("re_2", Pending, 11, 11, 700);
    let part = |name, facts, refunded| story(name, after(paid(), facts), Status::PartiallyRefunded, DUE, refunded);
    let pending = vec![one(Pending, 10), two, total(1700, 11), one(Failed, 20)];
    vec![
        story(
            "a refund undone by the total alone",
            after(paid(), [total(DUE, 10), restated(0, 20)]),
            Status::Paid,
            DUE,
            0,
        ),
        story(
            "a later total knows of a failure",
            after(paid(), [one(Succeeded, 10), total(1000, 10), restated(0, 20)]),
            Status::Paid,
            DUE,
            0,
        ),
        part("a refund made after the total", vec![total(1000, 10), refund("re_2", Succeeded, 20, 20, 700)], 1700),
        part("a total of the second of a failure", after(pending.clone(), [restated(700, 20)]), 700),
        part("one that says what it was before", after(pending.clone(), [total(700, 20).with_face(1700)]), 700),
        part("a refund of that second", after(pending, [refund("re_3", Pending, 20, 20, 500), total(1200, 20)]), 1200),
        part(
            "a failure that is all that is known",
            vec![total(2920, 10), refund("re_1", Failed, 9, 20, 713), restated(2207, 20)],
            2207,
        ),
        story(
            "failed in the second in which it was made",
            after(paid(), [total(1000, 10), one(Failed, 10)]),
            Status::Paid,
            DUE,
            0,
        ),
    ]
}
