//! What a search found, grouped by what it is, a few of each.

use askama::Template;

use super::page::Page;
use super::parts::{Amount, Badge, Link, Moment};

/// All that one text found.
#[derive(Debug, Template)]
#[template(path = "search.html")]
pub(crate) struct Search {
    /// The frame.
    pub(crate) page: Page,
    /// What was searched for; empty before anything is.
    pub(crate) text: String,
    /// What was found, by kind; nothing of kinds that have none.
    pub(crate) groups: Vec<Group>,
    /// What was looked at, a line each, where nothing was found or nothing is searched for yet.
    pub(crate) looked_at: Vec<&'static str>,
}

/// What was found of one kind.
#[derive(Debug)]
pub(crate) struct Group {
    /// What they are: `Payments`.
    pub(crate) title: String,
    /// The element's id, by which its heading names it.
    pub(crate) id: &'static str,
    /// How many there are: `12`, `more than 1,000`.
    pub(crate) count: String,
    /// A few of them.
    pub(crate) hits: Vec<Hit>,
    /// The list with all of them.
    pub(crate) all: Option<Link>,
}

/// One that was found.
#[derive(Debug)]
pub(crate) struct Hit {
    /// Where it leads.
    pub(crate) link: Link,
    /// What else people know it by.
    pub(crate) beside: Vec<String>,
    /// How much it is about.
    pub(crate) amount: Option<Amount>,
    /// Where it stands.
    pub(crate) state: Option<Badge>,
    /// When it came.
    pub(crate) at: Option<Moment>,
}
