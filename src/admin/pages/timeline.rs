//! The timeline of a payment: what happened to it, what caused each step and why.

use std::cmp::Reverse;

use super::act_entries;
use crate::admin::frame::Frame;
use crate::admin::guard::Visit;
use crate::admin::views::badge::spaced;
use crate::admin::views::parts::{Badge, Change};
use crate::admin::views::payment::{Entry, Step};
use crate::admin::views::words;
use crate::domain::Timestamp;
use crate::domain::event::Source;
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::money::Money;
use crate::domain::operation::OperationState;
use crate::engine::Payment;
use crate::gateways::Verb;
use crate::reports::PaymentStory;
use crate::store::calls::OperationRow;
use crate::store::rows::{EventRow, TransitionRow};

/// Everything that happened, newest first. An event and the step that it caused are one entry, below its handlers.
pub(super) fn of(visit: &Visit, story: &PaymentStory, payment: &Payment) -> Vec<Entry> {
    let frame = &visit.frame();
    let shown = |text: &str| visit.redacted("error", &payment.variant, text).into_owned();
    let mut all: Vec<(Timestamp, u8, Entry)> = Vec::new();
    for event in &story.events {
        all.push(event_entry(visit, story, event));
    }
    let is_shown = |step: &&TransitionRow| story.events.iter().any(|event| step.event_id == Some(event.id));
    for step in story.transitions.iter().filter(|step| !is_shown(step)) {
        all.push((step.created_at, 2, transition(frame, story, step)));
    }
    for run in &story.attempts {
        let at = frame.moment(run.finished_at);
        let href = frame.href(&format!("events/{}", run.event_id));
        let why = if run.attempt > 1 { format!("attempt {}", run.attempt) } else { String::new() };
        let entry = Entry::attempt(&run.handler, href, run.outcome.into(), why, at);
        all.push((run.finished_at, 3, entry.with_error(run.error.as_deref().map(shown))));
    }
    // What the gateway was asked for is told by the operation, with its actor.
    for act in story.acts.iter().filter(|act| Verb::parse(&act.act).is_none()) {
        all.push((act.created_at, 4, act_entries::of_payment(frame, story, act)));
    }
    for operation in &story.operations {
        let at = frame.moment(operation.created_at);
        let amount = operation.amount.map(|minor| format!(" of {}", Money::new(minor, payment.amount.currency).said()));
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
        ("Created", format!("{} through {}", payment.amount.said(), payment.variant))
    };
    all.push((payment.created_at, 0, Entry::created(title, why, frame.moment(payment.created_at))));
    all.sort_by_key(|(at, order, _)| Reverse((*at, *order)));
    folded(all.into_iter().map(|(_, _, entry)| entry).collect())
}

/// From which time on it is said how long an event had waited when it changed something, in seconds.
const LONG: i64 = 60;

/// An event with the newest of the steps that it caused, at the step's place; earlier ones are folded below it.
fn event_entry(visit: &Visit, story: &PaymentStory, event: &EventRow) -> (Timestamp, u8, Entry) {
    let frame = &visit.frame();
    let mut steps: Vec<&TransitionRow> = story.transitions.iter().filter(|it| it.event_id == Some(event.id)).collect();
    steps.sort_unstable_by_key(|step| Reverse(step.id));
    let href = frame.href(&format!("events/{}", event.id));
    let outcome = event.outcome.as_deref().map(|outcome| visit.redacted("error", &event.variant, outcome).into_owned());
    let outcome = outcome.map(|outcome| frame.with_next_attempt(&outcome, event));
    let Some((newest, earlier)) = steps.split_first() else {
        let why = outcome.unwrap_or_else(|| "waits for a worker".to_owned());
        let entry = Entry::event(&event.kind, href, event.state.into(), why, frame.moment(event.received_at));
        let is_check = event.source == Source::Answer && event.outcome_code.as_deref() == Some("no_change");
        return (event.received_at, 1, Entry { is_check, ..entry.late(words::late(event)) });
    };
    let waited = (newest.created_at - event.received_at).whole_seconds();
    let waited = (waited >= LONG).then(|| format!("received {} before", words::span(waited.unsigned_abs())));
    // What the outcome says of the step already is not said twice.
    let is_told = outcome.as_ref().is_some_and(|outcome| outcome.starts_with(&newest.cause));
    let cause = (!is_told).then(|| newest.cause.clone());
    let why = [cause, outcome, waited].into_iter().flatten().collect::<Vec<_>>().join("; ");
    let entry = Entry::event(&event.kind, href, event.state.into(), why, frame.moment(newest.created_at));
    let folded = earlier.iter().map(|step| transition(frame, story, step)).collect();
    let entry = Entry { folded, ..entry.late(words::late(event)) };
    (newest.created_at, 2, entry.causing(step(story, newest)))
}

/// How many checks in a row are told one by one.
const APART: usize = 3;

/// The same with checks that changed nothing as one entry, where many follow each other.
fn folded(entries: Vec<Entry>) -> Vec<Entry> {
    let mut told = Vec::new();
    let mut entries = entries.into_iter().peekable();
    while let Some(entry) = entries.next() {
        if !entry.is_check {
            told.push(entry);
            continue;
        }
        let mut checks = vec![entry];
        checks.extend(std::iter::from_fn(|| entries.next_if(|next| next.is_check)));
        let newest = checks[0].at.clone();
        if checks.len() > APART { told.push(Entry::checks(checks, newest)) } else { told.extend(checks) }
    }
    told
}

/// The capture that a refund takes from, where the payment has several.
fn refunded_capture(story: &PaymentStory, operation: &OperationRow) -> Option<String> {
    let is_capture = |fact: &&Fact| (fact.aspect, fact.state) == (Aspect::Capture, State::Succeeded);
    let captures: Vec<&str> = story.facts.iter().filter(is_capture).map(|fact| fact.gateway_ref.as_str()).collect();
    let is_one_of_several = operation.verb == Verb::Refund && captures.len() > 1;
    operation.refs().into_iter().find(|id| is_one_of_several && captures.contains(&id.as_str()))
}

/// A step that no event of those shown has caused.
fn transition(frame: &Frame, story: &PaymentStory, of: &TransitionRow) -> Entry {
    Entry::step(step(story, of), of.cause.clone(), frame.moment(of.created_at))
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
