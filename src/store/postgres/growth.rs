//! How large Postgres says that tables are: by its statistics and the lengths of its files, so that only what is small
//! is counted.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use crate::store::growth::TableSize;

#[derive(QueryableByName)]
struct Size {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    rows: Option<i64>,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
    #[diesel(sql_type = Bool)]
    small: bool,
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

/// `n_live_tup` is kept as rows are written, `reltuples` is of the last ANALYZE. Both can be absent or a good while late
/// in a database that is new, so a table of at most 1 MiB is counted instead.
const SIZES: &str = "SELECT CAST(c.relname AS text) AS name, CASE WHEN s.n_live_tup > 0 THEN s.n_live_tup \
                     WHEN c.reltuples >= 0 THEN CAST(c.reltuples AS bigint) END AS rows, \
                     pg_total_relation_size(c.oid) AS bytes, \
                     c.relkind = 'r' AND pg_relation_size(c.oid) <= 1048576 \
                     AND has_table_privilege(c.oid, 'SELECT') AS small \
                     FROM pg_class AS c LEFT JOIN pg_stat_user_tables AS s ON s.relid = c.oid \
                     WHERE c.relkind IN ('r', 'p') AND c.relname LIKE 'pay!_%' ESCAPE '!' AND pg_table_is_visible(c.oid)";

pub(super) fn sizes(conn: &mut PgConnection) -> QueryResult<Vec<TableSize>> {
    let mut found: Vec<Size> = diesel::sql_query(SIZES).load(conn)?;
    for size in found.iter_mut().filter(|size| size.small) {
        // A name of Postgres' own catalogue that begins with `pay_`.
        let count = format!("SELECT count(*) AS rows FROM \"{}\"", size.name.replace('"', "\"\""));
        size.rows = Some(diesel::sql_query(count).get_result::<Counted>(conn)?.rows);
    }
    let all = TableSize { name: String::new(), rows: None, bytes: Some(found.iter().map(|size| size.bytes).sum()) };
    let each = found.into_iter().map(|size| TableSize { name: size.name, rows: size.rows, bytes: Some(size.bytes) });
    Ok(each.chain([all]).collect())
}
