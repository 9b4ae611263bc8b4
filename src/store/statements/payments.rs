//! How are payments, their references and their transitions kept?

use diesel::prelude::*;

use super::schema::{pay_events, pay_ledger, pay_payments, pay_references, pay_transitions};
use super::{Connection, failed, ledger};
use crate::domain::Timestamp;
use crate::domain::fact::Fact;
use crate::domain::ledger::Ledger;
use crate::error::{Error, ErrorKind};
use crate::store::Payments;
use crate::store::rows::{NewTransition, PaymentDraft, PaymentRow, TransitionRow};
use pay_payments::dsl as p;
use pay_references::dsl as r;
use pay_transitions::dsl as t;

impl Payments for Connection {
    fn insert_payment(&mut self, new: &PaymentDraft) -> Result<PaymentRow, Error> {
        diesel::insert_into(p::pay_payments)
            .values((
                p::token.eq(&new.token),
                p::reference.eq(&new.reference),
                p::variant.eq(&new.variant),
                p::status.eq(new.status),
                p::amount.eq(new.amount),
                p::currency.eq(&new.currency),
                (p::captured_amount.eq(0), p::refunded_amount.eq(0), p::needs_review.eq(false), p::disputed.eq(false)),
                (p::concerns.eq(""), p::version.eq(0)),
                p::customer.eq(&new.customer),
                p::livemode.eq(new.livemode),
                p::metadata.eq(&new.metadata),
                p::adopted.eq(new.adopted),
                p::created_at.eq(new.created_at),
                p::updated_at.eq(new.created_at),
            ))
            .returning(p::pay_payments::all_columns())
            .get_result(self)
            .map_err(failed("adding a payment"))
    }

    fn payment_by_token(&mut self, token: &str) -> Result<Option<PaymentRow>, Error> {
        p::pay_payments.filter(p::token.eq(token)).first(self).optional().map_err(failed("reading a payment"))
    }

    fn payment(&mut self, id: i64) -> Result<Option<PaymentRow>, Error> {
        p::pay_payments.find(id).first(self).optional().map_err(failed("reading a payment"))
    }

    fn lock_references(&mut self, keys: &[(String, String)]) -> Result<(), Error> {
        super::super::lock_references(self, keys).map_err(failed("locking references"))
    }

    fn lock_payments(&mut self, ids: &[i64]) -> Result<(), Error> {
        super::super::lock_payments(self, ids).map_err(failed("locking payments"))
    }

    fn find_references(&mut self, variant: &str, refs: &[String]) -> Result<Vec<(String, i64)>, Error> {
        r::pay_references
            .filter(r::variant.eq(variant).and(r::gateway_ref.eq_any(refs)))
            .select((r::gateway_ref, r::payment_id))
            .load(self)
            .map_err(failed("matching references"))
    }

    fn link(&mut self, variant: &str, refs: &[String], payment: i64) -> Result<(), Error> {
        for gateway_ref in refs {
            diesel::insert_into(r::pay_references)
                .values((r::variant.eq(variant), r::gateway_ref.eq(gateway_ref), r::payment_id.eq(payment)))
                .on_conflict_do_nothing()
                .execute(self)
                .map_err(failed("linking references"))?;
        }
        Ok(())
    }

    fn references_of(&mut self, payment: i64) -> Result<Vec<String>, Error> {
        r::pay_references
            .filter(r::payment_id.eq(payment))
            .order(r::gateway_ref)
            .select(r::gateway_ref)
            .load(self)
            .map_err(failed("reading references"))
    }

    fn ledger(&mut self, payment: i64) -> Result<Ledger, Error> {
        Ok(Ledger::from_facts(ledger::facts(self, payment)?))
    }

    fn keep_fact(&mut self, payment: i64, fact: &Fact) -> Result<(), Error> {
        ledger::keep(self, payment, fact)
    }

    fn clear_ledger(&mut self, payment: i64) -> Result<(), Error> {
        use pay_ledger::dsl as l;
        diesel::delete(l::pay_ledger.filter(l::payment_id.eq(payment)))
            .execute(self)
            .map(drop)
            .map_err(failed("emptying a ledger"))
    }

    fn save_payment(&mut self, row: &PaymentRow, now: Timestamp) -> Result<(), Error> {
        let saved = diesel::update(p::pay_payments.filter(p::id.eq(row.id).and(p::version.eq(row.version))))
            .set((
                (p::status.eq(&row.status), p::amount.eq(row.amount), p::currency.eq(&row.currency)),
                p::captured_amount.eq(row.captured_amount),
                p::refunded_amount.eq(row.refunded_amount),
                p::needs_review.eq(row.needs_review),
                p::disputed.eq(row.disputed),
                p::concerns.eq(&row.concerns),
                (p::customer.eq(&row.customer), p::reference.eq(&row.reference), p::livemode.eq(row.livemode)),
                p::version.eq(row.version + 1),
                p::updated_at.eq(now),
            ))
            .execute(self)
            .map_err(failed("writing a payment"))?;
        match saved {
            1 => Ok(()),
            _ => Err(Error::new(ErrorKind::Conflict, "the payment was changed by another writer meanwhile")),
        }
    }

    fn add_transition(&mut self, new: &NewTransition) -> Result<(), Error> {
        diesel::insert_into(t::pay_transitions)
            .values((
                t::payment_id.eq(new.payment_id),
                t::event_id.eq(new.event_id),
                t::from_status.eq(&new.from_status),
                t::to_status.eq(&new.to_status),
                t::needs_review.eq(new.needs_review),
                t::disputed.eq(new.disputed),
                t::cause.eq(&new.cause),
                t::created_at.eq(new.created_at),
            ))
            .execute(self)
            .map(drop)
            .map_err(failed("adding a transition"))
    }

    fn absorb(&mut self, from: i64, into: i64, now: Timestamp) -> Result<(), Error> {
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
        diesel::update(p::pay_payments.filter(p::id.eq(from)))
            .set((p::absorbed_by.eq(into), p::version.eq(p::version + 1), p::updated_at.eq(now)))
            .execute(self)
            .map(drop)
            .map_err(failed(what))
    }

    fn transitions_by(&mut self, event: i64) -> Result<Vec<TransitionRow>, Error> {
        t::pay_transitions.filter(t::event_id.eq(event)).order(t::id).load(self).map_err(failed("reading transitions"))
    }
}
