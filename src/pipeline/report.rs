//! Tells the log what events did, once that is committed.

use super::stepped::Change;
use super::subscription_change::SubscriptionChange;
use crate::store::rows::Claimed;

/// Logs what an event did to its payment, once that is committed.
pub(super) fn report_change(event: &Claimed, change: &Change) {
    let token = &change.payment.token;
    for absorbed in &change.absorbed {
        log::info!("payments: payment={absorbed} turned out to be payment={token}");
    }
    if change.step.is_some() {
        let (from, to) = (change.before.status, change.after.status);
        log::info!("payments: payment={token} {from} → {to} event={}", event.row.gateway_event_id);
    }
}

/// Logs what an event did to its subscription, once that is committed.
pub(super) fn report_subscription(event: &Claimed, change: &SubscriptionChange) {
    if change.step.is_some() {
        let (token, from, to) = (&change.row.token, change.before.status, change.after.status);
        log::info!("payments: subscription={token} {from} → {to} event={}", event.row.gateway_event_id);
    }
}
