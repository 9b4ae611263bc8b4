//! Is what is stored what the events say, and how is it made so? Comparing changes nothing; an operator's order to
//! rebuild is an event like any other, so that there is one way in.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::browse::{Place, payment_rows};
use super::matching;
use super::payment::{self, Payment};
use super::reading::{ModeMatch, ambiguity, reading};
use super::requeue::{Actor, act};
use super::{Inner, Payments, find, random_word};
use crate::domain::event::{Interpretation, References, Source};
use crate::domain::fact::{Aspect, Fact};
use crate::domain::ledger::Ledger;
use crate::domain::payment::{PaymentState, derive};
use crate::error::{Error, ErrorKind};
use crate::store::Tx;
use crate::store::rows::{NewEvent, PaymentRow};

/// The kind of the event by which an operator asks for a rebuild.
const KIND: &str = "payment.rebuild";
/// How many payments [`Payments::differing`] compares in one go.
const CHUNK: usize = 100;

/// A payment as it is stored, beside what its events make of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rebuilt {
    /// The payment as it is stored.
    pub stored: Payment,
    /// What its events make of it.
    pub rebuilt: PaymentState,
    /// Whether state and ledger are the same.
    pub same: bool,
    /// Where the ledgers differ: the stored fact of a register, and the one that the events make.
    pub registers: Vec<(Option<Fact>, Option<Fact>)>,
    /// Why its events can't make it anew: some of what they said is gone.
    pub refusal: Option<String>,
}

/// What [`Payments::differing`] found among some payments.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Differing {
    /// How many payments were compared.
    pub compared: usize,
    /// Those that are not what their events make of them.
    pub found: Vec<Rebuilt>,
    /// Where to go on; `None` when all were compared.
    pub next: Option<i64>,
}

/// An operator's order to rebuild a payment: the body of the event.
#[derive(Serialize, Deserialize)]
pub(super) struct Order {
    token: String,
    pub(super) actor: String,
}

impl Order {
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(body)
            .map_err(|error| format!("expected an operator's order, got something else: {error}"))
    }

    pub(super) fn says(&self) -> Interpretation {
        Interpretation {
            references: References { tokens: vec![self.token.clone()], gateway_refs: Vec::new() },
            summary: format!("{} asked to rebuild the payment from its events", self.actor),
            ..Interpretation::default()
        }
    }
}

impl Payments {
    /// Rebuilds a payment from its stored events, beside the stored one. Changes nothing.
    ///
    /// # Errors
    /// `NotFound` for an unknown token, and what the database says.
    pub async fn rebuild(&self, token: &str) -> Result<Rebuilt, Error> {
        let token = token.to_owned();
        let compare = move |inner: &Inner, tx: &mut dyn Tx| {
            let row = known(tx, &token)?;
            compare(inner, tx, &row)
        };
        self.blocking(move |inner| inner.store.ask(|tx| compare(inner, tx))).await
    }

    /// Compares some payments with what their events make of them, from the newest on, or after where an earlier
    /// answer said to go on. Changes nothing; a payment that changes meanwhile may be reported although it is right.
    ///
    /// # Errors
    /// What the database says.
    pub async fn differing(&self, after: Option<i64>) -> Result<Differing, Error> {
        let place = after.map(|id| Place { id, back: false, with: false });
        let compare_some = move |inner: &Inner, tx: &mut dyn Tx| {
            let page = payment_rows(tx, place, CHUNK)?;
            let mut found = Vec::new();
            for row in &page.rows {
                found.extend(Some(compare(inner, tx, row)?).filter(|rebuilt| !rebuilt.same));
            }
            Ok(Differing { compared: page.rows.len(), found, next: page.further.map(|place| place.id) })
        };
        self.blocking(move |inner| inner.store.ask(|tx| compare_some(inner, tx))).await
    }

    /// Asks for a payment to be made what its events say: appends an event that orders so.
    ///
    /// # Errors
    /// `NotFound` for an unknown token, `Refused` where nothing differs or the events don't hold all any more.
    pub(crate) async fn order_rebuild(&self, token: &str, actor: Actor) -> Result<i64, Error> {
        let (token, now, id) = (token.to_owned(), self.now(), format!("rebuild_{}", random_word(26)?));
        let order = move |inner: &Inner, tx: &mut dyn Tx| {
            let row = known(tx, &token)?;
            let rebuilt = compare(inner, tx, &row)?;
            let same = rebuilt.same.then(|| "what is stored is what its events say".to_owned());
            if let Some(why) = rebuilt.refusal.or(same) {
                return Err(Error::new(ErrorKind::Refused, format!("It was not rebuilt: {why}.")));
            }
            let order = Order { token: row.token.clone(), actor: actor.name.clone() };
            let body =
                serde_json::to_vec(&order).map_err(|e| Error::new(ErrorKind::Refused, "no JSON").with_source(e))?;
            let event = tx.append(&[NewEvent {
                variant: row.variant.clone(),
                gateway_event_id: id.clone(),
                source: Source::Operator,
                kind: KIND.to_owned(),
                livemode: row.livemode,
                api_version: None,
                account: None,
                secret: None,
                skew_seconds: None,
                occurred_at: Some(now),
                received_at: now,
                headers: "{}".to_owned(),
                body: Bytes::from(body),
            }])?;
            let event =
                event.first().map(|event| event.id).ok_or_else(|| Error::new(ErrorKind::Storage, "no event"))?;
            tx.assign(event, row.id, Some(&row.token))?;
            tx.add_act(&act("rebuild", &actor, Some(event), Some(row.id), now))?;
            Ok(event)
        };
        let event = self.blocking(move |inner| inner.store.transaction(|tx| order(inner, tx))).await?;
        self.inner().ring();
        Ok(event)
    }
}

fn known(tx: &mut dyn Tx, token: &str) -> Result<PaymentRow, Error> {
    find::by_token(tx, token)?.ok_or_else(|| Error::new(ErrorKind::NotFound, "there is no such payment"))
}

fn compare(inner: &Inner, tx: &mut dyn Tx, row: &PaymentRow) -> Result<Rebuilt, Error> {
    let (ledger, refusal) = from_events(inner, tx, row)?;
    let rebuilt = derive(payment::terms(row)?, &ledger);
    let stored = tx.ledger(row.id)?;
    let same = rebuilt == payment::state(row)? && ledger == stored;
    let registers = if ledger == stored { Vec::new() } else { differences(&stored, &ledger) };
    Ok(Rebuilt { stored: Payment::of(row)?, rebuilt, same, registers, refusal })
}

/// The ledger that all stored events of a payment make, and why it may lack something.
pub(super) fn from_events(inner: &Inner, tx: &mut dyn Tx, row: &PaymentRow) -> Result<(Ledger, Option<String>), Error> {
    let mut ledger = Ledger::new();
    let pruned = tx.pruned_of(row.id)?;
    let mut refusal = (pruned > 0)
        .then(|| format!("the bodies of {pruned} of its events were pruned, so what they said would be lost"));
    for event in tx.recorded_of(row.id)? {
        let Some(variant) = inner.variants.get(&event.row.variant) else {
            refusal =
                refusal.or(Some(format!("the variant {:?} of its events is not configured here", event.row.variant)));
            continue;
        };
        let Ok(said) = reading(variant, &event) else { continue };
        if said.mode != ModeMatch::Fits {
            continue;
        }
        // References are linked once and stay, so what was ambiguous then is so now, and nothing else is.
        let found = matching::find(tx, &event.row.variant, &said.interpretation.references)?;
        let ambiguous = found.is_some_and(|found| found.ambiguous).then(|| ambiguity(&event));
        for fact in said.interpretation.facts.into_iter().chain(ambiguous) {
            ledger.merge(fact);
        }
    }
    Ok((ledger, refusal))
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
    registers.into_values().filter(|(stored, rebuilt)| stored != rebuilt).collect()
}
