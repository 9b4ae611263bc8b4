//! How are operations on subscriptions kept? As operations on payments are.

use diesel::prelude::*;
use diesel::result::Error as DieselError;

use super::schema::pay_subscription_operations::dsl as o;
use super::{Connection, failed};
use crate::domain::Timestamp;
use crate::domain::id::{SubscriptionId, SubscriptionOperationId};
use crate::domain::operation::OperationState;
use crate::error::Error;
use crate::store::calls::{NOT_ASKED, OperationEnd};
use crate::store::subscription_calls::*;

const UNDERWAY: OperationState = OperationState::Underway;
const DONE: OperationState = OperationState::Done;
const CLAIMING: &str = "claiming an operation on a subscription";
const READING: &str = "reading operations on subscriptions";

impl SubscriptionOperations for Connection {
    fn add_subscription_operation(
        &mut self,
        new: &NewSubscriptionOperation,
    ) -> Result<SubscriptionOperationRow, Error> {
        diesel::insert_into(o::pay_subscription_operations)
            .values((
                o::subscription_id.eq(new.subscription_id),
                o::variant.eq(&new.variant),
                o::verb.eq(new.verb),
                o::gateway_ref.eq(&new.gateway_ref),
                o::params.eq(&new.params),
                o::idempotency_key.eq(&new.idempotency_key),
                o::actor.eq(&new.actor),
                o::state.eq(UNDERWAY),
                o::outcome.eq(NOT_ASKED),
                o::attempts.eq(1),
                o::due_at.eq(new.due_at),
                o::created_at.eq(new.created_at),
            ))
            .get_result(self)
            .map_err(failed("adding an operation on a subscription"))
    }

    fn claim_subscription_operation(
        &mut self,
        now: Timestamp,
        until: Timestamp,
        variants: &[String],
    ) -> Result<Option<SubscriptionOperationRow>, Error> {
        loop {
            let due = o::pay_subscription_operations
                .filter(o::due_at.le(now).and(o::variant.eq_any(variants)))
                .order((o::due_at, o::id))
                .select(o::id)
                .first::<SubscriptionOperationId>(self)
                .optional()
                .map_err(failed(CLAIMING))?;
            let Some(id) = due else { return Ok(None) };
            // Another process may have been faster: then it is not due any more.
            let mine = diesel::update(o::pay_subscription_operations.filter(o::id.eq(id).and(o::due_at.le(now))))
                .set((o::due_at.eq(until), o::attempts.eq(o::attempts + 1)))
                .get_result(self)
                .optional();
            match mine {
                Ok(None) => {}
                // What it says is none of ours, and it holds up no other: it is not due any more.
                Err(error @ DieselError::DeserializationError(_)) => {
                    log::error!("payments: operation {id} on a subscription: {}", failed(CLAIMING)(error));
                }
                mine => return mine.map_err(failed(CLAIMING)),
            }
        }
    }

    fn settle_subscription_operation(
        &mut self,
        tried: &SubscriptionOperationRow,
        end: &OperationEnd,
    ) -> Result<bool, Error> {
        let it = o::pay_subscription_operations.filter(o::id.eq(tried.id));
        let set = (
            o::state.eq(end.state),
            o::outcome.eq(&end.outcome),
            o::due_at.eq(end.due_at),
            o::finished_at.eq(end.finished_at),
        );
        let settled = if end.state == DONE {
            diesel::update(it.filter(o::state.ne(DONE))).set(set).execute(self)
        } else {
            let mine = o::state.eq(UNDERWAY).and(o::attempts.eq(tried.attempts));
            diesel::update(it.filter(mine)).set(set).execute(self)
        };
        settled.map(|rows| rows == 1).map_err(failed("settling an operation on a subscription"))
    }

    fn subscription_operation_under(&mut self, key: &str) -> Result<Option<SubscriptionOperationRow>, Error> {
        let named = o::pay_subscription_operations.filter(o::idempotency_key.eq(key));
        named.first(self).optional().map_err(failed(READING))
    }

    fn operations_of_subscription(
        &mut self,
        subscription: SubscriptionId,
    ) -> Result<Vec<SubscriptionOperationRow>, Error> {
        o::pay_subscription_operations
            .filter(o::subscription_id.eq(subscription))
            .order(o::id.desc())
            .limit(200)
            .load(self)
            .map_err(failed(READING))
    }
}
