//! What is asked before many events are changed? How many exactly, what will become of them, and some of them to
//! look at.

use askama::Template;

use super::page::Page;
use super::parts::{Badge, Link, Moment};

/// The question before an act on many events.
#[derive(Debug, Template)]
#[template(path = "confirm.html")]
pub(crate) struct Confirm {
    /// The frame.
    pub(crate) page: Page,
    /// The list that it came from.
    pub(crate) back: Link,
    /// `Requeue 12 events?`
    pub(crate) question: String,
    /// What the act does.
    pub(crate) meaning: &'static str,
    /// How many change, by the state that they are in.
    pub(crate) changes: Vec<(Badge, String)>,
    /// How many stay as they are and why, a sentence each.
    pub(crate) stays: Vec<String>,
    /// That it is not the number that was confirmed.
    pub(crate) changed: Option<String>,
    /// What the button says, and its icon.
    pub(crate) button: String,
    pub(crate) icon: &'static str,
    /// Where the form posts to, and what goes along.
    pub(crate) action: String,
    pub(crate) fields: Vec<(String, String)>,
    /// Some of the events, and how many there are beside them.
    pub(crate) rows: Vec<ConfirmRow>,
    pub(crate) more: Option<String>,
}

/// One of the events.
#[derive(Debug, Clone)]
pub(crate) struct ConfirmRow {
    pub(crate) state: Badge,
    pub(crate) event: Link,
    pub(crate) outcome: String,
    pub(crate) received: Moment,
}

/// What came of an act on many events.
#[derive(Debug, Template)]
#[template(path = "done.html")]
pub(crate) struct Done {
    /// The frame.
    pub(crate) page: Page,
    /// The list that it came from.
    pub(crate) back: Link,
    /// `12 events were requeued`
    pub(crate) title: String,
    /// What else there is to say of it.
    pub(crate) sentences: Vec<String>,
}
