//! A statement whose text never changes, so that each connection prepares it once.

/// Declares a statement: its values with their SQL types, and its text with `{}` where each value goes, in order.
macro_rules! statement {
    ($backend:ty, $(#[$doc:meta])* $name:ident { $($field:ident: $rust:ty => $sql:ty),* $(,)? } $text:expr) => {
        $(#[$doc])*
        struct $name<'a> {
            $($field: $rust,)*
            /// Statements may borrow their values, or not.
            _borrows: std::marker::PhantomData<&'a ()>,
        }

        impl diesel::query_builder::QueryId for $name<'_> {
            type QueryId = $name<'static>;
            const HAS_STATIC_QUERY_ID: bool = true;
        }

        impl diesel::query_builder::QueryFragment<$backend> for $name<'_> {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, $backend>,
            ) -> diesel::QueryResult<()> {
                static PIECES: std::sync::LazyLock<Vec<&str>> =
                    std::sync::LazyLock::new(|| $text.split("{}").collect());
                let mut pieces = PIECES.iter();
                out.push_sql(pieces.next().copied().unwrap_or_default());
                $(
                    out.push_bind_param::<$sql, _>(&self.$field)?;
                    out.push_sql(pieces.next().copied().unwrap_or_default());
                )*
                Ok(())
            }
        }
    };
}

/// Says which columns a statement answers with, so that it can be loaded.
macro_rules! answers {
    ($name:ident, $connection:ty, $row:ty) => {
        impl diesel::query_builder::Query for $name<'_> {
            type SqlType = $row;
        }

        impl diesel::RunQueryDsl<$connection> for $name<'_> {}
    };
    ($name:ident, $connection:ty) => {
        impl diesel::RunQueryDsl<$connection> for $name<'_> {}
    };
}

pub(super) use {answers, statement};
