//! What is asked before a gateway is asked? How much, and then exactly that, with what it means.

use askama::Template;

use super::list::{Field, Select};
use super::page::Page;
use super::parts::{Badge, Link};
use super::payment::Figure;

/// The question before a payment's gateway is asked to do something.
#[derive(Debug, Template)]
#[template(path = "operation.html")]
pub(crate) struct Operation {
    /// The frame.
    pub(crate) page: Page,
    /// The payment.
    pub(crate) back: Link,
    /// `Refund 10.00 EUR?`
    pub(crate) question: String,
    /// Where the payment stands, and whether it is a test.
    pub(crate) badges: Vec<Badge>,
    /// Whose payment it is: reference, customer, as far as they are known.
    pub(crate) whose: Vec<String>,
    /// How much moved so far, and what would remain.
    pub(crate) figures: Vec<Figure>,
    /// What speaks against it, a sentence each.
    pub(crate) warnings: Vec<String>,
    /// Where both forms lead.
    pub(crate) action: String,
    /// The view of the list that the payment was opened from.
    pub(crate) within: Vec<(&'static str, String)>,
    /// What is to be done next.
    pub(crate) step: Step,
}

/// The two steps.
#[derive(Debug)]
pub(crate) enum Step {
    /// How much?
    Choose {
        /// The most, or what was given and what is wrong with it.
        amount: Field,
        /// Why, by a word of the gateway's.
        reason: Option<Select>,
    },
    /// Exactly this?
    Confirm {
        /// What it means, a sentence each.
        meaning: Vec<String>,
        /// How long the note may be that is asked for, where one is.
        note: Option<usize>,
        /// What goes along.
        fields: Vec<(&'static str, String)>,
        /// What the button says, and its icon.
        button: String,
        icon: &'static str,
    },
}
