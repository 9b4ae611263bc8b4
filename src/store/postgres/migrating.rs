//! How are the tables of Postgres changed while processes work on them?

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, QueryResult};

use crate::store::failure::is_contended;

/// Holds off other processes that migrate, for as long as that takes. Whoever wants a table that a step waits for waits
/// behind it, so a step does not wait for long.
const ALONE: &str = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; \
                     SELECT pg_advisory_xact_lock(hashtextextended('pay_migrations', 0)); \
                     SET LOCAL lock_timeout = 2000";
/// How often a step is tried that meets transactions which hold its tables: for about two minutes.
const TRIES: u32 = 60;
/// How long they are left alone before it is tried again.
const BETWEEN_TRIES: Duration = Duration::from_millis(250);
/// Takes a step of the migration in a transaction; answers what `step` does. It takes its tables one after the other,
/// beside processes that go on working, so it may lose a deadlock to one of them or wait for what somebody else holds: it
/// is rolled back, and tried again.
pub(super) fn take(
    conn: &mut PgConnection,
    step: impl Fn(&mut PgConnection) -> QueryResult<bool>,
) -> QueryResult<bool> {
    let mut tries = 1;
    loop {
        let tried = conn.transaction(|conn| {
            conn.batch_execute(ALONE)?;
            step(conn)
        });
        match tried {
            Err(error) if tries < TRIES && is_contended(&error) => {
                log::warn!("payments: others hold a table that the migration needs ({error}); it is tried again");
                std::thread::sleep(BETWEEN_TRIES);
                tries += 1;
            }
            ended => return ended,
        }
    }
}
