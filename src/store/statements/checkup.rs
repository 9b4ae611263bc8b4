//! How is a variant doing? Its newest events by their key, and its counters; never all of its history.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::super::Instant;
use super::schema::{pay_events, pay_hours};
use super::{Connection, failed};
use crate::domain::Timestamp;
use crate::domain::delivery::Rejection;
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

    fn refused(&mut self, variant: &str, since: Timestamp) -> Result<Vec<Refused>, Error> {
        use pay_hours::dsl as h;
        let codes: Vec<String> = Rejection::ALL.iter().map(|rejection| format!("rejected:{rejection}")).collect();
        let sums: Vec<(String, i64, Timestamp)> = h::pay_hours
            .filter(h::variant.eq(variant).and(h::hour.ge(since)).and(h::outcome.eq_any(codes)))
            .group_by(h::outcome)
            .select((h::outcome, sql::<BigInt>("CAST(SUM(count) AS BIGINT)"), sql::<Instant>("MAX(last_at)")))
            .load(self)
            .map_err(failed("adding up what was refused"))?;
        let code = |outcome: &str| outcome.trim_start_matches("rejected:").to_owned();
        let one = |(outcome, count, last): (String, i64, Timestamp)| Refused { code: code(&outcome), count, last };
        let mut refused: Vec<Refused> = sums.into_iter().map(one).collect();
        refused.sort_by_key(|one| std::cmp::Reverse(one.count));
        Ok(refused)
    }
}
