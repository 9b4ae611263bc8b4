//! What does the rebuild of a payment say? How what is stored differs from what its events make, before it is done.

use askama::Template;

use super::compare::Compare;
use super::page::Page;
use super::parts::{Act, Amount, Badge, Link};

/// A payment beside what its events make of it.
#[derive(Debug, Template)]
#[template(path = "rebuild.html")]
pub(crate) struct Rebuild {
    /// The frame.
    pub(crate) page: Page,
    /// The payment.
    pub(crate) back: Link,
    /// Its reference or token.
    pub(crate) name: String,
    /// The answer in a sentence, with its colour and icon.
    pub(crate) tone: &'static str,
    pub(crate) icon: &'static str,
    pub(crate) answer: String,
    /// Status, amounts and flags.
    pub(crate) compare: Compare,
    /// The registers that differ.
    pub(crate) registers: Vec<RegisterRow>,
    /// Rebuild it; none when read-only.
    pub(crate) acts: Vec<Act>,
}

/// A register that differs.
#[derive(Debug, Clone)]
pub(crate) struct RegisterRow {
    /// Which aspect of which object.
    pub(crate) aspect: String,
    pub(crate) object: Option<String>,
    /// Missing, extra or different.
    pub(crate) what: Badge,
    /// As it is stored, and as the events make it.
    pub(crate) sides: [Option<RegisterSide>; 2],
}

/// What a register holds.
#[derive(Debug, Clone)]
pub(crate) struct RegisterSide {
    pub(crate) state: Badge,
    pub(crate) amount: Option<Amount>,
    /// The event that stated it.
    pub(crate) event: Link,
}
