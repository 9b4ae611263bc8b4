//! What does the list of payments say? Who paid how much for what, through which variant, and what needs a look.

use askama::Template;

use super::list::{Column, Empty, Filter, Notes, Paging, Tabs};
use super::page::Page;
use super::parts::{Amount, Badge, Link, Moment};
use super::payment::Figure;

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
    /// Spans of days to choose from, and whether it is chosen.
    pub(crate) presets: Vec<(Link, bool)>,
    /// Where the payments of this view are added up, or what they come to.
    pub(crate) totals: Totals,
    /// The payments, in that order; of one that can't be read, what is wrong with it.
    pub(crate) rows: Vec<Result<PaymentRow, String>>,
    /// Instead of no rows.
    pub(crate) empty: Empty,
    /// What is to be known of them.
    pub(crate) notes: Notes,
    /// The id of the newest, where the list begins with it.
    pub(crate) newest: Option<i64>,
    /// The heads of the columns that can be sorted by.
    pub(crate) by_amount: Column,
    pub(crate) by_age: Column,
    /// How the rows are sorted, for those who can't see it.
    pub(crate) order: &'static str,
    /// The neighbours.
    pub(crate) paging: Paging,
}

/// What the payments of a view come to.
#[derive(Debug)]
pub(crate) enum Totals {
    /// Not asked for: where they are.
    At(Link),
    /// By currency and mode, and what is to be known of them.
    Sums(Vec<PaymentTotals>, String),
}

/// One payment in the list.
#[derive(Debug, Clone)]
pub(crate) struct PaymentRow {
    /// Its number in the list.
    pub(crate) id: i64,
    /// Its page.
    pub(crate) href: String,
    /// How much it is about.
    pub(crate) amount: Amount,
    /// How much went back, if anything did.
    pub(crate) refunded: Option<Amount>,
    /// Where it stands.
    pub(crate) status: Badge,
    /// Disputed, needs review, test.
    pub(crate) flags: Vec<Badge>,
    /// The host's own id.
    pub(crate) reference: Option<String>,
    /// The customer's email address, and all there is of this customer.
    pub(crate) customer: Option<Link>,
    /// Its variant.
    pub(crate) variant: String,
    /// Our public id.
    pub(crate) token: String,
    /// When it was created.
    pub(crate) created: Moment,
}

/// What payments of one currency and mode come to.
#[derive(Debug)]
pub(crate) struct PaymentTotals {
    /// The currency, and how many payments: `EUR, 3 payments`.
    pub(crate) title: String,
    /// Test, where it is no real money.
    pub(crate) mode: Option<Badge>,
    /// What was captured, refunded, lost to disputes, and kept.
    pub(crate) figures: Vec<Figure>,
}
