//! What does the audit say? Who did what, to what, when, and from where.

use askama::Template;

use super::list::{Empty, Filter, Paging};
use super::page::Page;
use super::parts::{Link, Moment};

/// The acts of operators.
#[derive(Debug, Template)]
#[template(path = "audit.html")]
pub(crate) struct Audit {
    /// The frame.
    pub(crate) page: Page,
    /// By actor and act.
    pub(crate) filter: Filter,
    /// The acts, newest first.
    pub(crate) rows: Vec<ActRow>,
    /// Instead of no rows.
    pub(crate) empty: Empty,
    /// The neighbours.
    pub(crate) paging: Paging,
}

/// One act.
#[derive(Debug, Clone)]
pub(crate) struct ActRow {
    /// What was done, in a word or two.
    pub(crate) act: String,
    /// What it was done to: `payment`, `event` or `variant`, and its page.
    pub(crate) on: Vec<(&'static str, Link)>,
    /// What else there is to say of it.
    pub(crate) detail: Option<String>,
    /// The events that an act on many changed, the first of them, and whether there are more.
    pub(crate) events: (Vec<Link>, bool),
    /// Who did it.
    pub(crate) actor: String,
    /// From which address.
    pub(crate) address: Option<String>,
    /// When.
    pub(crate) at: Moment,
}
