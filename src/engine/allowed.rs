//! What the ledger and the open operations allow to be asked of a gateway. What they don't is refused before any call,
//! with words that a page can show beside a disabled button.

use super::payment::Payment;
use super::{Engine, event_facts};
use crate::domain::event::EventState;
use crate::domain::explain::spaced;
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::id::OperationId;
use crate::domain::identifier::GatewayRef;
use crate::domain::ledger::{Ledger, moved};
use crate::domain::money::{Currency, Money};
use crate::domain::operation::OperationState;
use crate::domain::payment::{Captured, Status, capture_of, captures};
use crate::error::Error;
use crate::gateways::Verb;
use crate::store::Tx;
use crate::store::calls::OperationRow;
use crate::store::rows::{EventRow, PaymentRow};

/// Whether the variant's gateway can be asked for this; if not, why not.
pub(crate) fn can(engine: &Engine, variant: &str, verb: Verb) -> Result<(), String> {
    engine.variant(variant).ok_or_else(|| engine.why_lacking(variant))?.gateway.supports(verb)
}

/// How long an answer that could not be read counts: what it did is told by the gateway's own events by then.
const UNTOLD: time::Duration = time::Duration::hours(24);

/// What was asked for and is not in the ledger yet, and what that leaves to ask for, in minor units.
pub(crate) struct Open {
    /// What was asked for that acts, and the newest refresh that is done.
    operations: Vec<OperationRow>,
    /// Whether the gateway is about taking or holding money already.
    on_its_way: bool,
    /// What the completions with an unknown outcome were about; none where the gateway did not say what waits.
    doubtful: Vec<Option<GatewayRef>>,
    /// The other currency in which the customer was charged.
    foreign: Option<Currency>,
    /// What can still be refunded at once: of the capture of which the most is left.
    pub refundable: i64,
    /// The captures, with what remains of each once all that was asked for is done.
    pub captures: Vec<Captured>,
    /// What can be captured at the most.
    pub authorized: i64,
}

impl Open {
    pub(crate) fn of(engine: &Engine, tx: &mut dyn Tx, row: &PaymentRow, payment: &Payment) -> Result<Self, Error> {
        Self::during(engine, tx, row, payment, None)
    }

    /// The same while this event is processed: what it says is in the ledger.
    pub(crate) fn during(
        engine: &Engine,
        tx: &mut dyn Tx,
        row: &PaymentRow,
        payment: &Payment,
        event: Option<&str>,
    ) -> Result<Self, Error> {
        let operations = tx.open_operations(row.id)?;
        Self::beside(engine, tx, (row, payment), operations, event)
    }

    /// The same as if this operation had not been asked for.
    pub(crate) fn but_for(
        engine: &Engine,
        tx: &mut dyn Tx,
        row: &PaymentRow,
        payment: &Payment,
        id: OperationId,
    ) -> Result<Self, Error> {
        let mut operations = tx.open_operations(row.id)?;
        operations.retain(|operation| operation.id != id);
        Self::beside(engine, tx, (row, payment), operations, None)
    }

    fn beside(
        engine: &Engine,
        tx: &mut dyn Tx,
        (row, payment): (&PaymentRow, &Payment),
        operations: Vec<OperationRow>,
        event: Option<&str>,
    ) -> Result<Self, Error> {
        let facts = tx.facts_of(row.id)?;
        let currency = Some(payment.amount.currency);
        let in_state = |aspect, state| {
            let facts = facts.iter().filter(move |fact| (fact.aspect, fact.state) == (aspect, state));
            facts.filter(|fact| fact.currency == currency).filter_map(|fact| fact.amount)
        };
        let ledger = Ledger::from_facts(facts.iter().cloned());
        let mut captures = captures(&ledger, payment.amount.currency);
        let takes = |fact: &Fact| matches!(fact.aspect, Aspect::Authorization | Aspect::Capture);
        let mut on_its_way = facts.iter().any(|fact| takes(fact) && fact.state == State::Pending);
        let mut doubtful = Vec::new();
        let known = Known { all: &operations, facts: &facts, event };
        for operation in &operations {
            match (operation.verb, operation.state) {
                (Verb::Refund, _) if known.misses(engine, tx, operation)? => {
                    let amount = operation.amount.unwrap_or(i64::MAX);
                    match capture_of(&ledger, &captures, &operation.refs()) {
                        Some(at) => take(&mut captures[at..=at], amount),
                        None => take(&mut captures, amount),
                    }
                }
                (Verb::Complete, OperationState::Done) => on_its_way |= known.misses(engine, tx, operation)?,
                (Verb::Complete, OperationState::Unknown) if known.misses(engine, tx, operation)? => {
                    doubtful.push(operation.awaited());
                }
                _ => {}
            }
        }
        let moves = |fact: &Fact| matches!(fact.aspect, Aspect::Capture | Aspect::CaptureTotal);
        let foreign = facts.iter().filter(|fact| moves(fact)).filter_map(moved);
        let foreign = foreign.map(|(_, its)| its).find(|its| *its != payment.amount.currency);
        let authorized = in_state(Aspect::Authorization, State::Authorized).max();
        // A gateway that does not say how much is left of an authorization says how much it was.
        let whole = payment.amount.minor.max(authorized.unwrap_or(0));
        let rest = whole.saturating_sub(payment.captured.minor).max(0);
        let refundable = next_to_refund(&captures).map_or(0, |capture| capture.remaining);
        Ok(Self {
            on_its_way,
            doubtful,
            foreign,
            refundable,
            captures,
            authorized: authorized.unwrap_or(payment.amount.minor).min(rest),
            operations,
        })
    }

    /// The same for who asks about this object of the gateway's: that the last try of it has no known end is no
    /// hindrance, as a gateway completes one thing once.
    pub(crate) fn about(mut self, id: &str) -> Self {
        self.doubtful.retain(|about| about.as_deref() != Some(id));
        self
    }

    /// The capture that a refund of this amount, or of all that is left, is taken from.
    pub(crate) fn capture(&self) -> Option<&Captured> {
        next_to_refund(&self.captures)
    }

    pub(crate) fn operations(&self) -> &[OperationRow] {
        &self.operations
    }
}

/// Of several captures the one of which the most is left, and of equals the first; one whose money a bank may have
/// returned only where nothing is left of the others.
fn next_to_refund(captures: &[Captured]) -> Option<&Captured> {
    captures.iter().rev().max_by_key(|capture| (capture.remaining > 0 && !capture.returned, capture.remaining))
}

/// Takes an amount off each of these captures.
fn take(captures: &mut [Captured], minor: i64) {
    for capture in captures {
        capture.remaining = capture.remaining.saturating_sub(minor).max(0);
    }
}

/// What is known while it is asked what may be missing in the ledger.
struct Known<'a> {
    all: &'a [OperationRow],
    facts: &'a [Fact],
    /// The event that is being processed.
    event: Option<&'a str>,
}

impl Known<'_> {
    /// Whether an operation may have moved money that the ledger does not know of: nobody knows its end and the gateway
    /// has not said since how the payment stands, or its answer, an event that bears its key, is not in the ledger.
    fn misses(&self, engine: &Engine, tx: &mut dyn Tx, operation: &OperationRow) -> Result<bool, Error> {
        match operation.state {
            OperationState::Underway => Ok(true),
            OperationState::Unknown => {
                let done = |other: &OperationRow| other.state == OperationState::Done;
                let refresh = |other: &&OperationRow| other.verb == Verb::Refresh && done(other);
                let since = |other: &&OperationRow| Some(other.created_at) >= operation.finished_at;
                match self.all.iter().filter(refresh).find(since) {
                    Some(refresh) => Ok(!self.has_all(tx, refresh)?),
                    None => Ok(true),
                }
            }
            OperationState::Done => match tx.event_named(&operation.variant, &operation.idempotency_key)? {
                Some(event) => Ok(!self.is_told(&event) && !self.has_made(tx, operation, &event)?),
                None => Ok(operation.finished_at.is_some_and(|at| at > engine.now() - UNTOLD)),
            },
            OperationState::Declined | OperationState::Overtaken => Ok(false),
        }
    }

    /// Whether all that a refresh answered is processed. Its events bear its key and a number from 1 on.
    fn has_all(&self, tx: &mut dyn Tx, refresh: &OperationRow) -> Result<bool, Error> {
        for number in 1.. {
            match tx.event_named(&refresh.variant, &format!("{}-{number}", refresh.idempotency_key))? {
                Some(event) if self.is_told(&event) => {}
                Some(_) => return Ok(false),
                None => return Ok(number > 1),
            }
        }
        Ok(false)
    }

    fn is_told(&self, event: &EventRow) -> bool {
        self.event == Some(event.gateway_event_id.as_str())
            || matches!(event.state, EventState::Completed | EventState::Ignored)
    }

    /// Whether the ledger has what the operation made: an object that its answer names or states, whoever told of it.
    /// Async handlers may be about the answer still, or may have given it up.
    fn has_made(&self, tx: &mut dyn Tx, operation: &OperationRow, answer: &EventRow) -> Result<bool, Error> {
        let mut named = tx.event_references(answer.id)?;
        // What it states is stored together with the ledger. Not every answer names the object that it is about.
        if let Some((_, facts)) = tx.event_facts(answer.id)? {
            named.extend(event_facts::from_json(&facts).into_iter().map(|(fact, _)| fact.gateway_ref.into()));
        }
        let made: &[Aspect] = match operation.verb {
            Verb::Refund => &[Aspect::Refund],
            _ => &[Aspect::Authorization, Aspect::Capture],
        };
        Ok(self.facts.iter().any(|fact| made.contains(&fact.aspect) && named.iter().any(|id| *id == fact.gateway_ref)))
    }
}

/// Whether the ledger allows it; if not, why not, in words for people.
pub(crate) fn allowed(payment: &Payment, verb: Verb, amount: Option<Money>, open: &Open) -> Result<(), String> {
    let currency = payment.amount.currency;
    if let Some(amount) = amount.filter(|amount| amount.currency != currency || amount.minor <= 0) {
        return Err(format!("expected an amount above 0 in {currency}, got {}", amount));
    }
    let status = payment.status;
    let (may, most) = match verb {
        Verb::Capture => (status == Status::Authorized, open.authorized),
        Verb::Cancel => (matches!(status, Status::Pending | Status::Authorized | Status::Failed), 0),
        Verb::Complete => (matches!(status, Status::Pending | Status::Failed), 0),
        // Also of a payment that is not paid, because another amount came.
        Verb::Refund => (payment.captured.minor > 0 && status != Status::Refunded, open.refundable),
        Verb::Refresh => return Ok(()),
    };
    if !may {
        let word = spaced(status.as_str());
        return Err(format!("the payment is {word}, so there is nothing to {}", verb.as_str()));
    }
    let underway = |operation: &OperationRow| operation.state == OperationState::Underway && operation.verb == verb;
    if verb != Verb::Refund && open.operations.iter().any(underway) {
        return Err(format!("a {} of this payment is underway already", verb.as_str()));
    }
    if verb == Verb::Complete && open.on_its_way {
        return Err("its money is on the way already".to_owned());
    }
    if verb == Verb::Complete && !open.doubtful.is_empty() {
        return Err("the outcome of the last try is unknown: refresh the payment first".to_owned());
    }
    if let Some(foreign) = open.foreign.filter(|_| verb == Verb::Refund) {
        // The gateway would take the amount for one in that currency.
        return Err(format!("the customer was charged in {foreign}: refund it at the gateway, in that currency"));
    }
    if verb == Verb::Refund && most <= 0 {
        let lost = format!("{} were lost to a dispute, and nothing else is left to refund", payment.lost);
        let refunded = "all of it is refunded, or about to be".to_owned();
        return Err(if payment.lost.minor > 0 { lost } else { refunded });
    }
    match amount.filter(|amount| amount.minor > most) {
        Some(amount) => {
            let several = verb == Verb::Refund && open.captures.len() > 1;
            let each = if several { ", since each refund is of one capture" } else { "" };
            let lost = if verb == Verb::Refund && payment.lost.minor > 0 {
                format!("; {} were lost to a dispute", payment.lost)
            } else {
                String::new()
            };
            let (most, amount) = (Money::new(most, currency).to_string(), amount.to_string());
            Err(format!("expected at most {most}{each}, got {amount}{lost}"))
        }
        None => Ok(()),
    }
}
