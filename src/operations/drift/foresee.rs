//! What the gateway's answers would change if they were processed now, by the very step that processes events. In
//! memory only.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::domain::difference::{
    DifferingValue, DriftSubject, of_payment, of_subscription, of_unknown_payment, of_unknown_subscription,
};
use crate::domain::event::{Envelope, Source};
use crate::domain::id::{EventId, PaymentId, SubscriptionId};
use crate::domain::named::NamedObject;
use crate::domain::payment::PaymentState;
use crate::domain::subscription::SubscriptionState;
use crate::engine::{Engine, Unmatched};
use crate::error::Error;
use crate::gateways::objects::ListedObject;
use crate::pipeline::{
    Change, Stepped, SubscriptionChange, SubscriptionSet, Understood, WorkingSet, all, claimed, interpret, row, step_of,
};
use crate::store::Tx;
use crate::store::rows::Claimed;

/// What answers would change.
#[derive(Default)]
pub(super) struct Foreseen {
    /// How many objects were compared.
    pub compared: usize,
    pub differing: Vec<Found>,
    /// Why objects could not be compared, a sentence each.
    pub unreadable: Vec<String>,
}

/// Something that stands otherwise at the gateway.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub subject: DriftSubject,
    /// Our token; of an unknown object the gateway's id of it.
    pub name: String,
    pub object: NamedObject,
    /// The other ids of an unknown object, one of which may be that of another unknown one.
    pub refs: Vec<String>,
    pub values: Vec<DifferingValue>,
}

/// A payment before the first answer about it and after the last.
struct PaymentSteps {
    token: String,
    before: PaymentState,
    after: PaymentState,
    absorbed: Vec<String>,
    object: NamedObject,
    refs: Vec<String>,
}

struct SubscriptionSteps {
    token: String,
    before: SubscriptionState,
    after: SubscriptionState,
    object: NamedObject,
}

impl Foreseen {
    pub(super) fn add(&mut self, other: Self) {
        self.compared += other.compared;
        self.differing.extend(other.differing);
        self.unreadable.extend(other.unreadable);
    }
}

/// Why something is not compared, as a sentence.
pub(super) fn incomparable(name: &str, error: &Error) -> String {
    format!("{name}: can't be compared: {error}")
}

impl Engine {
    /// What processing these objects' events would change. Where they can't be compared together, each is compared by
    /// itself, and says why if it can't be.
    pub(super) async fn foresee(
        self: &Arc<Self>,
        variant: &str,
        objects: Vec<ListedObject>,
    ) -> Result<Foreseen, Error> {
        match self.foresee_together(variant, objects.clone()).await {
            Err(error) if !error.is_retryable() => {}
            foreseen => return foreseen,
        }
        let mut foreseen = Foreseen::default();
        for object in objects {
            let name = object.object.gateway_ref.to_string();
            match self.foresee_together(variant, vec![object]).await {
                Ok(one) => foreseen.add(one),
                Err(error) if error.is_retryable() => return Err(error),
                Err(error) => foreseen.unreadable.push(incomparable(&name, &error)),
            }
        }
        Ok(foreseen)
    }

    async fn foresee_together(self: &Arc<Self>, variant: &str, objects: Vec<ListedObject>) -> Result<Foreseen, Error> {
        let variant = variant.to_owned();
        let engine = self.clone();
        self.read(move |tx| foresee(&engine, tx, &variant, &objects)).await
    }
}

fn foresee(engine: &Engine, tx: &mut dyn Tx, variant: &str, objects: &[ListedObject]) -> Result<Foreseen, Error> {
    let (now, marks) = (engine.now(), engine.marks(tx)?);
    let mut foreseen = Foreseen { compared: objects.len(), ..Foreseen::default() };
    let mut read = Vec::new();
    for object in objects {
        for event in &object.events {
            match understood(engine, &marks, variant, event, read.len()) {
                Ok((event, read_event)) => read.push((&object.object, event, read_event)),
                Err(why) => foreseen.unreadable.push(format!("{}: {why}", object.object.gateway_ref)),
            }
        }
    }
    let named: Vec<_> = read.iter().map(|(_, _, read)| (variant, &read.interpretation.references)).collect();
    let mut set = WorkingSet::read(tx, &named)?;
    let stated = read.iter().filter_map(|(_, _, read)| read.interpretation.subscription.as_ref());
    set.subscriptions = SubscriptionSet::read(tx, &stated.map(|stated| (variant, stated)).collect::<Vec<_>>())?;
    let adopts = engine.variant(variant).is_some_and(|it| it.unmatched == Unmatched::Adopt);
    let lacking = engine.lacking(tx)?;
    let (mut payments, mut subscriptions) = (BTreeMap::new(), BTreeMap::new());
    for (object, event, read) in &read {
        // Answers show what they are about.
        if read.interpretation.object_to_fetch.is_some() {
            continue;
        }
        let Stepped { change, subscription, .. } = step_of(engine, &lacking, event, read, None, now).run(&mut set)?;
        if let Some(change) = change.filter(|change| change.payment.id.0 > 0 || adopts) {
            note_payment(&mut payments, object, all(&read.interpretation.references), change);
        }
        if let Some(change) = subscription {
            note_subscription(&mut subscriptions, object, change);
        }
    }
    foreseen.differing.extend(payments.into_iter().filter_map(|(id, steps)| differing_payment(id, steps)));
    foreseen.differing.extend(subscriptions.into_iter().filter_map(|(id, steps)| differing_subscription(id, steps)));
    Ok(foreseen)
}

/// An answer's event as if it had been claimed, and what it says.
fn understood(
    engine: &Engine,
    marks: &HashSet<String>,
    variant: &str,
    event: &Envelope,
    at: usize,
) -> Result<(Claimed, Understood), String> {
    let unstorable = |_| "its answer can't be stored".to_owned();
    let new = row(variant, event.clone(), Source::Answer, engine.now()).map_err(unstorable)?;
    let event = claimed(engine.reduced(new, marks), EventId(-1 - i64::try_from(at).unwrap_or_default()));
    match interpret(engine, &event) {
        Ok(read) => Ok((event, read)),
        Err(failure) => Err(failure.predicted().2),
    }
}

fn note_payment(
    payments: &mut BTreeMap<PaymentId, PaymentSteps>,
    object: &NamedObject,
    refs: Vec<String>,
    change: Change,
) {
    let Change { payment, before, after, absorbed, .. } = change;
    let first = || PaymentSteps {
        token: payment.token,
        before,
        after: after.clone(),
        absorbed: Vec::new(),
        object: object.clone(),
        refs: Vec::new(),
    };
    let steps = payments.entry(payment.id).or_insert_with(first);
    steps.after = after;
    steps.absorbed.extend(absorbed);
    steps.refs.extend(refs);
}

fn note_subscription(
    subscriptions: &mut BTreeMap<SubscriptionId, SubscriptionSteps>,
    object: &NamedObject,
    change: SubscriptionChange,
) {
    let SubscriptionChange { row, before, after, .. } = change;
    let (token, object) = (row.token, object.clone());
    let first = || SubscriptionSteps { token, before, after: after.clone(), object };
    let steps = subscriptions.entry(row.id).or_insert_with(first);
    steps.after = after;
}

fn differing_payment(id: PaymentId, steps: PaymentSteps) -> Option<Found> {
    let PaymentSteps { token, before, after, absorbed, object, refs } = steps;
    let found = if id.0 > 0 {
        let values = of_payment(&before, &after, &absorbed);
        Found { subject: DriftSubject::Payment, name: token, object, refs: Vec::new(), values }
    } else {
        let values = of_unknown_payment(&after);
        Found { subject: DriftSubject::Object, name: object.gateway_ref.to_string(), object, refs, values }
    };
    Some(found).filter(|found| !found.values.is_empty())
}

fn differing_subscription(id: SubscriptionId, steps: SubscriptionSteps) -> Option<Found> {
    let SubscriptionSteps { token, before, after, object } = steps;
    let refs = Vec::new();
    let found = if id.0 > 0 {
        let values = of_subscription(&before, &after);
        Found { subject: DriftSubject::Subscription, name: token, object, refs, values }
    } else {
        let values = of_unknown_subscription(&after);
        Found { subject: DriftSubject::Object, name: object.gateway_ref.to_string(), object, refs, values }
    };
    Some(found).filter(|found| !found.values.is_empty())
}
