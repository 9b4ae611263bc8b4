//! Payments and subscriptions by their tokens, and payments whichever one absorbed them since.

use crate::domain::id::EventId;
use crate::domain::identifier::searchable;
use crate::error::{Error, ErrorKind};
use crate::store::Tx;
use crate::store::rows::{EventRow, PaymentRow};
use crate::store::subscriptions::SubscriptionRow;

/// The row of this token, or of the payment that absorbed it.
pub(crate) fn by_token(tx: &mut dyn Tx, token: &str) -> Result<Option<PaymentRow>, Error> {
    if !searchable(token) {
        return Ok(None);
    }
    let row = tx.payment_by_token(token)?;
    match row.as_ref().and_then(|row| row.absorbed_by) {
        Some(into) => tx.payment(into),
        None => Ok(row),
    }
}

/// The subscription of this token.
pub(crate) fn subscription_by_token(tx: &mut dyn Tx, token: &str) -> Result<Option<SubscriptionRow>, Error> {
    if searchable(token) { Ok(tx.subscriptions_of(&[], &[token.to_owned()])?.pop()) } else { Ok(None) }
}

/// The event with this id.
pub(crate) fn event(tx: &mut dyn Tx, event: EventId) -> Result<EventRow, Error> {
    tx.event(event)?.ok_or_else(|| Error::new(ErrorKind::NotFound, "there is no such event"))
}
