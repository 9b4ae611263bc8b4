//! How does a payment stand when its customer comes back? The customer is often faster than the gateway's event.

use std::time::Duration;

use super::allowed::can;
use super::operate::Outcome;
use super::payment::Payment;
use super::{Payments, find};
use crate::domain::payment::Status;
use crate::error::{Error, ErrorKind};
use crate::gateways::Verb;
use crate::store::calls::OperationRow;

/// How often a worker is waited for, and how long each time: an event that has come already needs some milliseconds.
const LOOKS: u32 = 10;
const LOOK: Duration = Duration::from_millis(50);

/// How long a customer waits for the gateway's answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long after it was asked the gateway is not asked again.
const AGAIN: Duration = Duration::from_secs(2);

impl Payments {
    /// The payment as it stands, for the page that a customer returns to: while it is pending, the gateway is asked, and
    /// its answer is processed before this returns. What is still pending then has half a second for an event that
    /// waits for a worker here. The gateway is asked about one payment every two seconds at the most. Safe to call at any time and as often as one likes; an event that tells the same comes to
    /// nothing, whichever is first.
    ///
    /// A gateway that can't be asked, or does not answer, is no error: the payment is pending then, and its event
    /// will come.
    ///
    /// # Errors
    /// `NotFound` for an unknown token, and what the database says.
    pub async fn catch_up(&self, token: &str) -> Result<Payment, Error> {
        let mut payment = self.known(token).await?;
        if payment.status == Status::Pending && self.can_ask(&payment).await? {
            // A try that takes longer is taken up by a worker.
            let late = |_| Err(Error::new(ErrorKind::Gateway, "it takes long to answer"));
            match tokio::time::timeout(PATIENCE, self.ask(token)).await.unwrap_or_else(late) {
                Ok(_) => payment = self.known(token).await?,
                Err(error) if matches!(error.kind(), ErrorKind::Gateway | ErrorKind::Refused) => {
                    log::warn!("payments: payment={token} its gateway could not be asked: {error}");
                }
                Err(error) => return Err(error),
            }
        }
        for _ in 0..LOOKS {
            if payment.status != Status::Pending {
                break;
            }
            tokio::time::sleep(LOOK).await;
            payment = self.known(token).await?;
        }
        Ok(payment)
    }

    /// Asks how the payment stands, and takes the step that the gateway waits for, where its answer says so.
    async fn ask(&self, token: &str) -> Result<Outcome, Error> {
        let outcome = self.refresh(token).await?;
        let token = token.to_owned();
        let row = self.read(move |tx| find::by_token(tx, &token)).await?;
        if let Some(row) = row {
            while self.resume_operation(Some(row.id)).await? {}
        }
        Ok(outcome)
    }

    async fn known(&self, token: &str) -> Result<Payment, Error> {
        self.payment(token).await?.ok_or_else(|| Error::new(ErrorKind::NotFound, "there is no such payment"))
    }

    /// Whether the gateway can be asked, and was not just now: a page that is loaded over and over asks it no more.
    async fn can_ask(&self, payment: &Payment) -> Result<bool, Error> {
        if can(self.inner(), &payment.variant, Verb::Refresh).is_err() {
            return Ok(false);
        }
        let (token, since) = (payment.token.clone(), self.now() - AGAIN);
        self.read(move |tx| {
            let Some(row) = find::by_token(tx, &token)? else { return Ok(false) };
            let lately = |operation: &OperationRow| operation.created_at > since;
            let asked = |operation: &OperationRow| operation.verb == Verb::Refresh.as_str() && lately(operation);
            Ok(!tx.operations_of(row.id)?.iter().any(asked))
        })
        .await
    }
}
