//! How do many events get into Postgres at once? As one `INSERT … SELECT … FROM unnest(…)` each for events and
//! bodies: its text is the same for one event and for five hundred, so it is prepared once.
//!
//! Events that are known already are only counted, and not even that while somebody processes them for longer than a
//! moment: the deliveries of everybody else are not to wait for a handler in a transaction.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Binary, Bool, Nullable, Text, Timestamptz};

use crate::domain::Timestamp;
use crate::domain::event::EventState;
use crate::domain::id::EventId;
use crate::store::rows::{Appended, NewEvent};

/// Events that are known by the same id, in the order of that id: writers that insert the same ids in different
/// orders would wait for each other in a circle.
pub(super) fn append(conn: &mut PgConnection, events: &[NewEvent]) -> QueryResult<Vec<Appended>> {
    let mut first_of: HashMap<(&str, &str), (usize, i64)> = HashMap::with_capacity(events.len());
    for (at, event) in events.iter().enumerate() {
        first_of.entry(key(event)).or_insert((at, 0)).1 += 1;
    }
    let mut distinct: Vec<(usize, i64)> = first_of.values().copied().collect();
    distinct.sort_by_key(|(at, _)| key(&events[*at]));

    let mut stored: Vec<(String, String, EventId, i64)> = InsertEvents::of(events, &distinct).load(conn)?;
    if stored.len() < distinct.len() {
        let new: HashSet<(&str, &str)> = stored.iter().map(|(variant, event, ..)| (&**variant, &**event)).collect();
        let known: Vec<(usize, i64)> =
            distinct.iter().copied().filter(|(at, _)| !new.contains(&key(&events[*at]))).collect();
        stored.extend(count_again(conn, events, &known)?);
    }
    let stored: HashMap<(&str, &str), (EventId, i64)> = stored
        .iter()
        .map(|(variant, event, id, deliveries)| ((variant.as_str(), event.as_str()), (*id, *deliveries)))
        .collect();

    let answers: Vec<Appended> = events
        .iter()
        .enumerate()
        .filter_map(|(at, event)| {
            let (first, ours) = first_of.get(&key(event))?;
            let (id, deliveries) = stored.get(&key(event))?;
            Some(Appended { id: *id, duplicate: *first != at || deliveries > ours })
        })
        .collect();
    InsertBodies::of(events, &answers).execute(conn)?;
    Ok(answers)
}

/// How long is waited for those who hold an event, in milliseconds; a batch is written in less.
const PAUSES: [u64; 5] = [0, 5, 10, 20, 40];

/// These events, which were known before, with one delivery more than theirs; counted where nobody holds them for long.
fn count_again(
    conn: &mut PgConnection,
    events: &[NewEvent],
    known: &[(usize, i64)],
) -> QueryResult<Vec<(String, String, EventId, i64)>> {
    let (mut all, mut left) = (Vec::new(), known.to_vec());
    for pause in PAUSES {
        std::thread::sleep(Duration::from_millis(pause));
        let rows = count_free(conn, events, &left)?;
        let held: HashSet<(&str, &str)> =
            rows.iter().filter(|it| !it.counted).map(|it| (&*it.variant, &*it.gateway_event_id)).collect();
        left.retain(|(at, _)| held.contains(&key(&events[*at])));
        if all.is_empty() {
            all = rows.into_iter().map(|it| (it.variant, it.gateway_event_id, it.id, it.deliveries)).collect();
        }
        if left.is_empty() {
            break;
        }
    }
    Ok(all)
}

fn count_free(conn: &mut PgConnection, events: &[NewEvent], known: &[(usize, i64)]) -> QueryResult<Vec<Known>> {
    fn of<'a, T>(events: &'a [NewEvent], of: &[(usize, i64)], column: fn(&'a NewEvent) -> T) -> Vec<T> {
        of.iter().map(|(at, _)| column(&events[*at])).collect()
    }
    let deliveries: Vec<i64> = known.iter().map(|(_, count)| *count).collect();
    diesel::sql_query(
        "WITH known AS MATERIALIZED (SELECT v, i, d, re, (SELECT e.id FROM pay_events e WHERE e.variant = v AND \
         e.gateway_event_id = i) AS id FROM unnest($1, $2, $3, $4) AS given (v, i, d, re)), \
         free AS MATERIALIZED (SELECT e.id FROM pay_events e WHERE e.id = ANY (ARRAY(SELECT id FROM known)) \
         ORDER BY e.id FOR NO KEY UPDATE SKIP LOCKED), \
         counted AS (UPDATE pay_events e SET deliveries = e.deliveries + d, last_delivered_at = re \
         FROM known WHERE e.id = known.id AND e.id = ANY (ARRAY(SELECT id FROM free))) \
         SELECT v AS variant, i AS gateway_event_id, id, d + 1 AS deliveries, \
         id = ANY (ARRAY(SELECT id FROM free)) AS counted FROM known WHERE id IS NOT NULL",
    )
    .bind::<Array<Text>, _>(of(events, known, |event| event.variant.as_str()))
    .bind::<Array<Text>, _>(of(events, known, |event| event.gateway_event_id.as_str()))
    .bind::<Array<BigInt>, _>(deliveries)
    .bind::<Array<Timestamptz>, _>(of(events, known, |event| event.received_at))
    .load(conn)
}

/// An event that was known before.
#[derive(QueryableByName)]
struct Known {
    #[diesel(sql_type = Text)]
    variant: String,
    #[diesel(sql_type = Text)]
    gateway_event_id: String,
    #[diesel(sql_type = BigInt)]
    id: EventId,
    #[diesel(sql_type = BigInt)]
    deliveries: i64,
    #[diesel(sql_type = Bool)]
    counted: bool,
}

fn key(event: &NewEvent) -> (&str, &str) {
    (&event.variant, &event.gateway_event_id)
}

struct InsertEvents<'a> {
    variants: Vec<&'a str>,
    ids: Vec<&'a str>,
    sources: Vec<&'a str>,
    kinds: Vec<&'a str>,
    livemodes: Vec<Option<bool>>,
    api_versions: Vec<Option<&'a str>>,
    accounts: Vec<Option<&'a str>>,
    secrets: Vec<Option<&'a str>>,
    skews: Vec<Option<i64>>,
    occurred: Vec<Option<Timestamp>>,
    received: Vec<Timestamp>,
    deliveries: Vec<i64>,
}

impl<'a> InsertEvents<'a> {
    fn of(events: &'a [NewEvent], distinct: &[(usize, i64)]) -> Self {
        fn column<'a, T>(events: &'a [NewEvent], distinct: &[(usize, i64)], of: impl Fn(&'a NewEvent) -> T) -> Vec<T> {
            distinct.iter().map(|(at, _)| of(&events[*at])).collect()
        }
        Self {
            variants: column(events, distinct, |e| e.variant.as_str()),
            ids: column(events, distinct, |e| e.gateway_event_id.as_str()),
            sources: column(events, distinct, |e| e.source.as_str()),
            kinds: column(events, distinct, |e| e.kind.as_str()),
            livemodes: column(events, distinct, |e| e.livemode),
            api_versions: column(events, distinct, |e| e.api_version.as_deref()),
            accounts: column(events, distinct, |e| e.account.as_deref()),
            secrets: column(events, distinct, |e| e.secret.as_deref()),
            skews: column(events, distinct, |e| e.skew_seconds),
            occurred: column(events, distinct, |e| e.occurred_at),
            received: column(events, distinct, |e| e.received_at),
            deliveries: distinct.iter().map(|(_, count)| *count).collect(),
        }
    }
}

impl QueryId for InsertEvents<'_> {
    type QueryId = InsertEvents<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryFragment<Pg> for InsertEvents<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO pay_events (variant, gateway_event_id, source, kind, livemode, api_version, account, secret, \
             skew_seconds, occurred_at, received_at, deliveries, state, last_delivered_at, due_at, attempts) \
             SELECT v, i, s, k, l, av, ac, se, sk, oc, re, d, '",
        );
        out.push_sql(EventState::Available.as_str());
        out.push_sql("', re, re, 0 FROM unnest(");
        out.push_bind_param::<Array<Text>, _>(&self.variants)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.sources)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.kinds)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Bool>>, _>(&self.livemodes)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.api_versions)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.accounts)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.secrets)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<BigInt>>, _>(&self.skews)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Timestamptz>>, _>(&self.occurred)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Timestamptz>, _>(&self.received)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.deliveries)?;
        out.push_sql(
            ") AS given (v, i, s, k, l, av, ac, se, sk, oc, re, d) \
             WHERE (SELECT e.id FROM pay_events e WHERE e.variant = v AND e.gateway_event_id = i) IS NULL \
             ON CONFLICT (variant, gateway_event_id) DO UPDATE \
             SET deliveries = pay_events.deliveries + excluded.deliveries, \
             last_delivered_at = excluded.last_delivered_at \
             RETURNING variant, gateway_event_id, id, deliveries",
        );
        Ok(())
    }
}

impl Query for InsertEvents<'_> {
    type SqlType = (Text, Text, BigInt, BigInt);
}

impl RunQueryDsl<PgConnection> for InsertEvents<'_> {}

struct InsertBodies<'a> {
    events: Vec<EventId>,
    headers: Vec<&'a str>,
    bodies: Vec<&'a [u8]>,
}

impl<'a> InsertBodies<'a> {
    fn of(events: &'a [NewEvent], answers: &[Appended]) -> Self {
        let new = || events.iter().zip(answers).filter(|(_, answer)| !answer.duplicate);
        Self {
            events: new().map(|(_, answer)| answer.id).collect(),
            headers: new().map(|(event, _)| event.headers.as_str()).collect(),
            bodies: new().map(|(event, _)| &event.body[..]).collect(),
        }
    }
}

impl QueryId for InsertBodies<'_> {
    type QueryId = InsertBodies<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryFragment<Pg> for InsertBodies<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("INSERT INTO pay_event_bodies (event_id, headers, body) SELECT * FROM unnest(");
        out.push_bind_param::<Array<BigInt>, _>(&self.events)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.headers)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Binary>, _>(&self.bodies)?;
        out.push_sql(")");
        Ok(())
    }
}

impl RunQueryDsl<PgConnection> for InsertBodies<'_> {}
