//! What gateways are asked to do with subscriptions: a row from before the gateway is asked until it is known what came
//! of it.

use diesel::Queryable;

use crate::domain::Timestamp;
use crate::domain::id::{SubscriptionId, SubscriptionOperationId};
use crate::domain::operation::{OperationState, SubscriptionVerb};
use crate::error::Error;
use crate::store::calls::OperationEnd;

/// An operation to be added; it is tried for the first time at once.
#[derive(Debug, Clone)]
pub(crate) struct NewSubscriptionOperation {
    pub subscription_id: SubscriptionId,
    pub variant: String,
    pub verb: SubscriptionVerb,
    pub gateway_ref: String,
    /// What the verb needs besides, a JSON object.
    pub params: Option<String>,
    pub idempotency_key: String,
    pub actor: String,
    /// When another process may take it up, should this one end meanwhile.
    pub due_at: Timestamp,
    pub created_at: Timestamp,
}

/// A stored operation.
#[derive(Debug, Clone, Queryable)]
#[allow(dead_code, reason = "a row is read whole")]
pub(crate) struct SubscriptionOperationRow {
    pub id: SubscriptionOperationId,
    pub subscription_id: SubscriptionId,
    pub variant: String,
    pub verb: SubscriptionVerb,
    pub gateway_ref: String,
    pub idempotency_key: String,
    pub actor: String,
    pub state: OperationState,
    pub outcome: Option<String>,
    pub attempts: i64,
    pub due_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    /// What the verb needs besides, a JSON object.
    pub params: Option<String>,
}

/// Operations on subscriptions.
pub(crate) trait SubscriptionOperations {
    /// Adds an operation that is underway.
    fn add_subscription_operation(&mut self, new: &NewSubscriptionOperation)
    -> Result<SubscriptionOperationRow, Error>;
    /// Takes the operation of one of these variants that is due first for another try until `until`.
    fn claim_subscription_operation(
        &mut self,
        now: Timestamp,
        until: Timestamp,
        variants: &[String],
    ) -> Result<Option<SubscriptionOperationRow>, Error>;
    /// As `settle_operation`.
    fn settle_subscription_operation(
        &mut self,
        tried: &SubscriptionOperationRow,
        end: &OperationEnd,
    ) -> Result<bool, Error>;
    /// The operation with this idempotency key.
    fn subscription_operation_under(&mut self, key: &str) -> Result<Option<SubscriptionOperationRow>, Error>;
    /// The operations of a subscription, newest first.
    fn operations_of_subscription(
        &mut self,
        subscription: SubscriptionId,
    ) -> Result<Vec<SubscriptionOperationRow>, Error>;
}
