//! Completions that the payment has gone past before they were tried.

use crate::domain::operation::OperationState;
use crate::engine::Engine;
use crate::engine::allowed::{Open, allowed};
use crate::engine::payment::Payment;
use crate::error::Error;
use crate::gateways::Verb;
use crate::store::Tx;
use crate::store::calls::{OperationEnd, OperationRow};

/// Ends a completion that was never tried, where the payment has gone on since in another way; answers whether it did.
pub(crate) fn end_if_overtaken(engine: &Engine, tx: &mut dyn Tx, operation: &OperationRow) -> Result<bool, Error> {
    let Some(row) = tx.hold_payments(&[operation.payment_id])?.pop() else { return Ok(false) };
    let payment = Payment::of(&row);
    let mut open = Open::of(engine, tx, &row, &payment)?.without(operation.id);
    if let Some(id) = operation.awaited() {
        open = open.about(&id);
    }
    let review = || Err("the payment needs a review".to_owned());
    let may = if payment.needs_review() { review() } else { allowed(&payment, Verb::Complete, None, &open) };
    let Err(why) = may else { return Ok(false) };
    let (outcome, finished_at) = (format!("not asked for any more: {why}"), Some(engine.now()));
    let end = OperationEnd { state: OperationState::Overtaken, outcome, due_at: None, finished_at };
    tx.settle_operation(operation, &end)?;
    Ok(true)
}
