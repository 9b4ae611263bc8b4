//! What does the list of disputes say? How much is disputed, of which payment, and by when to answer.

use askama::Template;

use super::list::{Empty, Filter, Notes, Paging, Tabs};
use super::page::Page;
use super::parts::{Amount, Badge, Link, Moment};

/// The disputes that stand alike.
#[derive(Debug, Template)]
#[template(path = "disputes.html")]
pub(crate) struct Disputes {
    /// The frame.
    pub(crate) page: Page,
    /// By state.
    pub(crate) tabs: Tabs,
    /// By variant and mode.
    pub(crate) filter: Filter,
    /// What is to be known of them.
    pub(crate) notes: Notes,
    /// How the rows are sorted, for those who can't see it.
    pub(crate) order: &'static str,
    /// The disputes, in that order.
    pub(crate) rows: Vec<DisputeRow>,
    /// Instead of no rows.
    pub(crate) empty: Empty,
    /// The neighbours.
    pub(crate) paging: Paging,
}

/// One dispute.
#[derive(Debug, Clone)]
pub(crate) struct DisputeRow {
    /// How much is disputed, where the gateway says it.
    pub(crate) amount: Option<Amount>,
    /// Where it stands, and whether it is a test.
    pub(crate) badges: Vec<Badge>,
    /// Why the customer disputes it, where the gateway says so.
    pub(crate) reason: Option<String>,
    /// The payment: its reference, or else its token.
    pub(crate) payment: Link,
    /// The customer's email address, and all there is of this customer.
    pub(crate) customer: Option<Link>,
    /// The variant.
    pub(crate) variant: String,
    /// The gateway's id of the dispute.
    pub(crate) id: String,
    /// The gateway's own page about it, or about what is disputed.
    pub(crate) dashboard: Option<Link>,
    /// By when to answer, where it can be answered; else when it came to where it stands.
    pub(crate) at: Moment,
    /// What that moment is.
    pub(crate) at_words: &'static str,
}
