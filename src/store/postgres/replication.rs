//! A streaming standby, by the positions in the WAL: what was replayed there, and what was written by the primary.

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use crate::error::Error;
use crate::store::failure::dialect_error;
use crate::store::replication::{Behind, Replication};

#[derive(QueryableByName)]
struct Position {
    #[diesel(sql_type = Text)]
    position: String,
}

#[derive(QueryableByName)]
struct Replayed {
    #[diesel(sql_type = Nullable<Bool>)]
    has_all: Option<bool>,
    #[diesel(sql_type = Nullable<BigInt>)]
    seconds: Option<i64>,
}

/// The time of the last change says nothing by itself: where nothing is written, it grows and nothing is lacking.
const REPLAYED: &str = "SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS has_all, \
                        ceil(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()))::bigint AS seconds";

impl Replication for PgConnection {
    fn position(&mut self) -> Result<Option<String>, Error> {
        // Of a standby that has one of its own: how far it has replayed.
        let sql = "SELECT (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() \
                   ELSE pg_current_wal_flush_lsn() END)::text AS position";
        let position: Position =
            diesel::sql_query(sql).get_result(self).map_err(dialect_error("asking how far a primary has come"))?;
        Ok(Some(position.position))
    }

    fn behind(&mut self, position: Option<&str>) -> Result<Behind, Error> {
        let replayed: Replayed = diesel::sql_query(REPLAYED)
            .bind::<Nullable<Text>, _>(position)
            .get_result(self)
            .map_err(dialect_error("asking how far a replica has come"))?;
        Ok(match (replayed.has_all, replayed.seconds) {
            (Some(true), _) => Behind::Nothing,
            (_, Some(seconds)) => Behind::Seconds(seconds.max(1)),
            _ => Behind::Unknown,
        })
    }
}
