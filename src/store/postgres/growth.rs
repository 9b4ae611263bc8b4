//! How large Postgres says that tables are: by its statistics and the lengths of its files, so that nothing is counted.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::store::growth::TableSize;

#[derive(QueryableByName)]
struct Size {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    rows: Option<i64>,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
}

/// `n_live_tup` is kept as rows are written, `reltuples` is of the last ANALYZE.
const SIZES: &str = "SELECT CAST(c.relname AS text) AS name, CASE WHEN s.n_live_tup > 0 THEN s.n_live_tup \
                     WHEN c.reltuples >= 0 THEN CAST(c.reltuples AS bigint) END AS rows, \
                     pg_total_relation_size(c.oid) AS bytes \
                     FROM pg_class AS c LEFT JOIN pg_stat_user_tables AS s ON s.relid = c.oid \
                     WHERE c.relkind IN ('r', 'p') AND c.relname LIKE 'pay!_%' ESCAPE '!' AND pg_table_is_visible(c.oid)";

pub(super) fn sizes(conn: &mut PgConnection) -> QueryResult<Vec<TableSize>> {
    let found: Vec<Size> = diesel::sql_query(SIZES).load(conn)?;
    let all = TableSize { name: String::new(), rows: None, bytes: Some(found.iter().map(|size| size.bytes).sum()) };
    let each = found.into_iter().map(|size| TableSize { name: size.name, rows: size.rows, bytes: Some(size.bytes) });
    Ok(each.chain([all]).collect())
}
