//! How are events listed?

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::schema::{pay_events, pay_payments};
use super::stream::{Key, Stream};
use super::{Condition, Connection, Counted, Each, LATE, Reach, Wanted, everything, failed};
use crate::domain::failure_group::groups_of;
use crate::domain::id::{EventId, PaymentId};
use crate::error::Error;
use crate::store::filters::{EventFilter, EventStream, Span, Window};
use crate::store::rows::EventRow;
use pay_events::dsl as e;

const READING: &str = "listing events";

pub(super) fn ids(
    conn: &mut Connection,
    of: &[EventStream],
    rest: &EventFilter,
    window: &Window,
    limit: i64,
) -> Result<Vec<Vec<EventId>>, Error> {
    let mut ids = vec![Vec::new(); of.len()];
    if of.is_empty() {
        return Ok(ids);
    }
    let wanted = of.iter().map(|of| {
        let stream = stream(of, &window.ids, window.rising, window.depth);
        Wanted { stream, rest: conditions(of, rest), sorted: None, limit }
    });
    let found: Vec<(i64, EventId)> = Each(wanted.collect()).load(conn).map_err(failed(READING))?;
    for (at, id) in found {
        if let Some(its) = usize::try_from(at).ok().and_then(|at| ids.get_mut(at)) {
            its.push(id);
        }
    }
    Ok(ids)
}

pub(super) fn reach(conn: &mut Connection, of: &[EventStream], window: &Window) -> Result<Vec<EventId>, Error> {
    if of.is_empty() {
        return Ok(Vec::new());
    }
    let streams = of.iter().map(|of| stream(of, &window.ids, window.rising, window.depth)).collect();
    Reach(streams).load(conn).map_err(failed(READING))
}

pub(super) fn count(conn: &mut Connection, of: &[EventStream], cap: i64) -> Result<Vec<i64>, Error> {
    let all = everything();
    let streams = of.iter().map(|of| stream(of, &all, false, cap)).collect();
    Counted(streams).numbers(conn).map_err(failed("counting events"))
}

fn stream<'a>(of: &'a EventStream, ids: &'a Span<i64>, rising: bool, depth: i64) -> Stream<'a> {
    let only: &[&str] = match of {
        EventStream::Repeated => &["deliveries > 1"],
        EventStream::Late => LATE,
        // An older release leaves the group where the event got on, or was discarded on purpose.
        EventStream::Failure(_) => {
            &["failure IS NOT NULL", "state IN ('retryable', 'discarded')", "outcome_code <> 'discarded'"]
        }
        _ => &[],
    };
    let key = match of {
        EventStream::All | EventStream::Repeated | EventStream::Late => Key::Id(ids),
        EventStream::State(state) => Key::Word("state", state.as_str(), ids),
        EventStream::Kind(kind) => Key::Word("kind", kind, ids),
        EventStream::Variant(variant) => Key::Word("variant", variant, ids),
        EventStream::Failure(group) => Key::Word("failure", group, ids),
        EventStream::Found(found) => Key::Among(found.iter().map(|id| id.0).collect()),
    };
    Stream { table: "pay_events", naming: None, index: None, only, key, rising, depth }
}

/// What the stream does not see to by itself.
fn conditions(of: &EventStream, rest: &EventFilter) -> Vec<Condition<e::pay_events>> {
    let mut all: Vec<Condition<e::pay_events>> = Vec::new();
    // Whatever the stream, so that no way to read a list goes around it.
    all.extend(rest.scope.names().map(|names| Box::new(e::variant.eq_any(names.clone())) as Condition<_>));
    if let Some(state) = rest.state.filter(|_| !matches!(of, EventStream::State(_))) {
        all.push(Box::new(e::state.eq(state)));
    }
    if let Some(variant) = rest.variant.clone().filter(|_| !matches!(of, EventStream::Variant(_))) {
        all.push(Box::new(e::variant.eq(variant)));
    }
    all.extend(rest.account.clone().map(|account| Box::new(e::account.assume_not_null().eq(account)) as Condition<_>));
    match (of, rest.kinds_from(), rest.kind.clone()) {
        (EventStream::Kind(_), ..) | (_, None, None) => {}
        (_, Some(start), _) => all.push(Box::new(e::kind.ge(start.to_owned()).and(e::kind.lt(past(start))))),
        (_, None, Some(kind)) => all.push(Box::new(e::kind.eq(kind))),
    }
    if let Some(group) = rest.failure.clone().filter(|_| !matches!(of, EventStream::Failure(_))) {
        all.push(Box::new(e::failure.assume_not_null().eq(group)));
    }
    if let Some(start) = rest.handler.as_deref().map(groups_of).filter(|_| !matches!(of, EventStream::Failure(_))) {
        let end = past(&start);
        all.push(Box::new(e::failure.assume_not_null().ge(start).and(e::failure.assume_not_null().lt(end))));
    }
    all.extend(rest.code.clone().map(|code| Box::new(e::outcome_code.assume_not_null().eq(code)) as Condition<_>));
    if rest.repeated && *of != EventStream::Repeated {
        all.push(Box::new(e::deliveries.gt(1)));
    }
    if rest.late && *of != EventStream::Late {
        all.push(Box::new(sql::<Bool>(&LATE.join(" AND ")).assume_not_null()));
    }
    if let Some(livemode) = rest.livemode {
        all.push(Box::new(e::livemode.assume_not_null().eq(livemode)));
    }
    all.extend(rest.from.map(|at| Box::new(e::received_at.ge(at)) as Condition<_>));
    all.extend(rest.until.map(|at| Box::new(e::received_at.lt(at)) as Condition<_>));
    all
}

/// Past all texts that begin so: none has a character above U+10FFFE.
pub(in super::super) fn past(start: &str) -> String {
    format!("{start}\u{10FFFF}")
}

pub(super) fn rows(conn: &mut Connection, ids: &[EventId]) -> Result<Vec<EventRow>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    e::pay_events.filter(e::id.eq_any(ids)).load(conn).map_err(failed(READING))
}

pub(super) fn tokens(conn: &mut Connection, ids: &[PaymentId]) -> Result<Vec<(PaymentId, String)>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    use pay_payments::dsl as p;
    p::pay_payments.filter(p::id.eq_any(ids)).select((p::id, p::token)).load(conn).map_err(failed(READING))
}

pub(super) fn last(conn: &mut Connection) -> Result<Option<EventId>, Error> {
    e::pay_events.select(diesel::dsl::max(e::id)).get_result(conn).map_err(failed(READING))
}
