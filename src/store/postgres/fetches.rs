//! How Postgres begins questions to gateways: one statement for the questions and one for their events, as in `write`.

use std::collections::{BTreeMap, HashMap};

use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text, Timestamptz};

use super::write::column;
use crate::domain::Timestamp;
use crate::store::fetches::NewFetch;
use crate::store::statement::{answers, statement};

statement! { Pg,
    /// Changes nothing in a question that is open, but locks it and finds it: in one order, so that two workers never
    /// wait for each other in a circle.
    Begin {
        variants: Vec<&'a str> => Array<Text>,
        object_types: Vec<&'a str> => Array<Text>,
        gateway_refs: Vec<&'a str> => Array<Text>,
        accounts: Vec<&'a str> => Array<Text>,
        keys: Vec<&'a str> => Array<Text>,
        due: Vec<Timestamp> => Array<Timestamptz>,
    }
    "INSERT INTO pay_fetches AS f (variant, object_type, gateway_ref, account, idempotency_key, state, attempts, \
     due_at, created_at) SELECT v, t, r, a, k, 'underway', 0, d, d FROM unnest({}, {}, {}, {}, {}, {}) \
     WITH ORDINALITY AS u (v, t, r, a, k, d, place) ORDER BY place \
     ON CONFLICT (variant, gateway_ref, account) WHERE finished_at IS NULL \
     DO UPDATE SET attempts = f.attempts RETURNING f.variant, f.gateway_ref, f.account, f.id, f.attempts"
}
answers!(Begin, PgConnection, (Text, Text, Text, BigInt, BigInt));

statement! { Pg,
    Join {
        events: Vec<i64> => Array<BigInt>,
        fetches: Vec<i64> => Array<BigInt>,
        after: Vec<i64> => Array<BigInt>,
    }
    "INSERT INTO pay_fetch_events (event_id, fetch_id, after_try) \
     SELECT e, f, a FROM unnest({}, {}, {}) AS u (e, f, a) \
     ON CONFLICT (event_id) DO UPDATE SET fetch_id = excluded.fetch_id, after_try = excluded.after_try"
}
answers!(Join, PgConnection);

pub(super) fn ask(conn: &mut PgConnection, asked: &[NewFetch]) -> QueryResult<()> {
    // One row a question: a statement can't meet the same row twice.
    let mut objects: BTreeMap<(&str, &str, &str), &NewFetch> = BTreeMap::new();
    for one in asked {
        objects.entry((&one.variant, &one.gateway_ref, &one.account)).or_insert(one);
    }
    let objects: Vec<&NewFetch> = objects.into_values().collect();
    let begun: Vec<(String, String, String, i64, i64)> = Begin {
        variants: column(&objects, |one| one.variant.as_str()),
        object_types: column(&objects, |one| one.object_type.as_str()),
        gateway_refs: column(&objects, |one| one.gateway_ref.as_str()),
        accounts: column(&objects, |one| one.account.as_str()),
        keys: column(&objects, |one| one.idempotency_key.as_str()),
        due: column(&objects, |one| one.created_at),
        _borrows: Default::default(),
    }
    .load(conn)?;
    let begun: HashMap<(String, String, String), (i64, i64)> =
        begun.into_iter().map(|(variant, text, account, id, after)| ((variant, text, account), (id, after))).collect();
    let key = |one: &NewFetch| (one.variant.clone(), one.gateway_ref.clone(), one.account.clone());
    let joined: Vec<(i64, (i64, i64))> =
        asked.iter().filter_map(|one| Some((one.event.0, *begun.get(&key(one))?))).collect();
    Join {
        events: column(&joined, |(event, _)| *event),
        fetches: column(&joined, |(_, (fetch, _))| *fetch),
        after: column(&joined, |(_, (_, after))| *after),
        _borrows: Default::default(),
    }
    .execute(conn)
    .map(drop)
}
