//! How is a payment given up before money moved?

use super::Payments;
use super::operate::{Asker, Outcome, Wanted};
use crate::error::Error;
use crate::gateways::Verb;

impl Payments {
    /// Gives a payment up: closes its checkout, or releases what is authorized, whichever it is in.
    ///
    /// # Errors
    /// `NotFound` for an unknown token; `Refused` when money has moved or the gateway can't; `Gateway` when the gateway
    /// said no; and what the database says.
    pub async fn cancel(&self, token: &str) -> Result<Outcome, Error> {
        self.cancel_by(Asker::Host, token).await
    }

    pub(crate) async fn cancel_by(&self, asker: Asker, token: &str) -> Result<Outcome, Error> {
        let wanted = Wanted { verb: Verb::Cancel, amount: None, reason: None, asker };
        self.operate(token, wanted).await
    }
}
