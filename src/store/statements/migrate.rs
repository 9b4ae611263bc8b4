//! Which steps were taken is asked before anything is changed: a role that may only read and write rows can call this
//! when nothing is pending.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::Connection;
use crate::store::migrations::Step;

#[derive(QueryableByName)]
struct Applied {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Tables {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// The names of the steps that were taken. `exists` counts the tables named `pay_migrations`: a statement that fails
/// would end the transaction.
pub(in crate::store) fn done(conn: &mut Connection, exists: &str) -> QueryResult<Vec<String>> {
    let tables: Tables = diesel::sql_query(exists).get_result(conn)?;
    if tables.count == 0 {
        return Ok(Vec::new());
    }
    let done: Vec<Applied> = diesel::sql_query("SELECT name FROM pay_migrations").load(conn)?;
    Ok(done.into_iter().map(|applied| applied.name).collect())
}

/// Whether any of `steps` is missing.
pub(in crate::store) fn is_pending(steps: &[Step], done: &[String]) -> bool {
    steps.iter().any(|step| !done.iter().any(|name| name == step.name))
}

/// Runs the first that is missing of `steps`, inside a transaction that holds off other processes; answers whether there
/// was one. Each has a transaction of its own, so that none holds a table while another is changed. Steps of a newer
/// release are left alone.
pub(in crate::store) fn run_next(conn: &mut Connection, steps: &[Step], exists: &str) -> QueryResult<bool> {
    let done = done(conn, exists)?;
    let Some(step) = steps.iter().find(|step| !done.iter().any(|name| name == step.name)) else { return Ok(false) };
    log::info!("payments: migration {}", step.name);
    conn.batch_execute(&step.sql())?;
    Ok(true)
}
