//! How is one index read in its order, from one place to another?

use diesel::QueryResult;
use diesel::query_builder::AstPass;
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, HasSqlType, Text};

use super::super::{Instant, only_named};
use super::{Backend, INDEXED, PAIRS, UNSEEN};
use crate::store::filters::{AmountKey, MomentKey, Span};

/// The rows of one index.
pub(super) struct Stream<'a> {
    pub(super) table: &'static str,
    /// The table that names the rows by its own index, where that is another.
    pub(super) naming: Option<&'static str>,
    /// The index that has those rows alone, where the table's own key would do for its order.
    pub(super) index: Option<&'static str>,
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
    /// A column that has one value here, and the id.
    Word(&'static str, &'a str, &'a Span<i64>),
    /// Two columns of one value each, and the id.
    Words([(&'static str, &'a str); 2], &'a Span<i64>),
    /// The same of an expression.
    Computed(&'static str, &'a str, &'a Span<i64>),
    Amount(&'a Span<AmountKey>),
    /// A column with a moment, and the id.
    Moment(&'static str, &'a Span<MomentKey>),
    /// These rows and no others.
    Among(Vec<i64>),
}

impl Stream<'_> {
    /// All columns, or one, of as many rows as may be looked at.
    pub(super) fn walk<'b>(&'b self, columns: &str, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        if let (Some(_), "*") = (self.naming, columns) {
            out.push_sql(&format!("SELECT {}.* FROM (", self.table));
            self.walk("id AS named", out.reborrow())?;
            out.push_sql(&format!(") AS names CROSS JOIN {}", only_named(self.table)));
            return Ok(());
        }
        self.rows(columns, out.reborrow())?;
        out.push_sql(&format!(" LIMIT {}", self.depth));
        Ok(())
    }

    pub(super) fn rows<'b>(&'b self, columns: &str, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        out.push_sql(&format!("SELECT {columns} FROM {}", self.naming.unwrap_or(self.table)));
        if let (Some(words), Some(index)) = (INDEXED, self.index) {
            out.push_sql(&format!(" {words} {index}"));
        }
        out.push_sql(" WHERE ");
        for condition in self.only {
            out.push_sql(&format!("{condition} AND "));
        }
        self.key.between(out.reborrow())?;
        self.key.order(self.rising, &mut out);
        Ok(())
    }
}

impl Key<'_> {
    pub(super) fn between<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        if let Self::Among(ids) = self {
            return super::super::among(ids, out);
        }
        if let (Self::Word(column, value, span) | Self::Computed(column, value, span), false) = (self, PAIRS) {
            out.push_sql(&format!("{column} = "));
            bind::<Text, _>(*value, &mut out)?;
            out.push_sql(" AND ");
            return within(span, out);
        }
        if let (Self::Words(columns, span), false) = (self, PAIRS) {
            for (column, value) in columns {
                out.push_sql(&format!("{column} = "));
                bind::<Text, _>(*value, &mut out)?;
                out.push_sql(" AND ");
            }
            return within(span, out);
        }
        let mut columns = self.columns();
        // Postgres ends such a walk only where the first column differs: what has one value is said beforehand.
        let leading = self.leading().filter(|_| PAIRS);
        if let Some(value) = leading {
            out.push_sql(&format!("{} = ", columns.remove(0)));
            bind::<Text, _>(value, &mut out)?;
            out.push_sql(" AND ");
        }
        let (columns, skips) = (columns.join(", "), leading.is_some());
        out.push_sql(&format!("({columns}) > ("));
        self.end(true, skips, out.reborrow())?;
        out.push_sql(&format!(") AND ({columns}) < ("));
        self.end(false, skips, out.reborrow())?;
        out.push_sql(")");
        Ok(())
    }

    /// The value of the first of three columns, where it has but one.
    fn leading(&self) -> Option<&str> {
        match self {
            Self::Words([(_, first), _], _) => Some(first),
            Self::Amount(Span { above, below }) => {
                (above.currency == below.currency).then_some(above.currency.as_str())
            }
            _ => None,
        }
    }

    fn end<'b>(&'b self, above: bool, skips: bool, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        match self {
            Self::Among(_) => Ok(()),
            Self::Id(span) => bind::<BigInt, _>(end(span, above), &mut out),
            Self::Word(_, value, span) | Self::Computed(_, value, span) => {
                bind::<Text, _>(*value, &mut out)?;
                out.push_sql(", ");
                bind::<BigInt, _>(end(span, above), &mut out)
            }
            Self::Words(columns, span) => {
                for (_, value) in columns.iter().skip(usize::from(skips)) {
                    bind::<Text, _>(*value, &mut out)?;
                    out.push_sql(", ");
                }
                bind::<BigInt, _>(end(span, above), &mut out)
            }
            Self::Moment(_, span) => {
                let MomentKey { at, id } = end(span, above);
                bind::<Instant, _>(at, &mut out)?;
                out.push_sql(", ");
                bind::<BigInt, _>(id, &mut out)
            }
            Self::Amount(span) => {
                let AmountKey { currency, amount, id } = end(span, above);
                if !skips {
                    bind::<Text, _>(currency.as_str(), &mut out)?;
                    out.push_sql(", ");
                }
                bind::<BigInt, _>(amount, &mut out)?;
                out.push_sql(", ");
                bind::<BigInt, _>(id, &mut out)
            }
        }
    }

    pub(super) fn order(&self, rising: bool, out: &mut AstPass<'_, '_, Backend>) {
        let way = if rising { "ASC" } else { "DESC" };
        let mut columns = self.columns();
        if matches!(self, Self::Computed(..)) && !PAIRS {
            // SQLite does not see that an expression has but one value, and would sort by it.
            columns.remove(0);
        }
        let columns: Vec<String> = columns.iter().map(|column| format!("{column} {way}")).collect();
        out.push_sql(&format!(" ORDER BY {}", columns.join(", ")));
    }

    fn columns(&self) -> Vec<&'static str> {
        match self {
            Self::Id(_) | Self::Among(_) => vec!["id"],
            Self::Word(column, ..) | Self::Computed(column, ..) => vec![column, "id"],
            Self::Words([(first, _), (second, _)], _) => vec![first, second, "id"],
            Self::Moment(column, _) => vec![column, "id"],
            Self::Amount(_) => vec!["currency", "amount", "id"],
        }
    }
}

fn within<'b>(ids: &'b Span<i64>, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
    out.push_sql("id > ");
    bind::<BigInt, _>(&ids.above, &mut out)?;
    out.push_sql(" AND id < ");
    bind::<BigInt, _>(&ids.below, &mut out)
}

/// A value that the plan does not depend on.
pub(super) fn bind<'b, T, V>(value: &'b V, out: &mut AstPass<'_, 'b, Backend>) -> QueryResult<()>
where
    Backend: HasSqlType<T>,
    V: ToSql<T, Backend> + ?Sized,
{
    out.push_sql(UNSEEN);
    out.push_bind_param::<T, _>(value)
}

fn end<K>(span: &Span<K>, above: bool) -> &K {
    if above { &span.above } else { &span.below }
}

/// From one end to the other.
pub(super) fn everything() -> Span<i64> {
    Span { above: 0, below: i64::MAX }
}
