//! How is a payment completed at a gateway that waits for us once its customer has agreed?

use super::Payments;
use super::operate::{Outcome, Wanted};
use crate::error::Error;
use crate::gateways::Verb;

impl Payments {
    /// Has the gateway take, or authorize, what the customer agreed to. A worker does that by itself as soon as an event
    /// says that the gateway waits for it, and so does [`Payments::catch_up`]: this is for those who know it earlier.
    ///
    /// # Errors
    /// `NotFound` for an unknown token; `Refused` when the payment is not pending, or the gateway goes on by itself;
    /// `Gateway` when the gateway said no, as when nobody agreed; and what the database says.
    pub async fn complete(&self, token: &str) -> Result<Outcome, Error> {
        self.operate(token, Wanted::by_host(Verb::Complete)).await
    }
}
