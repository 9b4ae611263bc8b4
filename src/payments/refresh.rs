//! How does a payment stand at its gateway?

use super::Payments;
use super::operate::{Asker, Outcome, Wanted};
use crate::error::Error;
use crate::gateways::Verb;

impl Payments {
    /// Asks the gateway what is true now; the answer is processed like every event. Changes nothing at the gateway.
    ///
    /// # Errors
    /// `NotFound` for an unknown token; `Refused` when the gateway can't be asked; `Gateway` when it did not say; and
    /// what the database says.
    pub async fn refresh(&self, token: &str) -> Result<Outcome, Error> {
        self.refresh_by(Asker::Host, token).await
    }

    pub(crate) async fn refresh_by(&self, asker: Asker, token: &str) -> Result<Outcome, Error> {
        let wanted = Wanted { verb: Verb::Refresh, amount: None, reason: None, asker };
        self.operate(token, wanted).await
    }
}
