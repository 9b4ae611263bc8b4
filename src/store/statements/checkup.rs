//! How is a variant doing? Its newest events by their key, and its counters; never all of its history.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use super::super::Instant;
use super::said::Said;
use super::schema::{pay_events, pay_hours};
use super::stream::{Key, Stream, everything};
use super::{Connection, failed};
use crate::domain::Timestamp;
use crate::domain::delivery::Rejection;
use crate::error::Error;
use crate::store::audit::{Matched, Refused};
use crate::store::checkup::{Checkup, EventTimes};
use crate::store::filters::Span;
use crate::store::rows::EventRow;
use pay_events::dsl as e;

impl Checkup for Connection {
    fn event_named(&mut self, variant: &str, gateway_event_id: &str) -> Result<Option<EventRow>, Error> {
        e::pay_events
            .filter(e::variant.eq(variant).and(e::gateway_event_id.eq(gateway_event_id)))
            .first(self)
            .optional()
            .map_err(failed("reading an event"))
    }

    fn last_but(&mut self, variant: &str, except: &str, window: i64) -> Result<Option<Timestamp>, Error> {
        let all = everything();
        let query = Said::<Instant>::new()
            .sql("SELECT received_at FROM (")
            .rows("kind, received_at", newest(variant, &all, window))
            .sql(") AS newest WHERE kind <> ")
            .word(except)
            .sql(" LIMIT 1");
        query.get_result(self).optional().map_err(failed("reading when an event came"))
    }

    fn recent_secrets(&mut self, variant: &str, except: &str, window: i64) -> Result<Vec<Matched>, Error> {
        let all = everything();
        let query = Said::<(Nullable<Text>, BigInt, Instant)>::new()
            .sql("SELECT secret, count(*), max(received_at) FROM (")
            .rows("kind, secret, received_at", newest(variant, &all, window))
            .sql(") AS newest WHERE kind <> ")
            .word(except)
            .sql(" GROUP BY secret");
        let found: Vec<(Option<String>, i64, Timestamp)> =
            query.load(self).map_err(failed("reading which secrets matched"))?;
        let mut matched: Vec<Matched> =
            found.into_iter().map(|(secret, events, last)| Matched { secret, events, last }).collect();
        matched.sort_by_key(|one| std::cmp::Reverse(one.last));
        Ok(matched)
    }

    fn newest_event_times(&mut self, limit: i64) -> Result<Vec<EventTimes>, Error> {
        let all = everything();
        let newest = Stream {
            table: "pay_events",
            naming: None,
            index: None,
            only: &[],
            key: Key::Id(&all),
            rising: false,
            depth: limit,
        };
        let query = Said::<(Bool, Nullable<Instant>, Instant, Nullable<Instant>, Nullable<Instant>)>::new()
            .rows("source = 'delivery', occurred_at, received_at, finished_at, requeued_at", newest);
        query.load(self).map_err(failed("reading how long deliveries took"))
    }

    fn refused(&mut self, since: Timestamp) -> Result<Vec<Refused>, Error> {
        use pay_hours::dsl as h;
        let codes: Vec<String> = Rejection::ALL.iter().map(|rejection| format!("rejected:{rejection}")).collect();
        let sums: Vec<(String, String, i64, Timestamp)> = h::pay_hours
            .filter(h::hour.ge(since).and(h::outcome.eq_any(codes)))
            .group_by((h::variant, h::outcome))
            .select((
                h::variant,
                h::outcome,
                sql::<BigInt>("CAST(SUM(count) AS BIGINT)"),
                sql::<Instant>("MAX(last_at)"),
            ))
            .load(self)
            .map_err(failed("adding up what was refused"))?;
        let code = |outcome: &str| outcome.trim_start_matches("rejected:").to_owned();
        let one = |(variant, outcome, count, last): (String, String, i64, Timestamp)| Refused {
            variant,
            code: code(&outcome),
            count,
            last,
        };
        let mut refused: Vec<Refused> = sums.into_iter().map(one).collect();
        refused.sort_by_key(|one| std::cmp::Reverse(one.count));
        Ok(refused)
    }
}

/// The window is cut before anything is left out, so that it bounds what is read.
fn newest<'a>(variant: &'a str, all: &'a Span<i64>, window: i64) -> Stream<'a> {
    Stream {
        table: "pay_events",
        naming: None,
        index: None,
        only: &[],
        key: Key::Word("variant", variant, all),
        rising: false,
        depth: window,
    }
}
