//! What does a person see who decides about a payment that needs review? What was agreed, what came, and what each
//! decision does.

use askama::Template;

use super::page::Page;
use super::parts::{Badge, Link};
use super::payment::Figure;

/// The question what is to become of a payment that needs review.
#[derive(Debug, Template)]
#[template(path = "review.html")]
pub(crate) struct Review {
    /// The frame.
    pub(crate) page: Page,
    /// The payment.
    pub(crate) back: Link,
    /// Where the payment stands, and whether it is a test.
    pub(crate) badges: Vec<Badge>,
    /// Whose payment it is: reference, customer, as far as they are known.
    pub(crate) whose: Vec<String>,
    /// How much was agreed, and how much moved.
    pub(crate) figures: Vec<Figure>,
    /// Why it needs review, a sentence each.
    pub(crate) concerns: Vec<String>,
    /// Where the form leads.
    pub(crate) action: String,
    /// When the payment had changed last, by which a decision about another state is refused.
    pub(crate) seen: String,
    /// How long a note may be.
    pub(crate) longest: usize,
    /// The amount that can be accepted, where one can, with what that means.
    pub(crate) accept: Option<(String, String)>,
    /// The page of a refund, where money can go back.
    pub(crate) give_back: Option<Link>,
}
