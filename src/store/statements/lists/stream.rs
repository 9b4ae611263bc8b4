//! How is one index read in its order, from one place to another?

use diesel::QueryResult;
use diesel::query_builder::AstPass;
use diesel::sql_types::{BigInt, Text};

use super::{Backend, PAIRS};
use crate::store::filters::{AmountKey, Span};

/// The rows of one index.
pub(super) struct Stream<'a> {
    pub(super) table: &'static str,
    /// What is true of each of them, as the index itself says it.
    pub(super) only: &'static [&'static str],
    pub(super) key: Key<'a>,
    pub(super) rising: bool,
    /// How many at the most.
    pub(super) depth: i64,
}

/// What an index goes by, and the part of it that is read.
#[derive(Clone)]
pub(super) enum Key<'a> {
    Id(&'a Span<i64>),
    /// A column that has one value here, and the id. Where the database seeks by pairs, the value is compared together
    /// with the id: of an equality its planner may think that it is so frequent that the table had better be read.
    Word(&'static str, &'a str, &'a Span<i64>),
    Amount(&'a Span<AmountKey>),
    /// These rows and no others.
    Among(&'a [i64], &'a Span<i64>),
}

impl Stream<'_> {
    /// All columns, or one, of as many rows as may be looked at.
    pub(super) fn walk<'b>(&'b self, columns: &str, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        self.rows(columns, out.reborrow())?;
        out.push_sql(&format!(" LIMIT {}", self.depth));
        Ok(())
    }

    pub(super) fn rows<'b>(&'b self, columns: &str, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        out.push_sql(&format!("SELECT {columns} FROM {} WHERE ", self.table));
        for condition in self.only {
            out.push_sql(&format!("{condition} AND "));
        }
        // Beside the condition of a partial index, the equality was measured to be ten times slower than the pair.
        self.key.between(PAIRS || !self.only.is_empty(), out.reborrow())?;
        self.key.order(self.rising, &mut out);
        Ok(())
    }
}

impl Key<'_> {
    pub(super) fn between<'b>(&'b self, pairs: bool, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        if let Self::Among(ids, _) = self {
            // The text differs with the number of ids.
            out.unsafe_to_cache_prepared();
            out.push_sql("id IN (NULL");
            for id in *ids {
                out.push_sql(", ");
                out.push_bind_param::<BigInt, _>(id)?;
            }
            out.push_sql(") AND ");
        }
        if let (Self::Word(column, value, span), false) = (self, pairs) {
            out.push_sql(&format!("{column} = "));
            out.push_bind_param::<Text, _>(value)?;
            out.push_sql(" AND id > ");
            out.push_bind_param::<BigInt, _>(&span.above)?;
            out.push_sql(" AND id < ");
            return out.push_bind_param::<BigInt, _>(&span.below);
        }
        let columns = self.columns().join(", ");
        out.push_sql(&format!("({columns}) > ("));
        self.end(true, out.reborrow())?;
        out.push_sql(&format!(") AND ({columns}) < ("));
        self.end(false, out.reborrow())?;
        out.push_sql(")");
        Ok(())
    }

    fn end<'b>(&'b self, above: bool, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        match self {
            Self::Id(span) | Self::Among(_, span) => out.push_bind_param::<BigInt, _>(end(span, above)),
            Self::Word(_, value, span) => {
                out.push_bind_param::<Text, _>(value)?;
                out.push_sql(", ");
                out.push_bind_param::<BigInt, _>(end(span, above))
            }
            Self::Amount(span) => {
                let AmountKey { currency, amount, id } = end(span, above);
                out.push_bind_param::<Text, _>(currency)?;
                out.push_sql(", ");
                out.push_bind_param::<BigInt, _>(amount)?;
                out.push_sql(", ");
                out.push_bind_param::<BigInt, _>(id)
            }
        }
    }

    pub(super) fn order(&self, rising: bool, out: &mut AstPass<'_, '_, Backend>) {
        let way = if rising { "ASC" } else { "DESC" };
        let columns: Vec<String> = self.columns().iter().map(|column| format!("{column} {way}")).collect();
        out.push_sql(&format!(" ORDER BY {}", columns.join(", ")));
    }

    fn columns(&self) -> Vec<&'static str> {
        match self {
            Self::Id(_) | Self::Among(..) => vec!["id"],
            Self::Word(column, ..) => vec![column, "id"],
            Self::Amount(_) => vec!["currency", "amount", "id"],
        }
    }
}

fn end<K>(span: &Span<K>, above: bool) -> &K {
    if above { &span.above } else { &span.below }
}
