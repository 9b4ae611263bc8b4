//! A payment's ledger made anew from its stored events, and the event by which an operator orders it.

use serde::{Deserialize, Serialize};

use super::matching;
use super::reading::{ModeMatch, ambiguity, reading};
use crate::domain::event::{Interpretation, References};
use crate::domain::ledger::Ledger;
use crate::engine::Engine;
use crate::error::Error;
use crate::store::Tx;
use crate::store::rows::PaymentRow;

/// The kind of the event by which an operator asks for a rebuild.
pub(crate) const KIND: &str = "payment.rebuild";

/// An operator's order to rebuild a payment: the body of the event.
#[derive(Serialize, Deserialize)]
pub(crate) struct RebuildOrder {
    pub(crate) token: String,
    pub(crate) actor: String,
}

impl RebuildOrder {
    pub(crate) fn read(body: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(body)
            .map_err(|error| format!("expected an operator's order, got something else: {error}"))
    }

    pub(crate) fn says(&self) -> Interpretation {
        Interpretation {
            references: References { tokens: vec![self.token.clone()], gateway_refs: Vec::new() },
            summary: format!("{} asked to rebuild the payment from its events", self.actor),
            ..Interpretation::default()
        }
    }
}

/// The ledger that all stored events of a payment make, and why it may lack something.
pub(crate) fn from_events(
    engine: &Engine,
    tx: &mut dyn Tx,
    row: &PaymentRow,
) -> Result<(Ledger, Option<String>), Error> {
    let mut ledger = Ledger::new();
    let pruned = tx.pruned_of(row.id)?;
    let mut refusal = (pruned > 0)
        .then(|| format!("the bodies of {pruned} of its events were pruned, so what they said would be lost"));
    for event in tx.recorded_of(row.id)? {
        let Some(variant) = engine.variants.get(&event.row.variant) else {
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
