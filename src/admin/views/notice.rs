//! What does a page say when there is nothing to show? What happened, in plain words, and where to go.

use askama::Template;

use super::page::Page;
use super::parts::Link;

/// A page of one message: not found, denied, or something failed.
#[derive(Debug, Template)]
#[template(path = "notice.html")]
pub(crate) struct Notice {
    /// The frame.
    pub(crate) page: Page,
    /// The colour of its mark: `neutral`, `warn` or `bad`.
    pub(crate) tone: &'static str,
    /// The icon of its mark.
    pub(crate) icon: &'static str,
    /// What happened.
    pub(crate) title: String,
    /// Why, and what to do.
    pub(crate) text: String,
    /// Where to go.
    pub(crate) link: Option<Link>,
}
