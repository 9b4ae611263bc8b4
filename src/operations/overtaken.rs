//! Operations of which no call has gone out yet, and which their payment or subscription may have gone past.

use crate::domain::Timestamp;
use crate::domain::money::Money;
use crate::domain::operation::OperationState;
use crate::engine::Engine;
use crate::engine::Subscription;
use crate::engine::allowed::{Open, allowed};
use crate::engine::payment::Payment;
use crate::engine::subscription_allowed::may;
use crate::error::{Error, ErrorKind};
use crate::store::Tx;
use crate::store::calls::{NOT_ASKED, OperationEnd, OperationRow, UNSENT};
use crate::store::subscription_calls::SubscriptionOperationRow;

/// What stands in the place of an outcome from before the call on: it may have gone out, so the key decides.
const ASKED: &str = "asked, no answer yet";

/// Whether no call can have gone out that did anything, by what is noted as the outcome so far. An older release noted
/// nothing before its call.
pub(super) fn is_untried(outcome: Option<&str>) -> bool {
    outcome.is_some_and(|outcome| outcome.starts_with(UNSENT))
}

/// How many tries may have reached the gateway by now, the one that is about to be made included. Whoever took up one of
/// which nothing was noted may have been an older release, which sends without a word.
pub(super) fn tries(attempts: i64, outcome: Option<&str>) -> u32 {
    let is_first = is_untried(outcome) && (outcome != Some(NOT_ASKED) || attempts <= 1);
    if is_first { 1 } else { u32::try_from(attempts).unwrap_or(u32::MAX) }
}

/// Fails where what is noted before a call was not written: another process has taken the operation up meanwhile, so
/// this one asks nobody.
pub(super) fn unless_taken_up(is_noted: bool) -> Result<(), Error> {
    let why = "another process has taken it up meanwhile";
    is_noted.then_some(()).ok_or_else(|| Error::new(ErrorKind::Unavailable, why))
}

/// The outcome after a try that did nothing: it says nothing of the tries before it.
pub(super) fn not_done(before: Option<&str>, why: &str) -> String {
    if is_untried(before) { format!("{UNSENT}{why}") } else { not_known(why) }
}

/// The outcome after a try that may have done it.
pub(super) fn not_known(why: &str) -> String {
    format!("not known yet: {why}")
}

/// What is noted before a call.
pub(super) fn asked(due_at: Option<Timestamp>) -> OperationEnd {
    OperationEnd { state: OperationState::Underway, outcome: ASKED.to_owned(), due_at, finished_at: None }
}

fn overtaken(engine: &Engine, why: &str) -> OperationEnd {
    let outcome = format!("not asked for any more: {why}");
    OperationEnd { state: OperationState::Overtaken, outcome, due_at: None, finished_at: Some(engine.now()) }
}

/// Ends an operation of which no call has gone out, where the payment has gone on since in another way; answers whether
/// it did.
pub(super) fn end_if_overtaken(engine: &Engine, tx: &mut dyn Tx, operation: &OperationRow) -> Result<bool, Error> {
    let Some(row) = tx.hold_payments(&[operation.payment_id])?.pop() else { return Ok(false) };
    let payment = Payment::of(&row);
    let mut open = Open::but_for(engine, tx, &row, &payment, operation.id)?;
    let awaited = operation.awaited();
    if let Some(id) = &awaited {
        open = open.about(id);
    }
    let amount = operation.amount.map(|minor| Money::new(minor, payment.amount.currency));
    // Nobody has decided to complete it all the same.
    let may = if awaited.is_some() && payment.needs_review() {
        Err("the payment needs a review".to_owned())
    } else {
        allowed(&payment, operation.verb, amount, &open)
    };
    let Err(why) = may else { return Ok(false) };
    tx.settle_operation(operation, &overtaken(engine, &why))?;
    Ok(true)
}

/// The same of an operation on a subscription.
pub(super) fn end_if_subscription_went_on(
    engine: &Engine,
    tx: &mut dyn Tx,
    operation: &SubscriptionOperationRow,
) -> Result<bool, Error> {
    let Some(row) = tx.subscription(operation.subscription_id)? else { return Ok(false) };
    // One that this release can't read has not gone on for sure.
    Subscription::of(&row)?;
    let Err(why) = may(engine, &row, operation.verb) else { return Ok(false) };
    tx.settle_subscription_operation(operation, &overtaken(engine, &why))?;
    Ok(true)
}
