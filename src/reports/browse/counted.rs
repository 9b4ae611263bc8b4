//! How many rows have a tab? Where all rows may be seen an index counts them; of some variants' rows the newest are
//! looked at, since no index has their states.

/// How far tabs and tiles count, anew for each page; what is beyond is "more than".
pub(crate) const COUNT_CAP: i64 = 100;
/// How many of the newest rows of somebody's variants are looked at.
pub(super) const COUNTED: usize = 500;

/// How many rows there are: exactly so many, or as many and more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    pub count: i64,
    /// Whether there may be more.
    pub is_more: bool,
}

impl Counted {
    /// What an index counted, up to [`COUNT_CAP`].
    pub(crate) fn exactly(count: i64) -> Self {
        Self { count, is_more: count >= COUNT_CAP }
    }

    /// Of each of these, how many of the rows are of it; there are more rows where they are a part.
    pub(crate) fn each<K: PartialEq + Copy>(keys: &[K], rows: &[K], is_part: bool) -> Vec<(K, Self)> {
        let count = |key: &K| rows.iter().filter(|row| *row == key).count() as i64;
        keys.iter().map(|key| (*key, Self { is_more: is_part, ..Self::exactly(count(key)) })).collect()
    }
}

impl std::iter::Sum for Counted {
    fn sum<I: Iterator<Item = Self>>(each: I) -> Self {
        let add = |all: Self, one: Self| Self { count: all.count + one.count, is_more: all.is_more || one.is_more };
        each.fold(Self::default(), add)
    }
}
