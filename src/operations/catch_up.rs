//! How does a payment stand when its customer comes back? The customer is often faster than the gateway's event.

use std::sync::Arc;

use std::time::Duration;

use super::tries::Outcome;
use crate::domain::payment::Status;
use crate::engine::allowed::can;
use crate::engine::payment::Payment;
use crate::engine::request::Wanted;
use crate::engine::{Engine, find};
use crate::error::{Error, ErrorKind, loggable};
use crate::gateways::Verb;

/// How often a worker is waited for, and how long each time: an event that has come already needs some milliseconds.
const LOOKS: u32 = 10;
const LOOK: Duration = Duration::from_millis(50);

/// How long a customer waits for the gateway's answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long after it was asked the gateway is not asked again.
const AGAIN: Duration = Duration::from_secs(2);

impl Engine {
    /// The payment as it stands, for the page that a customer returns to: while it is pending, the gateway is asked,
    /// and its answer is processed before this returns, unless it takes longer than 5 seconds. What is still pending
    /// then has half a second for an event that waits for a worker here. The gateway is asked about one payment every
    /// two seconds at the most, by all processes together. Safe to call at any time and as often as one likes; an event
    /// that tells the same comes to nothing, whichever is first.
    ///
    /// A gateway that can't be asked, or does not answer, is no error: the payment is pending then, and its event
    /// will come.
    ///
    /// # Errors
    /// `NotFound` for an unknown token; `Configuration` for a pending payment whose variant is not configured here, so
    /// that nobody can ask and no event of it is processed; and what the database says.
    pub(crate) async fn catch_up(self: &Arc<Self>, token: &str) -> Result<Payment, Error> {
        let mut payment = self.known(token).await?;
        let variant = match self.load(&payment.variant).await {
            Ok(None) if payment.status == Status::Pending => {
                let (variant, expected) = (&payment.variant, self.expected_variants());
                let why = format!(
                    "the payment is of the variant {variant:?}, which is not configured here: expected {expected}"
                );
                return Err(Error::configuration(why));
            }
            Ok(variant) => variant,
            // Its event waits as well.
            Err(_) => None,
        };
        let _held = variant;
        if payment.status == Status::Pending && can(self, &payment.variant, Verb::Refresh).is_ok() {
            match self.ask_for_a_while(token).await {
                Ok(_) => payment = self.known(token).await?,
                // Who loads the page over and over asks no more often.
                Err(error) if error.kind() == ErrorKind::Refused => {}
                Err(error) if error.kind() == ErrorKind::Gateway => {
                    log::warn!(
                        "payments: payment={token} its gateway could not be asked: {}",
                        loggable(&error.to_string())
                    );
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

    /// Asks; what takes longer than a customer waits goes on by itself.
    async fn ask_for_a_while(self: &Arc<Self>, token: &str) -> Result<Outcome, Error> {
        let (payments, token) = (self.clone(), token.to_owned());
        let asking = tokio::spawn(async move { payments.ask(&token).await });
        let failed = |why: &str| Err(Error::new(ErrorKind::Gateway, why));
        match tokio::time::timeout(PATIENCE, asking).await {
            Ok(Ok(asked)) => asked,
            Ok(Err(_)) => failed("asking it ended early"),
            Err(_) => failed("it takes long to answer"),
        }
    }

    /// Asks how the payment stands, and takes the step that the gateway waits for, where its answer says so.
    async fn ask(self: &Arc<Self>, token: &str) -> Result<Outcome, Error> {
        let lately = Some(self.now() - AGAIN);
        let outcome = self.operate(token, Wanted { unless_since: lately, ..Wanted::by_host(Verb::Refresh) }).await?;
        let token = token.to_owned();
        let row = self.read(move |tx| find::by_token(tx, &token)).await?;
        if let Some(row) = row {
            while self.resume_operation(row.id).await? {}
        }
        Ok(outcome)
    }

    async fn known(self: &Arc<Self>, token: &str) -> Result<Payment, Error> {
        let token = token.to_owned();
        let found = self.read(move |tx| Ok(find::by_token(tx, &token)?.as_ref().map(Payment::of))).await?;
        found.ok_or_else(|| Error::new(ErrorKind::NotFound, "there is no such payment"))
    }
}
