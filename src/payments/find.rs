//! Which payment is it?

use super::payment::Payment;
use super::{Payments, browse};
use crate::error::Error;
use crate::store::Tx;
use crate::store::rows::PaymentRow;

impl Payments {
    /// The payment with this token; one that was absorbed answers as the payment that it turned out to be.
    ///
    /// # Errors
    /// What the database says.
    pub async fn payment(&self, token: &str) -> Result<Option<Payment>, Error> {
        let token = token.to_owned();
        self.read(move |tx| by_token(tx, &token)?.as_ref().map(Payment::of).transpose()).await
    }

    /// The payments that bear this reference of the host's, this gateway ref, token or customer, newest first, a
    /// hundred at the most.
    ///
    /// # Errors
    /// What the database says.
    pub async fn find(&self, text: &str) -> Result<Vec<Payment>, Error> {
        let (text, variants): (_, Vec<String>) = (text.to_owned(), self.0.variants.keys().cloned().collect());
        self.read(move |tx| browse::by_text(tx, &text, &variants, 100)?.iter().map(Payment::of).collect()).await
    }
}

/// The row of this token, or of the payment that absorbed it.
pub(super) fn by_token(tx: &mut dyn Tx, token: &str) -> Result<Option<PaymentRow>, Error> {
    let row = tx.payment_by_token(token)?;
    match row.as_ref().and_then(|row| row.absorbed_by) {
        Some(into) => tx.payment(into),
        None => Ok(row),
    }
}
