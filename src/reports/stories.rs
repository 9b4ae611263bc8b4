//! What is the whole story of a payment, and of an event? All that the pages tell, read in one go.

use std::sync::Arc;

use super::audit;
use super::browse::{PaymentView, payment_beside};
use super::fetch_story::{self, FetchStory};
use super::permissions::{Permission, permissions};
use crate::domain::fact::Fact;
use crate::domain::id::EventId;
use crate::domain::identifier::GatewayRef;
use crate::domain::ledger::Effect;
use crate::domain::mode::Mode;
use crate::domain::payer::Payer;
use crate::domain::scope::Scope;
use crate::engine::payment::Payment;
use crate::engine::{Engine, event_facts, find};
use crate::error::Error;
use crate::pipeline::interpret;
use crate::store::Tx;
use crate::store::audit::ActRow;
use crate::store::bodies::{Differing, PrunedBody};
use crate::store::calls::OperationRow;
use crate::store::filters::PaymentFilter;
use crate::store::rows::{AttemptRow, EventRow, PaymentRow, TransitionRow};
use crate::store::subscriptions::{SubscriptionRow, SubscriptionTransitionRow};

/// Everything about one payment, lists newest first.
pub(crate) struct PaymentStory {
    pub payment: PaymentRow,
    /// The gateway's ids, with the address of the gateway's own page about each.
    pub references: Vec<(String, Option<String>)>,
    /// The gateway's name.
    pub gateway: Option<&'static str>,
    /// Who paid, as far as events told.
    pub payer: Payer,
    pub facts: Vec<Fact>,
    pub events: Vec<EventRow>,
    pub attempts: Vec<AttemptRow>,
    pub transitions: Vec<TransitionRow>,
    pub acts: Vec<ActRow>,
    pub operations: Vec<OperationRow>,
    /// What its gateway may be asked for.
    pub permissions: Vec<Permission>,
    /// Adopted payments that turned out to be this one.
    pub absorbed: Vec<PaymentRow>,
    /// The token of the subscription that an invoice of it is of.
    pub subscription: Option<String>,
    /// The tokens of the payments beside this one.
    pub neighbours: Neighbours,
    /// Whether there are more events than are told of.
    pub cut: bool,
}

/// The payments beside one, by when they came: of the list, and of the same customer.
#[derive(Debug, Default)]
pub(crate) struct Neighbours {
    pub newer: Option<String>,
    pub older: Option<String>,
    pub customers_newer: Option<String>,
    pub customers_older: Option<String>,
}

/// Everything about one event.
pub(crate) struct EventStory {
    pub event: EventRow,
    pub payment: Option<PaymentRow>,
    pub subscription: Option<SubscriptionRow>,
    /// The steps of its subscription that it caused.
    pub subscription_steps: Vec<SubscriptionTransitionRow>,
    pub references: Vec<String>,
    /// What the event says, or why it can't be read.
    pub said: Result<Said, String>,
    pub transitions: Vec<TransitionRow>,
    pub attempts: Vec<AttemptRow>,
    /// Header fields (a JSON object) and body, unless they were pruned.
    pub body: Option<(String, Vec<u8>)>,
    /// When and why they were, if a release that says so did it.
    pub pruned: Option<PrunedBody>,
    /// That deliveries bore its id and another body.
    pub differing: Option<Differing>,
    /// What it has asked the gateway for, if it names an object without showing it.
    pub fetch: Option<FetchStory>,
    /// The events that it answers, if it is such an answer.
    pub answers_to: Vec<EventRow>,
    /// What operators did to it and noted about it, newest first.
    pub acts: Vec<ActRow>,
}

/// What an event says in words and facts, each with what it did if the event is processed.
pub(crate) struct Said {
    pub summary: String,
    pub facts: Vec<(Fact, Option<Effect>)>,
}

/// How many events a payment's timeline shows.
const EVENTS: i64 = 200;

impl Engine {
    /// The story of the payment with this token, as far as the scope goes.
    pub(crate) async fn payment_story(
        self: &Arc<Self>,
        token: &str,
        scope: Scope,
    ) -> Result<Option<PaymentStory>, Error> {
        let (engine, token) = (self.clone(), token.to_owned());
        self.look(move |tx| payment_story(&engine, tx, &token, &scope)).await
    }

    /// The story of the event with this id, as far as the scope goes.
    pub(crate) async fn event_story(self: &Arc<Self>, id: EventId, scope: Scope) -> Result<Option<EventStory>, Error> {
        let engine = self.clone();
        self.look(move |tx| event_story(&engine, tx, id, &scope)).await
    }
}

fn payment_story(engine: &Engine, tx: &mut dyn Tx, token: &str, scope: &Scope) -> Result<Option<PaymentStory>, Error> {
    let payment = find::by_token(tx, token)?.filter(|row| scope.allows(&row.variant));
    let Some(payment) = payment else { return Ok(None) };
    let variant = engine.variant(&payment.variant);
    let gateway = variant.as_ref().map(|variant| &variant.gateway);
    let with_page = |text: String| {
        let page =
            gateway.and_then(|gateway| gateway.dashboard_url(&GatewayRef::from(&text), Mode::of(payment.livemode)));
        (text, page)
    };
    let references = tx.references_of(payment.id)?;
    let subscription = subscription_of(tx, &payment, &references)?;
    let references = references.into_iter().map(with_page).collect();
    let absorbed = tx.absorbed_by(payment.id)?;
    let (mut transitions, mut acts) = (tx.transitions_of(payment.id)?, tx.acts_of(payment.id)?);
    for earlier in &absorbed {
        transitions.extend(tx.transitions_of(earlier.id)?);
        acts.extend(tx.acts_of(earlier.id)?);
    }
    // One on an absorbed payment's event is of both.
    acts.sort_unstable_by_key(|act| std::cmp::Reverse(act.id));
    acts.dedup_by_key(|act| act.id);
    let events = tx.events_of(payment.id, EVENTS)?;
    let ids: Vec<EventId> = events.iter().map(|event| event.id).collect();
    acts.extend(tx.acts_on_many(&ids)?);
    audit::keep(tx, &mut acts, scope)?;
    let operations = tx.operations_of(payment.id)?;
    let permissions = permissions(engine, tx, &payment, &Payment::of(&payment))?;
    Ok(Some(PaymentStory {
        references,
        subscription,
        permissions,
        operations,
        payer: tx.payers_of(&[payment.id])?.pop().map(|known| known.payer).unwrap_or_default(),
        facts: tx.facts_of(payment.id)?,
        transitions,
        acts,
        neighbours: neighbours(tx, &payment, scope)?,
        absorbed,
        gateway: gateway.map(|gateway| gateway.name()),
        cut: events.len() as i64 == EVENTS,
        attempts: tx.attempts_of(&ids)?,
        events,
        payment,
    }))
}

/// The subscription whose invoice the payment bears. Either may have come first.
fn subscription_of(tx: &mut dyn Tx, payment: &PaymentRow, refs: &[String]) -> Result<Option<String>, Error> {
    let keys: Vec<_> = refs.iter().map(|text| (payment.variant.clone(), text.clone())).collect();
    let Some(invoice) = tx.invoices_of(&keys)?.pop() else { return Ok(None) };
    Ok(tx.subscription(invoice.subscription_id)?.map(|row| row.token))
}

fn neighbours(tx: &mut dyn Tx, payment: &PaymentRow, scope: &Scope) -> Result<Neighbours, Error> {
    let mut beside = |customer: Option<&str>, newer: bool| {
        if scope.is_all() {
            return tx.beside(payment.id, customer, newer);
        }
        let customer = customer.map(str::to_ascii_lowercase);
        let filter = PaymentFilter { scope: scope.clone(), customer, ..PaymentFilter::default() };
        payment_beside(tx, &PaymentView { filter, ..PaymentView::default() }, &[], payment.id, newer)
    };
    let mut found = Neighbours { newer: beside(None, true)?, older: beside(None, false)?, ..Neighbours::default() };
    if let Some(customer) = payment.customer.as_deref() {
        found.customers_newer = beside(Some(customer), true)?;
        found.customers_older = beside(Some(customer), false)?;
    }
    Ok(found)
}

fn event_story(engine: &Engine, tx: &mut dyn Tx, id: EventId, scope: &Scope) -> Result<Option<EventStory>, Error> {
    let Some(event) = tx.event(id)?.filter(|row| scope.allows(&row.variant)) else { return Ok(None) };
    let payment = match event.payment_id {
        Some(payment) => tx.payment(payment)?,
        None => None,
    };
    let (subscription, subscription_steps) = match event.subscription_id {
        Some(subscription) => (tx.subscription(subscription)?, tx.subscription_transitions_by(&[id])?),
        None => (None, Vec::new()),
    };
    let mut references = tx.event_references(id)?;
    // The token of its own payment is not stored once more.
    references.extend(event.matched_by.clone().filter(|by| !references.contains(by)));
    let body = tx.body(id)?;
    let said = said(engine, tx, id)?;
    let mut acts = tx.acts_on(id)?;
    acts.extend(tx.acts_on_many(&[id])?);
    audit::keep(tx, &mut acts, scope)?;
    acts.sort_by_key(|act| std::cmp::Reverse(act.id));
    let pruned = if body.is_none() { tx.pruned_body(id)? } else { None };
    Ok(Some(EventStory {
        fetch: fetch_story::asked_by(engine, tx, &event)?,
        answers_to: fetch_story::answered_by(tx, &event)?,
        references,
        transitions: tx.transitions_by(&[id])?,
        attempts: tx.attempts_of(&[id])?,
        said,
        body,
        pruned,
        differing: tx.differing(id)?,
        acts,
        payment,
        subscription,
        subscription_steps,
        event,
    }))
}

/// What was kept when the event was processed; else what it says, as it is read now.
fn said(engine: &Engine, tx: &mut dyn Tx, id: EventId) -> Result<Result<Said, String>, Error> {
    if let Some((summary, facts)) = tx.event_facts(id)? {
        let facts = event_facts::from_json(&facts).into_iter().map(|(fact, effect)| (fact, Some(effect))).collect();
        return Ok(Ok(Said { summary, facts }));
    }
    Ok(match tx.recorded(id)? {
        None => Err("its body was pruned".to_owned()),
        Some(event) => match interpret(engine, &event) {
            Ok(read) => {
                let facts = read.interpretation.facts.into_iter().map(|fact| (fact, None)).collect();
                Ok(Said { summary: read.interpretation.summary, facts })
            }
            Err(failure) => Err(failure.predicted().2),
        },
    })
}
