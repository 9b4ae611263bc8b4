//! What is asked of a gateway, and its row: stored before the gateway hears of it.

use super::allowed::can;
use super::{Actor, Engine, random_word};
use crate::domain::Timestamp;
use crate::domain::event::distinct;
use crate::domain::fact::{Fact, State};
use crate::domain::id::PaymentId;
use crate::domain::identifier::GatewayRef;
use crate::domain::money::Money;
use crate::domain::payment::Captured;
use crate::error::Error;
use crate::gateways::Verb;
use crate::store::Tx;
use crate::store::calls::{NewOperation, WHOLE};
use crate::store::rows::PaymentRow;

/// What is asked for, before it is known whether the ledger allows it.
pub(crate) struct Wanted {
    pub verb: Verb,
    pub amount: Option<Money>,
    pub reason: Option<String>,
    /// Why, in the words of the operator who asks.
    pub note: Option<String>,
    pub requester: Requester,
    /// What need not be done where the same was asked for after this.
    pub unless_since: Option<Timestamp>,
    /// The idempotency key, where a page has given one out already, so that a form that is sent twice acts once.
    pub key: Option<String>,
}

impl Wanted {
    /// What the host's own code asks for.
    pub(crate) fn by_host(verb: Verb) -> Self {
        Self { verb, amount: None, reason: None, note: None, requester: Requester::Host, unless_since: None, key: None }
    }
}

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) enum Requester {
    /// The host's own code.
    Host,
    /// A worker, about a payment that nobody has told of for long.
    Worker,
    /// A person, in the admin pages.
    Operator(Actor),
}

impl Requester {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Host => "the app",
            Self::Worker => "a worker",
            Self::Operator(actor) => &actor.name,
        }
    }
}

/// A fresh key for an operation.
pub(crate) fn idempotency_key() -> Result<String, Error> {
    Ok(format!("op_{}", random_word(26)?))
}

/// How the keys of questions begin, and the ids of the events that answer them.
const FETCH: &str = "fetch_";

/// A fresh key for a question about an object that an event names.
pub(crate) fn new_fetch_key() -> Result<String, Error> {
    Ok(format!("{FETCH}{}", random_word(26)?))
}

/// How the keys of questions begin about objects that nothing here is about, and the ids of their answers.
const ADOPTION: &str = "adopt_";

/// A fresh key for a question about an object that nothing here is about.
pub(crate) fn new_adoption_key() -> Result<String, Error> {
    Ok(format!("{ADOPTION}{}", random_word(26)?))
}

/// Whether the answer with this id shows an object that somebody wants adopted, so that nothing is to be waited for.
pub(crate) fn is_adoption(answer: &str) -> bool {
    answer.starts_with(ADOPTION)
}

/// The key of the question that the event with this id answers, if it answers one.
pub(crate) fn fetch_key(answer: &str) -> Option<String> {
    let (key, _) = answer.rsplit_once('-')?;
    key.starts_with(FETCH).then(|| key.to_owned())
}

/// Has a worker ask how a payment stands, where its gateway can be asked.
pub(crate) fn begin_refresh(engine: &Engine, tx: &mut dyn Tx, payment: PaymentId) -> Result<(), Error> {
    let wanted = Wanted { requester: Requester::Worker, ..Wanted::by_host(Verb::Refresh) };
    match tx.payment(payment)? {
        Some(row) if can(engine, &row.variant, wanted.verb).is_ok() => {
            let new = operation(tx, &row, &wanted, &idempotency_key()?, engine.now())?;
            tx.add_operation(&new).map(drop)
        }
        _ => Ok(()),
    }
}

/// An operation that is due at once and was never tried, without an amount.
pub(crate) fn operation(
    tx: &mut dyn Tx,
    row: &PaymentRow,
    wanted: &Wanted,
    key: &str,
    now: Timestamp,
) -> Result<NewOperation, Error> {
    Ok(NewOperation {
        payment_id: row.id,
        variant: row.variant.clone(),
        verb: wanted.verb,
        amount: None,
        reason: wanted.reason.clone(),
        gateway_refs: serde_json::Value::from(objects(tx, row, wanted.verb)?).to_string(),
        idempotency_key: key.to_owned(),
        actor: wanted.requester.name().to_owned(),
        attempts: 0,
        due_at: now,
        created_at: now,
        awaited_since: None,
    })
}

/// The same about this one of the captures: its id comes first, after the one of the object that it belongs to. Where
/// that object has several captures, its id would leave to the gateway which of them is meant, so it comes second. An
/// amount that is all of the capture is noted as such.
pub(crate) fn refund_of(new: NewOperation, capture: &Captured, all: &[Captured]) -> NewOperation {
    let refs: Vec<GatewayRef> = serde_json::from_str(&new.gateway_refs).unwrap_or_default();
    let mut first = [capture.parent.clone(), Some(capture.gateway_ref.clone())];
    if all.iter().filter(|other| other.parent == capture.parent).count() > 1 {
        first.reverse();
    }
    let whole = (new.amount == Some(capture.amount)).then(|| WHOLE.into());
    let refs: Vec<String> = distinct(first.into_iter().chain(refs.into_iter().map(Some)).chain([whole]));
    NewOperation { gateway_refs: serde_json::Value::from(refs).to_string(), ..new }
}

/// The ids of the payment's objects, first those that are, or have something, in the state that the verb is about.
fn objects(tx: &mut dyn Tx, row: &PaymentRow, verb: Verb) -> Result<Vec<String>, Error> {
    let state = match verb {
        Verb::Capture | Verb::Cancel => State::Authorized,
        Verb::Refund | Verb::Refresh => State::Succeeded,
        Verb::Complete => State::Pending,
    };
    let facts = tx.facts_of(row.id)?;
    let mut refs = tx.references_of(row.id)?;
    refs.reverse();
    refs.sort_by_key(|id| {
        let about = |fact: &Fact| fact.gateway_ref == *id || fact.parent.as_deref() == Some(id.as_str());
        !facts.iter().any(|fact| fact.state == state && about(fact))
    });
    Ok(refs)
}
