//! How acts of operators, notes among them, are told in a timeline and found there.

use std::cmp::Reverse;

use crate::admin::frame::Frame;
use crate::admin::guard::Visit;
use crate::admin::query::Fields;
use crate::admin::views::badge::spaced;
use crate::admin::views::note::{NoteForm, NoteSearch};
use crate::admin::views::payment::Entry;
use crate::domain::note;
use crate::reports::PaymentStory;
use crate::store::audit::ActRow;
use crate::store::rows::EventRow;

/// What asks for a note on the page `of`, for those who may write one.
pub(super) fn form(visit: &Visit, of: &str) -> Option<NoteForm> {
    let action = || visit.staying(&format!("{of}/note"));
    visit.may_act().then(|| NoteForm { action: action(), longest: note::LONGEST })
}

/// What looks through the notes of a payment, if there are any.
pub(super) fn search(visit: &Visit, story: &PaymentStory, words: Option<&str>) -> Option<NoteSearch> {
    let (within, page) = (Fields::of(&visit.req).remembered(), format!("payments/{}", story.payment.token));
    let (action, all) = (visit.frame().href(&page), visit.staying(&page));
    let is_any = story.acts.iter().any(|act| act.act == note::ACT);
    is_any.then(|| NoteSearch { action, all, within, words: words.unwrap_or_default().to_owned() })
}

/// The notes of a payment in which each of these words stands, in any case; newest first.
pub(super) fn notes(frame: &Frame, story: &PaymentStory, words: &str) -> Vec<Entry> {
    let has = |note: &str| words.to_lowercase().split_whitespace().all(|word| note.to_lowercase().contains(word));
    let notes = story.acts.iter().filter(|act| act.act == note::ACT);
    let mut found: Vec<&ActRow> = notes.filter(|act| act.detail.as_deref().is_some_and(has)).collect();
    found.sort_by_key(|act| Reverse(act.id));
    found.into_iter().map(|act| of(frame, &story.events, act)).collect()
}

/// An act in the timeline that these events are in.
pub(super) fn of(frame: &Frame, events: &[EventRow], act: &ActRow) -> Entry {
    let on = events.iter().find(|event| Some(event.id) == act.event_id);
    let href = act.event_id.map(|event| frame.href(&format!("events/{event}")));
    Entry { href, ..entry(frame, act, on.map(|event| event.kind.as_str())) }
}

/// An act; of a note, what was written.
pub(super) fn entry(frame: &Frame, act: &ActRow, on: Option<&str>) -> Entry {
    let from = act.address.as_deref().map(|address| format!(" from {address}")).unwrap_or_default();
    let what = on.map(|kind| format!(" on {kind}")).unwrap_or_default();
    let by = format!("by {}{from}{what}", act.actor);
    let why = match &act.detail {
        Some(words) if act.act == note::ACT => format!("{words} ({by})"),
        Some(detail) => format!("{by}; {detail}"),
        None => by,
    };
    Entry::act(spaced(&act.act), why, frame.moment(act.created_at))
}
