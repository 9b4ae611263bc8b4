//! The timeline of a payment: what happened to it, what caused each step and why.

use std::cmp::Reverse;

use super::act_entries;
use super::timeline::{self, Told};
use crate::admin::guard::Visit;
use crate::admin::views::badge::spaced;
use crate::admin::views::parts::{Badge, Change};
use crate::admin::views::payment::{Entry, Step};
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::identifier::GatewayRef;
use crate::domain::money::Money;
use crate::domain::operation::OperationState;
use crate::engine::Payment;
use crate::gateways::Verb;
use crate::reports::PaymentStory;
use crate::store::calls::OperationRow;
use crate::store::rows::TransitionRow;

/// Everything that happened, newest first. An event and the step that it caused are one entry, below its handlers.
pub(super) fn of(visit: &Visit, story: &PaymentStory, payment: &Payment) -> Vec<Entry> {
    let frame = &visit.frame();
    let shown = |text: &str| visit.shown(&payment.variant, text);
    let mut steps: Vec<&TransitionRow> = story.transitions.iter().collect();
    steps.sort_unstable_by_key(|step| Reverse(step.id));
    let steps = steps.into_iter().map(|step| told(story, step, shown(&step.cause)));
    let mut all = timeline::events(visit, &story.events, steps.collect());
    all.extend(timeline::runs(visit, &payment.variant, &story.attempts));
    // What the gateway was asked for is told by the operation, with its actor.
    for act in story.acts.iter().filter(|act| Verb::parse(&act.act).is_none()) {
        all.push((act.created_at, 4, act_entries::of(frame, &story.events, act)));
    }
    for operation in &story.operations {
        let at = frame.moment(operation.created_at);
        let amount = operation.amount.map(|minor| format!(" of {}", Money::new(minor, payment.amount.currency)));
        let of = refunded_capture(story, operation).map(|id| format!(" from {id}"));
        let (amount, of) = (amount.unwrap_or_default(), of.unwrap_or_default());
        let title = format!("{}{amount}{of} asked for", operation.verb.as_str());
        let came = operation.outcome.as_deref().map_or_else(|| "no answer yet".to_owned(), shown);
        let reason = operation.reason.as_deref().map(|reason| format!(", reason: {}", spaced(reason)));
        let why = format!("by {}{}; {came}", operation.actor, reason.unwrap_or_default());
        let is_check = (operation.verb, operation.state) == (Verb::Refresh, OperationState::Done);
        let entry = Entry::operation(title, operation.state.into(), why, at);
        all.push((operation.created_at, 0, Entry { is_check, ..entry }));
    }
    for absorbed in &story.absorbed {
        let why = format!("{} turned out to be this payment", absorbed.token);
        let at = frame.moment(absorbed.updated_at);
        all.push((absorbed.updated_at, 2, Entry::absorbed("An adopted payment was absorbed", why, at)));
    }
    let (title, why) = if payment.adopted {
        ("Adopted", "made from an event that no payment here was waiting for".to_owned())
    } else {
        ("Created", format!("{} through {}", payment.amount, payment.variant))
    };
    all.push((payment.created_at, 0, Entry::created(title, why, frame.moment(payment.created_at))));
    timeline::in_order(all)
}

/// The capture that a refund takes from, where the payment has several.
fn refunded_capture(story: &PaymentStory, operation: &OperationRow) -> Option<GatewayRef> {
    let is_capture = |fact: &&Fact| (fact.aspect, fact.state) == (Aspect::Capture, State::Succeeded);
    let captures: Vec<_> = story.facts.iter().filter(is_capture).map(|fact| &fact.gateway_ref).collect();
    let is_one_of_several = operation.verb == Verb::Refund && captures.len() > 1;
    operation.refs().into_iter().find(|id| is_one_of_several && captures.contains(&id))
}

fn told(story: &PaymentStory, of: &TransitionRow, cause: String) -> Told {
    Told { at: of.created_at, event: of.event_id, cause, step: step(story, of) }
}

/// A step of the status, or of a flag beside it.
fn step(story: &PaymentStory, step: &TransitionRow) -> Step {
    let (from, to) = (step.from_status, step.to_status);
    if from != to {
        return Step::Changes(Change::of(from, to));
    }
    Step::stays(
        &to.into(),
        match (step.dispute, step.disputed, step.needs_review) {
            (Some(dispute), ..) => dispute.into(),
            (None, true, _) => Badge::disputed(),
            (None, false, true) => Badge::needs_review(),
            (None, false, false) => Badge::new(cleared(story, step), "neutral", "flag"),
        },
    )
}

/// What a step that left no flag has ended.
fn cleared(story: &PaymentStory, step: &TransitionRow) -> &'static str {
    let before = story.transitions.iter().filter(|other| other.id < step.id).max_by_key(|other| other.id);
    match before.map(|before| (before.disputed, before.needs_review)) {
        Some((true, false)) => "dispute closed",
        Some((true, true)) => "dispute closed, nothing to review",
        Some((false, _)) | None => "nothing to review",
    }
}
