//! How are lists read? Each goes through one index in its order, strictly between two of its places, so that any
//! part of it costs the same; no plan is left to the planner's guess of how many rows there may be.

mod events;
mod found;
mod payments;
pub(super) mod subscriptions;

pub(super) use events::past;
pub(super) use found::{stepping, values, values_of_parts};

use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Bool};
use diesel::{BoxableExpression, QueryResult, RunQueryDsl};

use super::said::Said;
use super::stream::{self, Stream, everything};
use super::{ADDRESS, BYTEWISE, Backend, Connection, LATE, failed, schema};

/// What the rest of a filter wants of a row.
type Condition<T> = Box<dyn BoxableExpression<T, Backend, SqlType = Bool>>;

/// The ids of those rows of a stream that the rest of the filter wants.
struct Wanted<'a, T> {
    stream: Stream<'a>,
    rest: Vec<Condition<T>>,
    /// Where the stream is of another order than the list: the list's own.
    sorted: Option<Sorted<'a>>,
    limit: i64,
}

/// The order of a list, and which part of it.
struct Sorted<'a> {
    by: stream::Key<'a>,
    rising: bool,
}

impl<T> QueryFragment<Backend> for Wanted<'_, T> {
    /// A subquery with a limit is read to that limit and no further, whatever is asked of its rows; and they stay in
    /// its order.
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        out.push_sql("SELECT id FROM (");
        self.stream.walk("*", out.reborrow())?;
        out.push_sql(") AS ");
        out.push_identifier(self.stream.table)?;
        let mut word = " WHERE ";
        for condition in &self.rest {
            out.push_sql(word);
            condition.walk_ast(out.reborrow())?;
            word = " AND ";
        }
        if let Some(Sorted { by, rising }) = &self.sorted {
            out.push_sql(word);
            by.between(out.reborrow())?;
            by.order(*rising, &mut out);
        }
        out.push_sql(&format!(" LIMIT {}", self.limit));
        Ok(())
    }
}

/// The same of each of several streams: which one, and an id.
struct Each<'a, T>(Vec<Wanted<'a, T>>);

impl<T> QueryFragment<Backend> for Each<'_, T> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        for (at, wanted) in self.0.iter().enumerate() {
            let beside = if at > 0 { " UNION ALL " } else { "" };
            out.push_sql(&format!("{beside}SELECT CAST({at} AS BIGINT), id FROM ("));
            wanted.walk_ast(out.reborrow())?;
            out.push_sql(&format!(") AS part{at}"));
        }
        Ok(())
    }
}

/// How many rows each stream has, counted as far as it is read: which one, and its number.
struct Counted<'a>(Vec<Stream<'a>>);

impl QueryFragment<Backend> for Counted<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        for (at, stream) in self.0.iter().enumerate() {
            let beside = if at > 0 { " UNION ALL " } else { "" };
            out.push_sql(&format!("{beside}SELECT CAST({at} AS BIGINT), count(*) FROM ("));
            stream.walk("id", out.reborrow())?;
            out.push_sql(&format!(") AS counted{at}"));
        }
        Ok(())
    }
}

/// The last row that a stream takes in, of each that takes in as many as it may.
struct Reach<'a>(Vec<Stream<'a>>);

impl QueryFragment<Backend> for Reach<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        for (at, stream) in self.0.iter().enumerate() {
            out.push_sql(if at > 0 { " UNION ALL SELECT id FROM (" } else { "SELECT id FROM (" });
            stream.rows("id", out.reborrow())?;
            out.push_sql(&format!(" LIMIT 1 OFFSET {}) AS end{at}", stream.depth.max(1) - 1));
        }
        Ok(())
    }
}

impl Counted<'_> {
    /// The numbers, one for each stream.
    fn numbers(self, conn: &mut Connection) -> QueryResult<Vec<i64>> {
        let mut numbers: Vec<(i64, i64)> = self.load(conn)?;
        numbers.sort_unstable();
        Ok(numbers.into_iter().map(|(_, number)| number).collect())
    }
}

/// Each yields numbers, and is remembered by its text.
macro_rules! numbers {
    ($($name:ident <$($of:tt),+> $row:ty;)+) => {$(
        impl<$($of),+> QueryId for $name<$($of),+> {
            type QueryId = ();
            const HAS_STATIC_QUERY_ID: bool = false;
        }

        impl<$($of),+> Query for $name<$($of),+> {
            type SqlType = $row;
        }

        impl<$($of),+> RunQueryDsl<Connection> for $name<$($of),+> {}
    )+};
}

numbers! {
    Wanted<'a, T> BigInt;
    Each<'a, T> (BigInt, BigInt);
    Counted<'a> (BigInt, BigInt);
    Reach<'a> BigInt;
}
