//! How do the admin pages read? Lists go by key, newest first, and never count more than they are asked to.

use diesel::prelude::*;

use super::schema::{
    pay_attempts, pay_audit, pay_event_bodies, pay_event_references, pay_events, pay_payments, pay_references,
    pay_transitions,
};
use super::{Connection, failed, ledger};
use crate::domain::fact::Fact;
use crate::error::Error;
use crate::store::Browse;
use crate::store::rows::*;
use pay_events::dsl as e;
use pay_payments::dsl as p;

impl Browse for Connection {
    fn browse_payments(&mut self, filter: &PaymentFilter, page: Page) -> Result<Vec<PaymentRow>, Error> {
        let mut query = p::pay_payments.filter(p::absorbed_by.is_null()).limit(page.limit).into_boxed();
        if let Some(status) = &filter.status {
            query = query.filter(p::status.eq(status));
        }
        if filter.needs_review {
            query = query.filter(p::needs_review.eq(true));
        }
        if let Some(variant) = &filter.variant {
            query = query.filter(p::variant.eq(variant));
        }
        if let Some(search) = &filter.search {
            query = query.filter(p::id.eq_any(found_payments(self, search, &filter.variants)?));
        }
        let rows = match page {
            Page { before: Some(id), .. } => query.filter(p::id.lt(id)).order(p::id.desc()).load(self),
            Page { after: Some(id), .. } => query.filter(p::id.gt(id)).order(p::id.asc()).load(self).map(reversed),
            _ => query.order(p::id.desc()).load(self),
        };
        rows.map_err(failed("listing payments"))
    }

    fn browse_events(&mut self, filter: &EventFilter, page: Page) -> Result<Vec<EventRow>, Error> {
        let mut query = e::pay_events.limit(page.limit).into_boxed();
        if let Some(state) = &filter.state {
            query = query.filter(e::state.eq(state));
        }
        if let Some(variant) = &filter.variant {
            query = query.filter(e::variant.eq(variant));
        }
        match filter.kind.as_deref().map(|kind| (kind, kind.strip_suffix('*'))) {
            None => {}
            Some((_, Some(start))) => {
                // No kind has a character above U+10FFFE, so this is the end of all that begin so.
                query = query.filter(e::kind.ge(start.to_owned()).and(e::kind.lt(format!("{start}\u{10FFFF}"))));
            }
            Some((kind, None)) => query = query.filter(e::kind.eq(kind.to_owned())),
        }
        if let Some(search) = &filter.search {
            query = query.filter(e::id.eq_any(found_events(self, search, &filter.variants)?));
        }
        let rows = match page {
            Page { before: Some(id), .. } => query.filter(e::id.lt(id)).order(e::id.desc()).load(self),
            Page { after: Some(id), .. } => query.filter(e::id.gt(id)).order(e::id.asc()).load(self).map(reversed),
            _ => query.order(e::id.desc()).load(self),
        };
        rows.map_err(failed("listing events"))
    }

    fn count_payments(&mut self, status: Option<&str>, needs_review: bool, cap: i64) -> Result<i64, Error> {
        let mut query = p::pay_payments.filter(p::absorbed_by.is_null()).select(p::id).limit(cap).into_boxed();
        if let Some(status) = status {
            query = query.filter(p::status.eq(status.to_owned()));
        }
        if needs_review {
            query = query.filter(p::needs_review.eq(true));
        }
        query.load::<i64>(self).map(|ids| ids.len() as i64).map_err(failed("counting payments"))
    }

    fn count_events(&mut self, state: Option<&str>, cap: i64) -> Result<i64, Error> {
        let mut query = e::pay_events.select(e::id).limit(cap).into_boxed();
        if let Some(state) = state {
            query = query.filter(e::state.eq(state.to_owned()));
        }
        query.load::<i64>(self).map(|ids| ids.len() as i64).map_err(failed("counting events"))
    }

    fn event(&mut self, id: i64) -> Result<Option<EventRow>, Error> {
        e::pay_events.find(id).first(self).optional().map_err(failed("reading an event"))
    }

    fn body(&mut self, event: i64) -> Result<Option<(String, Vec<u8>)>, Error> {
        use pay_event_bodies::dsl as b;
        b::pay_event_bodies
            .find(event)
            .select((b::headers, b::body))
            .first(self)
            .optional()
            .map_err(failed("reading a body"))
    }

    fn event_references(&mut self, event: i64) -> Result<Vec<String>, Error> {
        use pay_event_references::dsl as r;
        r::pay_event_references
            .filter(r::event_id.eq(event))
            .order(r::gateway_ref)
            .select(r::gateway_ref)
            .load(self)
            .map_err(failed("reading an event's references"))
    }

    fn attempts_of(&mut self, events: &[i64]) -> Result<Vec<AttemptRow>, Error> {
        use pay_attempts::dsl as a;
        a::pay_attempts
            .filter(a::event_id.eq_any(events))
            .order(a::id.desc())
            .limit(200)
            .load(self)
            .map_err(failed("reading attempts"))
    }

    fn events_of(&mut self, payment: i64, cap: i64) -> Result<Vec<EventRow>, Error> {
        e::pay_events
            .filter(e::payment_id.eq(payment))
            .order(e::id.desc())
            .limit(cap)
            .load(self)
            .map_err(failed("reading a payment's events"))
    }

    fn transitions_of(&mut self, payment: i64) -> Result<Vec<TransitionRow>, Error> {
        use pay_transitions::dsl as t;
        t::pay_transitions
            .filter(t::payment_id.eq(payment))
            .order(t::id.desc())
            .limit(500)
            .load(self)
            .map_err(failed("reading transitions"))
    }

    fn acts_of(&mut self, payment: i64) -> Result<Vec<ActRow>, Error> {
        use pay_audit::dsl as a;
        let its_events = e::pay_events.filter(e::payment_id.eq(payment)).select(e::id.nullable());
        a::pay_audit
            .filter(a::payment_id.eq(payment).or(a::event_id.eq_any(its_events)))
            .order(a::id.desc())
            .limit(200)
            .load(self)
            .map_err(failed("reading acts"))
    }

    fn beside(&mut self, payment: i64, customer: Option<&str>, newer: bool) -> Result<Option<String>, Error> {
        let mut query = p::pay_payments.filter(p::absorbed_by.is_null()).select(p::token).limit(1).into_boxed();
        if let Some(customer) = customer {
            query = query.filter(p::customer.eq(customer.to_owned()));
        }
        query = match newer {
            true => query.filter(p::id.gt(payment)).order(p::id.asc()),
            false => query.filter(p::id.lt(payment)).order(p::id.desc()),
        };
        query.first(self).optional().map_err(failed("looking for a payment's neighbours"))
    }

    fn absorbed_by(&mut self, payment: i64) -> Result<Vec<PaymentRow>, Error> {
        p::pay_payments
            .filter(p::absorbed_by.eq(payment))
            .limit(100)
            .load(self)
            .map_err(failed("reading absorbed payments"))
    }

    fn facts_of(&mut self, payment: i64) -> Result<Vec<Fact>, Error> {
        ledger::facts(self, payment)
    }
}

/// The payments whose token, reference, customer or gateway ref is exactly `text`. One look-up for each, so that
/// each goes through its own index.
fn found_payments(conn: &mut Connection, text: &str, variants: &[String]) -> Result<Vec<i64>, Error> {
    use pay_references::dsl as r;
    let what = "searching payments";
    let mut ids: Vec<i64> = r::pay_references
        .filter(r::variant.eq_any(variants).and(r::gateway_ref.eq(text)))
        .select(r::payment_id)
        .load(conn)
        .map_err(failed(what))?;
    for column in ["token", "reference", "customer"] {
        let mut query = p::pay_payments.select(p::id).order(p::id.desc()).limit(500).into_boxed();
        query = match column {
            "token" => query.filter(p::token.eq(text)),
            "reference" => query.filter(p::reference.eq(text)),
            _ => query.filter(p::customer.eq(text)),
        };
        ids.extend(query.load::<i64>(conn).map_err(failed(what))?);
    }
    Ok(ids)
}

fn found_events(conn: &mut Connection, text: &str, variants: &[String]) -> Result<Vec<i64>, Error> {
    use pay_event_references::dsl as r;
    let what = "searching events";
    let mut ids: Vec<i64> = e::pay_events
        .filter(e::variant.eq_any(variants).and(e::gateway_event_id.eq(text)))
        .select(e::id)
        .limit(500)
        .load(conn)
        .map_err(failed(what))?;
    let bearing: Vec<i64> = r::pay_event_references
        .filter(r::variant.eq_any(variants).and(r::gateway_ref.eq(text)))
        .select(r::event_id)
        .limit(500)
        .load(conn)
        .map_err(failed(what))?;
    ids.extend(bearing);
    let payment: Option<i64> =
        p::pay_payments.filter(p::token.eq(text)).select(p::id).first(conn).optional().map_err(failed(what))?;
    if let Some(payment) = payment {
        let its = e::pay_events.filter(e::payment_id.eq(payment)).select(e::id).order(e::id.desc()).limit(500);
        ids.extend(its.load::<i64>(conn).map_err(failed(what))?);
    }
    Ok(ids)
}

fn reversed<T>(mut rows: Vec<T>) -> Vec<T> {
    rows.reverse();
    rows
}
