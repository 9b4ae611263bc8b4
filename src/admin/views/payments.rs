//! What does the list of payments say? Who paid how much for what, through which variant, and what needs a look.

use askama::Template;

use super::list::{Empty, Filter, Paging, Tabs};
use super::page::Page;
use super::parts::{Amount, Badge, Moment};

/// The list of payments.
#[derive(Debug, Template)]
#[template(path = "payments.html")]
pub(crate) struct Payments {
    /// The frame.
    pub(crate) page: Page,
    /// By status.
    pub(crate) tabs: Tabs,
    /// By variant and search.
    pub(crate) filter: Filter,
    /// The payments, newest first.
    pub(crate) rows: Vec<PaymentRow>,
    /// Instead of no rows.
    pub(crate) empty: Empty,
    /// The neighbours.
    pub(crate) paging: Paging,
}

/// One payment in the list.
#[derive(Debug, Clone)]
pub(crate) struct PaymentRow {
    /// Its page.
    pub(crate) href: String,
    /// How much it is about.
    pub(crate) amount: Amount,
    /// Where it stands.
    pub(crate) status: Badge,
    /// Disputed, needs review, test.
    pub(crate) flags: Vec<Badge>,
    /// The host's own id.
    pub(crate) reference: Option<String>,
    /// The customer's email address.
    pub(crate) customer: Option<String>,
    /// Its variant.
    pub(crate) variant: String,
    /// Our public id.
    pub(crate) token: String,
    /// When it was created.
    pub(crate) created: Moment,
}
