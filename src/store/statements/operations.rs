//! How are operations kept? A row from before the gateway is asked until it is known what came of it.

use diesel::prelude::*;

use super::schema::pay_operations::dsl as o;
use super::{Connection, failed};
use crate::domain::Timestamp;
use crate::error::Error;
use crate::store::Operations;
use crate::store::calls::{NewOperation, OperationEnd, OperationRow};

/// The state of an operation whose end is not known.
const UNDERWAY: &str = "underway";

impl Operations for Connection {
    fn add_operation(&mut self, new: &NewOperation) -> Result<OperationRow, Error> {
        diesel::insert_into(o::pay_operations)
            .values((
                o::payment_id.eq(new.payment_id),
                o::variant.eq(&new.variant),
                o::verb.eq(new.verb),
                o::amount.eq(new.amount),
                o::reason.eq(&new.reason),
                o::gateway_refs.eq(&new.gateway_refs),
                o::idempotency_key.eq(&new.idempotency_key),
                o::actor.eq(&new.actor),
                o::state.eq(UNDERWAY),
                o::attempts.eq(1),
                o::due_at.eq(new.due_at),
                o::created_at.eq(new.created_at),
            ))
            .get_result(self)
            .map_err(failed("adding an operation"))
    }

    fn claim_operations(&mut self, now: Timestamp, until: Timestamp, limit: i64) -> Result<Vec<OperationRow>, Error> {
        let due: Vec<i64> = o::pay_operations
            .filter(o::due_at.le(now))
            .order(o::due_at)
            .limit(limit)
            .select(o::id)
            .load(self)
            .map_err(failed("finding operations"))?;
        let mut claimed = Vec::new();
        for id in due {
            // Another process may have been faster: then it is not due any more.
            let mine = diesel::update(o::pay_operations.filter(o::id.eq(id).and(o::due_at.le(now))))
                .set((o::due_at.eq(until), o::attempts.eq(o::attempts + 1)))
                .get_result(self)
                .optional()
                .map_err(failed("claiming an operation"))?;
            claimed.extend(mine);
        }
        Ok(claimed)
    }

    fn settle_operation(&mut self, id: i64, end: &OperationEnd) -> Result<bool, Error> {
        diesel::update(o::pay_operations.filter(o::id.eq(id).and(o::state.eq(UNDERWAY))))
            .set((
                o::state.eq(end.state),
                o::outcome.eq(&end.outcome),
                o::due_at.eq(end.due_at),
                o::finished_at.eq(end.finished_at),
            ))
            .execute(self)
            .map(|rows| rows == 1)
            .map_err(failed("settling an operation"))
    }

    fn operations_of(&mut self, payment: i64) -> Result<Vec<OperationRow>, Error> {
        o::pay_operations
            .filter(o::payment_id.eq(payment))
            .order(o::id.desc())
            .limit(200)
            .load(self)
            .map_err(failed("reading operations"))
    }
}
