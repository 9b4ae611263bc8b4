//! Which part of a list is asked for.

use crate::reports::browse::Place;

/// How many rows a part has, and how many at the most.
const USUAL: usize = 100;
const MOST: usize = 1_000;

/// From where on, and how many rows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Part {
    pub(super) after: Option<i64>,
    limit: Option<usize>,
}

impl Part {
    pub(super) fn limit(&mut self, limit: u32) {
        self.limit = Some(usize::try_from(limit).unwrap_or(MOST));
    }

    pub(super) fn size(self) -> usize {
        self.limit.unwrap_or(USUAL).clamp(1, MOST)
    }

    /// The same that begins at another place.
    pub(super) fn from(self, after: Option<i64>) -> Self {
        Self { after, ..self }
    }

    /// Where it begins; `None` at the beginning of the list.
    pub(super) fn place(self) -> Option<Place> {
        self.after.map(|id| Place { id, back: false, with: false })
    }
}
