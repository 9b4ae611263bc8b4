//! What does an event say under its variant's configuration? The same whenever it is asked, so that rebuilding
//! gives what processing gave.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::domain::event::{Interpretation, Malformed, Recorded, Source};
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::moment;
use crate::engine::Engine;
use crate::engine::{ModePolicy, Variant};
use crate::pipeline::rebuild::RebuildOrder;
use crate::pipeline::settle::Trouble;
use crate::store::rows::Claimed;

/// What an event says, or why that can't be known.
pub(crate) type Reading = Result<Said, Trouble>;

/// What an event says under its variant's configuration.
pub(crate) struct Said {
    pub(crate) interpretation: Interpretation,
    pub(crate) mode: ModeMatch,
    /// Set when an operator asks for the payment to be rebuilt.
    pub(crate) rebuild: Option<RebuildOrder>,
}

/// How an event's mode compares to what its variant is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ModeMatch {
    Fits,
    Ignore,
}

/// What the event says. Total: what can't be read is trouble of this event alone.
pub(crate) fn interpret(engine: &Engine, event: &Claimed) -> Reading {
    let Some(variant) = engine.variants.get(&event.row.variant) else {
        return Err(Trouble::retry(format!("no variant {:?} is configured here", event.row.variant)));
    };
    reading(variant, event).map_err(|malformed| Trouble::discard("malformed", malformed))
}

/// What the event says under its variant's configuration; the same whenever it is asked.
pub(crate) fn reading(variant: &Variant, event: &Claimed) -> Result<Said, String> {
    if event.row.source == Source::Operator.as_str() {
        let order = RebuildOrder::read(&event.body)?;
        return Ok(Said { interpretation: order.says(), mode: ModeMatch::Fits, rebuild: Some(order) });
    }
    let recorded = Recorded {
        id: &event.row.gateway_event_id,
        kind: &event.row.kind,
        occurred_at: event.row.occurred_at.unwrap_or(event.row.received_at),
        body: &event.body,
    };
    // A host's gateway may break its promise not to panic; that is this event's trouble and no other's.
    let said = catch_unwind(AssertUnwindSafe(|| variant.gateway.interpret(&recorded)));
    let said = said.unwrap_or_else(|_| Err(Malformed("the gateway panicked over it".to_owned())));
    let mut interpretation = said.map_err(|malformed| malformed.0)?;
    for fact in &mut interpretation.facts {
        fact.occurred_at = moment(fact.occurred_at).unwrap_or(recorded.occurred_at);
        fact.since = fact.since.and_then(moment);
    }
    if let Some(awaited) = &mut interpretation.awaits_completion {
        awaited.since = awaited.since.and_then(moment);
    }
    let other_mode = matches!((variant.live, event.row.livemode), (Some(ours), Some(its)) if ours != its);
    let mut mode = ModeMatch::Fits;
    match variant.mode {
        ModePolicy::Ignore if other_mode => mode = ModeMatch::Ignore,
        ModePolicy::Flag if other_mode && !interpretation.facts.is_empty() => {
            interpretation.facts.push(concern("other_mode", &recorded));
        }
        _ => {}
    }
    Ok(Said { interpretation, mode, rebuild: None })
}

fn concern(code: &str, event: &Recorded<'_>) -> Fact {
    Fact::new(Aspect::Concern, code, State::Raised, event.occurred_at, event.id)
}

/// The fact that an event names more than one payment of the host's.
pub(crate) fn ambiguity(event: &Claimed) -> Fact {
    let row = &event.row;
    let at = row.occurred_at.unwrap_or(row.received_at);
    Fact::new(Aspect::Concern, "ambiguous_reference", State::Raised, at, &row.gateway_event_id)
}
