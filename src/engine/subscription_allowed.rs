//! What a gateway may be asked to do with a subscription, and why not.

use super::Engine;
use super::subscription::Subscription;
use crate::domain::operation::SubscriptionVerb;
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
    match verb {
        SubscriptionVerb::Refresh => Ok(()),
        _ if state.is_over() => Err("It has ended.".to_owned()),
        SubscriptionVerb::CancelAtEnd if is_ending => Err("Its end is decided already.".to_owned()),
        SubscriptionVerb::Resume if !is_ending => Err("No end of it is decided.".to_owned()),
        _ => Ok(()),
    }
}
