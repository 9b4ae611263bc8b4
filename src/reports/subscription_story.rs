//! What is the whole story of a subscription? All that its page tells, read in one go.

use std::sync::Arc;

use crate::domain::id::EventId;
use crate::domain::operation::SubscriptionVerb;
use crate::engine::subscription_allowed::may;
use crate::engine::{Engine, Subscription};
use crate::error::Error;
use crate::store::Tx;
use crate::store::audit::ActRow;
use crate::store::rows::{AttemptRow, EventRow};
use crate::store::subscription_calls::SubscriptionOperationRow;
use crate::store::subscriptions::{SubscriptionRow, SubscriptionTransitionRow};

/// How many events a subscription's timeline shows.
const EVENTS: i64 = 200;

/// Everything about one subscription, lists newest first.
pub(crate) struct SubscriptionStory {
    pub row: SubscriptionRow,
    pub subscription: Subscription,
    /// Whether it counts as active now.
    pub is_active: bool,
    /// The gateway's name, and the address of its own page about the subscription.
    pub gateway: Option<&'static str>,
    pub dashboard: Option<String>,
    pub events: Vec<EventRow>,
    pub attempts: Vec<AttemptRow>,
    pub transitions: Vec<SubscriptionTransitionRow>,
    pub acts: Vec<ActRow>,
    pub operations: Vec<SubscriptionOperationRow>,
    /// What its gateway may be asked for, or why not.
    pub permissions: Vec<(SubscriptionVerb, Result<(), String>)>,
    /// The token of the payment that pays its newest invoice.
    pub payment: Option<String>,
    /// Whether there are more events than are told of.
    pub cut: bool,
}

impl Engine {
    /// The story of the subscription with this token.
    pub(crate) async fn subscription_story(self: &Arc<Self>, token: &str) -> Result<Option<SubscriptionStory>, Error> {
        let token = token.to_owned();
        self.blocking(move |engine| engine.store.ask(|tx| story(engine, tx, &token))).await
    }
}

fn story(engine: &Engine, tx: &mut dyn Tx, token: &str) -> Result<Option<SubscriptionStory>, Error> {
    let Some(row) = tx.subscriptions_of(&[], &[token.to_owned()])?.pop() else { return Ok(None) };
    let subscription = Subscription::of(&row)?;
    let gateway = engine.variants.get(&row.variant).map(|variant| &variant.gateway);
    let events = tx.events_of_subscription(row.id, EVENTS)?;
    let ids: Vec<EventId> = events.iter().map(|event| event.id).collect();
    let page = |text: &String| gateway?.dashboard_url(text, row.livemode.unwrap_or(false));
    Ok(Some(SubscriptionStory {
        is_active: subscription.state.is_active(engine.now(), engine.grace),
        gateway: gateway.map(|gateway| gateway.name()),
        dashboard: row.gateway_ref.as_ref().and_then(page),
        attempts: tx.attempts_of(&ids)?,
        transitions: tx.transitions_of_subscription(row.id)?,
        acts: tx.acts_of_subscription(row.id)?,
        operations: tx.operations_of_subscription(row.id)?,
        permissions: SubscriptionVerb::ALL.map(|verb| (verb, may(engine, &row, verb))).into(),
        payment: payment(tx, &row)?,
        cut: events.len() as i64 == EVENTS,
        events,
        subscription,
        row,
    }))
}

/// The token of the payment that bears the newest invoice.
fn payment(tx: &mut dyn Tx, row: &SubscriptionRow) -> Result<Option<String>, Error> {
    let Some(invoice) = &row.latest_invoice else { return Ok(None) };
    let linked = tx.payments_by_references(&[(row.variant.clone(), invoice.clone())])?;
    let Some((_, id)) = linked.first() else { return Ok(None) };
    Ok(tx.tokens_of(&[*id])?.pop().map(|(_, token)| token))
}
