//! Reading for many events at once. What is written for many is said so differently by each database that it is in
//! the dialect's own file.

use std::collections::HashMap;

use diesel::dsl::{case_when, exists, not};
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel::sql_types::Nullable;

use super::schema::{
    pay_attempts, pay_event_bodies, pay_event_references, pay_events, pay_ledger, pay_payments, pay_pruned,
    pay_transitions,
};
use super::{Connection, failed, ledger};
use crate::domain::Timestamp;
use crate::domain::event::{AttemptOutcome, EventState};
use crate::domain::fact::Fact;
use crate::domain::id::{EventId, PaymentId, TransitionId};
use crate::error::{Error, ErrorKind};
use crate::store::rows::*;
use crate::store::sets::*;
use pay_events::dsl as e;
use pay_payments::dsl as p;
use pay_pruned::dsl as g;

use super::super::{self as dialect, Instant, results, write};

/// Whether an event waits for a reference: it is parked, or it was ignored because nothing bore the reference, and can
/// still be read.
macro_rules! waits {
    () => {{
        let is_pruned = g::pay_pruned.filter(g::event_id.eq(e::id));
        let is_unmatched = e::state.eq(EventState::Ignored).and(e::outcome_code.eq("unmatched"));
        e::state.eq(EventState::Parked).or(is_unmatched.and(not(exists(is_pruned))))
    }};
}

impl Sets for Connection {
    fn is_due(&mut self, now: Timestamp, variants: &[String]) -> Result<bool, Error> {
        let due = dialect::due_ids(self, now, 1, variants).map_err(failed("looking for due events"))?;
        Ok(!due.is_empty())
    }

    fn due_events(&mut self, now: Timestamp, limit: i64, variants: &[String]) -> Result<Vec<Claimed>, Error> {
        let due = match dialect::due(self, now, limit, variants) {
            Err(DieselError::DeserializationError(_)) => readable(self, now, limit, variants)?,
            due => due.map_err(failed("looking for due events"))?,
        };
        with_bodies(self, due)
    }

    fn due_among(&mut self, ids: &[EventId], now: Timestamp) -> Result<Vec<Claimed>, Error> {
        let due = dialect::due_among(self, ids, now).map_err(failed("looking for due events"))?;
        with_bodies(self, due)
    }

    fn named_events(&mut self, variant: &str, ids: &[String], now: Timestamp) -> Result<Vec<Claimed>, Error> {
        let named = dialect::named(self, variant, ids, now).map_err(failed("looking for an answer's events"))?;
        with_bodies(self, named)
    }

    fn lock_references(&mut self, keys: &[Key]) -> Result<(), Error> {
        dialect::lock_references(self, keys).map_err(failed("locking references"))
    }

    fn payments_by_tokens(&mut self, tokens: &[String]) -> Result<Vec<(String, PaymentId)>, Error> {
        if tokens.is_empty() {
            return Ok(Vec::new());
        }
        let found: Vec<(String, PaymentId, Option<PaymentId>)> = p::pay_payments
            .filter(p::token.eq_any(tokens))
            .select((p::token, p::id, p::absorbed_by))
            .load(self)
            .map_err(failed("looking for tokens"))?;
        Ok(found.into_iter().map(|(token, id, into)| (token, into.unwrap_or(id))).collect())
    }

    fn payments_by_references(&mut self, keys: &[Key]) -> Result<Vec<(Key, PaymentId)>, Error> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        dialect::find_references(self, keys).map_err(failed("matching references"))
    }

    fn hold_payments(&mut self, ids: &[PaymentId]) -> Result<Vec<PaymentRow>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        dialect::hold_payments(self, ids).map_err(failed("locking payments"))
    }

    fn ledgers(&mut self, payments: &[PaymentId]) -> Result<Vec<(PaymentId, Fact)>, Error> {
        use pay_ledger::dsl as l;
        if payments.is_empty() {
            return Ok(Vec::new());
        }
        let rows = l::pay_ledger.filter(l::payment_id.eq_any(payments)).load(self);
        Ok(ledger::facts_of(rows.map_err(failed("reading ledgers"))?))
    }

    fn transitions_by(&mut self, events: &[EventId]) -> Result<Vec<TransitionRow>, Error> {
        use pay_transitions::dsl as t;
        let ids = events.iter().copied().map(Some);
        t::pay_transitions
            .filter(t::event_id.eq_any(ids))
            .order(t::id)
            .load(self)
            .map_err(failed("reading transitions"))
    }

    fn done_handlers(&mut self, events: &[EventId]) -> Result<HashMap<EventId, Vec<DoneHandler>>, Error> {
        use pay_attempts::dsl as a;
        let ended: Vec<AttemptRow> = a::pay_attempts
            .filter(a::event_id.eq_any(events).and(a::outcome.eq_any([AttemptOutcome::Ok, AttemptOutcome::Discard])))
            .order(a::id)
            .load(self)
            .map_err(failed("reading attempts"))?;
        if ended.is_empty() {
            return Ok(HashMap::new());
        }
        let requeued: Vec<(EventId, Option<Timestamp>)> = e::pay_events
            .filter(e::id.eq_any(events).and(e::requeued_at.is_not_null()))
            .select((e::id, e::requeued_at))
            .load(self)
            .map_err(failed("reading when events were requeued"))?;
        let requeued: HashMap<EventId, Timestamp> =
            requeued.into_iter().filter_map(|(id, at)| Some((id, at?))).collect();
        let mut done: HashMap<EventId, Vec<DoneHandler>> = HashMap::new();
        for row in ended {
            let is_ok = row.outcome == AttemptOutcome::Ok;
            // An operator who requeues wants those that gave up to try again.
            if is_ok || requeued.get(&row.event_id).is_none_or(|at| row.finished_at > *at) {
                let gave_up = (!is_ok).then(|| row.error.unwrap_or_default());
                let handler = DoneHandler {
                    handler: row.handler,
                    transition: Step::of(row.transition_id, row.subscription_transition_id),
                    gave_up,
                };
                done.entry(row.event_id).or_default().push(handler);
            }
        }
        Ok(done)
    }

    fn end_events(&mut self, ends: &[EventEnd]) -> Result<(), Error> {
        write::end_events(self, ends).map_err(failed("writing what became of events"))
    }

    fn keep_references(&mut self, references: &[(EventId, String, String)]) -> Result<(), Error> {
        write::keep_references(self, references).map_err(failed("keeping events' references"))
    }

    fn keep_event_facts(&mut self, facts: &[EventFacts]) -> Result<(), Error> {
        write::keep_event_facts(self, facts).map_err(failed("keeping events' facts"))
    }

    fn link(&mut self, links: &[(Key, PaymentId)]) -> Result<(), Error> {
        write::link(self, links).map_err(failed("linking references"))
    }

    fn wake(&mut self, keys: &[Key], now: Timestamp) -> Result<usize, Error> {
        use pay_event_references::dsl as r;
        let mut woken = 0;
        for (variant, refs) in by_variant(keys) {
            let bearing = r::pay_event_references
                .filter(r::variant.eq(variant).and(r::gateway_ref.eq_any(refs)))
                .select(r::event_id);
            // What was ignored was at its end, and was counted there.
            let again = case_when(e::state.eq(EventState::Ignored), Some(now).into_sql::<Nullable<Instant>>());
            woken += diesel::update(e::pay_events.filter(e::id.eq_any(bearing).and(waits!())))
                .set((
                    e::state.eq(EventState::Available),
                    e::due_at.eq(now),
                    e::finished_at.eq(None::<Timestamp>),
                    e::requeued_at.eq(again.otherwise(e::requeued_at)),
                ))
                .execute(self)
                .map_err(failed("waking events that wait"))?;
        }
        Ok(woken)
    }

    fn count_waiting(&mut self, keys: &[Key]) -> Result<i64, Error> {
        use pay_event_references::dsl as r;
        let mut parked = 0;
        for (variant, refs) in by_variant(keys) {
            let bearing = r::pay_event_references
                .filter(r::variant.eq(variant).and(r::gateway_ref.eq_any(refs)))
                .select(r::event_id);
            parked += e::pay_events
                .filter(e::id.eq_any(bearing).and(waits!()))
                .count()
                .get_result::<i64>(self)
                .map_err(failed("counting events that wait"))?;
        }
        Ok(parked)
    }

    fn keep_facts(&mut self, entries: &[LedgerEntry]) -> Result<(), Error> {
        write::keep_facts(self, entries).map_err(failed("writing ledgers"))
    }

    fn save_payments(&mut self, rows: &[PaymentRow], now: Timestamp) -> Result<(), Error> {
        let saved = write::save_payments(self, rows, now).map_err(failed("writing payments"))?;
        if saved == rows.len() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Conflict, "a payment was changed by another writer meanwhile"))
    }

    fn add_transitions(&mut self, transitions: &[NewTransition]) -> Result<Vec<TransitionId>, Error> {
        write::add_transitions(self, transitions).map_err(failed("adding transitions"))
    }

    fn add_attempts(&mut self, attempts: &[NewAttempt]) -> Result<(), Error> {
        results::add_attempts(self, attempts).map_err(failed("adding attempts"))
    }

    fn settle_events(&mut self, settled: &[Settled]) -> Result<Vec<bool>, Error> {
        results::settle_events(self, settled).map_err(failed("settling events"))
    }

    fn renew(&mut self, claims: &[Claim], lease_until: Timestamp) -> Result<Vec<Claim>, Error> {
        results::renew(self, claims, lease_until).map_err(failed("renewing leases"))
    }

    fn check(&mut self) -> Result<(), Error> {
        diesel::select(diesel::dsl::sql::<diesel::sql_types::Integer>("1"))
            .get_result::<i32>(self)
            .map(drop)
            .map_err(failed("looking whether the transaction stands"))
    }
}

/// How long an event is left alone that has a word in it which is none of ours, in seconds.
const UNREADABLE: i64 = 300;

/// The due events, but for those that have a word in them which is none of ours: each is put off, so that it holds up
/// no other.
fn readable(conn: &mut Connection, now: Timestamp, limit: i64, variants: &[String]) -> Result<Vec<EventRow>, Error> {
    let ids = dialect::due_ids(conn, now, limit, variants).map_err(failed("looking for due events"))?;
    let mut rows = Vec::new();
    for id in ids {
        match dialect::due_among(conn, &[id], now) {
            Err(DieselError::DeserializationError(_)) => rows.extend(mended(conn, id, now)?),
            row => rows.extend(row.map_err(failed("reading an event"))?),
        }
    }
    Ok(rows)
}

/// The event, if nothing but its state can't be read: what is due waits, whatever that says. Else it is put off.
fn mended(conn: &mut Connection, id: EventId, now: Timestamp) -> Result<Vec<EventRow>, Error> {
    diesel::update(e::pay_events.filter(e::id.eq(id).and(e::state.ne_all(EventState::ALL))))
        .set(e::state.eq(EventState::Available))
        .execute(conn)
        .map_err(failed("mending an event's state"))?;
    match dialect::due_among(conn, &[id], now) {
        Err(error @ DieselError::DeserializationError(_)) => {
            log::error!("payments: event {id} can't be processed: {}", failed("reading an event")(error));
            diesel::update(e::pay_events.find(id))
                .set(e::due_at.eq(now + time::Duration::seconds(UNREADABLE)))
                .execute(conn)
                .map_err(failed("putting an event off"))?;
            Ok(Vec::new())
        }
        row => row.map_err(failed("reading an event")),
    }
}

/// The events as they are once claimed, in the order of their ids. One without a body, which only a stranger can have
/// taken away, says nothing that can be read.
fn with_bodies(conn: &mut Connection, mut rows: Vec<EventRow>) -> Result<Vec<Claimed>, Error> {
    use pay_event_bodies::dsl as b;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    rows.sort_unstable_by_key(|row| row.id);
    let ids: Vec<EventId> = rows.iter().map(|row| row.id).collect();
    let bodies: Vec<(EventId, Vec<u8>)> = b::pay_event_bodies
        .filter(b::event_id.eq_any(&ids))
        .select((b::event_id, b::body))
        .load(conn)
        .map_err(failed("reading bodies"))?;
    let mut bodies: HashMap<EventId, Vec<u8>> = bodies.into_iter().collect();
    let claim = |mut row: EventRow| {
        let was_parked = row.state == EventState::Parked;
        let body = bodies.remove(&row.id).unwrap_or_default().into();
        row.attempts += 1;
        row.claims += 1;
        Claimed { row, was_parked, body }
    };
    Ok(rows.into_iter().map(claim).collect())
}
