//! How does a payment come to be that nobody here had asked for, and how does it end when it turns out to be the
//! same as another?

use crate::domain::Timestamp;
use crate::domain::event::{Interpretation, storable};
use crate::domain::ledger::Ledger;
use crate::domain::payment::{Terms, derive};
use crate::engine::payment_token;
use crate::error::Error;
use crate::store::Tx;
use crate::store::rows::{PaymentDraft, PaymentRow};

/// Makes a payment from what an event states.
pub(crate) fn adopt(
    tx: &mut dyn Tx,
    variant: &str,
    interpretation: &Interpretation,
    livemode: Option<bool>,
    now: Timestamp,
) -> Result<PaymentRow, Error> {
    let state = derive(Terms::Adopted, &Ledger::from_facts(interpretation.facts.iter().cloned()));
    tx.insert_payment(&PaymentDraft {
        token: payment_token()?,
        // Only the host gives references: a customer can put any text into a payment link's address.
        reference: None,
        variant: variant.to_owned(),
        status: crate::domain::payment::Status::Pending.as_str(),
        amount: state.amount.minor,
        currency: state.amount.currency.as_str().to_owned(),
        customer: interpretation.customer.clone().filter(|text| storable(text)),
        livemode,
        metadata: None,
        adopted: true,
        created_at: now,
    })
}

/// Moves all that is known of `adopted` to `into`: its facts, references and events.
pub(crate) fn absorb(tx: &mut dyn Tx, adopted: &PaymentRow, into: &PaymentRow, now: Timestamp) -> Result<(), Error> {
    let mut ledger = tx.ledger(into.id)?;
    let facts: Vec<_> = tx.ledger(adopted.id)?.facts().cloned().collect();
    for fact in facts {
        ledger.merge(fact);
    }
    let merged: Vec<_> = ledger.facts().cloned().collect();
    for fact in &merged {
        tx.keep_fact(into.id, fact)?;
    }
    tx.absorb(adopted.id, into.id, now)
}
