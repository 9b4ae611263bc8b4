//! What does the list of events say? What came, what became of it, and what went wrong, on the row itself.

use askama::Template;

use super::list::{Empty, Filter, Notes, Paging, Tabs};
use super::page::Page;
use super::parts::{Badge, Link, Moment};

/// The list of events.
#[derive(Debug, Template)]
#[template(path = "events.html")]
pub(crate) struct Events {
    /// The frame.
    pub(crate) page: Page,
    /// By state.
    pub(crate) tabs: Tabs,
    /// By kind, variant and search.
    pub(crate) filter: Filter,
    /// The events, newest first; of one that can't be read, what is wrong with it.
    pub(crate) rows: Vec<Result<EventRow, String>>,
    /// The form around them.
    pub(crate) bulk: BulkForm,
    /// Instead of no rows.
    pub(crate) empty: Empty,
    /// The failures by what they have in common.
    pub(crate) failures: Link,
    /// What is to be known of them.
    pub(crate) notes: Notes,
    /// The id of the newest, where the list begins with it.
    pub(crate) newest: Option<i64>,
    /// The neighbours.
    pub(crate) paging: Paging,
}

/// How many events are acted on at once.
#[derive(Debug, Clone)]
pub(crate) struct BulkForm {
    /// Whether the actor may.
    pub(crate) may_act: bool,
    /// Whether the list leaves any event out: without a filter, all at once is never meant.
    pub(crate) is_filtered: bool,
    /// Where the form posts to.
    pub(crate) action: String,
    /// The list's query, so that the same events are meant.
    pub(crate) view: String,
}

/// One event in the list.
#[derive(Debug, Clone)]
pub(crate) struct EventRow {
    /// Our number of it.
    pub(crate) id: i64,
    /// Its page.
    pub(crate) href: String,
    /// Where it stands.
    pub(crate) state: Badge,
    /// The gateway's own name for what happened.
    pub(crate) kind: String,
    /// The payment that it is of.
    pub(crate) payment: Option<Link>,
    /// What became of it and why.
    pub(crate) outcome: String,
    /// Whether the outcome is that something went wrong.
    pub(crate) failed: bool,
    /// Its variant.
    pub(crate) variant: String,
    /// `×3`, where it was delivered more than once.
    pub(crate) deliveries: Option<String>,
    /// How long after it happened it came, where that is long.
    pub(crate) late: Option<String>,
    /// When it first came.
    pub(crate) received: Moment,
}
