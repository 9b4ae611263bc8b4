//! How is a variant doing? Its newest events by their key, and its counters; never all of its history.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::schema::{pay_counters, pay_events};
use super::{Connection, failed};
use crate::domain::Timestamp;
use crate::error::Error;
use crate::store::Checkup;
use crate::store::rows::{EventRow, Refused};
use pay_events::dsl as e;

impl Checkup for Connection {
    fn event_named(&mut self, variant: &str, gateway_event_id: &str) -> Result<Option<EventRow>, Error> {
        e::pay_events
            .filter(e::variant.eq(variant).and(e::gateway_event_id.eq(gateway_event_id)))
            .first(self)
            .optional()
            .map_err(failed("reading an event"))
    }

    fn recent_secrets(
        &mut self,
        variant: &str,
        except: &str,
        window: i64,
    ) -> Result<Vec<(Option<String>, Timestamp)>, Error> {
        // The window is cut before anything is left out, so that it bounds what is read.
        let newest: Vec<(String, Option<String>, Timestamp)> = e::pay_events
            .filter(e::variant.eq(variant))
            .order(e::id.desc())
            .limit(window)
            .select((e::kind, e::secret, e::received_at))
            .load(self)
            .map_err(failed("reading which secrets matched"))?;
        Ok(newest.into_iter().filter(|(kind, ..)| kind != except).map(|(_, secret, at)| (secret, at)).collect())
    }

    fn refused(&mut self, variant: &str, since: &str) -> Result<Vec<Refused>, Error> {
        use pay_counters::dsl as c;
        let rows: Vec<(String, String, i64)> = c::pay_counters
            .filter(c::variant.eq(variant).and(c::day.ge(since)))
            .select((c::outcome, c::day, c::count))
            .load(self)
            .map_err(failed("reading counters"))?;
        let mut sums: BTreeMap<String, Refused> = BTreeMap::new();
        for (outcome, day, count) in rows {
            let Some(code) = outcome.strip_prefix("rejected:") else { continue };
            let empty = || Refused { code: code.to_owned(), count: 0, last: String::new() };
            let sum = sums.entry(code.to_owned()).or_insert_with(empty);
            sum.count += count;
            sum.last = day.max(std::mem::take(&mut sum.last));
        }
        let mut refused: Vec<_> = sums.into_values().collect();
        refused.sort_by_key(|one| std::cmp::Reverse(one.count));
        Ok(refused)
    }
}
