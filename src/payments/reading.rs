//! What does an event say under its variant's configuration? The same whenever it is asked, so that rebuilding
//! gives what processing gave.

use super::Inner;
use super::builder::{ModePolicy, Variant};
use super::settle::Trouble;
use crate::domain::event::{Interpretation, Recorded};
use crate::domain::fact::{Aspect, Fact, State};
use crate::store::rows::Claimed;

/// An event's facts, or why there are none to be had.
pub(super) type Reading = Result<(Interpretation, ModeMatch), Trouble>;

/// How an event's mode compares to what its variant is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ModeMatch {
    Fits,
    Ignore,
}

/// What the event says. Total: what can't be read is trouble of this event alone.
pub(super) fn interpret(inner: &Inner, event: &Claimed) -> Reading {
    let Some(variant) = inner.variants.get(&event.row.variant) else {
        return Err(Trouble::retry(format!("no variant {:?} is configured here", event.row.variant)));
    };
    reading(variant, event).map_err(|malformed| Trouble::discard("malformed", malformed))
}

/// What the event says under its variant's configuration; the same whenever it is asked.
pub(super) fn reading(variant: &Variant, event: &Claimed) -> Result<(Interpretation, ModeMatch), String> {
    let recorded = Recorded {
        id: &event.row.gateway_event_id,
        kind: &event.row.kind,
        occurred_at: event.row.occurred_at.unwrap_or(event.row.received_at),
        body: &event.body,
    };
    let mut interpretation = variant.gateway.interpret(&recorded).map_err(|malformed| malformed.0)?;
    let other_mode = matches!((variant.live, event.row.livemode), (Some(ours), Some(its)) if ours != its);
    match variant.mode {
        ModePolicy::Ignore if other_mode => return Ok((interpretation, ModeMatch::Ignore)),
        ModePolicy::Flag if other_mode && !interpretation.facts.is_empty() => {
            interpretation.facts.push(concern("other_mode", &recorded));
        }
        _ => {}
    }
    Ok((interpretation, ModeMatch::Fits))
}

fn concern(code: &str, event: &Recorded<'_>) -> Fact {
    Fact::new(Aspect::Concern, code, State::Raised, event.occurred_at, event.id)
}

/// The fact that an event names more than one payment of the host's.
pub(super) fn ambiguity(event: &Claimed) -> Fact {
    let row = &event.row;
    let at = row.occurred_at.unwrap_or(row.received_at);
    Fact::new(Aspect::Concern, "ambiguous_reference", State::Raised, at, &row.gateway_event_id)
}
