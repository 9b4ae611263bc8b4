//! How are operations kept? A row from before the gateway is asked until it is known what came of it.

use diesel::prelude::*;
use diesel::result::Error as DieselError;

use super::schema::pay_operations::dsl as o;
use super::schema::pay_payments;
use super::{Connection, failed};
use crate::domain::Timestamp;
use crate::domain::id::{OperationId, PaymentId};
use crate::domain::operation::{OperationState, Verb};
use crate::error::Error;
use crate::store::Operations;
use crate::store::calls::{NOT_ASKED, NewOperation, OperationEnd, OperationRow};

const UNDERWAY: OperationState = OperationState::Underway;
const DONE: OperationState = OperationState::Done;
const CLAIMING: &str = "claiming an operation";

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
                o::outcome.eq(NOT_ASKED),
                o::attempts.eq(new.attempts),
                o::due_at.eq(new.due_at),
                o::created_at.eq(new.created_at),
                o::awaited_since.eq(new.awaited_since),
            ))
            .get_result(self)
            .map_err(failed("adding an operation"))
    }

    fn claim_operation(
        &mut self,
        now: Timestamp,
        until: Timestamp,
        variants: &[String],
        payment: Option<PaymentId>,
    ) -> Result<Option<OperationRow>, Error> {
        loop {
            let due = o::pay_operations.filter(o::due_at.le(now).and(o::variant.eq_any(variants))).into_boxed();
            let due = match payment {
                Some(payment) => due.filter(o::payment_id.eq(payment)),
                None => due,
            };
            let due = due
                .order((o::due_at, o::id))
                .select(o::id)
                .first::<OperationId>(self)
                .optional()
                .map_err(failed("finding an operation"))?;
            let Some(id) = due else { return Ok(None) };
            // Another process may have been faster: then it is not due any more.
            let mine = diesel::update(o::pay_operations.filter(o::id.eq(id).and(o::due_at.le(now))))
                .set((o::due_at.eq(until), o::attempts.eq(o::attempts + 1)))
                .get_result(self)
                .optional();
            match mine {
                Ok(None) => {}
                // What it says is none of ours, and it holds up no other: it is not due any more.
                Err(error @ DieselError::DeserializationError(_)) => {
                    log::error!("payments: operation {id} can't be tried: {}", failed(CLAIMING)(error));
                }
                mine => return mine.map_err(failed(CLAIMING)),
            }
        }
    }

    fn settle_operation(&mut self, tried: &OperationRow, end: &OperationEnd) -> Result<bool, Error> {
        let it = o::pay_operations.filter(o::id.eq(tried.id));
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
        settled.map(|rows| rows == 1).map_err(failed("settling an operation"))
    }

    fn operation_under(&mut self, key: &str) -> Result<Option<OperationRow>, Error> {
        let named = o::pay_operations.filter(o::idempotency_key.eq(key));
        named.first(self).optional().map_err(failed("reading an operation"))
    }

    fn open_operations(&mut self, payment: PaymentId) -> Result<Vec<OperationRow>, Error> {
        use pay_payments::dsl as p;
        let absorbed = p::pay_payments.filter(p::absorbed_by.eq(payment)).select(p::id);
        let mut all: Vec<PaymentId> = absorbed.load(self).map_err(failed("reading absorbed payments"))?;
        all.push(payment);
        let its = || o::pay_operations.filter(o::payment_id.eq_any(&all)).into_boxed();
        let acting = o::verb.ne(Verb::Refresh).or(o::state.eq(UNDERWAY));
        let mut open: Vec<OperationRow> =
            its().filter(acting).order(o::id).load(self).map_err(failed("reading operations"))?;
        let refreshed = its().filter(o::verb.eq(Verb::Refresh).and(o::state.eq(DONE))).order(o::id.desc());
        open.extend(refreshed.first(self).optional().map_err(failed("reading operations"))?);
        Ok(open)
    }

    fn operations_of(&mut self, payment: PaymentId) -> Result<Vec<OperationRow>, Error> {
        o::pay_operations
            .filter(o::payment_id.eq(payment))
            .order(o::id.desc())
            .limit(200)
            .load(self)
            .map_err(failed("reading operations"))
    }
}
