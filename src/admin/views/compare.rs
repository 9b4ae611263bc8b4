//! Two states of a payment or another thing side by side, row by row; what differs stands out.

use std::borrow::Cow;

use askama::Template;
use askama::filters::HtmlSafe;

use super::parts::{Amount, Badge};

/// Two states beside each other.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/compare.html")]
pub(crate) struct Compare {
    /// What the table is about, for those who can't see it.
    pub(crate) caption: &'static str,
    /// What the two columns are: `Now`, `After it`.
    pub(crate) sides: [&'static str; 2],
    /// The rows.
    pub(crate) rows: Vec<Row>,
}

/// One thing in both states.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// What it is.
    pub(crate) label: Cow<'static, str>,
    /// On the one side and on the other.
    pub(crate) sides: [Cell; 2],
    /// Whether they differ.
    pub(crate) differs: bool,
}

/// How a value is shown.
#[derive(Debug, Clone)]
pub(crate) enum Cell {
    /// As a state.
    Badge(Badge),
    /// As money.
    Amount(Amount),
    /// In words.
    Text(String),
}

impl HtmlSafe for Compare {}
