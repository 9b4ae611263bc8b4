//! How are questions to gateways kept? What is written for many events at once is in the dialect's own file.

use diesel::dsl::{exists, min};
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel::sql_types::{BigInt, Text};

use super::fetch_schema::{pay_fetch_events, pay_fetches};
use super::said::Said;
use super::schema::{pay_events, pay_references};
use super::{Connection, failed};
use crate::domain::Timestamp;
use crate::domain::event::EventState;
use crate::domain::id::{EventId, FetchId};
use crate::domain::operation::OperationState;
use crate::error::Error;
use crate::store::fetches::*;
use crate::store::rows::EventRow;
use pay_events::dsl as e;
use pay_fetch_events::dsl as w;
use pay_fetches::dsl as f;

use super::super::fetches as written;

const ENDED: [EventState; 3] = [EventState::Completed, EventState::Ignored, EventState::Discarded];
const UNDERWAY: OperationState = OperationState::Underway;
/// As the index says it.
const UNSHOWN: &str = "state = 'discarded' AND outcome_code = 'not_shown'";
const CLAIMING: &str = "claiming a question";
const READING: &str = "reading questions";
const SETTLING: &str = "settling a question";

impl Fetches for Connection {
    fn ask(&mut self, asked: &[NewFetch]) -> Result<(), Error> {
        if asked.is_empty() {
            return Ok(());
        }
        written::ask(self, asked).map_err(failed("beginning questions"))
    }

    fn asked_by(&mut self, events: &[EventId]) -> Result<Vec<(EventId, FetchRow)>, Error> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        w::pay_fetch_events
            .inner_join(f::pay_fetches.on(f::id.eq(w::fetch_id)))
            .filter(w::event_id.eq_any(events))
            .select((w::event_id, f::pay_fetches::all_columns()))
            .load(self)
            .map_err(failed(READING))
    }

    fn answers_of(&mut self, variant: &str, ids: &[String]) -> Result<Vec<AnswerRow>, Error> {
        e::pay_events
            .filter(e::variant.eq(variant).and(e::gateway_event_id.eq_any(ids)))
            .select((e::gateway_event_id, e::state, e::payment_id, e::subscription_id))
            .load(self)
            .map_err(failed("reading how answers stand"))
    }

    fn is_fetch_due(&mut self, now: Timestamp, variants: &[String]) -> Result<bool, Error> {
        let due = f::pay_fetches.filter(f::due_at.le(now).and(f::variant.eq_any(variants)));
        diesel::select(exists(due)).get_result(self).map_err(failed(READING))
    }

    fn claim_fetch(
        &mut self,
        now: Timestamp,
        until: Timestamp,
        variants: &[String],
    ) -> Result<Option<FetchRow>, Error> {
        loop {
            let due = f::pay_fetches
                .filter(f::due_at.le(now).and(f::variant.eq_any(variants)))
                .order((f::due_at, f::id))
                .select(f::id)
                .first::<FetchId>(self)
                .optional()
                .map_err(failed(CLAIMING))?;
            let Some(id) = due else { return Ok(None) };
            // Another process may have been faster: then it is not due any more.
            let mine = diesel::update(f::pay_fetches.filter(f::id.eq(id).and(f::due_at.le(now))))
                .set((f::due_at.eq(until), f::attempts.eq(f::attempts + 1)))
                .get_result(self)
                .optional();
            match mine {
                Ok(None) => {}
                // What it says is none of ours, and it holds up no other: it is not due any more.
                Err(error @ DieselError::DeserializationError(_)) => {
                    log::error!("payments: question {id} can't be put: {}", failed(CLAIMING)(error));
                }
                mine => return mine.map_err(failed(CLAIMING)),
            }
        }
    }

    fn settle_fetch(&mut self, tried: &FetchRow, end: &FetchEnd) -> Result<bool, Error> {
        // The events come before the question, as they do for who takes events up. An answer wakes them itself, once it
        // is in the ledger.
        if end.finished_at.is_some() && end.answers.is_empty() {
            let waiting = w::pay_fetch_events
                .filter(w::fetch_id.eq(tried.id).and(w::after_try.lt(tried.attempts)))
                .select(w::event_id);
            let waiting = waiting.load(self).map_err(failed(SETTLING))?;
            wake(self, waiting, end.finished_at)?;
        }
        let mine = f::id.eq(tried.id).and(f::state.eq(UNDERWAY)).and(f::attempts.eq(tried.attempts));
        let settled = diesel::update(f::pay_fetches.filter(mine))
            .set((
                f::state.eq(end.state),
                f::outcome.eq(&end.outcome),
                f::due_at.eq(end.due_at),
                f::finished_at.eq(end.finished_at),
                f::answers.eq(serde_json::Value::from(end.answers.as_slice()).to_string()),
            ))
            .execute(self)
            .map_err(failed(SETTLING))?;
        if settled > 0 && end.finished_at.is_some() {
            follow(self, tried, end)?;
        }
        Ok(settled > 0)
    }

    fn wake_fetching(&mut self, keys: &[String], now: Timestamp) -> Result<usize, Error> {
        let waiting = w::pay_fetch_events
            .inner_join(f::pay_fetches.on(f::id.eq(w::fetch_id)))
            .filter(f::idempotency_key.eq_any(keys).and(f::finished_at.is_not_null()))
            .select(w::event_id)
            .load(self)
            .map_err(failed(READING))?;
        wake(self, waiting, Some(now))
    }

    fn fetch_under(&mut self, key: &str) -> Result<Option<FetchRow>, Error> {
        f::pay_fetches.filter(f::idempotency_key.eq(key)).first(self).optional().map_err(failed(READING))
    }

    fn events_asking(&mut self, fetch: FetchId, cap: i64) -> Result<Vec<EventRow>, Error> {
        let ids: Vec<EventId> = w::pay_fetch_events
            .filter(w::fetch_id.eq(fetch))
            .order(w::event_id)
            .limit(cap)
            .select(w::event_id)
            .load(self)
            .map_err(failed(READING))?;
        e::pay_events.filter(e::id.eq_any(ids)).order(e::id).load(self).map_err(failed(READING))
    }

    fn open_fetches(&mut self, variant: &str, cap: i64) -> Result<Option<OpenFetches>, Error> {
        let open = f::variant.eq(variant).and(f::finished_at.is_null());
        let since: Vec<Timestamp> =
            f::pay_fetches.filter(open).select(f::created_at).limit(cap).load(self).map_err(failed(READING))?;
        let count = i64::try_from(since.len()).unwrap_or(i64::MAX);
        Ok(since.into_iter().min().map(|since| OpenFetches { count, since }))
    }

    fn kept_fetches(&mut self, after: FetchId, limit: i64) -> Result<Vec<KeptFetch>, Error> {
        f::pay_fetches
            .filter(f::id.gt(after))
            .order(f::id)
            .limit(limit)
            .select((f::id, f::state, f::created_at, f::finished_at))
            .load(self)
            .map_err(failed(READING))
    }

    fn prune_fetches(&mut self, fetches: &[FetchId]) -> Result<usize, Error> {
        let open: Vec<FetchId> = w::pay_fetch_events
            .inner_join(e::pay_events.on(e::id.eq(w::event_id)))
            .filter(w::fetch_id.eq_any(fetches).and(e::state.ne_all(ENDED)))
            .select(w::fetch_id)
            .load(self)
            .map_err(failed(READING))?;
        let ended: Vec<FetchId> = fetches.iter().filter(|id| !open.contains(id)).copied().collect();
        if ended.is_empty() {
            return Ok(0);
        }
        // First the questions: nothing joins one that has ended.
        let pruned = diesel::delete(f::pay_fetches.filter(f::id.eq_any(&ended))).execute(self);
        let pruned = pruned.map_err(failed("pruning questions"))?;
        diesel::delete(w::pay_fetch_events.filter(w::fetch_id.eq_any(&ended)))
            .execute(self)
            .map_err(failed("pruning questions"))?;
        Ok(pruned)
    }

    /// The state is part of the text, as it is of the index.
    /// The state and the code are part of the text, as they are of the index.
    fn not_shown(
        &mut self,
        only: Option<&str>,
        variants: usize,
        cap: i64,
    ) -> Result<Vec<(String, i64, EventId)>, Error> {
        let failing = || failed("looking for what gateways did not show");
        let mut found: Vec<(String, i64, EventId)> = Vec::new();
        while found.len() < variants {
            let last = found.last().map_or("", |(variant, ..)| variant.as_str());
            let next =
                Said::<(Text,)>::new().sql(format!("SELECT variant FROM pay_events WHERE {UNSHOWN} AND variant > "));
            let next = next.word(last);
            let next = only.into_iter().fold(next, |next, only| next.sql(" AND variant = ").word(only));
            let next = next.sql(" ORDER BY variant LIMIT 1");
            let next: Vec<(String,)> = next.load(self).map_err(failing())?;
            let Some((variant,)) = next.into_iter().next() else { break };
            let newest = Said::<(BigInt,)>::new()
                .sql(format!("SELECT id FROM pay_events WHERE {UNSHOWN} AND variant = "))
                .word(&variant)
                .sql(format!(" ORDER BY finished_at DESC LIMIT {cap}"));
            let newest: Vec<(EventId,)> = newest.load(self).map_err(failing())?;
            let Some((event,)) = newest.first().copied() else { break };
            found.push((variant, newest.len() as i64, event));
        }
        Ok(found)
    }

    fn hint_standing(&mut self, variant: &str, gateway_ref: &str, lately: Timestamp) -> Result<HintStanding, Error> {
        use pay_references::dsl as r;
        let known = r::pay_references.filter(r::variant.eq(variant).and(r::gateway_ref.eq(gateway_ref)));
        let is_known = diesel::select(exists(known)).get_result(self).map_err(failed(READING))?;
        let about = f::variant.eq(variant).and(f::gateway_ref.eq(gateway_ref));
        let last: Option<FetchRow> =
            f::pay_fetches.filter(about).order(f::id.desc()).first(self).optional().map_err(failed(READING))?;
        let Some(last) = last else { return Ok(HintStanding { is_known, ..HintStanding::default() }) };
        let to_come = w::pay_fetch_events.filter(w::fetch_id.eq(last.id).and(w::after_try.eq(last.attempts)));
        let to_come: bool = diesel::select(exists(to_come)).get_result(self).map_err(failed(READING))?;
        Ok(HintStanding {
            is_known,
            is_covered: last.finished_at.is_none() && to_come,
            was_refused: last.state == OperationState::Declined && last.finished_at > Some(lately),
        })
    }
}

/// Makes these events due, as far as they are parked.
fn wake(conn: &mut Connection, events: Vec<EventId>, now: Option<Timestamp>) -> Result<usize, Error> {
    if events.is_empty() {
        return Ok(0);
    }
    diesel::update(e::pay_events.filter(e::id.eq_any(events).and(e::state.eq(EventState::Parked))))
        .set((e::state.eq(EventState::Available), e::due_at.eq(now)))
        .execute(conn)
        .map_err(failed("waking events that wait for an answer"))
}

/// Puts the question once more where events joined it after this try had begun: what they tell of may have happened
/// after the gateway answered.
fn follow(conn: &mut Connection, tried: &FetchRow, end: &FetchEnd) -> Result<(), Error> {
    let later = w::fetch_id.eq(tried.id).and(w::after_try.ge(tried.attempts));
    let since: Option<EventId> =
        w::pay_fetch_events.filter(later).select(min(w::event_id)).first(conn).map_err(failed(SETTLING))?;
    if since.is_none() {
        return Ok(());
    }
    let (key, due_at) = &end.next;
    let next: FetchId = diesel::insert_into(f::pay_fetches)
        .values((
            f::variant.eq(&tried.variant),
            f::object_type.eq(&tried.object_type),
            f::gateway_ref.eq(&tried.gateway_ref),
            f::account.eq(&tried.account),
            f::idempotency_key.eq(key),
            f::state.eq(UNDERWAY),
            f::attempts.eq(0_i64),
            f::due_at.eq(*due_at),
            f::created_at.eq(end.finished_at.unwrap_or(*due_at)),
            f::answers.eq("[]"),
        ))
        .returning(f::id)
        .get_result(conn)
        .map_err(failed(SETTLING))?;
    diesel::update(w::pay_fetch_events.filter(later))
        .set((w::fetch_id.eq(next), w::after_try.eq(0_i64)))
        .execute(conn)
        .map(drop)
        .map_err(failed(SETTLING))
}
