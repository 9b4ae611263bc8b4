//! What a batch writes: everything that its steps changed in memory, a few statements in one order.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::books::{self, Totals};
use super::failure::{Failure, report};
use super::fetching;
use super::handlers::Pending;
use super::interpret::Understood;
use super::stepped::{Change, Done, Stepped};
use super::subscription_change::{SubscriptionChange, WrittenSubscriptions};
use super::working_set::{Changes, WorkingSet, all};
use crate::domain::event::EventState;
use crate::domain::id::{EventId, PaymentId, SubscriptionId};
use crate::domain::{Timestamp, later};
use crate::engine::owed::Lacking;
use crate::engine::{Engine, EventNotice, Payment, Subscription, SubscriptionNotice, TransitionNotice, event_facts};
use crate::error::Error;
use crate::store::Tx;
use crate::store::rows::{Claimed, NewAttempt, NewTransition, PaymentRow, Step, TransitionRow, Verdict};
use crate::store::sets::{EventEnd, EventFacts, Key, LedgerEntry};
use crate::store::words::Subject;

/// What was written, as far as what follows needs it.
pub(super) struct Written {
    /// The ids of the transitions, in the order in which they came about.
    transitions: Vec<TransitionRow>,
    subscriptions: WrittenSubscriptions,
    /// Where each event stands now.
    states: HashMap<EventId, EventState>,
    /// How many events that waited were woken.
    pub(super) woken: usize,
    /// Until when the events are held that have handlers to run.
    leased_until: Timestamp,
    /// The handlers that are left to other processes.
    lacking: Lacking,
}

/// Writes all of it.
pub(super) fn write(
    engine: &Engine,
    tx: &mut dyn Tx,
    set: &mut WorkingSet,
    done: &mut [Done<'_>],
    lacking: Lacking,
    now: Timestamp,
) -> Result<Written, Error> {
    let mut made = HashMap::new();
    for (place, draft) in (1..).zip(&set.changes.adopted) {
        made.insert(PaymentId(-place), tx.insert_payment(draft)?.id);
    }
    let real = |id: PaymentId| made.get(&id).copied().unwrap_or(id);
    let subscriptions = set.subscriptions.write(tx)?;
    let (mut attempts, mut states) = (Vec::new(), HashMap::new());
    for one in done.iter_mut() {
        let end = match &mut one.outcome {
            Ok(stepped) => {
                if let Some(change) = &mut stepped.change {
                    change.payment.id = real(change.payment.id);
                }
                stepped.matched = stepped.matched.take().map(|(id, by)| (real(id), by));
                if let Some(change) = &mut stepped.subscription {
                    change.row.id = subscriptions.id_of(change);
                }
                let waits = stepped.verdict.state == EventState::Parked;
                let owes = match stepped.subscription.as_ref().filter(|_| waits) {
                    Some(change) => subscriptions.owes(engine, &lacking, &set.done, one.event, change)?,
                    None => false,
                };
                ended(engine, &lacking, one.event, stepped, owes, now)
            }
            Err(failure) => {
                let found = set.find(&one.event.row.variant, &failure.references, None);
                let matched = found.map(|found| (real(found.payment), found.matched_by));
                failed(engine, one.event, (failure, matched), &mut attempts, now)
            }
        };
        states.insert(end.id, end.verdict.state);
        set.changes.ends.push(end);
        keep_what_it_said(&mut set.changes, one);
    }
    tx.end_events(&set.changes.ends)?;
    tx.keep_references(&set.changes.event_references)?;
    let reread: Vec<EventFacts> = std::mem::take(&mut set.changes.reread).into_values().collect();
    tx.keep_event_facts(&reread)?;
    tx.keep_event_facts(&set.changes.event_facts)?;
    tx.add_attempts(&attempts)?;
    let links: Vec<(Key, PaymentId)> = set.changes.links.iter().map(|(key, id)| (key.clone(), real(*id))).collect();
    tx.link(&links)?;
    // The money of an invoice of a subscription started here waits for that to be known.
    let billed = subscriptions.invoices.iter().cloned();
    let keys: Vec<Key> = links.into_iter().map(|(key, _)| key).chain(billed).collect();
    let woken = if keys.is_empty() { 0 } else { tx.wake(&keys, now)? };
    set.fetches.write(tx)?;
    let ended: Vec<_> =
        done.iter().zip(&set.changes.ends).map(|(one, end)| (&one.event.row, end.verdict.state)).collect();
    let woken = woken + fetching::wake(tx, &ended, now)?;
    set.changes.totals = save(tx, set, &real, now)?;
    let transitions = add_transitions(tx, std::mem::take(&mut set.changes.transitions), &real)?;
    for (from, into) in &set.changes.absorbed {
        tx.absorb(real(*from), real(*into), now)?;
    }
    let leased_until = later(now, engine.lease);
    Ok(Written { transitions, subscriptions, states, woken, leased_until, lacking })
}

/// Where an event stands after its step: at its end, or held for its async handlers.
fn ended(
    engine: &Engine,
    lacking: &Lacking,
    event: &Claimed,
    stepped: &Stepped,
    owes_subscription: bool,
    now: Timestamp,
) -> EventEnd {
    let verdict = stepped.verdict.clone();
    let verdict = if owes_subscription || is_wanted(engine, lacking, event, stepped) {
        let due_at = Some(later(now, engine.lease));
        Verdict { state: EventState::Running, due_at, finished_at: None, ..verdict }
    } else {
        verdict
    };
    let subscription = stepped.subscription.as_ref().map(|change| change.row.id).or(stepped.shown_subscription);
    end(event, verdict, stepped.matched.clone(), subscription)
}

/// Whether async handlers are to run after the commit, here or elsewhere.
fn is_wanted(engine: &Engine, lacking: &Lacking, event: &Claimed, stepped: &Stepped) -> bool {
    let (handlers, kind) = (&engine.handlers, &event.row.kind);
    let of_payment = stepped.change.as_ref().is_some_and(Change::has_steps);
    let of_subscription = stepped.subscription.as_ref().is_some_and(SubscriptionChange::has_steps);
    let of_steps = of_payment && handlers.wants_transitions() || of_subscription && handlers.wants_subscriptions();
    stepped.is_told && (of_steps || handlers.wants(kind) || lacking.wants(of_payment, of_subscription, kind))
}

/// Where an event stands whose reading failed.
fn failed(
    engine: &Engine,
    event: &Claimed,
    (failure, matched): (&Failure, Option<(PaymentId, String)>),
    attempts: &mut Vec<NewAttempt>,
    now: Timestamp,
) -> EventEnd {
    let verdict = failure.verdict(engine, event.row.attempts, now);
    report(&event.row.variant, &event.row.gateway_event_id, &verdict);
    attempts.push(failure.attempt(event.row.id, event.row.attempts, now));
    end(event, verdict, matched, None)
}

fn end(
    event: &Claimed,
    verdict: Verdict,
    matched: Option<(PaymentId, String)>,
    subscription: Option<SubscriptionId>,
) -> EventEnd {
    let row = &event.row;
    // Waiting for a payment is no attempt.
    let attempts = row.attempts - i64::from(verdict.state == EventState::Parked);
    let (payment, matched_by) = match matched {
        Some((payment, matched_by)) => (Some(payment), Some(matched_by)),
        None => (row.payment_id, row.matched_by.clone()),
    };
    let subscription = subscription.or(row.subscription_id);
    EventEnd { id: row.id, attempts, claims: row.claims, verdict, payment, subscription, matched_by }
}

/// The ids by which the event names its payment, and what its facts did. The token of the payment that it belongs to
/// says nothing that the event's row does not say. What did nothing new at a later attempt does not replace what the
/// first one did.
fn keep_what_it_said(changes: &mut Changes, one: &Done<'_>) {
    let row = &one.event.row;
    if let Err(failure) = &one.outcome {
        let refs = all(&failure.references).into_iter();
        changes.event_references.extend(refs.map(|text| (row.id, row.variant.clone(), text)));
    }
    let Some(read) = one.read else { return };
    let subscription = read.interpretation.subscription.iter().map(|statement| statement.gateway_ref.to_string());
    let own = match &one.outcome {
        Ok(Stepped { change: Some(change), .. }) => Some(&change.payment.token),
        _ => None,
    };
    let refs = all(&read.interpretation.references).into_iter().filter(|text| Some(text) != own).chain(subscription);
    changes.event_references.extend(refs.map(|text| (row.id, row.variant.clone(), text)));
    if let Ok(Stepped { change: Some(change), .. }) = &one.outcome
        && !change.effects.is_empty()
        && (row.claims == 1 || change.effects.iter().any(|(_, effect)| effect.changed()))
    {
        let facts = event_facts::to_json(&change.effects);
        changes.event_facts.push(EventFacts { event: row.id, summary: read.interpretation.summary.clone(), facts });
    }
}

/// Payments, their ledgers and their movements.
fn save(
    tx: &mut dyn Tx,
    set: &WorkingSet,
    real: &impl Fn(PaymentId) -> PaymentId,
    now: Timestamp,
) -> Result<Totals, Error> {
    let (mut rows, mut entries): (Vec<PaymentRow>, Vec<LedgerEntry>) = (Vec::new(), Vec::new());
    let (mut unfound, mut payers) = (Vec::new(), Vec::new());
    // What was absorbed has no movements of its own any more.
    let mut payments: Vec<PaymentId> = set.changes.absorbed.iter().map(|(from, _)| real(*from)).collect();
    let mut movements = Vec::new();
    for held in set.changed() {
        let row = PaymentRow { id: real(held.row.id), ..held.row.clone() };
        if held.is_rebuilt {
            tx.clear_ledger(row.id)?;
        }
        entries.extend(held.entries(row.id));
        payments.push(row.id);
        movements.extend(books::booked(&row, &held.ledger));
        unfound.extend(held.has_new_words().then_some(Subject::Payment(row.id)));
        payers.extend(held.changed_payer(row.id));
        if held.is_changed {
            rows.push(row);
        }
    }
    tx.owe_words(&unfound)?;
    tx.keep_payers(&payers)?;
    tx.keep_facts(&entries)?;
    tx.save_payments(&rows, now)?;
    books::write(tx, &payments, movements)
}

fn add_transitions(
    tx: &mut dyn Tx,
    mut steps: Vec<NewTransition>,
    real: &impl Fn(PaymentId) -> PaymentId,
) -> Result<Vec<TransitionRow>, Error> {
    for step in &mut steps {
        step.payment_id = real(step.payment_id);
    }
    let ids = tx.add_transitions(&steps)?;
    Ok(ids.into_iter().zip(steps).map(|(id, new)| TransitionRow::new(id, new)).collect())
}

/// Writes an event whose transaction was rolled back because of it.
pub(super) fn fail(
    tx: &mut dyn Tx,
    event: &Claimed,
    read: Option<&Understood>,
    (matched, subscription): (Option<(PaymentId, String)>, Option<SubscriptionId>),
    verdict: Verdict,
    attempt: NewAttempt,
) -> Result<(), Error> {
    let row = &event.row;
    tx.end_events(&[end(event, verdict, matched, subscription)])?;
    let refs = read.map(|read| all(&read.interpretation.references)).unwrap_or_default();
    let refs: Vec<_> = refs.into_iter().map(|text| (row.id, row.variant.clone(), text)).collect();
    tx.keep_references(&refs)?;
    tx.add_attempts(&[attempt])
}

impl Written {
    /// Where an event of the batch stands.
    pub(super) fn state_of(&self, event: EventId) -> EventState {
        self.states.get(&event).copied().unwrap_or(EventState::Available)
    }

    /// The transition that the event caused now, in the form that handlers get.
    pub(super) fn new_transition(&self, event: &Claimed, stepped: &Stepped) -> Option<TransitionNotice> {
        let change = stepped.change.as_ref()?;
        let row = change.step.and_then(|place| self.transitions.get(place))?;
        Some(TransitionNotice::of(&change.payment, row, &event.row))
    }

    /// The same of its subscription.
    pub(super) fn new_subscription_transition(
        &self,
        event: &Claimed,
        stepped: &Stepped,
    ) -> Result<Option<SubscriptionNotice>, Error> {
        let Some(change) = &stepped.subscription else { return Ok(None) };
        self.subscriptions.new_transition(event, change)
    }

    /// What the event's async handlers need, if any are to run.
    pub(super) fn pending(
        &self,
        engine: &Arc<Engine>,
        set: &WorkingSet,
        one: &Done<'_>,
    ) -> Result<Option<Pending>, Error> {
        let Ok(stepped) = &one.outcome else { return Ok(None) };
        if self.state_of(one.event.row.id) != EventState::Running {
            return Ok(None);
        }
        let row = &one.event.row;
        let change = stepped.change.as_ref();
        let steps = change.iter().flat_map(|change| {
            let now = change.step.and_then(|place| self.transitions.get(place));
            change.earlier.iter().chain(now).map(|row| TransitionNotice::of(&change.payment, row, &one.event.row))
        });
        let transitions: Vec<TransitionNotice> = steps.collect();
        let of_answer = stepped.matched.as_ref().and_then(|(payment, _)| set.payment(*payment).ok());
        let event = EventNotice {
            variant: row.variant.clone(),
            id: row.gateway_event_id.clone(),
            kind: row.kind.clone(),
            occurred_at: row.occurred_at,
            body: one.event.body.clone(),
            payment: change.map(|change| &change.payment).or(of_answer).map(Payment::of),
            subscription: stepped.subscription.as_ref().map(|change| Subscription::of(&change.row)).transpose()?,
        };
        let subscriptions = match &stepped.subscription {
            Some(change) => self.subscriptions.transitions(one.event, change)?,
            None => Vec::new(),
        };
        let done = set.done.get(&row.id).cloned().unwrap_or_default();
        let steps = transitions.iter().map(|step| Step::Payment(step.id));
        let steps: Vec<Step> = steps.chain(subscriptions.iter().map(|step| Step::Subscription(step.id))).collect();
        let own: Vec<(&str, Option<Step>)> = engine.handlers.due(&steps, &row.kind).collect();
        let mut owed = self.lacking.runs(&steps, &row.kind);
        owed.retain(|(name, step)| !own.contains(&(name.as_str(), *step)));
        owed.retain(|(_, step)| step.is_some() || stepped.is_told);
        owed.retain(|(name, step)| !done.iter().any(|done| (&done.handler, done.transition) == (name, *step)));
        let verdict = Verdict { finished_at: None, ..stepped.verdict.clone() };
        Ok(Some(Pending {
            engine: engine.clone(),
            claim: one.event.claim(),
            attempts: row.attempts,
            requeued_at: row.requeued_at,
            event,
            transitions,
            subscriptions,
            done,
            owed: owed.into_iter().map(|(name, _)| name).collect(),
            verdict,
            is_told: stepped.is_told,
            leased_until: Mutex::new(self.leased_until),
        }))
    }
}

impl Change {
    /// Whether this event caused a transition, now or in an earlier attempt.
    fn has_steps(&self) -> bool {
        self.step.is_some() || !self.earlier.is_empty()
    }
}
