//! How do the pages of one payment and one event read? By its id, and never more than they are asked to.

use diesel::prelude::*;

use super::schema::{
    pay_attempts, pay_audit, pay_event_bodies, pay_event_facts, pay_event_references, pay_events, pay_payments,
    pay_transitions,
};
use super::{Connection, failed, ledger};
use crate::domain::fact::Fact;
use crate::domain::id::{EventId, PaymentId};
use crate::error::Error;
use crate::store::Browse;
use crate::store::audit::*;
use crate::store::rows::*;
use pay_events::dsl as e;
use pay_payments::dsl as p;

impl Browse for Connection {
    fn event(&mut self, id: EventId) -> Result<Option<EventRow>, Error> {
        e::pay_events.find(id).first(self).optional().map_err(failed("reading an event"))
    }

    fn body(&mut self, event: EventId) -> Result<Option<(String, Vec<u8>)>, Error> {
        use pay_event_bodies::dsl as b;
        b::pay_event_bodies
            .find(event)
            .select((b::headers, b::body))
            .first(self)
            .optional()
            .map_err(failed("reading a body"))
    }

    fn event_facts(&mut self, event: EventId) -> Result<Option<(String, String)>, Error> {
        use pay_event_facts::dsl as f;
        f::pay_event_facts
            .find(event)
            .select((f::summary, f::facts))
            .first(self)
            .optional()
            .map_err(failed("reading an event's facts"))
    }

    fn event_references(&mut self, event: EventId) -> Result<Vec<String>, Error> {
        use pay_event_references::dsl as r;
        r::pay_event_references
            .filter(r::event_id.eq(event))
            .order(r::gateway_ref)
            .select(r::gateway_ref)
            .load(self)
            .map_err(failed("reading an event's references"))
    }

    fn attempts_of(&mut self, events: &[EventId]) -> Result<Vec<AttemptRow>, Error> {
        use pay_attempts::dsl as a;
        a::pay_attempts
            .filter(a::event_id.eq_any(events))
            .order(a::id.desc())
            .limit(200)
            .load(self)
            .map_err(failed("reading attempts"))
    }

    fn events_of(&mut self, payment: PaymentId, cap: i64) -> Result<Vec<EventRow>, Error> {
        e::pay_events
            .filter(e::payment_id.eq(payment))
            .order(e::id.desc())
            .limit(cap)
            .load(self)
            .map_err(failed("reading a payment's events"))
    }

    fn transitions_of(&mut self, payment: PaymentId) -> Result<Vec<TransitionRow>, Error> {
        use pay_transitions::dsl as t;
        t::pay_transitions
            .filter(t::payment_id.eq(payment))
            .order(t::id.desc())
            .limit(500)
            .load(self)
            .map_err(failed("reading transitions"))
    }

    fn acts_of(&mut self, payment: PaymentId) -> Result<Vec<ActRow>, Error> {
        use pay_audit::dsl as a;
        let its_events = e::pay_events.filter(e::payment_id.eq(payment)).select(e::id.nullable());
        a::pay_audit
            .filter(a::payment_id.eq(payment).or(a::event_id.eq_any(its_events)))
            .order(a::id.desc())
            .limit(200)
            .load(self)
            .map_err(failed("reading acts"))
    }

    fn acts_on(&mut self, event: EventId) -> Result<Vec<ActRow>, Error> {
        use pay_audit::dsl as a;
        let acts = a::pay_audit.filter(a::event_id.eq(event)).order(a::id.desc()).limit(200);
        acts.load(self).map_err(failed("reading an event's acts"))
    }

    fn beside(&mut self, payment: PaymentId, customer: Option<&str>, newer: bool) -> Result<Option<String>, Error> {
        let mut query = p::pay_payments.filter(p::absorbed_by.is_null()).select(p::token).limit(1).into_boxed();
        if let Some(customer) = customer {
            query = query.filter(p::customer.eq(customer.to_owned()));
        }
        query = if newer {
            query.filter(p::id.gt(payment)).order(p::id.asc())
        } else {
            query.filter(p::id.lt(payment)).order(p::id.desc())
        };
        query.first(self).optional().map_err(failed("looking for a payment's neighbours"))
    }

    fn absorbed_by(&mut self, payment: PaymentId) -> Result<Vec<PaymentRow>, Error> {
        p::pay_payments
            .filter(p::absorbed_by.eq(payment))
            .limit(100)
            .load(self)
            .map_err(failed("reading absorbed payments"))
    }

    fn facts_of(&mut self, payment: PaymentId) -> Result<Vec<Fact>, Error> {
        ledger::facts(self, payment)
    }
}
