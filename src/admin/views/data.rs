//! What is stored: how it grows, and what is held of one person.

use askama::Template;

use super::page::Page;
use super::parts::{Link, Moment};

/// How the tables grow, and the question of whom something is held.
#[derive(Debug, Template)]
#[template(path = "data.html")]
pub(crate) struct Data {
    /// The frame.
    pub(crate) page: Page,
    /// Where the form that looks for a person posts to; none when read-only.
    pub(crate) look: Option<String>,
    /// How the tables grow, once they were measured.
    pub(crate) growth: Option<Growth>,
    /// What workers do from time to time.
    pub(crate) work: Vec<Work>,
}

/// Something that workers do from time to time.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) name: String,
    pub(crate) ran_at: Option<Moment>,
    pub(crate) due_at: Moment,
    /// What came of it, one sentence; or why it fails.
    pub(crate) note: String,
    pub(crate) failing_since: Option<Moment>,
}

/// How the tables grow.
#[derive(Debug)]
pub(crate) struct Growth {
    /// All of them in a sentence, and whether it is a warning.
    pub(crate) sentence: String,
    pub(crate) is_warning: bool,
    /// When that was measured.
    pub(crate) at: Moment,
    /// Each of them, the largest first.
    pub(crate) rows: Vec<GrowthRow>,
}

/// How one table grows.
#[derive(Debug)]
pub(crate) struct GrowthRow {
    pub(crate) name: String,
    pub(crate) rows: Option<String>,
    pub(crate) bytes: Option<String>,
    pub(crate) rows_a_day: Option<String>,
    pub(crate) bytes_a_day: Option<String>,
}

/// What is held of a person, and what can be done about it.
#[derive(Debug, Template)]
#[template(path = "person.html")]
pub(crate) struct PersonFound {
    /// The frame.
    pub(crate) page: Page,
    /// The page of all data.
    pub(crate) back: Link,
    /// What names the person.
    pub(crate) name: String,
    /// How much is held, in words.
    pub(crate) sentence: String,
    /// Some of the payments and subscriptions.
    pub(crate) found: Vec<Link>,
    /// How many there are beside them.
    pub(crate) more: Option<String>,
    /// The same person again, for the forms.
    pub(crate) fields: Vec<(&'static str, String)>,
    /// Where the forms post to.
    pub(crate) export: String,
    pub(crate) erase: String,
    /// Why nobody can be erased, if so.
    pub(crate) why_not: Option<&'static str>,
}
