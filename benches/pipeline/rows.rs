//! Whether two databases hold the same rows, whatever the moments at which they were written.

use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::databases::{Scratch, on};

/// The tables that processing writes to, with the columns that differ for no reason of the writer's.
const TABLES: [(&str, &[&str]); 13] = [
    ("pay_events", &[]),
    ("pay_event_facts", &[]),
    ("pay_event_references", &[]),
    ("pay_references", &[]),
    ("pay_ledger", &[]),
    ("pay_payments", &[]),
    ("pay_transitions", &["id"]),
    ("pay_attempts", &["id"]),
    ("pay_movements", &["id"]),
    ("pay_movement_months", &[]),
    // Not what is owed of the words of a search: a worker writes them meanwhile.
    ("pay_payers", &[]),
    // How often a counter is written is each one's own affair, and what the seed counted is written late.
    ("pay_hours", &["hour", "count", "amount"]),
    ("bench_orders", &[]),
];

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Says of each table in which `ours` has other rows than `theirs` what the first difference is.
pub(crate) fn differences(ours: &Scratch, theirs: &Scratch) -> Vec<String> {
    let mut found = Vec::new();
    for (table, left_out) in TABLES {
        let (ours, theirs) = (lines(ours, table, left_out), lines(theirs, table, left_out));
        if ours == theirs {
            continue;
        }
        let mut pairs = ours.iter().zip(&theirs);
        let first = pairs
            .find(|(ours, theirs)| ours != theirs)
            .map_or_else(String::new, |(ours, theirs)| format!("\n  the pipeline: {ours}\n  by hand:      {theirs}"));
        found.push(format!("{table}: {} rows of the pipeline's, {} by hand{first}", ours.len(), theirs.len()));
    }
    found
}

fn lines(scratch: &Scratch, table: &str, left_out: &[&str]) -> Vec<String> {
    let mut conn = scratch.connection();
    let columns = match scratch {
        Scratch::Sqlite(_) => format!("SELECT name AS line FROM pragma_table_info('{table}')"),
        Scratch::Postgres { .. } => {
            format!("SELECT column_name::text AS line FROM information_schema.columns WHERE table_name = '{table}'")
        }
    };
    let columns: Vec<Line> = on!(&mut conn, conn => diesel::sql_query(columns).load(conn)).expect("columns");
    let compared = |line: Line| {
        let name = line.line;
        (!name.ends_with("_at") && !left_out.contains(&name.as_str()))
            .then(|| format!("'{name}=' || coalesce(CAST({name} AS TEXT), '-')"))
    };
    let compared: Vec<String> = columns.into_iter().filter_map(compared).collect();
    let rows = format!("SELECT {} AS line FROM {table}", compared.join(" || ' ' || "));
    let rows: Vec<Line> = on!(&mut conn, conn => diesel::sql_query(rows).load(conn)).expect("rows");
    let mut rows: Vec<String> = rows.into_iter().map(|row| row.line).collect();
    rows.sort();
    rows
}
