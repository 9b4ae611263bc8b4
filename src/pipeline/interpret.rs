//! What an event says under its variant's configuration: the same whenever it is read, so that rebuilding gives what
//! processing gave.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::failure::Failure;
use super::order::{KIND, OWNER, OwnerOrder, REVIEW, RebuildOrder, ReviewOrder};
use super::working_set::{Match, WorkingSet};
use crate::domain::event::{Interpretation, Malformed, Recorded, References, Source, SubscriptionStatement, storable};
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::named::NamedObject;
use crate::domain::storable_time;
use crate::engine::{Engine, ModePolicy, Variant};
use crate::store::rows::{Claimed, EventRow};

/// What an event says under its variant's configuration.
pub(crate) struct Understood {
    pub(crate) interpretation: Interpretation,
    /// Whether it is of the other mode than its variant is for, and such events are to be ignored.
    pub(crate) is_ignored: bool,
    /// Set when an operator asks for the payment to be rebuilt.
    pub(crate) rebuild: Option<RebuildOrder>,
}

impl Understood {
    /// The payment that it is about.
    pub(super) fn found(&self, set: &WorkingSet, variant: &str) -> Option<Match> {
        set.find(variant, &self.interpretation.references, self.interpretation.account.as_deref())
    }

    /// The variant, and the account that it says.
    pub(super) fn of<'a>(&'a self, variant: &'a str) -> (&'a str, Option<&'a str>) {
        (variant, self.interpretation.account.as_deref())
    }
}

/// What the event says. What can't be read is a failure of this event alone.
pub(crate) fn interpret(engine: &Engine, event: &Claimed) -> Result<Understood, Failure> {
    let Some(variant) = engine.variant(&event.row.variant) else {
        return Err(Failure::retry(engine.why_lacking(&event.row.variant)));
    };
    under(&variant, event).map_err(|malformed| Failure::unreadable(malformed, named(&variant, event)))
}

/// The ids by which an event that can't be read names its payment.
fn named(variant: &Variant, event: &Claimed) -> References {
    let is_order = event.row.source == Source::Operator;
    let read = || if is_order { References::default() } else { variant.gateway.references(&recorded(event)) };
    let mut kept = catch_unwind(AssertUnwindSafe(read)).unwrap_or_default();
    kept.tokens.retain(|text| storable(text));
    kept.gateway_refs.retain(|text| storable(text));
    kept
}

fn recorded(event: &Claimed) -> Recorded<'_> {
    Recorded {
        id: &event.row.gateway_event_id,
        kind: &event.row.kind,
        occurred_at: event.row.occurred_at.unwrap_or(event.row.received_at),
        body: &event.body,
    }
}

/// What the event says under this variant.
pub(super) fn under(variant: &Variant, event: &Claimed) -> Result<Understood, String> {
    let recorded = recorded(event);
    if event.row.source == Source::Operator {
        return ordered(&recorded);
    }
    // A host's gateway may break its promise not to panic; that is this event's failure and no other's.
    let read = catch_unwind(AssertUnwindSafe(|| variant.gateway.interpret(&recorded)));
    let read = read.unwrap_or_else(|_| Err(Malformed("the gateway panicked over it".to_owned())));
    let mut interpretation = read.map_err(|malformed| malformed.0)?;
    for fact in &mut interpretation.facts {
        fact.occurred_at = storable_time(fact.occurred_at).unwrap_or(recorded.occurred_at);
        fact.since = fact.since.and_then(storable_time);
        fact.until = fact.until.and_then(storable_time);
        fact.livemode = event.row.livemode;
    }
    if let Some(awaited) = &mut interpretation.awaits_completion {
        awaited.since = awaited.since.and_then(storable_time);
    }
    if let Some(object) = &interpretation.object_to_fetch {
        interpretation.facts.clear();
        interpretation.subscription = None;
        let kept = storable(&object.object_type) && storable(&object.gateway_ref);
        let account = object.account.as_ref().is_none_or(|text| storable(text));
        interpretation.object_to_fetch.take_if(|_| !kept || !account);
    }
    interpretation.account.take_if(|account| !account.is_empty() && !storable(account));
    interpretation.payer.retain(storable);
    interpretation.subscription.take_if(|statement| !storable(&statement.gateway_ref));
    let other_mode = matches!((variant.live, event.row.livemode), (Some(ours), Some(its)) if ours != its);
    if other_mode && variant.mode == ModePolicy::Flag && !interpretation.facts.is_empty() {
        interpretation.facts.push(concern("other_mode", event));
    }
    let is_ignored = other_mode && variant.mode == ModePolicy::Ignore;
    Ok(Understood { interpretation, is_ignored, rebuild: None })
}

/// The objects that the events name without showing them.
pub(super) fn named_objects<'a>(
    claimed: &'a [Claimed],
    read: &'a [Result<Understood, Failure>],
) -> Vec<(&'a EventRow, &'a NamedObject)> {
    heeded(claimed, read).filter_map(|(event, says)| Some((event, says.object_to_fetch.as_ref()?))).collect()
}

/// What the events state of subscriptions, beside their variants.
pub(super) fn statements<'a>(
    claimed: &'a [Claimed],
    read: &'a [Result<Understood, Failure>],
) -> Vec<(&'a str, &'a SubscriptionStatement)> {
    let stated =
        |(event, says): (&'a EventRow, &'a Interpretation)| Some((event.variant.as_str(), says.subscription.as_ref()?));
    heeded(claimed, read).filter_map(stated).collect()
}

/// The events that can be read and are not to be ignored, each with what it says.
fn heeded<'a>(
    claimed: &'a [Claimed],
    read: &'a [Result<Understood, Failure>],
) -> impl Iterator<Item = (&'a EventRow, &'a Interpretation)> {
    claimed.iter().zip(read).filter_map(|(event, read)| {
        let read = read.as_ref().ok().filter(|read| !read.is_ignored)?;
        Some((&event.row, &read.interpretation))
    })
}

/// What an event of our own says.
fn ordered(event: &Recorded<'_>) -> Result<Understood, String> {
    let (interpretation, rebuild) = match event.kind {
        OWNER => (OwnerOrder::read(event.body)?.says(event), None),
        REVIEW => (ReviewOrder::read(event.body)?.says(event)?, None),
        KIND => {
            let order = RebuildOrder::read(event.body)?;
            (order.says(), Some(order))
        }
        kind => return Err(format!("expected an order that this release knows, got {kind:?}")),
    };
    Ok(Understood { interpretation, is_ignored: false, rebuild })
}

/// The fact that an event raises this concern.
pub(super) fn concern(code: &str, event: &Claimed) -> Fact {
    let row = &event.row;
    let at = row.occurred_at.unwrap_or(row.received_at);
    Fact::new(Aspect::Concern, code, State::Raised, at, &row.gateway_event_id)
}
