//! How is authorized money taken?

use super::Payments;
use super::operate::{Outcome, Wanted};
use crate::domain::money::Money;
use crate::error::Error;
use crate::gateways::Verb;

impl Payments {
    /// Takes the money of an authorized payment: all of it, or `part`; what is left is released.
    ///
    /// # Errors
    /// `NotFound` for an unknown token; `Refused` when the payment is not authorized, the part is more than it, or
    /// the gateway can't; `Gateway` when the gateway said no; and what the database says.
    pub async fn capture(&self, token: &str, part: Option<Money>) -> Result<Outcome, Error> {
        self.operate(token, Wanted { amount: part, ..Wanted::by_host(Verb::Capture) }).await
    }
}
