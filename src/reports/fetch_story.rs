//! What an event has asked its gateway for, and what it answers.

use crate::domain::event::{EventState, Source};
use crate::engine::Engine;
use crate::engine::request::fetch_key;
use crate::error::Error;
use crate::store::Tx;
use crate::store::fetches::FetchRow;
use crate::store::rows::EventRow;

/// How many of the events are named that one question was for.
const NAMED: i64 = 20;

/// The question that an event has begun or joined, because it names an object without showing it.
pub(crate) struct FetchStory {
    pub fetch: FetchRow,
    /// The events of the answer.
    pub answers: Vec<EventRow>,
    /// Why the gateway can't be asked, if the question is open and it can't.
    pub cannot: Option<String>,
    /// Whether the event still waits for it.
    pub is_waiting: bool,
}

/// The question of an event.
pub(super) fn asked_by(engine: &Engine, tx: &mut dyn Tx, event: &EventRow) -> Result<Option<FetchStory>, Error> {
    let Some((_, fetch)) = tx.asked_by(&[event.id])?.pop() else { return Ok(None) };
    let mut answers = Vec::new();
    for id in fetch.answers() {
        answers.extend(tx.event_named(&fetch.variant, &id)?);
    }
    let variant = engine.variant(&event.variant);
    let gateway = variant.as_ref().map(|variant| &variant.gateway);
    let cannot = gateway.filter(|_| fetch.finished_at.is_none()).and_then(|gateway| gateway.supports_fetch().err());
    Ok(Some(FetchStory { fetch, answers, cannot, is_waiting: event.state == EventState::Parked }))
}

/// The first events that an event answers, if it is an answer.
pub(super) fn answered_by(tx: &mut dyn Tx, event: &EventRow) -> Result<Vec<EventRow>, Error> {
    let key = fetch_key(&event.gateway_event_id).filter(|_| event.source == Source::Answer);
    match key.map(|key| tx.fetch_under(&key)).transpose()?.flatten() {
        Some(fetch) => tx.events_asking(fetch.id, NAMED),
        None => Ok(Vec::new()),
    }
}
