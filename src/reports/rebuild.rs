//! Whether what is stored is what the events say. Comparing changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::browse::{Place, payment_rows};
use crate::domain::fact::{Aspect, Fact, State};
use crate::domain::ledger::Ledger;
use crate::domain::payment::{PaymentState, derive, is_invoiced};
use crate::engine::payment::{self, Payment};
use crate::engine::{Engine, find};
use crate::error::{Error, ErrorKind};
use crate::pipeline::rebuild::{Remade, from_events};
use crate::store::Tx;
use crate::store::rows::PaymentRow;

/// How many payments [`Payments::differing`](crate::Payments::differing) compares in one go.
const CHUNK: usize = 100;

/// A payment as it is stored, beside what follows from its events.
///
/// See [`Payments::rebuild`](crate::Payments::rebuild) for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct Rebuilt {
    /// The payment as it is stored.
    pub stored: Payment,
    /// What follows from its events.
    pub rebuilt: PaymentState,
    /// Whether state and ledger are the same.
    pub same: bool,
    /// Where the ledgers differ: the stored fact of a register, and the one from the events.
    pub registers: Vec<(Option<Fact>, Option<Fact>)>,
    /// Whether only fees differ, because the release that stored the payment did not read them, or did not read when
    /// they were taken. The payment's money is right; a rebuild puts the fees into the books.
    pub only_fees: bool,
    /// Why it can't be rebuilt: some of its events have lost their bodies.
    pub refusal: Option<String>,
}

/// The result of [`Payments::differing`](crate::Payments::differing).
///
/// See [`Payments::rebuild`](crate::Payments::rebuild) for an example.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Differing {
    /// How many payments were compared.
    pub compared: usize,
    /// Those that differ from what follows from their events.
    pub found: Vec<Rebuilt>,
    /// Where to continue; `None` if all were compared.
    pub next: Option<i64>,
}

impl Engine {
    /// Rebuilds a payment from its stored events, beside the stored one. Changes nothing.
    ///
    /// # Errors
    /// `NotFound` for an unknown token, and what the database says.
    pub(crate) async fn rebuild(self: &Arc<Self>, token: &str) -> Result<Rebuilt, Error> {
        let (engine, token) = (self.clone(), token.to_owned());
        self.read(move |tx| {
            let row = known(tx, &token)?;
            compare(&engine, tx, &row)
        })
        .await
    }

    /// Compares some payments with what their events make of them, from the newest on, or after where an earlier
    /// answer said to go on. Changes nothing; a payment that changes meanwhile may be reported although it is right.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) async fn differing(self: &Arc<Self>, after: Option<i64>) -> Result<Differing, Error> {
        let place = after.map(|id| Place { id, back: false, with: false });
        let engine = self.clone();
        self.read(move |tx| {
            let page = payment_rows(tx, place, CHUNK)?;
            let mut found = Vec::new();
            for row in &page.rows {
                found.extend(Some(compare(&engine, tx, row)?).filter(|rebuilt| !rebuilt.same));
            }
            Ok(Differing { compared: page.rows.len(), found, next: page.further.map(|place| place.id) })
        })
        .await
    }
}

pub(crate) fn known(tx: &mut dyn Tx, token: &str) -> Result<PaymentRow, Error> {
    find::by_token(tx, token)?.ok_or_else(|| Error::new(ErrorKind::NotFound, "there is no such payment"))
}

pub(crate) fn compare(engine: &Engine, tx: &mut dyn Tx, row: &PaymentRow) -> Result<Rebuilt, Error> {
    let Remade { ledger, refusal, .. } = from_events(engine, tx, row)?;
    let rebuilt = derive(payment::terms(row), &ledger);
    let stored = Ledger::from_facts(tx.facts_of(row.id)?);
    let registers = if ledger == stored { Vec::new() } else { differences(&stored, &ledger) };
    let is_same_state = rebuilt == payment::state(row);
    let same = is_same_state && registers.is_empty();
    let only_fees = is_same_state && !same && registers.iter().all(is_unread_fee);
    Ok(Rebuilt { stored: Payment::of(row), rebuilt, same, registers, only_fees, refusal })
}

/// A register as it is stored, and as the events make it.
type Sides = (Option<Fact>, Option<Fact>);

fn differences(stored: &Ledger, rebuilt: &Ledger) -> Vec<Sides> {
    let mut registers: BTreeMap<(Aspect, &str), Sides> = BTreeMap::new();
    for fact in stored.facts() {
        registers.entry((fact.aspect, &fact.gateway_ref)).or_default().0 = Some(fact.clone());
    }
    for fact in rebuilt.facts() {
        registers.entry((fact.aspect, &fact.gateway_ref)).or_default().1 = Some(fact.clone());
    }
    registers.into_values().filter(|sides| stored_differs(sides, stored)).collect()
}

/// Whether a register differs by more than what an older release did not read yet. A payment that such a release stored
/// is right as long as nothing else differs; what it lacks is added by whichever event comes next.
fn stored_differs(sides: &Sides, ledger: &Ledger) -> bool {
    match sides {
        (Some(stored), Some(rebuilt)) => completed(stored, rebuilt) != *rebuilt,
        (None, Some(rebuilt)) => !is_unread(rebuilt, ledger),
        _ => true,
    }
}

/// Whether a register is a fee that an older release did not read, or whose time it did not read.
fn is_unread_fee((stored, rebuilt): &Sides) -> bool {
    let Some(rebuilt) = rebuilt.as_ref().filter(|fact| fact.aspect == Aspect::Fee) else { return false };
    let lacks_its_time = |stored: &Fact| {
        stored.since.is_none() && Fact { since: rebuilt.since, ..completed(stored, rebuilt) } == *rebuilt
    };
    stored.as_ref().is_none_or(lacks_its_time)
}

/// Within how much two times are one: an older release did not read the versions by which Square tells apart what
/// changed within a millisecond.
const ONE_MOMENT: time::Duration = time::Duration::milliseconds(1);

/// The stored fact with the fields that it lacks. How a total of refunds came about is one of them, and which amount a
/// concern is about. The time at which a fee was taken is none: the books go by it.
fn completed(stored: &Fact, rebuilt: &Fact) -> Fact {
    let mut stored = stored.clone();
    if stored.aspect == Aspect::RefundTotal {
        (stored.face, stored.state) = (rebuilt.face, rebuilt.state);
    }
    if stored.aspect == Aspect::Concern && stored.amount.is_none() {
        (stored.amount, stored.face, stored.currency) = (rebuilt.amount, rebuilt.face, rebuilt.currency);
    }
    if (stored.occurred_at - rebuilt.occurred_at).abs() < ONE_MOMENT && stored.event_id == rebuilt.event_id {
        stored.occurred_at = rebuilt.occurred_at;
    }
    Fact {
        parent: stored.parent.or(rebuilt.parent.clone()),
        since: stored.since.or(rebuilt.since.filter(|_| stored.aspect != Aspect::Fee)),
        until: stored.until.or(rebuilt.until),
        livemode: stored.livemode.or(rebuilt.livemode),
        reason: stored.reason.or(rebuilt.reason.clone()),
        ..stored
    }
}

/// Whether a fact is of a kind that older releases did not read: that nothing was refunded of a charge, a total that its
/// single refunds explain, that an object whose failure is known was a failed attempt, that an authorization is used up, and
/// what an invoice asks for.
fn is_unread(fact: &Fact, ledger: &Ledger) -> bool {
    match (fact.aspect, fact.state) {
        (Aspect::RefundTotal, State::Open) => true,
        (Aspect::RefundTotal, _) => fact.amount == Some(0),
        (Aspect::CaptureTotal, State::Closed) => true,
        _ if is_invoiced(fact) => true,
        (Aspect::Authorization, State::Failed) => {
            [Aspect::Capture, Aspect::Checkout].iter().any(|aspect| ledger.get(*aspect, &fact.gateway_ref).is_some())
        }
        _ => false,
    }
}
