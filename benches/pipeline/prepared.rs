//! Plain statements that are prepared once a connection, for the programs written by hand.

use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Binary, Text};
use diesel::sqlite::{Sqlite, SqliteConnection};

/// A value of a statement.
pub(crate) enum Value<'a> {
    Text(&'a str),
    Number(i64),
    Bytes(&'a [u8]),
    /// Postgres only.
    Texts(&'a [String]),
    /// Postgres only.
    Numbers(&'a [i64]),
}

/// The statement of this number, by which it is found again; a `?` stands for each value.
pub(crate) struct Prepared<'a, const NUMBER: usize> {
    sql: &'static str,
    values: &'a [Value<'a>],
}

/// Of one program, each number stands for one text.
pub(crate) fn prepared<'a, const NUMBER: usize>(sql: &'static str, values: &'a [Value<'a>]) -> Prepared<'a, NUMBER> {
    Prepared { sql, values }
}

impl<const NUMBER: usize> QueryId for Prepared<'_, NUMBER> {
    type QueryId = Prepared<'static, NUMBER>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<const NUMBER: usize> RunQueryDsl<SqliteConnection> for Prepared<'_, NUMBER> {}
impl<const NUMBER: usize> RunQueryDsl<PgConnection> for Prepared<'_, NUMBER> {}

impl<const NUMBER: usize> QueryFragment<Sqlite> for Prepared<'_, NUMBER> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let mut values = self.values.iter();
        for part in self.sql.split('?') {
            out.push_sql(part);
            match values.next() {
                None => {}
                Some(Value::Text(text)) => out.push_bind_param::<Text, _>(*text)?,
                Some(Value::Number(number)) => out.push_bind_param::<BigInt, _>(number)?,
                Some(Value::Bytes(bytes)) => out.push_bind_param::<Binary, _>(*bytes)?,
                Some(Value::Texts(_) | Value::Numbers(_)) => unreachable!("SQLite has no arrays"),
            }
        }
        Ok(())
    }
}

impl<const NUMBER: usize> QueryFragment<Pg> for Prepared<'_, NUMBER> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let mut values = self.values.iter();
        for part in self.sql.split('?') {
            out.push_sql(part);
            match values.next() {
                None => {}
                Some(Value::Text(text)) => out.push_bind_param::<Text, _>(*text)?,
                Some(Value::Number(number)) => out.push_bind_param::<BigInt, _>(number)?,
                Some(Value::Bytes(bytes)) => out.push_bind_param::<Binary, _>(*bytes)?,
                Some(Value::Texts(texts)) => out.push_bind_param::<Array<Text>, _>(*texts)?,
                Some(Value::Numbers(numbers)) => out.push_bind_param::<Array<BigInt>, _>(*numbers)?,
            }
        }
        Ok(())
    }
}
