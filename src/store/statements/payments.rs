//! Payments, their references and the keys under which hosts created them.

use diesel::prelude::*;

use super::schema::{pay_creations, pay_events, pay_ledger, pay_payments, pay_references};
use super::{Connection, failed, words};
use crate::domain::Timestamp;
use crate::domain::id::PaymentId;
use crate::error::{Error, ErrorKind};
use crate::store::Payments;
use crate::store::rows::{PaymentDraft, PaymentRow};
use pay_payments::dsl as p;
use pay_references::dsl as r;

impl Payments for Connection {
    fn insert_payment(&mut self, new: &PaymentDraft) -> Result<PaymentRow, Error> {
        diesel::insert_into(p::pay_payments)
            .values((
                p::token.eq(&new.token),
                p::reference.eq(&new.reference),
                p::variant.eq(&new.variant),
                p::status.eq(new.status),
                p::amount.eq(new.amount),
                p::currency.eq(new.currency),
                (p::captured_amount.eq(0), p::refunded_amount.eq(0), p::needs_review.eq(false), p::disputed.eq(false)),
                (p::concerns.eq(""), p::version.eq(0)),
                p::customer.eq(&new.customer),
                p::livemode.eq(new.livemode),
                p::metadata.eq(&new.metadata),
                (p::adopted.eq(new.adopted), p::account.eq(&new.account)),
                p::created_at.eq(new.created_at),
                p::updated_at.eq(new.created_at),
            ))
            .returning(p::pay_payments::all_columns())
            .get_result(self)
            .map_err(failed("adding a payment"))
    }

    fn created_under(&mut self, key: &str) -> Result<Option<(PaymentRow, Option<String>)>, Error> {
        use pay_creations::dsl as c;
        let what = "reading what a key created";
        let created: Option<(PaymentId, Option<String>)> = c::pay_creations
            .find(key)
            .select((c::payment_id, c::address))
            .first(self)
            .optional()
            .map_err(failed(what))?;
        let Some((id, address)) = created else { return Ok(None) };
        Ok(self.payment(id)?.map(|row| (row, address)))
    }

    fn keep_creation(&mut self, key: &str, payment: PaymentId) -> Result<(), Error> {
        use pay_creations::dsl as c;
        let kept = diesel::insert_into(c::pay_creations)
            .values((c::host_key.eq(key), c::payment_id.eq(payment)))
            .on_conflict_do_nothing()
            .execute(self)
            .map_err(failed("keeping a key"))?;
        match kept {
            0 => Err(Error::new(ErrorKind::Conflict, "another payment was created under this key meanwhile")),
            _ => Ok(()),
        }
    }

    fn creation_started(&mut self, key: &str, address: &str) -> Result<(), Error> {
        use pay_creations::dsl as c;
        diesel::update(c::pay_creations.find(key))
            .set(c::address.eq(address))
            .execute(self)
            .map(drop)
            .map_err(failed("keeping where a customer was sent"))
    }

    fn payment_by_token(&mut self, token: &str) -> Result<Option<PaymentRow>, Error> {
        p::pay_payments.filter(p::token.eq(token)).first(self).optional().map_err(failed("reading a payment"))
    }

    fn payment(&mut self, id: PaymentId) -> Result<Option<PaymentRow>, Error> {
        p::pay_payments.find(id).first(self).optional().map_err(failed("reading a payment"))
    }

    fn references_of(&mut self, payment: PaymentId) -> Result<Vec<String>, Error> {
        r::pay_references
            .filter(r::payment_id.eq(payment))
            .order(r::gateway_ref)
            .select(r::gateway_ref)
            .load(self)
            .map_err(failed("reading references"))
    }

    fn clear_ledger(&mut self, payment: PaymentId) -> Result<(), Error> {
        use pay_ledger::dsl as l;
        diesel::delete(l::pay_ledger.filter(l::payment_id.eq(payment)))
            .execute(self)
            .map(drop)
            .map_err(failed("emptying a ledger"))
    }

    fn absorb(&mut self, from: PaymentId, into: PaymentId, now: Timestamp) -> Result<(), Error> {
        use pay_events::dsl as e;
        use pay_ledger::dsl as l;
        let what = "absorbing a payment";
        diesel::update(r::pay_references.filter(r::payment_id.eq(from)))
            .set(r::payment_id.eq(into))
            .execute(self)
            .map_err(failed(what))?;
        diesel::update(e::pay_events.filter(e::payment_id.eq(from)))
            .set(e::payment_id.eq(into))
            .execute(self)
            .map_err(failed(what))?;
        // What was absorbed before goes along, so that every token leads to where it ends in one step.
        diesel::update(p::pay_payments.filter(p::absorbed_by.eq(from)))
            .set(p::absorbed_by.eq(into))
            .execute(self)
            .map_err(failed(what))?;
        diesel::delete(l::pay_ledger.filter(l::payment_id.eq(from))).execute(self).map_err(failed(what))?;
        words::absorb(self, from, into).map_err(failed(what))?;
        diesel::update(p::pay_payments.filter(p::id.eq(from)))
            .set((p::absorbed_by.eq(into), p::version.eq(p::version + 1), p::updated_at.eq(now)))
            .execute(self)
            .map(drop)
            .map_err(failed(what))
    }
}
