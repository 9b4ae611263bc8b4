//! Is what is stored what the events say? Reads all events of a payment again and compares; changes nothing.

use super::payment::{self, Payment};
use super::reading::{ModeMatch, ambiguity, reading};
use super::{Inner, Payments, find, matching};
use crate::domain::ledger::Ledger;
use crate::domain::payment::{PaymentState, derive};
use crate::error::{Error, ErrorKind};
use crate::store::Tx;

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
}

impl Payments {
    /// Rebuilds a payment from its stored events, beside the stored one.
    ///
    /// # Errors
    /// `NotFound` for an unknown token, and what the database says.
    pub async fn rebuild(&self, token: &str) -> Result<Rebuilt, Error> {
        let token = token.to_owned();
        self.blocking(move |inner| inner.store.ask(|tx| rebuild(inner, tx, &token))).await
    }
}

fn rebuild(inner: &Inner, tx: &mut dyn Tx, token: &str) -> Result<Rebuilt, Error> {
    let row = find::by_token(tx, token)?.ok_or_else(|| Error::new(ErrorKind::NotFound, "there is no such payment"))?;
    let mut ledger = Ledger::new();
    for event in tx.recorded_of(row.id)? {
        let Some(variant) = inner.variants.get(&event.row.variant) else { continue };
        if let Ok((mut interpretation, ModeMatch::Fits)) = reading(variant, &event) {
            // References are linked once and stay, so what was ambiguous then is so now, and nothing else is.
            let found = matching::find(tx, &event.row.variant, &interpretation.references)?;
            if found.is_some_and(|found| found.ambiguous) {
                interpretation.facts.push(ambiguity(&event));
            }
            for fact in interpretation.facts {
                ledger.merge(fact);
            }
        }
    }
    let rebuilt = derive(payment::terms(&row)?, &ledger);
    let same = rebuilt == payment::state(&row)? && ledger == tx.ledger(row.id)?;
    Ok(Rebuilt { stored: Payment::of(&row)?, rebuilt, same })
}
