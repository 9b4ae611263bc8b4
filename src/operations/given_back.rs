//! Operations whose variant can't be had just when they are to be tried: they are given back, and due again soon.

use std::sync::Arc;

use super::overtaken::not_done;
use super::tries::{Outcome, SOON, left_to_workers};
use crate::domain::operation::OperationState;
use crate::domain::{Timestamp, later};
use crate::engine::Engine;
use crate::error::Error;
use crate::store::calls::{OperationEnd, OperationRow};
use crate::store::subscription_calls::SubscriptionOperationRow;

impl Engine {
    /// Gives an operation back for this reason. If that can't be written, it is due when its lease is over.
    pub(super) async fn give_back(self: &Arc<Self>, operation: OperationRow, why: &Error) -> Outcome {
        let (id, end) = (operation.id, given_back(operation.outcome.as_deref(), why, self.now()));
        match self.write(move |tx| tx.settle_operation(&operation, &end)).await {
            Ok(_) => left_to_workers(id, why),
            Err(error) => left_to_workers(id, &error),
        }
    }

    /// The same for an operation on a subscription.
    pub(super) async fn give_back_on_subscription(
        self: &Arc<Self>,
        operation: SubscriptionOperationRow,
        why: &Error,
    ) -> Outcome {
        let (id, end) = (operation.id, given_back(operation.outcome.as_deref(), why, self.now()));
        match self.write(move |tx| tx.settle_subscription_operation(&operation, &end)).await {
            Ok(_) => left_to_workers(id, why),
            Err(error) => left_to_workers(id, &error),
        }
    }
}

/// Nothing went out in this try; workers take the operation up as soon as the variant can be had.
fn given_back(before: Option<&str>, why: &Error, now: Timestamp) -> OperationEnd {
    OperationEnd {
        state: OperationState::Underway,
        outcome: not_done(before, &why.to_string()),
        due_at: Some(later(now, SOON)),
        finished_at: None,
    }
}
