//! How large SQLite says that tables are: the file by its pages, rows by their highest number. What each table takes is
//! only to be had by going through the whole file, so of a large one it is not said.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::store::growth::TableSize;

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = Nullable<BigInt>)]
    number: Option<i64>,
}

#[derive(QueryableByName)]
struct Bytes {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
}

/// Up to which size, in bytes, the file is gone through: a few seconds.
const WALKED: i64 = 1024 * 1024 * 1024;
const SIZE: &str = "SELECT page_count * page_size AS number FROM pragma_page_count, pragma_page_size";
/// Tables whose rows are numbered.
const NUMBERED: &str = "SELECT name FROM pragma_table_list \
                        WHERE type = 'table' AND schema = 'main' AND NOT wr AND name LIKE 'pay!_%' ESCAPE '!'";
/// A table with its indexes.
const BYTES: &str = "SELECT m.tbl_name AS name, CAST(sum(d.pgsize) AS BIGINT) AS bytes \
                     FROM dbstat AS d JOIN sqlite_master AS m ON m.name = d.name \
                     WHERE d.aggregate = 1 AND m.tbl_name LIKE 'pay!_%' ESCAPE '!' GROUP BY m.tbl_name";

pub(super) fn sizes(conn: &mut SqliteConnection) -> QueryResult<Vec<TableSize>> {
    let all = number(conn, SIZE)?;
    let mut sizes = Vec::new();
    let tables: Vec<Named> = diesel::sql_query(NUMBERED).load(conn)?;
    for Named { name } in tables {
        let rows = number(conn, &format!("SELECT max(rowid) AS number FROM {name}"))?.or(Some(0));
        sizes.push(TableSize { name, rows, bytes: None });
    }
    // Bodies have the numbers of their events, and lose some of them.
    let pruned = number(conn, "SELECT count(*) AS number FROM pay_pruned")?.unwrap_or(0);
    for size in sizes.iter_mut().filter(|size| size.name == "pay_event_bodies") {
        size.rows = size.rows.map(|rows| (rows - pruned).max(0));
    }
    if all.is_some_and(|all| all <= WALKED) {
        // Not every build of SQLite has this table.
        let bytes: Vec<Bytes> = diesel::sql_query(BYTES).load(conn).unwrap_or_default();
        for Bytes { name, bytes } in bytes {
            match sizes.iter_mut().find(|size| size.name == name) {
                Some(size) => size.bytes = Some(bytes),
                None => sizes.push(TableSize { name, rows: None, bytes: Some(bytes) }),
            }
        }
    }
    sizes.push(TableSize { name: String::new(), rows: None, bytes: all });
    Ok(sizes)
}

fn number(conn: &mut SqliteConnection, sql: &str) -> QueryResult<Option<i64>> {
    diesel::sql_query(sql).get_result::<Number>(conn).map(|found| found.number)
}
