//! How does a payment stand at its gateway?

use super::Payments;
use super::operate::{Outcome, Wanted};
use crate::error::Error;
use crate::gateways::Verb;

impl Payments {
    /// Asks the gateway what is true now; the answer is processed like every event. Changes nothing at the gateway.
    ///
    /// # Errors
    /// `NotFound` for an unknown token; `Refused` when the gateway can't be asked; `Gateway` when it did not say; and
    /// what the database says.
    pub async fn refresh(&self, token: &str) -> Result<Outcome, Error> {
        self.operate(token, Wanted::by_host(Verb::Refresh)).await
    }
}
