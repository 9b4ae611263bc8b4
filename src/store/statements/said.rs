//! How is a statement said in its own words, and still prepared only once? `sql_query` is prepared anew each time.

use std::marker::PhantomData;

use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Text};
use diesel::{QueryResult, RunQueryDsl};

use super::super::Instant;
use super::stream::{Stream, bind};
use super::{Backend, Connection};
use crate::domain::Timestamp;

/// A statement whose rows are of the SQL type `T`: words, and values between them.
pub(super) struct Said<'a, T>(Vec<Part<'a>>, PhantomData<T>);

enum Part<'a> {
    Sql(String),
    Word(&'a str),
    Id(i64),
    At(Timestamp),
    Rows(&'static str, Stream<'a>),
}

impl<'a, T> Said<'a, T> {
    pub(super) fn new() -> Self {
        Self(Vec::new(), PhantomData)
    }

    pub(super) fn sql(mut self, sql: impl Into<String>) -> Self {
        self.0.push(Part::Sql(sql.into()));
        self
    }

    /// A value, which the plan does not depend on.
    pub(super) fn word(mut self, word: &'a str) -> Self {
        self.0.push(Part::Word(word));
        self
    }

    /// These columns of the rows of a stream.
    pub(super) fn rows(mut self, columns: &'static str, stream: Stream<'a>) -> Self {
        self.0.push(Part::Rows(columns, stream));
        self
    }

    /// As [`Said::word`].
    pub(super) fn id(mut self, id: i64) -> Self {
        self.0.push(Part::Id(id));
        self
    }

    /// As [`Said::word`].
    pub(super) fn at(mut self, at: Timestamp) -> Self {
        self.0.push(Part::At(at));
        self
    }
}

impl<T> QueryFragment<Backend> for Said<'_, T> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        for part in &self.0 {
            match part {
                Part::Sql(sql) => out.push_sql(sql),
                Part::Word(word) => bind::<Text, _>(*word, &mut out)?,
                Part::Id(id) => bind::<BigInt, _>(id, &mut out)?,
                Part::At(at) => bind::<Instant, _>(at, &mut out)?,
                Part::Rows(columns, stream) => stream.walk(columns, out.reborrow())?,
            }
        }
        Ok(())
    }
}

impl<T> QueryId for Said<'_, T> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T> Query for Said<'_, T> {
    type SqlType = T;
}

impl<T> RunQueryDsl<Connection> for Said<'_, T> {}
