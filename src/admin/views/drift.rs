//! What stands otherwise at a gateway, with both values, and the question before it is repaired.

use askama::Template;

use super::compare::Compare;
use super::page::Page;
use super::parts::{Act, Link, Moment};

/// The comparisons and what they found.
#[derive(Debug, Template)]
#[template(path = "drift.html")]
pub(crate) struct DriftPage {
    /// The frame.
    pub(crate) page: Page,
    /// The variants.
    pub(crate) back: Link,
    /// Each variant, by name.
    pub(crate) variants: Vec<ComparedRow>,
    /// What differs.
    pub(crate) differences: Vec<DifferenceView>,
    /// How many there are, and what to do about the others.
    pub(crate) more: Option<String>,
    /// The page that asks whether to repair all that is shown; none when read-only or nothing differs.
    pub(crate) repair: Option<Link>,
}

/// A variant with its last comparison.
#[derive(Debug, Clone)]
pub(crate) struct ComparedRow {
    pub(crate) variant: Link,
    pub(crate) gateway: &'static str,
    /// How the comparison stands, a sentence.
    pub(crate) standing: String,
    /// When it ended, or began.
    pub(crate) at: Option<Moment>,
    /// Compare it now; none when read-only.
    pub(crate) act: Option<Act>,
}

/// One thing that differs.
#[derive(Debug, Clone)]
pub(crate) struct DifferenceView {
    /// `Payment`, `Subscription`, `Object that is not known here`.
    pub(crate) what: &'static str,
    pub(crate) name: Link,
    pub(crate) variant: String,
    pub(crate) found: Moment,
    pub(crate) compare: Compare,
    /// The page that asks whether to repair it; none when read-only.
    pub(crate) repair: Option<Link>,
}

/// The question before a repair.
#[derive(Debug, Template)]
#[template(path = "repair.html")]
pub(crate) struct RepairPage {
    /// The frame.
    pub(crate) page: Page,
    /// The differences.
    pub(crate) back: Link,
    /// `Repair 3 differences?`
    pub(crate) question: String,
    /// What it does.
    pub(crate) meaning: String,
    pub(crate) button: String,
    /// Where the form posts to, and what goes along.
    pub(crate) action: String,
    pub(crate) fields: Vec<(String, String)>,
    /// What is repaired.
    pub(crate) differences: Vec<DifferenceView>,
}
