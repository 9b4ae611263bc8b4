//! What has every list? Tabs with counts, a filter in the address, pages by key, and words for when it is empty.

use askama::Template;
use askama::filters::HtmlSafe;

use super::parts::{Code, Link};
use crate::reports::Unreadable;

/// A row of tabs; each is a link, and one is current.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "parts/tabs.html")]
pub(crate) struct Tabs {
    /// What they choose, for those who can't see them: `Status`.
    pub(crate) label: String,
    /// The tabs, in order.
    pub(crate) tabs: Vec<Tab>,
}

/// One tab.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tab {
    /// Its name and address.
    pub(crate) link: Link,
    /// How many rows it has, as text; `None` where counting would be slow.
    pub(crate) count: Option<String>,
    /// Whether its rows want somebody's attention.
    pub(crate) urgent: bool,
    /// Whether it is shown.
    pub(crate) current: bool,
}

/// A filter form, sent by GET so that the address is the whole view.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "parts/filter.html")]
pub(crate) struct Filter {
    /// Where it is sent.
    pub(crate) action: String,
    /// What stays chosen, as name and value: the tab.
    pub(crate) hidden: Vec<(String, String)>,
    /// The search box; none where it has no name.
    pub(crate) search: Field,
    /// Further text fields.
    pub(crate) fields: Vec<Field>,
    /// Lists to choose from.
    pub(crate) selects: Vec<Select>,
    /// Those that are used less often, folded away until one of them is.
    pub(crate) more: Vec<Field>,
    /// The same of lists.
    pub(crate) more_selects: Vec<Select>,
    /// Whether one of them is used.
    pub(crate) open: bool,
    /// The address without any filter; `None` when none is set.
    pub(crate) clear: Option<String>,
}

/// A text field of a filter.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "parts/field.html")]
pub(crate) struct Field {
    /// The parameter's name, and the element's id.
    pub(crate) name: String,
    /// What is typed: `search`, `text` or `date`.
    pub(crate) kind: &'static str,
    /// What stands above it.
    pub(crate) label: String,
    /// What it holds.
    pub(crate) value: String,
    /// An example of what to type.
    pub(crate) hint: String,
    /// Values to offer.
    pub(crate) offers: Vec<String>,
    /// Why what it holds can't be searched for.
    pub(crate) error: Option<String>,
    /// Whether it has the focus when its page opens.
    pub(crate) focused: bool,
}

/// A list of a filter.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "parts/select.html")]
pub(crate) struct Select {
    /// The parameter's name, and the element's id.
    pub(crate) name: String,
    /// What stands above it.
    pub(crate) label: String,
    /// What can be chosen.
    pub(crate) choices: Vec<Choice>,
}

/// One choice of a list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Choice {
    /// What is sent.
    pub(crate) value: String,
    /// What is shown.
    pub(crate) text: String,
    /// Whether it is chosen.
    pub(crate) selected: bool,
}

/// What is to be known of a list, above its rows.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "parts/notes.html")]
pub(crate) struct Notes {
    /// A sentence each.
    pub(crate) notes: Vec<String>,
    /// Where new rows would be seen; the script says how many there are.
    pub(crate) fresh: Option<String>,
    /// What the rows are: `payment`.
    pub(crate) what: &'static str,
}

/// The head of a column that can be sorted by.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "parts/column.html")]
pub(crate) struct Column {
    /// What it is called.
    pub(crate) text: &'static str,
    /// Where the list is sorted by it, or the other way round.
    pub(crate) href: String,
    /// What to know of its order.
    pub(crate) title: &'static str,
    /// How the list is sorted by it now: `ascending`, `descending`.
    pub(crate) sorted: Option<&'static str>,
}

/// The way to the neighbouring pages.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "parts/paging.html")]
pub(crate) struct Paging {
    /// What is shown: `Showing payments 1–50 of 100+`.
    pub(crate) shown: String,
    /// All rows of the list as a file.
    pub(crate) csv: Option<String>,
    /// What the way back is called: `Newer`.
    pub(crate) back_word: &'static str,
    /// What the way on is called: `Older`.
    pub(crate) further_word: &'static str,
    /// Where the rows before are.
    pub(crate) back: Option<String>,
    /// Where the rows after are.
    pub(crate) further: Option<String>,
}

impl Paging {
    /// The same, which says of the first part of a list how many rows there are in all, if that is known.
    pub(crate) fn of(mut self, in_all: Option<&str>) -> Self {
        if let (Some(all), None, Some(_)) = (in_all, &self.back, &self.further) {
            self.shown.push_str(&format!(" of {all}"));
        }
        self
    }
}

/// What an empty list says instead.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/empty.html")]
pub(crate) struct Empty {
    /// What there is none of.
    pub(crate) title: String,
    /// What to do about it.
    pub(crate) text: String,
    /// Something to copy: the webhook addresses.
    pub(crate) codes: Vec<Code>,
    /// Where to go.
    pub(crate) link: Option<Link>,
}

impl HtmlSafe for Tabs {}
impl HtmlSafe for Filter {}
impl HtmlSafe for Field {}
impl HtmlSafe for Select {}
impl HtmlSafe for Notes {}
impl HtmlSafe for Column {}
impl HtmlSafe for Paging {}
impl HtmlSafe for Empty {}

/// The rows of a list; of one that can't be read, a sentence for whoever runs the app.
pub(crate) fn readable<T>(rows: Vec<Result<T, Unreadable>>, what: &str) -> Vec<Result<T, String>> {
    let sentence = |row: Unreadable| format!("{what} {} can't be read: {}.", row.id, row.why);
    rows.into_iter().map(|row| row.map_err(sentence)).collect()
}
