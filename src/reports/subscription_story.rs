//! What is the whole story of a subscription? All that its page tells, read in one go.

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::event::distinct;
use crate::domain::id::EventId;
use crate::domain::mode::Mode;
use crate::domain::operation::SubscriptionVerb;
use crate::domain::subscription::SubscriptionInvoice;
use crate::engine::subscription_allowed::may;
use crate::engine::{Engine, Subscription, find};
use crate::error::Error;
use crate::store::Tx;
use crate::store::audit::ActRow;
use crate::store::rows::{AttemptRow, EventRow};
use crate::store::subscription_calls::SubscriptionOperationRow;
use crate::store::subscriptions::{SubscriptionRow, SubscriptionTransitionRow};

/// How many events a subscription's timeline shows, and how many invoices there are beside it.
const EVENTS: i64 = 200;
const INVOICES: i64 = 24;

/// Everything about one subscription, lists newest first.
pub(crate) struct SubscriptionStory {
    pub row: SubscriptionRow,
    pub subscription: Subscription,
    /// Whether it counts as active now.
    pub is_active: bool,
    /// Whether it does not only because it is of the other mode than things are sold in here.
    pub is_of_other_mode: bool,
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
    /// Its invoices, newest first, each with the token of the payment that pays it.
    pub invoices: Vec<(SubscriptionInvoice, Option<String>)>,
    /// Whether there are more invoices than these.
    pub has_more_invoices: bool,
    /// The token of the payment that pays its newest invoice.
    pub payment: Option<String>,
    /// Whether there are more events than are told of.
    pub cut: bool,
}

impl Engine {
    /// The story of the subscription with this token.
    pub(crate) async fn subscription_story(self: &Arc<Self>, token: &str) -> Result<Option<SubscriptionStory>, Error> {
        let (engine, token) = (self.clone(), token.to_owned());
        self.look(move |tx| story(&engine, tx, &token)).await
    }
}

fn story(engine: &Engine, tx: &mut dyn Tx, token: &str) -> Result<Option<SubscriptionStory>, Error> {
    let Some(row) = find::subscription_by_token(tx, token)? else { return Ok(None) };
    let subscription = Subscription::of(&row)?;
    let variant = engine.variant(&row.variant);
    let gateway = variant.as_ref().map(|variant| &variant.gateway);
    let events = tx.events_of_subscription(row.id, EVENTS)?;
    let ids: Vec<EventId> = events.iter().map(|event| event.id).collect();
    let invoices = tx.invoices_of_subscription(row.id, INVOICES + 1)?;
    let invoices: Vec<SubscriptionInvoice> =
        invoices.iter().filter_map(|invoice| serde_json::from_str(&invoice.fact).ok()).collect();
    let paid_by = payments(tx, &row, &invoices)?;
    let payment_of = |text: &str| paid_by.get(text).cloned();
    let page = |text: &String| gateway?.dashboard_url(&text.into(), Mode::of(row.livemode));
    let is_running = subscription.state.is_active(engine.now(), engine.grace);
    let is_of_this_mode = engine.is_of_this_mode(tx, &row)?;
    Ok(Some(SubscriptionStory {
        is_active: is_running && is_of_this_mode,
        is_of_other_mode: is_running && !is_of_this_mode,
        gateway: gateway.map(|gateway| gateway.name()),
        dashboard: row.gateway_ref.as_ref().and_then(page),
        attempts: tx.attempts_of(&ids)?,
        transitions: tx.transitions_of_subscription(row.id)?,
        acts: tx.acts_of_subscription(row.id)?,
        operations: tx.operations_of_subscription(row.id)?,
        permissions: permissions(engine, &row),
        payment: row.latest_invoice.as_deref().and_then(payment_of),
        has_more_invoices: invoices.len() as i64 > INVOICES,
        invoices: invoices
            .into_iter()
            .take(INVOICES as usize)
            .map(|one| (one.clone(), payment_of(&one.gateway_ref)))
            .collect(),
        cut: events.len() as i64 == EVENTS,
        events,
        subscription,
        row,
    }))
}

/// What an operator may ask for: to what a subscription is changed is the host's to say.
fn permissions(engine: &Engine, row: &SubscriptionRow) -> Vec<(SubscriptionVerb, Result<(), String>)> {
    let verbs = SubscriptionVerb::ALL.into_iter().filter(|verb| *verb != SubscriptionVerb::Change);
    verbs.map(|verb| (verb, may(engine, row, verb))).collect()
}

/// The tokens of the payments that bear these invoices, or the newest one, by the invoices' gateway refs.
fn payments(
    tx: &mut dyn Tx,
    row: &SubscriptionRow,
    invoices: &[SubscriptionInvoice],
) -> Result<HashMap<String, String>, Error> {
    let newest = row.latest_invoice.clone();
    let refs: Vec<String> =
        distinct(invoices.iter().map(|invoice| Some(String::from(&invoice.gateway_ref))).chain([newest]));
    if refs.is_empty() {
        return Ok(HashMap::new());
    }
    let keys: Vec<_> = refs.into_iter().map(|text| (row.variant.clone(), text)).collect();
    let linked = tx.payments_by_references(&keys)?;
    let ids: Vec<_> = linked.iter().map(|(_, id)| *id).collect();
    let tokens: HashMap<_, _> = tx.tokens_of(&ids)?.into_iter().collect();
    let token = |((_, text), id)| Some((text, tokens.get(&id)?.clone()));
    Ok(linked.into_iter().filter_map(token).collect())
}
