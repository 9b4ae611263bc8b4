//! What a gateway may be asked to do with a subscription, and why not.

use super::Engine;
use super::subscription::Subscription;
use crate::domain::operation::SubscriptionVerb;
use crate::domain::subscription::SubscriptionStatus;
use crate::store::subscriptions::SubscriptionRow;

/// Whether a gateway may be asked for this; else why not, as a sentence.
pub(crate) fn may(engine: &Engine, row: &SubscriptionRow, verb: SubscriptionVerb) -> Result<(), String> {
    let variant = engine.variant(&row.variant).ok_or_else(|| "Its variant is not configured here.".to_owned())?;
    let no_subscriptions = || format!("{} can't be asked about subscriptions from here.", variant.gateway.name());
    variant.gateway.subscriptions().ok_or_else(no_subscriptions)?.supports(verb)?;
    if row.gateway_ref.is_none() {
        return Err("The gateway has not made it yet.".to_owned());
    }
    let state = Subscription::of(row).map_err(|error| error.to_string())?.state;
    let is_ending = state.cancel_at.is_some() || state.cancel_at_period_end;
    let is_paused = state.pause.is_some() || state.status == SubscriptionStatus::Paused;
    let is_begun = state.status != SubscriptionStatus::Incomplete;
    let refused = |why: &str| Err(why.to_owned());
    match verb {
        SubscriptionVerb::Refresh => return Ok(()),
        _ if state.is_over() => return refused("It has ended."),
        SubscriptionVerb::Cancel => return Ok(()),
        SubscriptionVerb::CancelAtEnd if is_ending => return refused("Its end is decided already."),
        SubscriptionVerb::Resume if !is_ending => return refused("No end of it is decided."),
        SubscriptionVerb::Pause if is_paused => return refused("It is paused already."),
        SubscriptionVerb::Unpause if !is_paused => return refused("It is not paused."),
        SubscriptionVerb::Pause | SubscriptionVerb::Change if !is_begun => {
            return refused("Its first payment is still to come.");
        }
        SubscriptionVerb::Pause | SubscriptionVerb::Unpause => return Ok(()),
        SubscriptionVerb::CancelAtEnd | SubscriptionVerb::Resume | SubscriptionVerb::Change => {}
    }
    match &state.schedule {
        Some(schedule) => Err(format!("The gateway's schedule {schedule} decides that: change it there.")),
        None => Ok(()),
    }
}
