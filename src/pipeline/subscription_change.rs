//! What an event did to its subscription, what was written of that, and what handlers are told of it.

use std::collections::HashMap;

use crate::domain::id::{EventId, SubscriptionId, SubscriptionTransitionId};
use crate::domain::subscription::SubscriptionState;
use crate::engine::owed::Lacking;
use crate::engine::{Engine, Subscription, SubscriptionNotice};
use crate::error::{Error, ErrorKind};
use crate::store::rows::{Claimed, DoneHandler, Step};
use crate::store::sets::Key;
use crate::store::subscriptions::{SubscriptionRow, SubscriptionTransitionRow};

/// What an event did to its subscription.
pub(crate) struct SubscriptionChange {
    /// The subscription as it was after this event.
    pub(crate) row: SubscriptionRow,
    pub(crate) before: SubscriptionState,
    pub(crate) after: SubscriptionState,
    pub(crate) code: &'static str,
    pub(crate) why: String,
    /// The transitions that earlier attempts of this event caused.
    pub(crate) earlier: Vec<SubscriptionTransitionRow>,
    /// The transition that it causes now, by its place among those of the batch.
    pub(crate) step: Option<usize>,
}

/// What was written of subscriptions.
#[derive(Default)]
pub(super) struct WrittenSubscriptions {
    /// The numbers under which they are stored, by their tokens.
    pub(super) ids: HashMap<String, SubscriptionId>,
    pub(super) transitions: Vec<SubscriptionTransitionId>,
    /// The invoices of those that were started here.
    pub(super) invoices: Vec<Key>,
}

impl WrittenSubscriptions {
    /// The number under which the subscription of a change is stored.
    pub(super) fn id_of(&self, change: &SubscriptionChange) -> SubscriptionId {
        self.ids.get(&change.row.token).copied().unwrap_or(change.row.id)
    }

    /// The transition that the event caused now, in the form that handlers get.
    pub(super) fn new_transition(
        &self,
        event: &Claimed,
        change: &SubscriptionChange,
    ) -> Result<Option<SubscriptionNotice>, Error> {
        let Some(id) = change.step.and_then(|place| self.transitions.get(place)).copied() else { return Ok(None) };
        let (old, new) = (change.before.clone(), change.after.clone());
        notice(event, change, id, (old, new), change.why.clone()).map(Some)
    }

    /// All transitions that the event caused, now or in an earlier attempt.
    pub(super) fn transitions(
        &self,
        event: &Claimed,
        change: &SubscriptionChange,
    ) -> Result<Vec<SubscriptionNotice>, Error> {
        let unreadable = |error| {
            Error::new(ErrorKind::Storage, "a state in pay_subscription_transitions can't be read").with_source(error)
        };
        let mut all = Vec::new();
        for row in &change.earlier {
            let old = serde_json::from_str(&row.before).map_err(unreadable)?;
            let new = serde_json::from_str(&row.after).map_err(unreadable)?;
            all.push(notice(event, change, row.id, (old, new), row.cause.clone())?);
        }
        all.extend(self.new_transition(event, change)?);
        Ok(all)
    }

    /// Whether the steps that an event caused have handlers left to run after the commit, here or elsewhere. Of an event
    /// that waits for its payment they run before: the payment may never come.
    pub(super) fn owes(
        &self,
        engine: &Engine,
        lacking: &Lacking,
        done: &HashMap<EventId, Vec<DoneHandler>>,
        event: &Claimed,
        change: &SubscriptionChange,
    ) -> Result<bool, Error> {
        let steps: Vec<Step> =
            self.transitions(event, change)?.iter().map(|step| Step::Subscription(step.id)).collect();
        let done = done.get(&event.row.id).map_or(&[][..], Vec::as_slice);
        let is_open = |name: &str, of: Option<Step>| {
            of.is_some() && !done.iter().any(|done| (done.handler.as_str(), done.transition) == (name, of))
        };
        let kind = &event.row.kind;
        let owed_elsewhere = lacking.runs(&steps, kind).iter().any(|(name, of)| is_open(name, *of));
        Ok(owed_elsewhere || engine.handlers.due(&steps, kind).any(|(name, of)| is_open(name, of)))
    }
}

impl SubscriptionChange {
    /// Whether this event caused a transition, now or in an earlier attempt.
    pub(super) fn has_steps(&self) -> bool {
        self.step.is_some() || !self.earlier.is_empty()
    }

    /// The owners whose being active it may have changed.
    pub(super) fn owners(&self) -> impl Iterator<Item = String> {
        self.before.owner.iter().chain(&self.after.owner).cloned().collect::<Vec<_>>().into_iter()
    }
}

fn notice(
    event: &Claimed,
    change: &SubscriptionChange,
    id: SubscriptionTransitionId,
    (old, new): (SubscriptionState, SubscriptionState),
    cause: String,
) -> Result<SubscriptionNotice, Error> {
    let subscription = Subscription::of(&change.row)?;
    let (event_id, kind) = (event.row.gateway_event_id.clone(), event.row.kind.clone());
    Ok(SubscriptionNotice { id, subscription, old, new, cause, event_id, kind })
}
