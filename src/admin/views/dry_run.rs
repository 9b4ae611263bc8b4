//! What does a dry run say? What the event would do now: to which payment, by which facts, and who would be told.

use askama::Template;

use super::compare::Compare;
use super::event::Explain;
use super::page::Page;
use super::parts::{Act, Badge, Link, Moment};

/// What an event would do.
#[derive(Debug, Template)]
#[template(path = "dry_run.html")]
pub(crate) struct DryRun {
    /// The frame.
    pub(crate) page: Page,
    /// The event.
    pub(crate) back: Link,
    /// Its kind.
    pub(crate) kind: String,
    /// Where it stands.
    pub(crate) state: Badge,
    /// How it would end.
    pub(crate) end: Badge,
    /// When it would be due again, if it would wait.
    pub(crate) due: Option<Moment>,
    /// What it would do, as an event's page says what it did.
    pub(crate) explain: Explain,
    /// The payment before and after.
    pub(crate) compare: Option<Compare>,
    /// What else would happen, a sentence each.
    pub(crate) besides: Vec<String>,
    /// The handlers that would run, and when.
    pub(crate) handlers: Vec<(String, &'static str)>,
    /// What the actor may do; empty when read-only.
    pub(crate) acts: Vec<Act>,
}
