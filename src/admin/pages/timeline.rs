//! What the timelines of payments and of subscriptions tell alike: events with the steps that they caused, the runs of
//! handlers, and all of it in its order.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::admin::frame::Frame;
use crate::admin::guard::Visit;
use crate::admin::views::payment::{Entry, Step};
use crate::admin::views::words;
use crate::domain::Timestamp;
use crate::domain::event::Source;
use crate::domain::id::EventId;
use crate::store::rows::{AttemptRow, EventRow};

/// An entry, when it was, and its place among what was at the same time: what was caused comes after its cause.
pub(super) type Placed = (Timestamp, u8, Entry);

/// A step of the status.
pub(super) struct Told {
    pub(super) at: Timestamp,
    /// The event that caused it.
    pub(super) event: Option<EventId>,
    /// As the host wants it shown.
    pub(super) cause: String,
    pub(super) step: Step,
}

impl Told {
    fn entry(self, frame: &Frame) -> Entry {
        Entry::step(self.step, self.cause, frame.moment(self.at))
    }
}

/// Events, each with the steps that it caused, and the steps that none of them caused. The steps are given newest first.
pub(super) fn events(visit: &Visit, events: &[EventRow], steps: Vec<Told>) -> Vec<Placed> {
    let frame = &visit.frame();
    let mut caused: HashMap<EventId, Vec<Told>> = events.iter().map(|event| (event.id, Vec::new())).collect();
    let mut all = Vec::new();
    for step in steps {
        match step.event.and_then(|event| caused.get_mut(&event)) {
            Some(its) => its.push(step),
            None => all.push((step.at, 2, step.entry(frame))),
        }
    }
    all.extend(events.iter().map(|event| self::event(visit, event, caused.remove(&event.id).unwrap_or_default())));
    all
}

/// From which time on it is said how long an event had waited when it changed something, in seconds.
const LONG: i64 = 60;

/// An event with the newest of the steps that it caused, at the step's place; earlier ones are folded below it.
fn event(visit: &Visit, event: &EventRow, steps: Vec<Told>) -> Placed {
    let frame = &visit.frame();
    let href = frame.href(&format!("events/{}", event.id));
    let shown = event.outcome.as_deref().map(|outcome| visit.shown(&event.variant, outcome));
    let outcome = shown.as_ref().map(|outcome| frame.with_next_attempt(outcome, event));
    let mut steps = steps.into_iter();
    let Some(newest) = steps.next() else {
        let why = outcome.unwrap_or_else(|| "waits for a worker".to_owned());
        let entry = Entry::event(&event.kind, href, event.state.into(), why, frame.moment(event.received_at));
        let is_check = event.source == Source::Answer && event.outcome_code.as_deref() == Some("no_change");
        return (event.received_at, 1, Entry { is_check, ..entry.late(words::late(event)) });
    };
    let waited = (newest.at - event.received_at).whole_seconds();
    let waited = (waited >= LONG).then(|| format!("received {} before", words::span(waited.unsigned_abs())));
    // What the outcome says of the step already is not said twice.
    let is_told = shown.is_some_and(|outcome| outcome.starts_with(&newest.cause));
    let cause = (!is_told).then_some(newest.cause);
    let why = [cause, outcome, waited].into_iter().flatten().collect::<Vec<_>>().join("; ");
    let entry = Entry::event(&event.kind, href, event.state.into(), why, frame.moment(newest.at));
    let entry = Entry { folded: steps.map(|step| step.entry(frame)).collect(), ..entry.late(words::late(event)) };
    (newest.at, 2, entry.causing(newest.step))
}

/// The runs of handlers.
pub(super) fn runs(visit: &Visit, variant: &str, attempts: &[AttemptRow]) -> Vec<Placed> {
    let frame = &visit.frame();
    let run = |run: &AttemptRow| {
        let (at, href) = (frame.moment(run.finished_at), frame.href(&format!("events/{}", run.event_id)));
        let why = if run.attempt > 1 { format!("attempt {}", run.attempt) } else { String::new() };
        let error = run.error.as_deref().map(|text| visit.shown(variant, text));
        let entry = Entry::attempt(&run.handler, href, run.outcome.into(), why, at).with_error(error);
        (run.finished_at, 3, entry)
    };
    attempts.iter().map(run).collect()
}

/// All of it, newest first.
pub(super) fn in_order(mut all: Vec<Placed>) -> Vec<Entry> {
    all.sort_by_key(|(at, order, _)| Reverse((*at, *order)));
    folded(all.into_iter().map(|(_, _, entry)| entry).collect())
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
