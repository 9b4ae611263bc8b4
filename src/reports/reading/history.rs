//! The history of one payment, for a host to show.

use std::sync::Arc;

use super::events::{StoredEvent, stored};
use crate::domain::Timestamp;
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::identifier::GatewayRef;
use crate::domain::ledger::Ledger;
use crate::domain::money::Money;
use crate::domain::payer::Payer;
use crate::domain::payment::{Movement, Status, movements};
use crate::engine::{Engine, Payment, find};
use crate::error::Error;
use crate::store::Tx;
use crate::store::rows::TransitionRow;

/// How many events a history has at the most: the newest.
const EVENTS: i64 = 1_000;

/// All that is known of one payment. Lists begin with the newest.
///
/// See [`Payments::history`](crate::Payments::history) for an example.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct PaymentHistory {
    /// The payment as it stands.
    pub payment: Payment,
    /// The gateway's ids of its objects.
    pub gateway_refs: Vec<GatewayRef>,
    /// Who paid and how, as far as events say.
    pub payer: Payer,
    /// Its transitions, the same ones for which handlers run: the newest 500.
    pub transitions: Vec<PastTransition>,
    /// Its refunds, also failed and pending ones: look at each one's state. If a company reports only a total of
    /// refunds, the list is empty; [`Payment::refunded`] is the sum in any case.
    pub refunds: Vec<PastRefund>,
    /// Its disputes.
    pub disputes: Vec<PastDispute>,
    /// Its movements of money, with fees; the oldest first.
    pub movements: Vec<Movement>,
    /// The events about it, the newest 1,000.
    pub events: Vec<StoredEvent>,
}

/// A transition, as handlers got it.
///
/// See [`Payments::history`](crate::Payments::history) for an example.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct PastTransition {
    /// The status before.
    pub from: Status,
    /// The status after.
    pub to: Status,
    /// Why, a sentence.
    pub cause: String,
    /// When it was processed here.
    #[serde(serialize_with = "crate::domain::serialize_time")]
    pub at: Timestamp,
}

/// A refund, as the gateway reports it.
///
/// See [`Payments::history`](crate::Payments::history) for an example.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct PastRefund {
    /// The gateway's id of it.
    pub gateway_ref: GatewayRef,
    /// Its state: pending, succeeded, failed or canceled.
    pub state: State,
    /// How much, if the gateway says.
    pub amount: Option<Money>,
    /// The gateway's own word for why.
    pub reason: Option<String>,
    /// When it was so, by the gateway's clock.
    #[serde(serialize_with = "crate::domain::serialize_time")]
    pub at: Timestamp,
}

/// A dispute, as the gateway reports it.
///
/// See [`Payments::history`](crate::Payments::history) for an example.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct PastDispute {
    /// The gateway's id of it.
    pub gateway_ref: GatewayRef,
    /// Its state: an inquiry, open, closed, won or lost.
    pub state: State,
    /// How much, if the gateway says.
    pub amount: Option<Money>,
    /// The gateway's own word for why.
    pub reason: Option<String>,
    /// The deadline for answering it.
    #[serde(serialize_with = "crate::domain::serialize_maybe_time")]
    pub until: Option<Timestamp>,
    /// When it was so, by the gateway's clock.
    #[serde(serialize_with = "crate::domain::serialize_time")]
    pub at: Timestamp,
}

impl Engine {
    /// All that is known of the payment with this token.
    pub(crate) async fn payment_history(self: &Arc<Self>, token: &str) -> Result<Option<PaymentHistory>, Error> {
        let token = token.to_owned();
        self.read(move |tx| history(tx, &token)).await
    }
}

fn history(tx: &mut dyn Tx, token: &str) -> Result<Option<PaymentHistory>, Error> {
    let Some(row) = find::by_token(tx, token)? else { return Ok(None) };
    // With what each register held before: the books date by that when money first moved.
    let mut facts: Vec<Fact> = tx.ledgers(&[row.id])?.into_iter().map(|(_, fact)| fact).collect();
    let movements = movements(&Ledger::from_facts(facts.iter().cloned()), row.currency);
    facts.sort_by(|a, b| (b.occurred_at, &b.gateway_ref).cmp(&(a.occurred_at, &a.gateway_ref)));
    let of = |aspect| facts.iter().filter(move |fact| fact.aspect == aspect);
    let events = tx.events_of(row.id, EVENTS)?;
    Ok(Some(PaymentHistory {
        payment: Payment::of(&row),
        gateway_refs: tx.references_of(row.id)?.into_iter().map(Into::into).collect(),
        payer: tx.payers_of(&[row.id])?.pop().map(|known| known.payer).unwrap_or_default(),
        transitions: tx.transitions_of(row.id)?.into_iter().map(past).collect(),
        refunds: of(Aspect::Refund).map(refund).collect(),
        disputes: of(Aspect::Dispute).map(dispute).collect(),
        movements,
        events: stored(tx, events)?,
    }))
}

fn past(row: TransitionRow) -> PastTransition {
    PastTransition { from: row.from_status, to: row.to_status, cause: row.cause, at: row.created_at }
}

fn amount(fact: &Fact) -> Option<Money> {
    Some(Money::new(fact.amount?, fact.currency?))
}

fn refund(fact: &Fact) -> PastRefund {
    let (gateway_ref, reason) = (fact.gateway_ref.clone(), fact.reason.clone());
    PastRefund { gateway_ref, state: fact.state, amount: amount(fact), reason, at: fact.occurred_at }
}

fn dispute(fact: &Fact) -> PastDispute {
    let (gateway_ref, reason) = (fact.gateway_ref.clone(), fact.reason.clone());
    PastDispute {
        gateway_ref,
        state: fact.state,
        amount: amount(fact),
        reason,
        until: fact.until,
        at: fact.occurred_at,
    }
}
