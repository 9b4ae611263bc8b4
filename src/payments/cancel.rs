//! How is a payment given up before money moved?

use super::Payments;
use super::operate::{Outcome, Wanted};
use crate::error::Error;
use crate::gateways::Verb;

impl Payments {
    /// Gives a payment up: closes its checkout, or releases what is authorized, whichever it is in.
    ///
    /// # Errors
    /// `NotFound` for an unknown token; `Refused` when money has moved or the gateway can't; `Gateway` when the gateway
    /// said no; and what the database says.
    pub async fn cancel(&self, token: &str) -> Result<Outcome, Error> {
        self.operate(token, Wanted::by_host(Verb::Cancel)).await
    }
}
