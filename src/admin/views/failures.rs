//! What failures have in common, how many there are of each kind, and what to do with all of one.

use askama::Template;

use super::page::Page;
use super::parts::{Link, Moment};

/// The groups of failures.
#[derive(Debug, Template)]
#[template(path = "failures.html")]
pub(crate) struct Failures {
    /// The frame.
    pub(crate) page: Page,
    /// The list of events.
    pub(crate) back: Link,
    /// The groups, the largest first.
    pub(crate) rows: Vec<FailureRow>,
    /// Whether there are more.
    pub(crate) is_more: bool,
    /// Where a group is requeued after a question; `None` for those who may only look.
    pub(crate) action: Option<String>,
}

/// One group.
#[derive(Debug)]
pub(crate) struct FailureRow {
    /// Who failed and why, without numbers and ids.
    pub(crate) cause: String,
    /// The handler that failed.
    pub(crate) handler: Option<String>,
    /// How many events.
    pub(crate) count: String,
    /// Where the events are, and the query of that list, so that the same events are meant. `None` where the host wants
    /// the cause hidden, which both would show.
    pub(crate) events: Option<(String, String)>,
    /// When the first and the last of them came.
    pub(crate) first: Option<Moment>,
    pub(crate) last: Option<Moment>,
}
