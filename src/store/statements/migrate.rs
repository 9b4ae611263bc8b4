//! How is it remembered which steps were taken? In a table of our own, `pay_migrations`: the host's diesel
//! migrations neither see nor revert these.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::Connection;
use crate::store::migrations::Migration;

const BOOKS: &str = "CREATE TABLE IF NOT EXISTS pay_migrations (\
                     name TEXT PRIMARY KEY, applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)";

#[derive(QueryableByName)]
struct Applied {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Runs what is missing of `steps`, inside a transaction that holds off other processes. Steps of a newer release
/// are left alone.
pub(in crate::store) fn run(conn: &mut Connection, steps: &[Migration]) -> QueryResult<()> {
    conn.batch_execute(BOOKS)?;
    let done: Vec<Applied> = diesel::sql_query("SELECT name FROM pay_migrations").load(conn)?;
    for step in steps.iter().filter(|step| !done.iter().any(|applied| applied.name == step.name)) {
        log::info!("payments: migration {}", step.name);
        conn.batch_execute(step.up)?;
        conn.batch_execute(&format!("INSERT INTO pay_migrations (name) VALUES ('{}')", step.name))?;
    }
    Ok(())
}
