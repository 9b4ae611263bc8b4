//! The timeline of a subscription: what happened to it, what caused each step and why.

use super::act_entries;
use super::timeline::{self, Told};
use crate::admin::guard::Visit;
use crate::admin::views::parts::{Badge, Change};
use crate::admin::views::payment::{Entry, Step};
use crate::domain::operation::{OperationState, SubscriptionVerb};
use crate::reports::SubscriptionStory;
use crate::store::subscriptions::SubscriptionTransitionRow;

/// Everything that happened, newest first.
pub(super) fn of(visit: &Visit, story: &SubscriptionStory) -> Vec<Entry> {
    let (frame, variant) = (&visit.frame(), &story.row.variant);
    let steps = story.transitions.iter().map(|step| told(step, visit.shown(variant, &step.cause)));
    let mut all = timeline::events(visit, &story.events, steps.collect());
    all.extend(timeline::runs(visit, variant, &story.attempts));
    // What the gateway was asked for is told by the operation, with its actor.
    for act in story.acts.iter().filter(|act| SubscriptionVerb::parse(&act.act).is_none()) {
        all.push((act.created_at, 4, act_entries::of(frame, &story.events, act)));
    }
    for operation in &story.operations {
        let at = frame.moment(operation.created_at);
        let came = operation.outcome.as_deref().map(|outcome| visit.shown(variant, outcome));
        let came = came.unwrap_or_else(|| "no answer yet".to_owned());
        let (title, why) = (format!("{} asked for", operation.verb.words()), format!("by {}; {came}", operation.actor));
        let is_check = (operation.verb, operation.state) == (SubscriptionVerb::Refresh, OperationState::Done);
        let entry = Entry::operation(title, operation.state.into(), why, at);
        all.push((operation.created_at, 0, Entry { is_check, ..entry }));
    }
    timeline::in_order(all)
}

fn told(of: &SubscriptionTransitionRow, cause: String) -> Told {
    let (from, to) = (of.from_status, of.to_status);
    let step = if from == to {
        Step::stays(&to.into(), Badge::new("changed", "info", "retry"))
    } else {
        Step::Changes(Change { from: from.into(), to: to.into() })
    };
    Told { at: of.created_at, event: of.event_id, cause, step }
}
