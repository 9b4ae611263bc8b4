//! Doing all that is due now, and then ending: for tests, scripts and hosts without a worker.

use std::time::{Duration, Instant};

use tokio::task::LocalSet;

use crate::engine::due::AT_LEISURE;
use crate::error::{Error, ErrorKind};
use crate::payments::Payments;

/// How often to look whether others are done.
const LOOK: Duration = Duration::from_millis(10);

pub(super) async fn settle(payments: &Payments, patience: Duration) -> Result<usize, Error> {
    let (engine, until, mut claimed) = (payments.engine(), Instant::now() + patience, 0);
    loop {
        claimed += drain(payments).await?;
        if engine.is_settled().await? {
            return Ok(claimed);
        }
        if Instant::now() >= until {
            return Err(Error::new(ErrorKind::Unavailable, "events are still due, or their handlers run"));
        }
        tokio::time::sleep(LOOK).await;
    }
}

pub(super) async fn drain(payments: &Payments) -> Result<usize, Error> {
    let mut claimed = 0;
    let local = LocalSet::new();
    loop {
        let resumed = payments.engine().resume_operations(AT_LEISURE).await?;
        let resumed = resumed + payments.engine().resume_subscription_operations(AT_LEISURE).await?;
        let resumed = resumed + payments.engine().put_questions(AT_LEISURE).await?;
        let batch = payments.engine().process(false, AT_LEISURE).await?;
        if batch.claimed + resumed == 0 {
            payments.engine().flush().await;
            return Ok(claimed);
        }
        claimed += batch.claimed;
        for pending in batch.pending {
            local.run_until(pending.run(|| {})).await?;
        }
    }
}
