//! Which handlers are there, and what does it mean to retire one?

use askama::Template;

use super::page::Page;
use super::parts::Link;

/// The registered handlers.
#[derive(Debug, Template)]
#[template(path = "handlers.html")]
pub(crate) struct Handlers {
    /// The frame.
    pub(crate) page: Page,
    /// The overview.
    pub(crate) back: Link,
    /// Where no worker processes anything: the handlers that are lacked.
    pub(crate) deadlocked: Option<String>,
    /// Each of them, by name.
    pub(crate) rows: Vec<HandlerRow>,
}

/// One handler.
#[derive(Debug)]
pub(crate) struct HandlerRow {
    pub(crate) name: String,
    /// What it runs for.
    pub(crate) runs: String,
    /// How many workers have it, and whether that is enough.
    pub(crate) workers: String,
    pub(crate) is_served: bool,
    /// The page that asks whether to retire it; none when read-only.
    pub(crate) retire: Option<Link>,
}

/// The question before a handler is retired.
#[derive(Debug, Template)]
#[template(path = "retire.html")]
pub(crate) struct Retire {
    /// The frame.
    pub(crate) page: Page,
    /// The list.
    pub(crate) back: Link,
    pub(crate) name: String,
    /// What it runs for.
    pub(crate) runs: String,
    /// How many workers have it, where some do.
    pub(crate) served: Option<String>,
    /// Where the form posts to; none when read-only.
    pub(crate) action: Option<String>,
}
